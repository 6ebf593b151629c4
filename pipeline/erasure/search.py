"""Finds a person in whatever lies in a workspace: every file is searched as it is and, where it is packed, unpacked.

A name counts when it stands by itself: ``p-1`` is not found in ``p-12``. In files with columns, CSV and Parquet, a cell
must hold it. A name that may as well be a number of something else (``4711``) is looked for only in columns that hold
persons: such a search cannot prove much, and the certificate says so.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import os
import re
import sqlite3
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

NOT_SEARCHED = (".git", ".venv", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis")
"""Directories of tools, not of data; docs/erasure.md says what to do about data that were put into git."""

PERSON_COLUMNS = frozenset({"person_id", "person", "person_ids", "identifier.value"})
"""Columns, and keys of JSON, that hold persons."""
_UNPACK = {b"\x1f\x8b": gzip.decompress, b"BZh": bz2.decompress, b"\xfd7zXZ": lzma.decompress}
_DEEPEST = 4
_WORD = re.compile(rb"[A-Za-z0-9_]")
_IDENTIFIER = re.compile(rb"[A-Za-z0-9_.:-]")


@dataclass(frozen=True)
class Wanted:
    """The names of one person: pseudonyms under every key, and what the customer calls them.

    ``person_columns`` are the columns that hold persons, ours and those of the customer's mapping.
    """

    names: tuple[str, ...]
    person_columns: frozenset[str] = PERSON_COLUMNS

    @cached_property
    def strong(self) -> tuple[str, ...]:
        """The names that are met by chance hardly ever, and so may be looked for anywhere."""
        return tuple(name for name in self.names if not _is_weak(name))

    @property
    def has_weak(self) -> bool:
        """True if a name could only be looked for in columns of persons."""
        return len(self.strong) < len(self.names)

    def is_person(self, cell: object) -> bool:
        """True if a cell names the person and nothing else."""
        return str(cell).strip() in self.names

    def is_in(self, data: Any, *, in_cells: bool = False) -> bool:
        """True if a strong name stands by itself in the bytes; ``in_cells``: apart from other identifiers."""
        beside = _IDENTIFIER if in_cells else _WORD
        return any(_stands_in(data, needle, beside) for needle in self._needles)

    def is_in_wide_text(self, data: bytes) -> bool:
        """True if a name is in the bytes as UTF-16 or UTF-32, as NumPy and some editors write."""
        return any(data.find(name.encode(code)) >= 0 for name in self.strong for code in ("utf-16-le", "utf-32-le"))

    @cached_property
    def _needles(self) -> set[bytes]:
        texts = {*self.strong, *(json.dumps(name)[1:-1] for name in self.strong)}
        return {text.encode(code, "ignore") for text in texts for code in ("utf-8", "latin-1")}


def _is_weak(name: str) -> bool:
    return len(name) < 4 or (name.isdecimal() and len(name) < 9)


def _stands_in(data: Any, needle: bytes, beside: re.Pattern[bytes]) -> bool:
    at = data.find(needle)
    while at >= 0:
        end = at + len(needle)
        if not beside.match(data[max(at - 1, 0) : at]) and not beside.match(data[end : end + 1]):
            return True
        at = data.find(needle, at + 1)
    return False


def files(root: Path) -> Iterator[Path]:
    """Yield every file under a directory that the search covers, in a fixed order."""
    for directory, below, names in os.walk(root):
        below[:] = sorted(name for name in below if name not in NOT_SEARCHED)
        yield from (Path(directory) / name for name in sorted(names) if (Path(directory) / name).is_file())


def is_named_after(path: Path, root: Path, wanted: Wanted) -> bool:
    """True if the path itself names the person."""
    return wanted.is_in(str(path.relative_to(root)).encode())


def holds(path: Path, wanted: Wanted) -> bool:
    """True if the file holds the person."""
    return found_in(path.name, path.read_bytes(), wanted)


def found_in(name: str, data: bytes, wanted: Wanted, depth: int = 0) -> bool:
    """True if the content of a file of this name holds the person; what is packed is unpacked first."""
    if not data:
        return False
    columns = cells_of(name, data, wanted)
    if columns is not None:
        return columns
    if depth < _DEEPEST and any(found_in(inner, part, wanted, depth + 1) for inner, part in _unpacked(name, data)):
        return True
    return wanted.is_in(data) or wanted.is_in_wide_text(data) or _in_database(data, wanted)


def cells_of(name: str, data: bytes, wanted: Wanted) -> bool | None:
    """Search a file with columns or keys by its cells; None if it is no such file."""
    if data[:4] == b"PAR1":
        return _in_parquet(data, wanted)
    if data[:6] == b"\x93NUMPY":
        return _in_array(data, wanted)
    if is_csv(name):
        return wanted.is_in(data, in_cells=True) or (wanted.has_weak and _in_csv(data, wanted))
    if name.endswith(".json") and wanted.has_weak and _in_json(data, wanted):
        return True
    return None


def is_csv(name: str) -> bool:
    """True if a file of this name is read as lines of cells."""
    return name.endswith((".csv", ".tsv"))


def decoded(data: bytes) -> tuple[str, str]:
    """Return the text of a file and its encoding, so that it can be written back byte for byte."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16"), "utf-16"
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return data.decode("latin-1"), "latin-1"


def delimiter_of(header: str) -> str:
    """Return the character that separates the cells of a header line."""
    return max(",;\t|", key=header.count)


def _in_csv(data: bytes, wanted: Wanted) -> bool:
    rows = _rows(data)
    header = [name.lstrip("\ufeff").strip() for name in rows[0]] if rows else []
    known = [i for i, name in enumerate(header) if name in wanted.person_columns]
    return any(wanted.is_person(row[i]) for row in rows[1:] for i in known if i < len(row))


def _rows(data: bytes) -> list[list[str]]:
    text, _ = decoded(data)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text.partition("\n")[0])))
    except csv.Error:
        return []  # searched as it is, and nothing that ingest would read


def in_unknown_columns(data: bytes, wanted: Wanted) -> bool:
    """True if a cell of a CSV file names the person, but nothing says which of its columns holds persons."""
    rows = _rows(data)
    header = {name.lstrip("\ufeff").strip() for name in rows[0]} if rows else set()
    return not wanted.person_columns & header and any(wanted.is_person(cell) for row in rows[1:] for cell in row)


def _in_json(data: bytes, wanted: Wanted) -> bool:
    try:
        document = json.loads(data)
    except ValueError:
        return False
    return names_person(document, wanted)


def names_person(value: Any, wanted: Wanted, key: str = "") -> bool:
    """True if a JSON value names the person, also as a reference such as ``Patient/p-1``."""
    if isinstance(value, dict):
        inside = f"{key}." if key == "identifier" else ""
        return any(names_person(inner, wanted, inside + name) for name, inner in value.items())
    if isinstance(value, list):
        return any(names_person(inner, wanted, key) for inner in value)
    if key in wanted.person_columns and wanted.is_person(value):
        return True
    return isinstance(value, str) and wanted.is_in(value.encode("utf-8", "replace"))


def _in_parquet(data: bytes, wanted: Wanted) -> bool:
    try:
        table = pq.ParquetFile(pa.BufferReader(data)).read()
    except (pa.ArrowException, OSError):
        return wanted.is_in(data)
    return any(map(wanted.is_in, (table.schema.metadata or {}).values())) or any(
        _in_column(table[name], wanted, name in wanted.person_columns)
        for name in table.column_names
        if name in wanted.person_columns or not _is_plain_number(table[name].type)
    )


def _is_plain_number(kind: pa.DataType) -> bool:
    return pa.types.is_primitive(kind)  # numbers, dates and flags: no name stands there


def _in_column(values: pa.ChunkedArray, wanted: Wanted, holds_persons: bool) -> bool:
    texts = [str(value) for value in pc.unique(values).to_pylist() if value is not None]
    if holds_persons and any(map(wanted.is_person, texts)):
        return True
    return wanted.is_in("\n".join(texts).encode("utf-8", "replace"), in_cells=True)


def _in_array(data: bytes, wanted: Wanted) -> bool:
    try:
        array = np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, OSError, EOFError):
        return wanted.is_in(data)
    return array.dtype.kind in "US" and bool(np.isin(array.astype(str), wanted.names).any())


def _unpacked(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of what is packed in a file; nothing if it is not packed, or not readable."""
    inner = name.rpartition(".")[0]
    try:
        if zipfile.is_zipfile(io.BytesIO(data)):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                yield from ((member, archive.read(member)) for member in archive.namelist())
        elif data[257:262] == b"ustar":
            with tarfile.open(fileobj=io.BytesIO(data)) as archive:
                members = [member for member in archive if member.isfile()]
                yield from ((member.name, archive.extractfile(member).read()) for member in members)  # type: ignore[union-attr]
        elif data[:4] == b"\x28\xb5\x2f\xfd":
            yield inner, pa.input_stream(pa.py_buffer(data), compression="zstd").read()
        else:
            yield from ((inner, unpack(data)) for magic, unpack in _UNPACK.items() if data.startswith(magic))
    except (OSError, EOFError, ValueError, RuntimeError, zipfile.BadZipFile, tarfile.TarError, lzma.LZMAError,
            NotImplementedError, zlib.error, pa.ArrowException):  # fmt: skip
        return  # what cannot be unpacked is still searched as it is


def _in_database(data: bytes, wanted: Wanted) -> bool:
    """A long text of an SQLite file is cut into pages, so the rows are read too."""
    if not data.startswith(b"SQLite format 3\0"):
        return False
    connection = sqlite3.connect(":memory:")
    try:
        connection.deserialize(data)
        return any(wanted.is_in(line.encode("utf-8", "replace")) for line in connection.iterdump())
    except sqlite3.Error:
        return False  # a file in WAL mode cannot be read from memory; its bytes were searched
    finally:
        connection.close()
