"""The files that a cohort is written to: one per table, or FHIR files of a block each; beside them the truth as CSV.

They are written into a directory inside and moved up when all is done, so that a run that broke off leaves the earlier
files, and a finished one nothing of an earlier run.
"""

from __future__ import annotations

import csv
import io
import shutil
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from data_contracts.readers.csv_files import FIRST_ROW
from pipeline.simulation.block_runner import Drawn
from pipeline.simulation.defects.planting import Defect
from pipeline.simulation.files.arrow_rows import schema_of
from pipeline.simulation.files.claim import UNFINISHED
from pipeline.simulation.files.formats import FHIR_PART
from pipeline.simulation.files.stamp import move_into_place, writing
from pipeline.simulation.tables import TRUTH_FILES

_ROWS_PER_GROUP = 250_000
_LEDGER = "truth/defects.csv"
_LEDGER_COLUMNS = ("table", "file", "row", "column", "rule", "kind")
_PAGE = "SYNTHETIC.md"


class SourceFiles:
    """Source files in the making; ``finish`` puts them in the place of an earlier run's."""

    def __init__(self, directory: Path, as_text: dict[str, frozenset[str]]) -> None:
        self.rows: Counter[str] = Counter()
        self._final, self._made = directory, directory / UNFINISHED / "files"
        self._as_text = as_text
        self._text_files: dict[str, io.BufferedWriter] = {}
        self._parquet_files: dict[str, _ParquetFile] = {}

    def __enter__(self) -> SourceFiles:
        with writing(self._final):
            shutil.rmtree(self._made, ignore_errors=True)  # what a killed run has left
            (self._made / "truth").mkdir(parents=True)
            self._append(_LEDGER, _as_line(_LEDGER_COLUMNS))
        return self

    def write(self, drawn: Drawn) -> None:
        """Append one block; blocks come in their order. Raises SourceFileError where the disk takes no more."""
        with writing(self._final):
            self._write(drawn)

    def _write(self, drawn: Drawn) -> None:
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
            self._text_files[name] = (self._made / name).open("wb")
        self._text_files[name].write(text)

    def _parquet(self, table: str) -> _ParquetFile:
        if table not in self._parquet_files:
            schema = schema_of(table, self._as_text.get(table, frozenset()))
            self._parquet_files[table] = _ParquetFile(self._made / f"{table}.parquet", schema)
        return self._parquet_files[table]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # the disk may be full; what is closed here goes with the directory
            self._close()
        shutil.rmtree(self._made, ignore_errors=True)
        with suppress(OSError):
            self._made.parent.rmdir()

    def finish(self, summary: dict[str, Any], page: str) -> None:
        """Put the files into place under a stamp with the summary; ``page`` says the same for people."""
        with writing(self._final):
            self._close()
            (self._made / _PAGE).write_text(page, encoding="utf-8")
            move_into_place(self._made, self._final, summary)

    def _close(self) -> None:
        with ExitStack() as all_of_them:  # also where one cannot be closed, as on a full disk
            for text_file in self._text_files.values():
                all_of_them.callback(text_file.close)
            for parquet_file in self._parquet_files.values():
                all_of_them.callback(parquet_file.close)
        self._text_files, self._parquet_files = {}, {}


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
        rows = _compact(pa.concat_tables(self._waiting).unify_dictionaries().combine_chunks())
        self._writer.write_table(rows, row_group_size=max(1, rows.num_rows))
        self._waiting, self._count = [], 0

    def close(self) -> None:
        if self._waiting:
            self._flush()
        self._writer.close()


def _compact(rows: pa.Table) -> pa.Table:
    """Leave no word in a dictionary that no row uses: a file must not name a person of whom it has nothing."""
    columns = [
        column.cast(pa.string()).dictionary_encode() if pa.types.is_dictionary(column.type) else column
        for column in rows.columns
    ]
    return pa.table(columns, schema=rows.schema)


def _fhir_name(number: int) -> str:
    return f"cohort-{number:04d}.ndjson"


def _as_line(cells: tuple[object, ...]) -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\n").writerow(cells)
    return buffer.getvalue().encode()
