"""Stored scores: the latest answer about a person, and any earlier one."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, ScalarSelect, func, select

from serving.store.consents import may_be_shown
from serving.store.tables import NIGHTS, SCORES


@dataclass(frozen=True)
class StoredScore:
    """One person's answer of one night.

    Parameters
    ----------
    score_id : str
    person_id : str
    night : date
    answer : bytes
        The JSON document that ``/v1/risk`` would have answered, byte for byte as it was computed.
    """

    score_id: str
    person_id: str
    night: date
    answer: bytes


def newest_night() -> ScalarSelect[date]:
    """Return the newest night that was scored, as part of a query."""
    return select(func.max(NIGHTS.c.night)).where(NIGHTS.c.is_current).scalar_subquery()


def packed(answer: bytes) -> bytes:
    """Return an answer as it is stored; the same bytes for the same answer."""
    return zlib.compress(answer, 6)


def unpacked(stored: bytes) -> bytes:
    """Return an answer as it was computed."""
    return zlib.decompress(stored)


def latest_score(connection: Connection, person_id: str, today: date) -> StoredScore | None:
    """Return the answer of the newest night about a person, None if there is none that may be shown."""
    query = _scores().where(SCORES.c.person_id == person_id, NIGHTS.c.night == newest_night())
    return _stored(connection.execute(query.where(may_be_shown(SCORES.c.person_id, NIGHTS.c.night, today))).first())


def score(connection: Connection, score_id: str, person_id: str, today: date) -> StoredScore | None:
    """Return one score of a person, of any night and run; None if there is none that may be shown."""
    query = _scores(is_any_run=True).where(SCORES.c.score_id == score_id, SCORES.c.person_id == person_id)
    return _stored(connection.execute(query.where(may_be_shown(SCORES.c.person_id, NIGHTS.c.night, today))).first())


def _scores(*, is_any_run: bool = False) -> Any:
    query = select(SCORES.c.score_id, SCORES.c.person_id, NIGHTS.c.night, SCORES.c.answer)
    query = query.join(NIGHTS, NIGHTS.c.run_id == SCORES.c.run_id)
    return query if is_any_run else query.where(NIGHTS.c.is_current)


def _stored(row: Any) -> StoredScore | None:
    return None if row is None else StoredScore(row.score_id, row.person_id, row.night, unpacked(row.answer))
