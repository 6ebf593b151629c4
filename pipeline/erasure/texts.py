"""Text files with columns: how they are decoded, so that they can be written back byte for byte, and cut into cells."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager

_LONGEST_CELL = 2**31 - 1


def is_csv(name: str) -> bool:
    """True if a file of this name is read as lines of cells."""
    return name.lower().endswith((".csv", ".tsv"))


def decoded(data: bytes) -> tuple[str, str]:
    """Return the text of a file, with its byte order mark, and its encoding; ValueError where it is broken UTF-16."""
    marks = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
    bare = {(False, True): "utf-16-le", (True, False): "utf-16-be"}
    wide = marks.get(data[:2]) or bare.get((data[:1] == b"\0", data[1:2] == b"\0"))
    if wide:
        return data.decode(wide), wide
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return data.decode("latin-1"), "latin-1"


def delimiter_of(header: str) -> str:
    """Return the character that separates the cells of a header line."""
    return max(",;\t|", key=header.count)


@contextmanager
def cells_of_any_length() -> Iterator[None]:
    """The csv module refuses cells of more than 131 072 characters; one such cell must not hide a file."""
    before = csv.field_size_limit(_LONGEST_CELL)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def rows_of(text: str) -> list[list[str]]:
    """Return the cells of a text, the header first and without the marks around its names."""
    with cells_of_any_length():
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text.partition("\n")[0])))
    rows = [row for row in rows if row]
    return [named(rows[0]), *rows[1:]] if rows else []


def named(header: list[str]) -> list[str]:
    """Return the names of columns without byte order mark and blanks."""
    return [name.lstrip("\ufeff").strip() for name in header]
