"""Finds a person in whatever lies in a workspace: every file is searched as it is and, where it is packed, unpacked.

What cannot be read or decoded is not held to be free of the person: it is named in ``doubts``, and an erasure with doubts
is not over. In files with columns, CSV and Parquet, a cell must hold the name.
"""

from __future__ import annotations

import io
import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pipeline.erasure.columns import in_array, in_arrow, in_csv
from pipeline.erasure.packed import is_packed, say_if_opaque, unpacked
from pipeline.erasure.texts import is_csv
from pipeline.erasure.wanted import Wanted, names_person

NOT_SEARCHED = (".git", ".venv", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis")
"""Directories of tools, not of data; docs/erasure.md says what to do about data that were put into git."""

JSON_LINES = (".ndjson", ".jsonl")
_DEEPEST = 4
_COLUMNS = (b"PAR1", b"ORC", b"ARROW1")


def files(root: Path, doubt: Callable[[Path, str], None] = lambda *_: None) -> Iterator[Path]:
    """Yield every file under a directory that the search covers, links followed, each directory once.

    ``data`` goes first and nothing in it is passed over; ``doubt`` hears of places that cannot be looked into.
    """
    seen: set[Path] = set()
    yield from _below(root / "data", root, seen, doubt, ())
    yield from _below(root, root, seen, doubt, NOT_SEARCHED)


def _below(
    top: Path, root: Path, seen: set[Path], doubt: Callable[[Path, str], None], passed: tuple[str, ...]
) -> Iterator[Path]:
    def refused(fault: OSError) -> None:
        if not isinstance(fault, FileNotFoundError):
            doubt(Path(str(fault.filename)), "is a directory that cannot be read")

    for directory, below, names in os.walk(top, followlinks=True, onerror=refused):
        place = Path(directory)
        real = place.resolve()
        leads_up = real != root.resolve() and root.resolve().is_relative_to(real)
        if leads_up:
            doubt(place, "is a link to a directory that holds the workspace itself")
        if leads_up or real in seen:
            below.clear()
            continue
        seen.add(real)
        below[:] = sorted(name for name in below if name not in passed)
        yield from (place / name for name in sorted(names) if (place / name).is_file())


def is_named_after(path: Path, root: Path, wanted: Wanted) -> bool:
    """True if the path itself names the person."""
    return wanted.is_in(os.fsencode(path.relative_to(root)))


def found_in(name: str, data: bytes, wanted: Wanted, doubts: list[str] | None = None, depth: int = 0) -> bool:
    """True if the content of a file of this name holds the person; what is packed is unpacked first.

    ``doubts`` gets a sentence for everything in the file of which a search that finds nothing would prove nothing.
    """
    doubts = [] if doubts is None else doubts
    if not data:
        return False
    in_cells = _in_cells(name, data, wanted, doubts)
    if in_cells is not None:
        return in_cells
    if is_packed(data):
        if depth >= _DEEPEST:
            doubts.append("is packed more deeply than is searched")
        elif any(found_in(inner, part, wanted, doubts, depth + 1) for inner, part in unpacked(name, data, doubts)):
            return True
    say_if_opaque(data, doubts)
    if data[:1] == b"\x80" and data[-1:] == b".":  # a pickle writes letters beside its texts
        return wanted.is_anywhere_in(data)
    return wanted.is_in(data) or wanted.is_in_wide_text(data) or _in_database(data, wanted, doubts)


def _in_cells(name: str, data: bytes, wanted: Wanted, doubts: list[str]) -> bool | None:
    """Search a file with columns or keys by its cells; None if it is no such file."""
    suffix = Path(name).suffix.lower()
    if data.startswith(_COLUMNS):
        return in_arrow(data, wanted, doubts)
    if data[:6] == b"\x93NUMPY":
        return in_array(Path(name).stem, data, wanted, doubts)
    if is_csv(name) or Path(name).name.lower() in wanted.tables:
        return in_csv(data, wanted, doubts)
    if suffix == ".json" or suffix in JSON_LINES:
        return in_json(data, wanted, doubts, by_line=suffix in JSON_LINES)
    return None


def in_json(data: bytes, wanted: Wanted, doubts: list[str], *, by_line: bool = False) -> bool:
    """Search a JSON document, or one a line, by its keys and values."""
    for part in data.splitlines() if by_line else [data]:
        text = part.decode("utf-8", "replace")
        # Only behind a backslash, or in UTF-16, may a name look otherwise than it is.
        if not (b"\\" in part or b"\0" in part or wanted.may_be_in(text)) or not part.strip():
            continue
        try:
            if names_person(json.loads(part), wanted):
                return True
        except (ValueError, RecursionError):
            if wanted.is_in(part) or wanted.is_in_wide_text(part):
                return True
            if is_packed(part) or b"\\" in part or b"\0" in part or wanted.may_be_in(text):
                doubts.append("is not JSON that can be read")
    return False


def _in_database(data: bytes, wanted: Wanted, doubts: list[str]) -> bool:
    """A long text of an SQLite file is cut into pages, so the rows are read too."""
    if not data.startswith(b"SQLite format 3\0"):
        return False
    connection = sqlite3.connect(":memory:")
    try:
        # A file with a log beside it is opened as one without: the log is a file of its own.
        connection.deserialize(data[:18] + b"\1\1" + data[20:])
        return any(wanted.is_in_text(line) for line in connection.iterdump())
    except (sqlite3.Error, ValueError):
        doubts.append("is an SQLite file that cannot be read")
        return False
    finally:
        connection.close()


def read(path: Path) -> bytes | None:
    """Return the content of a file, None if it cannot be read."""
    try:
        return path.read_bytes()
    except (OSError, MemoryError):
        return None


def as_document(data: bytes) -> Any:
    """Return a JSON document, None if it is none that can be read."""
    try:
        return json.load(io.BytesIO(data))
    except (ValueError, RecursionError):
        return None
