"""Tables one partition of persons at a time: what is true of every row, or of one person's rows, needs no more at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from data_contracts.partitions import has_persons, partition_of, partitions_for
from data_contracts.readers.parquet_files import n_partitions, read_partition
from data_contracts.records import TABLES
from data_contracts.tables import Coded, Table, n_rows, take


@dataclass(frozen=True)
class TableParts:
    """Tables that are divided by person; a table without persons is one part.

    Parameters
    ----------
    names : tuple of str
        The tables that there are.
    count : int
        Partitions of persons.
    read : callable
        ``read(partition, names)`` returns these tables: the rows of the partition's persons, or all of a table without persons.
    """

    names: tuple[str, ...]
    count: int
    read: Callable[[int, tuple[str, ...]], dict[str, Table]]

    @classmethod
    def stored(cls, directory: Path) -> TableParts:
        """Read the tables of a directory, in the partitions that ingest has made; raises SourceFileError."""
        return cls(
            tuple(TABLES),
            n_partitions(directory),
            lambda partition, names: read_partition(directory, partition, names),
        )

    @classmethod
    def of(cls, tables: dict[str, Table], count: int | None = None) -> TableParts:
        """Divide tables that are in memory; without ``count``, in as many partitions as their persons make."""
        n = partitions_for(n_rows(tables["persons"])) if count is None else count

        @cache
        def partitions(name: str) -> np.ndarray:
            return partition_of(tables[name]["person_id"], n)

        def read(partition: int, names: tuple[str, ...]) -> dict[str, Table]:
            return {
                name: _part(tables[name], partitions(name) == partition)
                if n > 1 and has_persons(TABLES[name])
                else tables[name]
                for name in names
            }

        return cls(tuple(tables), n, read)

    def each(self, *names: str) -> Iterator[dict[str, Table]]:
        """Yield these tables part by part; once, if the first of them has no persons."""
        for partition in range(self.count if has_persons(TABLES[names[0]]) else 1):
            yield self.read(partition, names)


def _part(table: Table, rows: np.ndarray) -> Table:
    return {name: _compact(values) for name, values in take(table, np.flatnonzero(rows)).items()}


def _compact(values: Any) -> Any:
    """What is done per distinct word must not be done for everybody's in every part."""
    return values.compact() if isinstance(values, Coded) else values
