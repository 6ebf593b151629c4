"""The CSV files that a cohort is written to, one per table, block after block."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv

from data_contracts.records import RECORDS, TABLES, columns
from data_contracts.tables import Coded
from data_contracts.time_windows import NO_DAY

_TYPES = {
    "text": pa.string(), "code": pa.string(), "date": pa.date32(), "integer": pa.int64(), "number": pa.float64(),
    "flag": pa.bool_(),
}  # fmt: skip


class SourceFiles:
    """Open CSV files of all tables in one directory, plus ``truth/truth.csv``."""

    def __init__(self, directory: Path) -> None:
        self.schemas = {record.table: _schema(record.table) for record in RECORDS} | {"truth": TRUTH_SCHEMA}
        self.rows = dict.fromkeys(self.schemas, 0)
        (directory / "truth").mkdir(parents=True, exist_ok=True)
        options = pa.csv.WriteOptions(quoting_style="none", quoting_header="none")
        self._writers = {}
        for table, schema in self.schemas.items():
            path = directory / ("truth/truth.csv" if table == "truth" else f"{table}.csv")
            self._writers[table] = pa.csv.CSVWriter(path, schema, write_options=options)

    def write(self, table: str, rows: dict[str, Any]) -> None:
        """Append rows, one array per column; an absent column is empty, and ``is_deleted`` false."""
        schema, count = self.schemas[table], len(next(iter(rows.values())))
        arrays = [_array(rows.get(field.name), field, count) for field in schema]
        self._writers[table].write_table(pa.table(arrays, schema=schema))
        self.rows[table] += count

    def __enter__(self) -> SourceFiles:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for writer in self._writers.values():
            writer.close()


def _schema(table: str) -> pa.Schema:
    return pa.schema([(column.name, _TYPES[column.kind]) for column in columns(TABLES[table])])


TRUTH_SCHEMA = pa.schema(
    [("person_id", pa.string()), ("index_date", pa.date32()), ("at_work", pa.bool_()),
     ("long_sick_leave", pa.float64()), ("burnout", pa.float64())]
)  # fmt: skip


def _array(column: Any, field: pa.Field, count: int) -> pa.Array:
    if column is None:
        return pa.array(np.zeros(count, dtype=bool)) if field.name == "is_deleted" else pa.nulls(count, field.type)
    if isinstance(column, Coded):
        codes = pa.array(column.codes, mask=column.codes < 0)
        return pa.DictionaryArray.from_arrays(codes, pa.array(column.vocabulary, pa.string())).cast(pa.string())
    column = np.asarray(column)
    if pa.types.is_date(field.type):
        return pa.array(column.astype(np.int32), mask=column == NO_DAY).cast(pa.date32())
    missing = np.isnan(column) if column.dtype.kind == "f" else None
    return pa.array(column, mask=missing).cast(field.type)
