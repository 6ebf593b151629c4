"""The files that a cohort is written to: one per table, or FHIR files of a block each; beside them the truth as CSV.

They are written into a directory inside and moved up when all is done, so that a run that broke off leaves no half source,
and a finished one nothing of an earlier run.
"""

from __future__ import annotations

import csv
import io
import shutil
from collections import Counter
from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.parquet as pq

from data_contracts.readers.csv_files import FIRST_ROW
from pipeline.simulation.block_runner import Drawn
from pipeline.simulation.defects.planting import Defect
from pipeline.simulation.files.arrow_rows import TABLE_NAMES, schema_of
from pipeline.simulation.files.formats import FHIR_PART
from pipeline.simulation.tables import TRUTH_FILES

_ROWS_PER_GROUP = 250_000
_LEDGER = "truth/defects.csv"
_LEDGER_COLUMNS = ("table", "file", "row", "column", "rule", "kind")
_UNFINISHED = "unfinished"
_OWN = ("source.json", "SYNTHETIC.md", "truth/*.csv", "check/*", "cohort-*.ndjson",
        *(f"{table}.{suffix}" for table in TABLE_NAMES for suffix in ("csv", "parquet")))  # fmt: skip


class SourceFiles:
    """Source files in the making; leaving the context without an error puts them in the place of an earlier run's."""

    def __init__(self, directory: Path, as_text: dict[str, frozenset[str]]) -> None:
        self.rows: Counter[str] = Counter()
        self.directory = directory / _UNFINISHED
        self._final, self._as_text = directory, as_text
        self._text_files: dict[str, io.BufferedWriter] = {}
        self._parquet_files: dict[str, _ParquetFile] = {}

    def __enter__(self) -> SourceFiles:
        shutil.rmtree(self.directory, ignore_errors=True)
        (self.directory / "truth").mkdir(parents=True)
        self._append(_LEDGER, _as_line(_LEDGER_COLUMNS))
        return self

    def write(self, drawn: Drawn) -> None:
        """Append one block; blocks come in their order."""
        for table, part in drawn.parts.items():
            if isinstance(part, pa.Table):
                self._parquet(table).append(part)
            elif table == FHIR_PART:
                self._append(_fhir_name(drawn.number), part)
            else:
                self._append(TRUTH_FILES.get(table, f"{table}.csv"), part)
        for defect in drawn.defects:
            self._append(_LEDGER, _as_line(self._located(defect, drawn)))
        self.rows.update(drawn.rows)

    def _located(self, defect: Defect, drawn: Drawn) -> tuple[object, ...]:
        """Return the ledger's line: file and row as the reader of the format counts them."""
        table, row = defect.table, defect.row + self.rows[defect.table]
        if table in self._parquet_files:
            where: tuple[str, int] = (f"{table}.parquet", row + 1)
        elif table in drawn.parts:
            where = (f"{table}.csv", row + FIRST_ROW)
        else:
            where = (_fhir_name(drawn.number), defect.row)
        return (table, *where, defect.column, defect.rule, defect.kind)

    def _append(self, name: str, text: bytes) -> None:
        if name not in self._text_files:
            self._text_files[name] = (self.directory / name).open("wb")
        self._text_files[name].write(text)

    def _parquet(self, table: str) -> _ParquetFile:
        if table not in self._parquet_files:
            schema = schema_of(table, self._as_text.get(table, frozenset()))
            self._parquet_files[table] = _ParquetFile(self.directory / f"{table}.parquet", schema)
        return self._parquet_files[table]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for text_file in self._text_files.values():
            text_file.close()
        for parquet_file in self._parquet_files.values():
            parquet_file.close()
        if error is None:
            _replace(self._final, self.directory)
        shutil.rmtree(self.directory)


def _replace(final: Path, made: Path) -> None:
    """Take away what an earlier run has written, in whatever format, and put the new files in its place."""
    for pattern in _OWN:
        for path in final.glob(pattern):
            path.unlink()
    for path in sorted(made.rglob("*.*")):
        target = final / path.relative_to(made)
        target.parent.mkdir(exist_ok=True)
        path.replace(target)


class _ParquetFile:
    """A Parquet file in row groups of about equal size, whatever the size of the blocks."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._writer = pq.ParquetWriter(path, schema, compression="zstd")
        self._waiting: list[pa.Table] = []
        self._count = 0

    def append(self, rows: pa.Table) -> None:
        self._waiting.append(rows)
        self._count += rows.num_rows
        if self._count >= _ROWS_PER_GROUP:
            self._flush()

    def _flush(self) -> None:
        rows = pa.concat_tables(self._waiting).unify_dictionaries().combine_chunks()
        self._writer.write_table(rows, row_group_size=max(1, rows.num_rows))
        self._waiting, self._count = [], 0

    def close(self) -> None:
        if self._waiting:
            self._flush()
        self._writer.close()


def _fhir_name(number: int) -> str:
    return f"cohort-{number:04d}.ndjson"


def _as_line(cells: tuple[object, ...]) -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\n").writerow(cells)
    return buffer.getvalue().encode()
