"""What is to be sent of alerts: written with the alert, sent by another process, at least once, until a stated time.

A message names no person, and nothing here says of what kind its alert is. It is claimed before it is sent, for as long as
sending may take, so that two processes do not send it at once; a process that dies on the way leaves it to be sent again
with the same identifier.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, case, func, select, update

from serving.store.tables import DELIVERIES

LEASE = timedelta(minutes=1)
"""Longer than an attempt may take."""

MOST_AT_ONCE = 20
STATES = ("waiting", "delivered", "given_up")
"""Of a message."""


@dataclass(frozen=True)
class Delivery:
    """One message on its way; ``attempts`` counts this one too."""

    message_id: str
    alert_id: str
    team: str
    created_at: datetime
    attempts: int


def post(connection: Connection, alerts: Iterable[Mapping[str, Any]]) -> None:
    """Put a message about each alert into the outbox."""
    rows = [
        {"message_id": f"msg_{secrets.token_hex(16)}", "alert_id": one["alert_id"], "team": one["team"],
         "created_at": one["raised_at"], "next_attempt_at": one["raised_at"], "attempts": 0}
        for one in alerts
    ]  # fmt: skip
    connection.execute(DELIVERIES.insert(), rows)


def claim(connection: Connection, due: datetime, now: datetime) -> list[Delivery]:
    """Take messages that were due at a moment, the oldest first; nobody else gets them until the lease is over."""
    query = select(DELIVERIES).where(_waits(), DELIVERIES.c.next_attempt_at <= _text(due))
    rows = connection.execute(
        query.order_by(DELIVERIES.c.next_attempt_at, DELIVERIES.c.message_id)
        .limit(MOST_AT_ONCE)
        .with_for_update(skip_locked=True)
    ).all()
    mine = DELIVERIES.c.message_id.in_([row.message_id for row in rows])
    taken = {"attempts": DELIVERIES.c.attempts + 1, "next_attempt_at": _text(now + LEASE)}
    connection.execute(update(DELIVERIES).where(mine).values(taken))
    return [
        Delivery(row.message_id, row.alert_id, row.team, datetime.fromisoformat(row.created_at), row.attempts + 1)
        for row in rows
    ]  # fmt: skip


def note_delivered(connection: Connection, message_id: str, now: datetime) -> None:
    """Note that the receiver has taken a message."""
    _note(connection, message_id, {"delivered_at": _text(now), "last_result": "delivered"})


def note_failed(connection: Connection, message_id: str, result: str, again_at: datetime) -> None:
    """Note how an attempt failed, and when the next one is due."""
    _note(connection, message_id, {"next_attempt_at": _text(again_at), "last_result": result})


def note_given_up(connection: Connection, message_id: str, result: str, now: datetime) -> None:
    """Note that a message is not sent any more."""
    _note(connection, message_id, {"gave_up_at": _text(now), "last_result": result})


def counts(connection: Connection) -> dict[str, dict[str, int]]:
    """Return by team how many messages wait, were delivered, were given up."""
    state = case(
        (DELIVERIES.c.delivered_at.is_not(None), "delivered"), (DELIVERIES.c.gave_up_at.is_not(None), "given_up"),
        else_="waiting",
    ).label("state")  # fmt: skip
    found: dict[str, dict[str, int]] = {}
    for team, name, count in connection.execute(
        select(DELIVERIES.c.team, state, func.count()).group_by("team", "state")
    ):
        found.setdefault(team, dict.fromkeys(STATES, 0))[name] = count
    return found


def _waits() -> Any:
    return and_(DELIVERIES.c.delivered_at.is_(None), DELIVERIES.c.gave_up_at.is_(None))


def _note(connection: Connection, message_id: str, values: Mapping[str, Any]) -> None:
    connection.execute(update(DELIVERIES).where(DELIVERIES.c.message_id == message_id).values(**values))


def _text(moment: datetime) -> str:
    return moment.replace(microsecond=0).isoformat()
