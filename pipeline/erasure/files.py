"""Takes the rows of a person out of a file and leaves every other byte, row or value as it is.

A file is written anew and renamed over the old one: a break leaves the old file or the new one, and a hard link into
DVC's cache is cut, never written through.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import re
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data_contracts.readers.parquet_files import write_group
from pipeline.erasure.fhir import with_fhir_names
from pipeline.erasure.search import JSON_LINES
from pipeline.erasure.texts import cells_of_any_length, decoded, delimiter_of, is_csv, named
from pipeline.erasure.wanted import Wanted, names_person

Judge = Callable[[list[str]], Callable[[int, list[str]], bool]]
"""Given a header, what says of a row, by its number and cells, whether it has to go."""

_LOG = re.compile(r"(.+\.(log|jsonl|ndjson)|.+\.log\.\d+)", re.IGNORECASE)
_FIRST_CSV_ROW = 2


Rewritten = tuple[bytes | None, list[int]]
"""What a file becomes (None: nothing is left of it), and the numbers of the rows that went."""


def without(path: Path, wanted: Wanted) -> Rewritten | None:
    """Return what the file becomes without the person; None if it cannot be taken apart.

    Rows are numbered as the reports number them: lines of a CSV file from 2, rows of Parquet and entries of JSON from 1.
    """
    if path.suffix == ".gz":
        return _packed(path, wanted)
    rewrite = _rewriter(path.name, wanted)
    try:
        return rewrite(path, wanted) if rewrite else None
    except (
        csv.Error,
        ValueError,
        TypeError,
        KeyError,
        OSError,
        RecursionError,
        NotImplementedError,
        pa.ArrowException,
    ):
        return None  # not what its name says


def replace_file(path: Path, content: bytes | None) -> None:
    """Put new content in the place of a file by one rename; None removes it."""
    if content is None:
        path.unlink()
        return
    mode = path.stat().st_mode & 0o777 if path.exists() else None
    partial = path.with_name(path.name + ".part")
    partial.write_bytes(content)
    if mode is not None:
        partial.chmod(mode)
    os.replace(partial, path)


def csv_without(path: Path, judge: Judge) -> tuple[bytes, list[int]]:
    """Return a CSV file without some rows, the others byte for byte, and the numbers of those that went."""
    text, encoding = decoded(path.read_bytes())
    lines = io.StringIO(text, newline="")
    raw: list[str] = []
    reader = csv.reader(_noted(lines, raw), delimiter=delimiter_of(text.partition("\n")[0]))
    kept, gone, header, number = [], [], None, _FIRST_CSV_ROW - 2
    is_gone = judge([])
    for row in _long(reader):
        written = "".join(raw)
        raw.clear()
        number += bool(row)
        if row and header is None:
            header = named(row)
            is_gone = judge(header)
        elif row and is_gone(number, row):
            gone.append(number)
            continue
        kept.append(written)
    return "".join(kept).encode(encoding), gone


def _long(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    with cells_of_any_length():
        yield from reader


def _noted(lines: Iterator[str], raw: list[str]) -> Iterator[str]:
    for line in lines:
        raw.append(line)
        yield line


def _csv(path: Path, wanted: Wanted) -> Rewritten:
    def judge(header: list[str]) -> Callable[[int, list[str]], bool]:
        known = [i for i, name in enumerate(header) if name in wanted.person_columns]
        if known:
            return lambda _, row: any(i < len(row) and row[i].strip() in wanted.names for i in known)
        return lambda _, row: any(cell.strip() in wanted.strong for cell in row)

    return csv_without(path, judge)


def parquet_without(path: Path, gone: np.ndarray) -> bytes:
    """Return a Parquet file without some rows; its row groups stay, with dictionaries that are sorted and hold what is left."""
    file = pq.ParquetFile(path)
    sink = io.BytesIO()
    first = 0
    with pq.ParquetWriter(sink, file.schema_arrow, compression="zstd") as writer:
        for group in range(file.num_row_groups):
            rows = file.read_row_group(group)
            kept = pa.array(~gone[first : first + rows.num_rows])
            first += rows.num_rows
            columns = [_compact(rows[name].filter(kept).combine_chunks()) for name in rows.column_names]
            write_group(writer, pa.Table.from_arrays(columns, schema=file.schema_arrow))
    return sink.getvalue()


def _compact(values: Any) -> pa.Array:
    if not pa.types.is_dictionary(values.type):
        return values
    words = values.cast(values.type.value_type)
    vocabulary = pc.unique(words).drop_null()
    vocabulary = vocabulary.take(pc.sort_indices(vocabulary))
    codes = pc.index_in(words, value_set=vocabulary).cast(values.type.index_type)
    return pa.DictionaryArray.from_arrays(codes, vocabulary)


def _parquet(path: Path, wanted: Wanted) -> Rewritten:
    table = pq.ParquetFile(path).read()
    known = [name for name in table.column_names if name in wanted.person_columns]
    gone = np.zeros(table.num_rows, dtype=bool)
    names = pa.array(wanted.names if known else wanted.strong, pa.string())
    for name in known or table.column_names:
        found = pc.is_in(_as_text(table[name]), value_set=names)
        gone |= found.to_numpy(zero_copy_only=False).astype(bool)
    return parquet_without(path, gone), (np.flatnonzero(gone) + 1).tolist()


def _as_text(values: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    try:
        return values.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return pa.chunked_array([pa.nulls(len(values), pa.string())])


def _training_set(path: Path, wanted: Wanted) -> Rewritten:
    """A training set without the rows of the person, the other persons numbered anew."""
    with np.load(path, allow_pickle=False) as stored:
        arrays = dict(stored)
    if not {"person_ids", "person"} <= set(arrays):
        return None, [1]  # arrays of another kind are somebody's by-product, and go as a whole
    is_theirs = np.isin(arrays["person_ids"], wanted.names)
    gone = is_theirs[arrays["person"]]
    left = {name: values[~gone] if len(values) == len(gone) else values for name, values in arrays.items()}
    left["person"] = (np.cumsum(~is_theirs) - 1)[left["person"]].astype(arrays["person"].dtype)
    # A column of fixed width would keep the length of the longest name.
    left["person_ids"] = np.array(arrays["person_ids"][~is_theirs].tolist(), dtype=np.str_)
    left["feature_names"] = arrays["feature_names"]
    sink = io.BytesIO()
    np.savez(sink, **left)
    return sink.getvalue(), (np.flatnonzero(gone) + 1).tolist()


def _json(path: Path, wanted: Wanted) -> Rewritten:
    """JSON without the entries of the outermost lists that name the person; None if nothing of the document is left."""
    document = json.loads(path.read_bytes())
    wanted = with_fhir_names(wanted, [document])
    if not isinstance(document, dict | list):
        raise ValueError("neither an object nor a list")
    if isinstance(document, list):
        found = [names_person(entry, wanted) for entry in document]
        left: Any = [entry for entry, is_hers in zip(document, found, strict=True) if not is_hers]
        return _as_json(left), [number for number, is_hers in enumerate(found, 1) if is_hers]
    lists = {name: value for name, value in document.items() if isinstance(value, list)}
    rest = {name: value for name, value in document.items() if name not in lists}
    is_bundle = "entry" in lists
    if not is_bundle and names_person(rest, wanted):
        return None, [1]
    theirs = {name: [names_person(entry, wanted, name) for entry in value] for name, value in lists.items()}
    left = document | {
        name: [entry for entry, is_hers in zip(value, theirs[name], strict=True) if not is_hers]
        for name, value in lists.items()
    }
    gone = [number for found in theirs.values() for number, is_hers in enumerate(found, 1) if is_hers]
    is_emptied = is_bundle and bool(gone) and not left["entry"]
    return None if is_emptied else _as_json(left), gone


def _as_json(document: Any) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def _lines(path: Path, wanted: Wanted) -> Rewritten:
    lines = path.read_bytes().splitlines(keepends=True)
    is_json = path.suffix.lower() in JSON_LINES
    gone = [number for number, line in enumerate(lines, 1) if (_names if is_json else Wanted.is_in)(wanted, line)]
    left = b"".join(line for number, line in enumerate(lines, 1) if number not in set(gone))
    return left, gone


def _names(wanted: Wanted, line: bytes) -> bool:
    try:
        return names_person(json.loads(line), wanted)
    except (ValueError, RecursionError):
        return wanted.is_in(line)


def _packed(path: Path, wanted: Wanted) -> Rewritten | None:
    with tempfile.TemporaryDirectory() as scratch:
        inner = Path(scratch) / path.stem
        try:
            inner.write_bytes(gzip.decompress(path.read_bytes()))
        except (OSError, EOFError, zlib.error):
            return None
        found = without(inner, wanted)
    if found is None or found[0] is None:
        return found
    return gzip.compress(found[0], mtime=0), found[1]


def _rewriter(name: str, wanted: Wanted) -> Callable[[Path, Wanted], Rewritten] | None:
    if is_csv(name) or (name.lower() in wanted.tables and not name.lower().endswith(".parquet")):
        return _csv
    if _LOG.fullmatch(name):
        return _lines
    return {".parquet": _parquet, ".npz": _training_set, ".json": _json}.get(Path(name).suffix.lower())
