"""The tables of each size as Parquet files: made once, and written partition by partition."""

from __future__ import annotations

import hashlib
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from declarations import write_declarations
from population import PARTITION, partitions, workplace_events

from data_contracts.fingerprints import fingerprint
from data_contracts.partitions import has_persons
from data_contracts.readers.parquet_files import PARTITIONS_KEY, arrow_schema, write_group
from data_contracts.records import TABLES, Column, Record, columns
from data_contracts.tables import Coded, Table

_SOURCES = ("population.py", "waves.py", "panels.py", "store.py")


def made(cache: Path, n_persons: int) -> Path:
    """Return the data folder of a size, with tables that were made from the code as it is now."""
    data = cache / "data" / str(n_persons)
    stamp = data / "made_from.txt"
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != _stamp():
        shutil.rmtree(data, ignore_errors=True)
        _write(data / "tables", n_persons)
        stamp.write_text(_stamp(), encoding="utf-8")
    write_declarations(data)
    return data


def _stamp() -> str:
    texts = [(Path(__file__).parent / name).read_text(encoding="utf-8") for name in _SOURCES]
    return hashlib.sha256("".join([*texts, *map(fingerprint, TABLES.values())]).encode()).hexdigest()


def _write(folder: Path, n_persons: int) -> None:
    folder.mkdir(parents=True)
    with ExitStack() as files:
        writers = {name: files.enter_context(_writer(folder, record, n_persons)) for name, record in TABLES.items()}
        write_group(writers["workplace_events"], _arrow("workplace_events", workplace_events(n_persons)))
        for number, tables in enumerate(partitions(n_persons), start=1):
            for name, table in tables.items():
                write_group(writers[name], _arrow(name, table))
            print(f"  made {min(number * PARTITION, n_persons):,} of {n_persons:,} persons", flush=True)


def _writer(folder: Path, record: type[Record], n_persons: int) -> pq.ParquetWriter:
    schema = arrow_schema(record)
    n_partitions = str(-(-n_persons // PARTITION) if has_persons(record) else 1)
    schema = schema.with_metadata({**schema.metadata, PARTITIONS_KEY: n_partitions.encode()})
    return pq.ParquetWriter(folder / f"{record.table}.parquet", schema, compression="zstd")


def _arrow(name: str, table: Table) -> pa.Table:
    record = TABLES[name]
    return pa.Table.from_arrays(
        [_column(column, table[column.name]) for column in columns(record)], schema=arrow_schema(record)
    )


def _column(column: Column, values: Any) -> pa.Array:
    if isinstance(values, Coded):
        codes = pa.array(values.codes, mask=values.codes < 0)
        return pa.DictionaryArray.from_arrays(codes, pa.array(values.vocabulary, type=pa.string()))
    if column.kind == "date":
        return pa.array(values.astype("datetime64[D]"), type=pa.date32())
    return pa.array(values, type=pa.float64(), mask=np.isnan(values))


def n_rows(data: Path) -> int:
    """Return the number of rows in all tables of a data folder."""
    return sum(pq.ParquetFile(path).metadata.num_rows for path in (data / "tables").glob("*.parquet"))
