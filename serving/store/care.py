"""Care relations: a clinician says why a person is in their care, and may see her for ninety days."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

from sqlalchemy import ColumnElement, Connection, select

from serving.store.tables import CARE_RELATIONS

LAST_DAYS = 90


def begin(connection: Connection, caller: str, person_id: str, reason: str, day: date) -> date:
    """Note a care relation and return the last day on which it holds."""
    until = day + timedelta(days=LAST_DAYS)
    row = {"caller": caller, "person_id": person_id, "reason": reason, "begun_on": day, "until": until}
    connection.execute(CARE_RELATIONS.insert(), row)
    return until


def holds(connection: Connection, caller: str, person_id: str, day: date) -> bool:
    """True if the person is in the caller's care on a day."""
    return person_id in in_care(connection, caller, [person_id], day)


def in_care(connection: Connection, caller: str, persons: Collection[str], day: date) -> set[str]:
    """Return those of the persons who are in the caller's care on a day."""
    query = select(CARE_RELATIONS.c.person_id).where(_theirs(caller, persons), CARE_RELATIONS.c.begun_on <= day)
    return set(connection.execute(query.where(CARE_RELATIONS.c.until >= day)).scalars())


def _theirs(caller: str, persons: Collection[str]) -> ColumnElement[bool]:
    return (CARE_RELATIONS.c.caller == caller) & CARE_RELATIONS.c.person_id.in_([*persons])
