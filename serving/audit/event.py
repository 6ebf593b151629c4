"""One access as the audit log tells it: who, in which role, for what, about whom, with what answer; never a value."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import orjson

COLUMNS = (
    "at",
    "caller",
    "role",
    "organisations",
    "purpose",
    "action",
    "person_id",
    "decision",
    "reason",
    "models",
    "data_version",
    "request_id",
)
"""The order in which an event is stored and linked; a change of it would be another chain."""

_LONGEST, _KEPT = 400, 300

Decision = Literal["allowed", "denied"]

Row = tuple[str | None, ...]
"""The text of each of ``COLUMNS``: exactly what is stored, linked and read again."""


@dataclass(frozen=True)
class AuditEvent:
    """One access to one person (or to none, such as a list of models), allowed or denied.

    Parameters
    ----------
    at : datetime
        When, in any time zone; stored as UTC.
    caller, role, organisations : str, str, tuple of str
        Who asked, as the token says it.
    purpose, action : str
        What for, and what was asked.
    person_id : str or None
        The pseudonym the answer is about.
    decision, reason : {"allowed", "denied"}, str
        What access control said; reasons are fixed words.
    models : tuple of str
        ``outcome:version:sha12`` of each model that answered.
    data_version, request_id : str
        What the answer was computed from, and the request it belongs to.
    """

    at: datetime
    caller: str
    role: str
    organisations: tuple[str, ...]
    purpose: str
    action: str
    person_id: str | None
    decision: Decision
    reason: str
    models: tuple[str, ...]
    data_version: str
    request_id: str

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("An audit event needs a time with its zone.")


def row_of(event: AuditEvent) -> Row:
    """Return the event as the texts that are stored."""
    return (
        time_text(event.at),
        plain(event.caller),
        plain(event.role),
        _list(event.organisations),
        plain(event.purpose),
        plain(event.action),
        None if event.person_id is None else plain(event.person_id),
        event.decision,
        plain(event.reason),
        _list(event.models),
        plain(event.data_version),
        plain(event.request_id),
    )


def time_text(at: datetime) -> str:
    """Return a moment as sortable text, such as 2026-11-22T19:10:36.000000Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def plain(text: str) -> str:
    """Return the text with whatever has no glyph written as an escape.

    Names come from outside. A NUL, which PostgreSQL refuses, or half a surrogate pair, which is no UTF-8, would make an
    access impossible to log; a line break would forge a line in an export. A text that is longer than any real one ends in
    its SHA-256: databases index no longer ones.
    """
    if not text.isprintable():
        text = "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text)
    if len(text) > _LONGEST:
        text = f"{text[:_KEPT]}…{hashlib.sha256(text.encode()).hexdigest()}"
    return text


def _list(names: Sequence[str]) -> str:
    return orjson.dumps([plain(name) for name in names]).decode()
