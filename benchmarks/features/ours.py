"""Our own features in the comparison: partition by partition, as the pipeline does it.

Reading and gathering count as they do for the rivals. The workplace context needs everybody: each partition leaves its totals
and the little from which its persons' own part in them is told, and waits on disk until the totals are complete.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from multiprocessing import Pool
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import rival

from data_contracts.readers.parquet_files import n_partitions, read_partition
from data_contracts.tables import Table
from features.as_of import as_of
from features.blocks import Block, sorted_block
from features.build import build_features
from features.catalogue import FEATURE_NAMES, POSITIONS
from features.histories import Histories
from features.sheet_layouts import SCALES
from features.workplace_context import FEATURES, WorkplaceContext, context_features, merged, workplace_context
from features.workplace_totals import SCALE_NAMES
from pipeline.memory import keep_freed_memory

_CONTEXT = [POSITIONS[feature.name] for feature in FEATURES]
_IN_CONTEXT = np.array([scale.name in SCALE_NAMES for scale in SCALES])


class Part(NamedTuple):
    """A partition without its workplace context: what is needed for it, its own totals, and the features so far."""

    persons: Histories
    totals: WorkplaceContext
    values: Path


class Ours:
    """See ``rival.Tool``."""

    def __init__(self, data: Path, threads: int, in_memory: bool) -> None:
        keep_freed_memory()  # as the pipeline does
        self.folder, self.t, self.threads = data / "tables", rival.facts(data)["t_day"], threads
        self.tables: list[dict[str, Table]] | None = None
        if in_memory:
            self.tables = [read_partition(self.folder, number) for number in range(n_partitions(self.folder))]

    def features(self) -> Any:
        """Return identifiers and features of every partition where tables are in memory; else ``write`` computes them."""
        if self.tables is None:
            return None
        if len(self.tables) > 1:
            raise SystemExit("--repeat is for one person")
        histories = _histories(self.tables[0], self.t)
        context = workplace_context(histories, self.t)
        return histories.person_ids, build_features(histories, self.t, context).values

    def write(self, features: Any, output: Path) -> None:
        """Write one row group per partition."""
        names = ["person_id", *FEATURE_NAMES]
        with tempfile.TemporaryDirectory() as directory, _Writer(output, names) as writer:
            parts = self._parts(Path(directory))
            context = merged([part.totals for part in parts])
            for part in parts:
                values = np.load(part.values)
                values[:, _CONTEXT] = context_features(as_of(part.persons, self.t), part.persons, context)
                writer.write(part.persons.person_ids, values)

    def _parts(self, directory: Path) -> list[Part]:
        """Work on all partitions, with a second core on two at once."""
        tasks = [(self.folder, number, self.t, directory) for number in range(n_partitions(self.folder))]
        n_processes = min(self.threads, len(tasks))
        if n_processes == 1:
            return [_part(*task) for task in tasks]
        with Pool(n_processes) as pool:
            return pool.starmap(_part, tasks, chunksize=1)


def _part(folder: Path, number: int, t: int, directory: Path) -> Part:
    keep_freed_memory()
    histories = _histories(read_partition(folder, number), t)
    path = directory / f"{number}.npy"
    np.save(path, build_features(histories, t).values)
    persons = _for_context(histories)
    return Part(persons, workplace_context(persons, t), path)


def _histories(tables: dict[str, Table], t: int) -> Histories:
    return Histories.from_tables(tables, purpose="risk_scoring", consent_on=t)


def _for_context(histories: Histories) -> Histories:
    """Return the histories without what the workplace context does not need."""
    nobody = histories.take(np.empty(0, dtype=np.int64))
    nothing = {
        name: Block(np.zeros(len(histories) + 1, dtype=np.int64), getattr(nobody, name).columns)
        for name in ("labs", "sheets", "guidance")
    }
    scores = histories.scores
    rows = _IN_CONTEXT[scores["scale"]].nonzero()[0]
    columns = {name: column[rows] for name, column in scores.columns.items()}
    return replace(histories, scores=sorted_block(scores.owners()[rows], len(histories), columns), **nothing)


def _texts(words: tuple[str, ...]) -> pa.Array:
    """Return an Arrow column of texts; Arrow's own way loads pandas, half a second that no rival needs."""
    encoded = [word.encode() for word in words]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    return pa.StringArray.from_buffers(len(words), pa.py_buffer(ends), pa.py_buffer(b"".join(encoded)))


def _singles(values: np.ndarray) -> pa.Array:
    return pa.Array.from_buffers(pa.float32(), len(values), [None, pa.py_buffer(values)])


class _Writer:
    """A Parquet file of single precision, opened with the first rows."""

    def __init__(self, path: Path, names: list[str]) -> None:
        schema = pa.schema([(names[0], pa.string()), *((name, pa.float32()) for name in names[1:])])
        self._file = pq.ParquetWriter(path, schema, compression="none", use_dictionary=False)

    def __enter__(self) -> _Writer:
        return self

    def write(self, ids: tuple[str, ...], values: np.ndarray) -> None:
        """Write a row group."""
        columns = [_texts(ids), *map(_singles, np.ascontiguousarray(values.T))]
        self._file.write_table(pa.Table.from_arrays(columns, schema=self._file.schema))

    def __exit__(self, *_: object) -> None:
        self._file.close()


if __name__ == "__main__":
    rival.main(Ours)
