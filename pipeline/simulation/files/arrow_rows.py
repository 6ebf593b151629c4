"""One block's rows as Arrow tables: the one form from which CSV, Parquet and FHIR are written."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_contracts.records import RECORDS, TABLES, columns
from data_contracts.tables import Coded
from data_contracts.time_windows import NO_DAY
from pipeline.simulation.rows import Rows

TABLE_NAMES = tuple(record.table for record in RECORDS)

_TEXT = pa.dictionary(pa.int32(), pa.string())
_TYPES = {
    "text": _TEXT, "code": _TEXT, "date": pa.date32(), "integer": pa.int64(), "number": pa.float64(),
    "flag": pa.bool_(),
}  # fmt: skip
_DAY_ENDINGS = ("_date", "_on", "_day", "_from")


def concatenated(parts: list[Rows]) -> Rows:
    """Return the rows of all parts, one after the other; texts get one vocabulary."""
    if len(parts) == 1:
        return parts[0]
    return {name: _joined([part[name] for part in parts]) for name in parts[0]}


def _joined(columns: list[Any]) -> Any:
    if not isinstance(columns[0], Coded):
        return np.concatenate(columns)
    if all(column.vocabulary == columns[0].vocabulary for column in columns):
        return Coded(np.concatenate([column.codes for column in columns]), columns[0].vocabulary)
    words = {word: place for place, word in enumerate(dict.fromkeys(w for one in columns for w in one.vocabulary))}
    return Coded(np.concatenate([column.recode(words) for column in columns]), tuple(words))


def schema_of(table: str, as_text: frozenset[str] = frozenset()) -> pa.Schema:
    """Return the schema of a table of the contract; columns of ``as_text`` hold words among their numbers or dates."""
    return pa.schema(
        [(column.name, _TEXT if column.name in as_text else _TYPES[column.kind]) for column in columns(TABLES[table])]
    )


def schema_of_rows(rows: Rows) -> pa.Schema:
    """Return the schema that rows without a contract have by their own types; days are told by their names."""
    names = sorted(rows, key=lambda name: not name.endswith("_id"))  # identifiers first
    return pa.schema([(name, _type_of(name, rows[name])) for name in names])


def _type_of(name: str, column: Any) -> pa.DataType:
    if isinstance(column, Coded):
        return _TEXT
    if name.endswith(_DAY_ENDINGS):
        return pa.date32()
    return {"b": pa.bool_(), "f": pa.float64()}.get(column.dtype.kind, pa.int64())


def to_arrow(rows: Rows, schema: pa.Schema, texts: dict[str, dict[int, str]] | None = None) -> pa.Table:
    """Return rows as a table; an absent column is empty, ``is_deleted`` false. ``texts`` replaces single cells by words."""
    count, texts = len(next(iter(rows.values()))), texts or {}
    arrays = [_array(rows.get(field.name), field, count, texts.get(field.name, {})) for field in schema]
    return pa.table(arrays, schema=schema)


def _array(column: Any, field: pa.Field, count: int, texts: dict[int, str]) -> pa.Array:
    if column is None:
        return pa.array(np.zeros(count, dtype=bool)) if field.name == "is_deleted" else pa.nulls(count, field.type)
    if isinstance(column, Coded):
        codes = pa.array(column.codes, mask=column.codes < 0)
        return pa.DictionaryArray.from_arrays(codes, pa.array(column.vocabulary, pa.string()))
    if not pa.types.is_dictionary(field.type):
        return _natural(np.asarray(column), field.type)
    kind = pa.date32() if field.name.endswith(_DAY_ENDINGS) else pa.float64()
    words = pa.array([texts.get(place) for place in range(count)], pa.string())
    return pc.coalesce(words, _natural(np.asarray(column), kind).cast(pa.string())).dictionary_encode()


def _natural(column: np.ndarray, kind: pa.DataType) -> pa.Array:
    if pa.types.is_date(kind):
        return pa.array(column.astype(np.int32), mask=column == NO_DAY).cast(pa.date32())
    missing = np.isnan(column) if column.dtype.kind == "f" else None
    return pa.array(column, mask=missing).cast(kind)
