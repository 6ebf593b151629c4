"""The record of what was put into service: ``bundles/<outcome>/history.jsonl``, one line per event, only ever appended to.

Each line holds the SHA-256 of the line before it, so a line that is changed, left out or moved is noticed; whoever may write
the file can still cut off its end or write it all anew. A line is written before anything moves: no promotion is without
its record, and one that was killed before it moved is told of by the line after it.
"""

from __future__ import annotations

import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from data_contracts.errors import ArtifactError

FILE = "history.jsonl"

What = Literal["promote", "rollback", "interrupted"]


def append(home: Path, what: What, *, before: str | None, after: str | None, **about: Any) -> dict[str, Any]:
    """Write one record durably; the caller holds the outcome's lock.

    Parameters
    ----------
    home : Path
        ``bundles/<outcome>``.
    what : str
        ``promote``, ``rollback``, or ``interrupted``: the one before was killed, and ``after`` serves.
    before, after : str or None
        Names of the bundles that serve before and after it; None for none.
    **about : JSON values
        Who, why, the lines of the policy, ...

    Returns
    -------
    dict, the record

    Raises
    ------
    ArtifactError
        The record so far was altered.
    """
    home.mkdir(parents=True, exist_ok=True)
    path = home / FILE
    lines = _lines(path)
    _verified(lines, path)
    record = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "what": what, "from": before, "to": after} | about
    record["previous_line_sha256"] = _sha256(lines[-1]) if lines else None
    with path.open("ab") as file:
        # What a power cut left of a line was never a record.
        file.truncate(sum(len(line) + 1 for line in lines))
        file.write(json.dumps(record, sort_keys=True, ensure_ascii=False).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return record


def read(home: Path) -> list[dict[str, Any]]:
    """Return the records of an outcome, oldest first; raises ArtifactError if one was altered."""
    return _verified(_lines(home / FILE), home / FILE)


def previous(home: Path) -> str | None:
    """Return the bundle that a rollback goes back to, None if there is none.

    Promotions are undone from the last one on: whoever has gone back goes further back, not forward to what was left.
    """
    earlier: list[str | None] = []
    last: dict[str, Any] = {}
    for record in read(home):
        if record["what"] == "promote":
            earlier.append(record["from"])
        elif record["what"] == "rollback":
            del earlier[-1:]
        elif last and last["from"] == record["to"]:
            earlier = earlier[:-1] if last["what"] == "promote" else [*earlier, last["to"]]
        last = record
    return earlier[-1] if earlier else None


def _lines(path: Path) -> list[bytes]:
    """The whole lines of the file, without their ends."""
    return path.read_bytes().split(b"\n")[:-1] if path.exists() else []


def _verified(lines: list[bytes], path: Path) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = []
    before = None
    for number, line in enumerate(lines, start=1):
        try:
            record = json.loads(line)
            is_next = record["previous_line_sha256"] == before
        except (KeyError, TypeError, ValueError):
            is_next = False
        if not is_next:
            raise ArtifactError(f"{path}, line {number}: the record of promotions was altered. Bring it from a backup.")
        records.append(record)
        before = _sha256(line)
    return records


def _sha256(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()
