"""Checked tables on disk: one Parquet file per table, written and read without loss."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from data_contracts.errors import MissingInputError, SourceFileError
from data_contracts.fingerprints import fingerprint
from data_contracts.records import TABLES, Column, Record, columns
from data_contracts.tables import Coded, Table

CONTRACT_KEY = b"balance_risk.contract"
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
    if not path.is_file():
        raise MissingInputError(f"{path} does not exist. Run `balance-risk ingest` first.")
    try:
        arrow = pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise SourceFileError(f"{path} is not a readable Parquet file. Run `balance-risk ingest` again.") from error
    if (arrow.schema.metadata or {}).get(CONTRACT_KEY) != fingerprint(record).encode():
        raise SourceFileError(
            f"{path} was written under another version of the contract of {record.table}. Run `balance-risk ingest` again."
        )
    arrow = arrow.unify_dictionaries()
    return {column.name: _from_arrow(column, arrow[column.name]) for column in columns(record)}


def write_tables(directory: Path, tables: dict[str, Table]) -> None:
    """Write all tables as ``<directory>/<table>.parquet``."""
    for name, table in tables.items():
        write_table(directory / f"{name}.parquet", TABLES[name], table)


def read_tables(directory: Path) -> dict[str, Table]:
    """Read all eight tables of a directory."""
    return {name: read_table(directory / f"{name}.parquet", record) for name, record in TABLES.items()}


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
        chunks = values.chunks
        codes = [chunk.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32) for chunk in chunks]
        vocabulary = tuple(chunks[0].dictionary.to_pylist()) if chunks else ()
        return Coded(np.concatenate(codes) if codes else np.empty(0, dtype=np.int32), vocabulary)
    if column.kind == "date":
        return values.to_numpy().astype("datetime64[D]")
    return values.to_numpy().astype(np.float64)
