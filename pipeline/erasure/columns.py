"""Finds a person in the cells of CSV, Parquet, ORC and Arrow files and of NumPy arrays."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pyarrow.orc
import pyarrow.parquet as pq

from pipeline.erasure.texts import decoded, rows_of
from pipeline.erasure.wanted import Wanted, as_text

_FAULTS = (ValueError, OSError, EOFError, NotImplementedError, pa.ArrowException, MemoryError, TypeError, SyntaxError)


def in_csv(data: bytes, wanted: Wanted, doubts: list[str]) -> bool:
    """True if a cell of a CSV file holds the person, in a column of persons alone or in any other as a word."""
    try:
        text, _ = decoded(data)
        if not wanted.may_be_in(text):
            return False
        rows = rows_of(text)
    except (csv.Error, ValueError):
        doubts.append("cannot be read as CSV")
        return wanted.is_in(data) or wanted.is_in_wide_text(data)
    header = rows[0] if rows else []
    return any(_is_in_row(header, row, wanted) for row in rows)


def _is_in_row(header: list[str], row: list[str], wanted: Wanted) -> bool:
    names = [*header, *[""] * (len(row) - len(header))]
    return any(wanted.may_be_in(cell) and wanted.is_in_cell(name, cell)
               for name, cell in zip(names, row, strict=False))  # fmt: skip


def in_unknown_columns(data: bytes, wanted: Wanted) -> bool:
    """True if a cell of a table names the person, but nothing says which of its columns holds persons."""
    if data[:4] == b"PAR1":
        table = _arrow(data)
        columns = {} if table is None else dict(zip(table.column_names, table.columns, strict=True))
        return not wanted.person_columns & {*columns} and any(
            wanted.is_person(value) for column in columns.values() for value in _leaves(column.to_pylist())
        )
    try:
        rows = rows_of(decoded(data)[0])
    except (csv.Error, ValueError):
        return False  # said by the search itself
    known = wanted.person_columns & set(rows[0] if rows else [])
    return not known and any(wanted.is_person(cell) for row in rows for cell in row)


def in_arrow(data: bytes, wanted: Wanted, doubts: list[str]) -> bool:
    """True if a cell, or the description, of a file with columns holds the person."""
    table = _arrow(data)
    if table is None:
        doubts.append("is a broken file with columns")
        return wanted.is_in(data)
    if any(map(wanted.is_in, (table.schema.metadata or {}).values())):
        return True
    return any(map(wanted.is_in_text, table.column_names)) or any(
        _in_column(name, column, wanted) for name, column in zip(table.column_names, table.columns, strict=True)
    )


def _arrow(data: bytes) -> pa.Table | None:
    buffer = pa.BufferReader(data)
    try:
        if data[:4] == b"PAR1":
            return pq.ParquetFile(buffer).read()
        return pyarrow.orc.ORCFile(buffer).read() if data[:3] == b"ORC" else pyarrow.ipc.open_file(buffer).read_all()
    except _FAULTS:
        return None


def _in_column(name: str, values: pa.ChunkedArray, wanted: Wanted) -> bool:
    if name not in wanted.person_columns and pa.types.is_primitive(values.type):
        return False  # numbers, dates and flags: no name stands there
    if pa.types.is_dictionary(values.type):
        # Words that no row has any more are still in the file.
        parts: Any = [chunk.dictionary for chunk in values.chunks]
    else:
        parts = values.chunks
    texts = {text for part in parts for text in map(as_text, _leaves(part.to_pylist()))}
    return any(wanted.may_be_in(text) and wanted.is_in_cell(name, text) for text in texts)


def _leaves(value: Any) -> Iterator[object]:
    """Yield what stands in nested values, one by one."""
    if isinstance(value, dict):
        yield from _leaves([*value.keys(), *value.values()])
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _leaves(inner)
    elif value is not None:
        yield value
        if isinstance(value, bytes):
            yield value.decode("latin-1")


def in_array(name: str, data: bytes, wanted: Wanted, doubts: list[str]) -> bool:
    """True if an entry of an array, or of a field of a structured one, holds the person."""
    try:
        array = np.load(io.BytesIO(data), allow_pickle=False)
        texts = {text for part in _plain_parts(array) for text in map(as_text, _leaves(part.ravel().tolist()))}
    except _FAULTS:
        doubts.append("is an array that cannot be read, or one of Python objects")
        return wanted.is_anywhere_in(data)
    return any(text in wanted.names or (wanted.may_be_in(text) and wanted.is_in_cell(name, text)) for text in texts)


def _plain_parts(array: np.ndarray) -> Iterator[np.ndarray]:
    if array.dtype.names:
        for field in array.dtype.names:
            yield from _plain_parts(array[field])
    elif array.dtype.kind in "USV":
        yield array
