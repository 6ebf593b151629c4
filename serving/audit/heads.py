"""Signed heads: what the newest event was at a moment, kept in a file apart from the log, so that a cut-off end is found.

One JSON object a line: ``k`` (number of the head), ``n`` and ``link`` of the newest event, ``at``, ``key_id`` and ``mac``, an
HMAC over the rest. Numbers only rise, whichever process writes, so the file can be held
against the log in one pass; only after a restore does ``n`` go back, as an event says that names the head before it
(restored.py). Keep it where whoever can change the log cannot change it: another disk, another account, or
storage that only grows.
"""

from __future__ import annotations

import fcntl
import hmac
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import orjson

_DOMAIN = b"balance-risk audit head 1\0"
_LONGEST_LINE = 1024


@dataclass(frozen=True)
class Head:
    """One line of the file."""

    k: int
    n: int
    link: str
    at: str
    key_id: str
    mac: str

    def is_signed(self, key: bytes) -> bool:
        """True if the line was written with this key."""
        return hmac.compare_digest(self.mac.encode(), _mac(key, self._signed()).encode())

    def line(self) -> bytes:
        """Return the line as it stands in the file."""
        return orjson.dumps({**self._signed(), "mac": self.mac}) + b"\n"

    def _signed(self) -> dict[str, object]:
        return {"k": self.k, "n": self.n, "link": self.link, "at": self.at, "key_id": self.key_id}


class HeadUnreadable(Exception):
    """A line is no head."""


def write(path: Path, key: bytes, n: int, link: str, at: str, key_id: str, *, goes_back: bool = False) -> None:
    """Append a head durably, unless the file has one of this event or a later one already; raises OSError.

    With ``goes_back`` it is appended also after a head of a later event: the log was restored from a backup.

    A last line that a killed process left half written is cut off first; a whole one that is no head is left, and the head
    comes after it: verify will say so.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        before = _newest(file)
        if before is not None and before.n >= n and not goes_back:
            return
        unsigned = Head(1 if before is None else before.k + 1, n, link, at, key_id, "")
        head = Head(unsigned.k, n, link, at, key_id, _mac(key, unsigned._signed()))
        file.write(head.line())
        file.flush()
        os.fsync(file.fileno())


def newest(path: Path) -> Head | None:
    """Return the last head of the file, None if there is none; raises OSError."""
    try:
        with open(path, "rb") as file:
            return _newest(file)
    except FileNotFoundError:
        return None


def read(path: Path) -> Iterator[Head]:
    """Yield the heads that are in the file now; raises OSError, and HeadUnreadable at a line that is none.

    A half-written last line is passed over: its process was killed.
    """
    with open(path, "rb") as file:
        left = os.fstat(file.fileno()).st_size
        while left > 0 and (line := file.readline(_LONGEST_LINE)):
            left -= len(line)
            if line.endswith(b"\n"):
                yield _parse(line)
            elif len(line) == _LONGEST_LINE:
                raise HeadUnreadable


def _newest(file: BinaryIO) -> Head | None:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 2 * _LONGEST_LINE))
    tail = file.read()
    whole, newline, torn = tail.rpartition(b"\n")
    if torn and file.writable():
        file.truncate(size - len(torn))
    if not newline:
        return None
    try:
        return _parse(whole.rpartition(b"\n")[2])
    except HeadUnreadable:
        return None


def _parse(line: bytes) -> Head:
    try:
        head = Head(**orjson.loads(line))
    except (orjson.JSONDecodeError, TypeError):
        raise HeadUnreadable from None
    texts = (head.link, head.at, head.key_id, head.mac)
    if type(head.k) is not int or type(head.n) is not int or not all(isinstance(text, str) for text in texts):
        raise HeadUnreadable
    return head


def _mac(key: bytes, signed: dict[str, object]) -> str:
    return hmac.digest(key, _DOMAIN + orjson.dumps(signed), "sha256").hex()
