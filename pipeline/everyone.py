"""Everybody in the tables, one partition of persons after the other, as records and with what must be seen of them today."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from data_contracts.errors import EngineError
from data_contracts.readers.parquet_files import n_partitions, read_partition
from data_contracts.records import TABLES
from data_contracts.safety import SafetyFlag, in_order, safety_flags
from data_contracts.tables import Table, empty_table
from pipeline.locks import stand
from pipeline.person_record import person_records
from pipeline.stored_flags import stored_flags
from pipeline.workspace import Workspace


class Everyone:
    """Reads the tables partition by partition; what it has seen of whom is known before the answer comes."""

    def __init__(self, workspace: Workspace, tables: Path, index_date: date) -> None:
        self.tables = tables
        self.index_day = np.datetime64(index_date, "D")
        nothing = {"survey_answers": empty_table(TABLES["survey_answers"])}
        self._listed = stored_flags(workspace, nothing)
        self._stand = stand(tables)
        self.flags: list[SafetyFlag] = [*self._listed]
        self.flagged: dict[str, str] = {}
        self.not_known: list[str] = []
        self.n_persons = 0

    def count(self) -> int:
        """Return how many persons there are, for progress."""
        names = (read_partition(self.tables, part, ["persons"])["persons"] for part in range(n_partitions(self.tables)))
        return sum(len(np.unique(table["person_id"].codes)) for table in names)

    def records(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield every person's record; raises EngineError if the tables changed meanwhile."""
        for part in range(n_partitions(self.tables)):
            flags, found = people(self.tables, part, self.index_day)
            self.flags += flags
            latest = self._latest(flags)
            for person_id, record in found:
                self._note(person_id, latest, is_known=record is not None)
                if record is not None:
                    yield person_id, record
        self.refuse_changed()

    def see(self, flags: list[SafetyFlag], persons: Iterable[str], not_known: Collection[str]) -> None:
        """Take in who was in a partition that another process has worked on."""
        self.flags += flags
        latest, unknown = self._latest(flags), {*not_known}
        for person_id in persons:
            self._note(person_id, latest, is_known=person_id not in unknown)

    def refuse_changed(self) -> None:
        """Raise EngineError if the tables are not what they were."""
        if stand(self.tables) != self._stand:
            raise EngineError(
                f"The tables in {self.tables} were changed while they were read. Nothing was written. Run score again."
            )

    def _latest(self, flags: list[SafetyFlag]) -> dict[str, str]:
        return latest_flags(in_order([*flags, *self._listed]))

    def _note(self, person_id: str, latest: dict[str, str], *, is_known: bool) -> None:
        self.n_persons += 1
        if person_id in latest:
            self.flagged[person_id] = latest[person_id]
        if not is_known:
            self.not_known.append(person_id)


def people(
    tables: Path, part: int, index_day: np.datetime64
) -> tuple[list[SafetyFlag], Iterator[tuple[str, dict[str, Any] | None]]]:
    """Return the flags of a partition of persons, and everybody in it with her record, None where nothing was known yet."""
    found = read_partition(tables, part)
    return safety_flags(found["survey_answers"]), person_records(found, index_day)


def latest_flags(flags: Iterable[SafetyFlag]) -> dict[str, str]:
    """Latest day on which each person gave an answer that a human must look at."""
    days = ((flag.person_id, flag.answered_on) for flag in reversed([*flags]))
    return {person: day.isoformat() if day else "day unknown" for person, day in days if person}


def partition_of(tables: Path, person: str) -> dict[str, Table] | None:
    """Return the tables of the partition that a person is in, None if she is in none."""
    for part in range(n_partitions(tables)):
        persons = read_partition(tables, part, ["persons"])["persons"]["person_id"]
        if (persons.recode({person: 1}) == 1).any():
            return read_partition(tables, part)
    return None
