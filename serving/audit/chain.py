"""How events are linked: each link is a keyed hash over the link before, the event and its number.

    link(n) = HMAC-SHA-256(key, link(n - 1) | canonical(event n) | n as 8 bytes, big-endian)

Without the key nobody can alter, insert, remove, swap or renumber an event so that the links still fit. What this cannot
show by itself: that events at the end were cut off (signed heads do, see heads.py), and that whoever holds the key wrote a
whole new chain (only heads kept where that person cannot write do).
"""

from __future__ import annotations

import hashlib
import hmac

import orjson

from data_contracts.errors import SettingsError
from serving.audit.event import COLUMNS, Row

SHORTEST_KEY_BYTES = 32
ROTATE = "rotate_key"
"""Action of the event by which one key hands the chain over to the next."""

_FIRST = b"balance-risk audit chain 1"
_KEY = b"balance-risk audit key\0"
_ACTION, _REASON = COLUMNS.index("action"), COLUMNS.index("reason")


def checked(key: bytes) -> bytes:
    """Return the key if it has 256 bits or more; raises SettingsError."""
    if len(key) < SHORTEST_KEY_BYTES:
        raise SettingsError(
            f"The key of the audit log has fewer than {SHORTEST_KEY_BYTES} bytes. Make one of 256 bits."
        )
    return key


def key_id(key: bytes) -> str:
    """Return the name of a key: a fingerprint from which nothing about the key can be told."""
    return hashlib.sha256(_KEY + key).hexdigest()[:16]


def first_link(key: bytes) -> bytes:
    """Return what stands before event 1: link 0."""
    return hmac.digest(key, _FIRST, "sha256")


def canonical(row: Row) -> bytes:
    """Return an event as the one JSON it has: an object of texts and nulls, ``COLUMNS`` in order, no spaces, UTF-8."""
    return orjson.dumps(dict(zip(COLUMNS, row, strict=True)))


def link(key: bytes, before: bytes, row: Row, n: int) -> bytes:
    """Return the link of event ``n``."""
    return hmac.digest(key, before + canonical(row) + n.to_bytes(8, "big"), "sha256")


def next_key_id(by: str, row: Row) -> str:
    """Return the key that links the event after this one, which key ``by`` linked: another one after a rotation only."""
    return str(row[_REASON]) if row[_ACTION] == ROTATE else by
