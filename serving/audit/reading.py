"""Reads the log without changing it, a stream of rows at a time: the whole of it, or one person's part."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import orjson
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from data_contracts.errors import MissingInputError
from serving.audit import engines
from serving.audit.errors import AuditBroken, AuditUnavailable
from serving.audit.event import plain
from serving.audit.store import StoredRow
from serving.audit.tables import EVENTS

_ROWS_AT_ONCE = 2_000
_AWAY = (
    "The audit log cannot be read ({}). This says nothing about the chain. Check address, account, locks and the file."
)
_DAMAGED = "The audit log's file is damaged: it cannot be read to its end. Keep it, and bring a copy from the backup."
_NOT_THERE = "{}: no audit log there."
_NO_TABLE = "The database of the audit log has no table of events: there is no log yet, or it was dropped."


class Access(NamedTuple):
    """Who was accessed, when, and the event's link."""

    link: str
    person_id: str
    at: str


def events(url: str) -> Iterator[StoredRow]:
    """Yield all events in the order of their numbers.

    Raises
    ------
    AuditUnavailable, MissingInputError
        The log cannot be read.
    AuditBroken
        The file is damaged.
    """
    yield from _rows(url, sa.select(EVENTS).order_by(EVENTS.c.n))


def accesses(url: str, person_id: str) -> Iterator[dict[str, Any]]:
    """Yield a person's own log, oldest first: number, when, who, role, organisations, purpose, action, decision."""
    shown = (EVENTS.c.n, EVENTS.c.at, EVENTS.c.caller, EVENTS.c.role, EVENTS.c.organisations, EVENTS.c.purpose,
             EVENTS.c.action, EVENTS.c.decision)  # fmt: skip
    for row in _rows(url, sa.select(*shown).where(EVENTS.c.person_id == plain(person_id)).order_by(EVENTS.c.n)):
        n, at, caller, role, organisations, purpose, action, decision = row
        yield {
            "n": n,
            "when": at,
            "who": caller,
            "role": role,
            "organisations": orjson.loads(organisations),
            "purpose": purpose,
            "action": action,
            "decision": decision,
        }


def statistics(url: str) -> Iterator[dict[str, Any]]:
    """Yield how many events there are by month, role, purpose, action and decision, in that order: no person, no caller."""
    month = sa.func.substr(EVENTS.c.at, 1, 7)
    groups = (month, EVENTS.c.role, EVENTS.c.purpose, EVENTS.c.action, EVENTS.c.decision)
    for row in _rows(url, sa.select(*groups, sa.func.count()).group_by(*groups).order_by(*groups)):
        yield dict(zip(("month", "role", "purpose", "action", "decision", "events"), row, strict=True))


def newest(url: str) -> tuple[int, str]:
    """Return number and link of the newest event; 0 and nothing if there is none."""
    for n, link in _rows(url, sa.select(EVENTS.c.n, EVENTS.c.link).order_by(EVENTS.c.n.desc()).limit(1)):
        return int(n), str(link)
    return 0, ""


def accesses_after(url: str, n: int, action: str) -> Iterator[Access]:
    """Yield each allowed access of a kind after an event."""
    is_it = (EVENTS.c.n > n, EVENTS.c.action == action, EVENTS.c.decision == "allowed", EVENTS.c.person_id.is_not(None))
    shown = (EVENTS.c.link, EVENTS.c.person_id, EVENTS.c.at)
    for row in _rows(url, sa.select(*shown).where(*is_it).order_by(EVENTS.c.n)):
        yield Access(*map(str, row))


def links_of(url: str, action: str) -> set[str]:
    """Return the links of all events of a kind."""
    return {str(link) for (link,) in _rows(url, sa.select(EVENTS.c.link).where(EVENTS.c.action == action))}


def ends(url: str) -> tuple[str, str]:
    """Return the link of event 1 and the time of the newest event; nothing of what is not there."""
    first = [str(link) for (link,) in _rows(url, sa.select(EVENTS.c.link).where(EVENTS.c.n == 1))]
    newest = [str(at) for (at,) in _rows(url, sa.select(EVENTS.c.at).order_by(EVENTS.c.n.desc()).limit(1))]
    return (*first, "")[0], (*newest, "")[0]


def require_log(url: str) -> None:
    """Raise MissingInputError if there is no log."""
    with _connected(url):
        pass


def _rows(url: str, query: sa.Select[Any]) -> Iterator[StoredRow]:
    with _connected(url) as connection:
        found = connection.execution_options(stream_results=True, yield_per=_ROWS_AT_ONCE).execute(query)
        for rows in found.partitions():
            for row in rows:
                yield tuple(row)


@contextmanager
def _connected(url: str) -> Iterator[sa.Connection]:
    parsed = engines.parse(url)
    file = engines.file_of(parsed)
    if file is not None and not file.is_file():
        raise MissingInputError(_NOT_THERE.format(file))
    try:
        with engines.reader(parsed).connect() as connection:
            if not sa.inspect(connection).has_table(EVENTS.name):
                raise MissingInputError(_NO_TABLE)
            yield connection
    except DBAPIError as error:
        # OperationalError: locked, gone, no right. What is neither that nor SQLite's own is the server's.
        if isinstance(error.orig, sqlite3.DatabaseError) and not isinstance(error.orig, sqlite3.OperationalError):
            raise AuditBroken(_DAMAGED) from None
        raise AuditUnavailable(_AWAY.format(type(error).__name__)) from None
    except (SQLAlchemyError, OSError) as error:
        raise AuditUnavailable(_AWAY.format(type(error).__name__)) from None
