"""Tables as Parquet files: checked tables written and read without loss, and source tables as they come."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from data_contracts.errors import MissingInputError, SourceFileError
from data_contracts.fingerprints import fingerprint
from data_contracts.readers.coded_columns import as_coded
from data_contracts.readers.column_mapping import Format
from data_contracts.readers.source_table import Sheet
from data_contracts.records import TABLES, Column, Record, columns
from data_contracts.tables import Coded, Table
from data_contracts.violations import shown

CONTRACT_KEY = b"balance_risk.contract"
_MOST_CELLS = 2**31
_TEXT = pa.dictionary(pa.int32(), pa.string())
_TYPES = {"text": _TEXT, "code": _TEXT, "date": pa.date32(), "integer": pa.float64(), "number": pa.float64(),
          "flag": pa.float64()}  # fmt: skip


def arrow_schema(record: type[Record]) -> pa.Schema:
    """Return the Arrow schema of a table, the contract's fingerprint among its metadata."""
    fields = [pa.field(column.name, _TYPES[column.kind]) for column in columns(record)]
    return pa.schema(fields, metadata={CONTRACT_KEY: fingerprint(record).encode()})


def write_table(path: Path, record: type[Record], table: Table) -> None:
    """Write a table; the same rows in the same order give the same bytes. A broken-off write leaves no file."""
    schema = arrow_schema(record)
    arrays = [_to_arrow(column, table[column.name]) for column in columns(record)]
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), unfinished, compression="zstd")
    os.replace(unfinished, path)


def read_table(path: Path, record: type[Record]) -> Table:
    """Read a table that :func:`write_table` has written under the same contract."""
    arrow = _open(path)
    if (arrow.schema.metadata or {}).get(CONTRACT_KEY) != fingerprint(record).encode():
        raise SourceFileError(
            f"{path} was written under another version of the contract of {record.table}. "
            "Run `balance-risk ingest` again."
        )
    return {column.name: _from_arrow(column, arrow[column.name]) for column in columns(record)}


def read_sheet(path: Path, form: Format) -> Sheet:
    """Return a source file as a sheet; row numbers start at 1."""
    arrow = _open(path)
    cells = [as_coded(_as_text(path, name, arrow.column(place))) for place, name in enumerate(arrow.column_names)]
    row_numbers = np.arange(1, arrow.num_rows + 1)
    is_typed = [not _is_text(column.type) for column in arrow.columns]
    return Sheet(arrow.column_names, cells, row_numbers, is_typed, form.decimal or ".")


def write_tables(directory: Path, tables: dict[str, Table]) -> None:
    """Write all tables as ``<directory>/<table>.parquet``."""
    for name, table in tables.items():
        write_table(directory / f"{name}.parquet", TABLES[name], table)


def read_tables(directory: Path) -> dict[str, Table]:
    """Read all eight tables of a directory."""
    return {name: read_table(directory / f"{name}.parquet", record) for name, record in TABLES.items()}


def _open(path: Path) -> pa.Table:
    if not path.is_file():
        raise MissingInputError(f"{path} does not exist.")
    try:
        file = pq.ParquetFile(path)
        if file.metadata.num_rows * file.metadata.num_columns > _MOST_CELLS:
            raise SourceFileError(f"{path} has more than {_MOST_CELLS} cells. Split it.")
        # As dictionaries, equal texts are held once: a small file can repeat a long text very often.
        texts = [field.name for field in file.schema_arrow if _is_text(field.type)]
        return pq.ParquetFile(path, read_dictionary=texts).read()
    except (pa.ArrowException, OSError, ValueError, MemoryError):
        # Arrow's messages may quote the file, so they are not passed on.
        raise SourceFileError(f"{path} is not a readable Parquet file. Write it again.") from None


def _is_text(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def _as_text(path: Path, name: str, values: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(values.type) and values.type.value_type == pa.string():
        return values.cast(_TEXT)
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    try:
        return values.cast(pa.string()).dictionary_encode()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise SourceFileError(
            f"{path}: the column {shown(name)} is of the type {str(values.type).split('<')[0]}; "
            "text, number or date is needed."
        ) from None


def _to_arrow(column: Column, values: Any) -> pa.Array:
    if isinstance(values, Coded):
        # Sorted and without unused words: equal rows give equal bytes, and nothing of a dropped row stays in the file.
        values = values.compact()
        codes = pa.array(values.codes, mask=values.codes < 0)
        return pa.DictionaryArray.from_arrays(codes, pa.array(values.vocabulary, type=pa.string()))
    if column.kind == "date":
        return pa.array(values.astype("datetime64[D]"), type=pa.date32())
    return pa.array(values, type=pa.float64(), mask=np.isnan(values))


def _from_arrow(column: Column, values: pa.ChunkedArray) -> Any:
    if column.kind in ("text", "code"):
        return as_coded(values)
    if column.kind == "date":
        return values.to_numpy().astype("datetime64[D]")
    return values.to_numpy().astype(np.float64)
