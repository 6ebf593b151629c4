"""Tables as Parquet files: checked tables written and read without loss, and source tables as they come.

A checked table has one row group per partition of persons, in the order of the partitions, each with a vocabulary of its
own: what one partition needs is read without the others. Tables without persons are one group, part of every partition.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from data_contracts.errors import MissingInputError, SourceFileError
from data_contracts.fingerprints import fingerprint
from data_contracts.partitions import divided, has_persons, partitions_for
from data_contracts.readers.coded_columns import as_coded, as_days, as_numbers
from data_contracts.readers.column_mapping import Format
from data_contracts.readers.source_table import Sheet
from data_contracts.records import TABLES, Column, Record, columns
from data_contracts.tables import Coded, Table, n_rows
from data_contracts.violations import shown

CONTRACT_KEY = b"balance_risk.contract"
PARTITIONS_KEY = b"balance_risk.partitions"
_MOST_CELLS = 2**31
_TEXT = pa.dictionary(pa.int32(), pa.string())
_TYPES = {"text": _TEXT, "code": _TEXT, "date": pa.date32(), "integer": pa.float64(), "number": pa.float64(),
          "flag": pa.float64()}  # fmt: skip


def arrow_schema(record: type[Record]) -> pa.Schema:
    """Return the Arrow schema of a table, the contract's fingerprint among its metadata."""
    fields = [pa.field(column.name, _TYPES[column.kind]) for column in columns(record)]
    return pa.schema(fields, metadata={CONTRACT_KEY: fingerprint(record).encode()})


def write_table(path: Path, record: type[Record], table: Table, partitions: int = 1) -> None:
    """Write a table in so many partitions; the same rows in the same order give the same bytes.

    A broken-off write leaves no file.
    """
    schema = arrow_schema(record)
    schema = schema.with_metadata({**schema.metadata, PARTITIONS_KEY: str(partitions).encode()})
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    with pq.ParquetWriter(unfinished, schema, compression="zstd") as writer:
        for part in divided(table, partitions):
            arrays = [_to_arrow(column, part[column.name]) for column in columns(record)]
            write_group(writer, pa.Table.from_arrays(arrays, schema=schema))
    os.replace(unfinished, path)


def write_group(writer: pq.ParquetWriter, rows: pa.Table) -> None:
    """Write rows as one row group, also when there are none or very many."""
    writer.write_table(rows, row_group_size=max(1, rows.num_rows))


def read_table(path: Path, record: type[Record]) -> Table:
    """Read a table that :func:`write_table` has written under the same contract."""
    return _table(_whole(path, _opened_table(path, record)), record)


def read_sheet(path: Path, form: Format) -> Sheet:
    """Return a source file as a sheet; row numbers start at 1."""
    arrow = _whole(path, _opened(path))
    names, n = arrow.column_names, arrow.num_rows
    is_typed = [not _is_text(column.type) for column in arrow.columns]
    waiting = arrow.columns[::-1]
    del arrow  # of many million rows, a column as it was read is not kept beside all that are coded
    cells = [as_coded(_as_text(path, name, waiting.pop())) for name in names]
    pa.default_memory_pool().release_unused()
    return Sheet(names, cells, np.arange(1, n + 1), is_typed, form.decimal or ".")


def write_tables(directory: Path, tables: dict[str, Table], partitions: int | None = None) -> None:
    """Write all tables as ``<directory>/<table>.parquet``; without ``partitions``, as many as its persons make."""
    if partitions is None:
        partitions = partitions_for(n_rows(tables["persons"])) if "persons" in tables else 1
    for name, table in tables.items():
        record = TABLES[name]
        write_table(directory / f"{name}.parquet", record, table, partitions if has_persons(record) else 1)


def read_tables(directory: Path) -> dict[str, Table]:
    """Read all eight tables of a directory."""
    return {name: read_table(directory / f"{name}.parquet", record) for name, record in TABLES.items()}


def n_partitions(directory: Path) -> int:
    """Return in how many partitions the tables of a directory are; raises SourceFileError if they do not agree."""
    paths = {directory / f"{name}.parquet": record for name, record in TABLES.items() if has_persons(record)}
    found = {_partitions(path, _opened_table(path, record)) for path, record in paths.items()}
    if len(found) > 1:
        raise SourceFileError(f"The tables in {directory} are not of one ingest. Run `balance-risk ingest` again.")
    return found.pop()


def read_partition(directory: Path, partition: int, names: Iterable[str] = tuple(TABLES)) -> dict[str, Table]:
    """Read the rows of one partition's persons in some tables or all, and every row of those without persons."""
    tables = {}
    for name in names:
        record = TABLES[name]
        path = directory / f"{name}.parquet"
        file = _opened_table(path, record)
        is_divided = has_persons(record) and _partitions(path, file) > 1
        tables[name] = _table(_group(path, file, partition) if is_divided else _whole(path, file), record)
    return tables


def day_span(directory: Path, table: str, column: str) -> tuple[date, date] | None:
    """Return the first and the last day in a column, None if the table is empty; held is one partition at a time."""
    path = directory / f"{table}.parquet"
    file = _opened_table(path, TABLES[table])
    spans = [_span(path, _group(path, file, group, [column])) for group in range(file.num_row_groups)]
    known = [span for span in spans if span is not None]
    return (min(first for first, _ in known), max(last for _, last in known)) if known else None


def _span(path: Path, rows: pa.Table) -> tuple[date, date] | None:
    (column,) = rows.columns
    if column.null_count:
        raise SourceFileError(f"{path} has rows without {rows.column_names[0]}. Run `balance-risk ingest` again.")
    days = as_days(column)
    return (days.min().item(), days.max().item()) if len(days) else None


def _partitions(path: Path, file: pq.ParquetFile) -> int:
    """The partitions of a file that has persons; one, of any number of row groups, in a file that says nothing of it."""
    stated = (file.schema_arrow.metadata or {}).get(PARTITIONS_KEY, b"1")
    if stated not in (b"1", str(file.num_row_groups).encode()):
        raise SourceFileError(f"{path} has lost a partition. Run `balance-risk ingest` again.")
    return int(stated)


def _opened_table(path: Path, record: type[Record]) -> pq.ParquetFile:
    """Open a checked table; its own schema says that texts are dictionaries, so equal ones are held once."""
    with _readable(path):
        file = pq.ParquetFile(_there(path))
        found = file.schema_arrow
    if (found.metadata or {}).get(CONTRACT_KEY) != fingerprint(record).encode():
        raise SourceFileError(
            f"{path} was written under another version of the contract of {record.table}. "
            "Run `balance-risk ingest` again."
        )
    if not found.equals(arrow_schema(record)):  # somebody has changed the file and kept its metadata
        raise SourceFileError(
            f"{path} does not have the columns of {record.table} as ingest writes them. Run `balance-risk ingest` again."
        )
    return file


def _table(rows: pa.Table, record: type[Record]) -> Table:
    return {column.name: _from_arrow(column, rows[column.name]) for column in columns(record)}


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, MemoryError):
        # Arrow's messages may quote the file, so they are not passed on.
        raise SourceFileError(f"{path} is not a readable Parquet file. Write it again.") from None


def _there(path: Path) -> Path:
    if not path.is_file():
        raise MissingInputError(f"{path} does not exist.")
    return path


def _opened(path: Path) -> pq.ParquetFile:
    with _readable(path):
        file = pq.ParquetFile(_there(path))
        # As dictionaries, equal texts are held once: a small file can repeat a long text very often.
        texts = [field.name for field in file.schema_arrow if _is_text(field.type)]
        return pq.ParquetFile(path, read_dictionary=texts)


def _whole(path: Path, file: pq.ParquetFile) -> pa.Table:
    if file.metadata.num_rows * file.metadata.num_columns > _MOST_CELLS:
        raise SourceFileError(f"{path} has more than {_MOST_CELLS} cells. Split it.")
    with _readable(path):
        return file.read()


def _group(path: Path, file: pq.ParquetFile, group: int, names: list[str] | None = None) -> pa.Table:
    with _readable(path):
        return file.read_row_group(group, columns=names)


def _is_text(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def _as_text(path: Path, name: str, values: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(values.type) and values.type.value_type == pa.string():
        return values.cast(_TEXT)
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    try:
        if pa.types.is_date(values.type):  # few days for many rows: the days are written out, not the rows
            return values.dictionary_encode().cast(_TEXT)
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
        return as_days(values)
    return as_numbers(values)
