"""Stored scores: the latest answer about a person, and the worklist of a night."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, exists, func, or_, select

from serving.store.care import in_care
from serving.store.consents import may_be_shown
from serving.store.decisions import LastDecision, last_decisions
from serving.store.tables import MEMBERSHIPS, NIGHTS, OUTCOME_SCORES, SCORES


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


@dataclass(frozen=True)
class WorklistEntry:
    """One person of a worklist; ``number`` is a risk or expected days, None where only a safety flag brings her here."""

    person_id: str
    score_id: str
    companies: frozenset[str]
    number: float | None
    low: float | None
    high: float | None
    band: str | None
    is_flagged: bool
    last_decision: LastDecision | None
    has_care_relation: bool


@dataclass(frozen=True)
class Worklist:
    """Whom to talk with first; ``n_flagged_left_out``: persons with a safety flag beyond the capacity."""

    night: date
    outcome: str
    target: str
    entries: tuple[WorklistEntry, ...]
    n_flagged_left_out: int


def packed(answer: bytes) -> bytes:
    """Return an answer as it is stored; the same bytes for the same answer."""
    return zlib.compress(answer, 6)


def unpacked(stored: bytes) -> bytes:
    """Return an answer as it was computed."""
    return zlib.decompress(stored)


def latest_score(connection: Connection, person_id: str, today: date) -> StoredScore | None:
    """Return the answer of the newest night about a person, None if there is none that may be shown."""
    newest = select(func.max(NIGHTS.c.night)).where(NIGHTS.c.is_current).scalar_subquery()
    query = _scores().where(SCORES.c.person_id == person_id, NIGHTS.c.night == newest)
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


def worklist(
    connection: Connection, caller: str, companies: Collection[str], outcome: str, capacity: int, today: date,
    night: date | None,
) -> Worklist | None:  # fmt: skip
    """Return the persons of some companies by risk, those with a safety flag first; None where there is no such night."""
    run = _run(connection, night)
    if run is None:
        return None
    is_mine = and_(
        SCORES.c.run_id == run.run_id,
        or_(SCORES.c.is_flagged, OUTCOME_SCORES.c.number.is_not(None)),
        may_be_shown(SCORES.c.person_id, run.night, today),
        _is_in(companies),
    )
    joined = SCORES.join(
        OUTCOME_SCORES,
        and_(OUTCOME_SCORES.c.score_id == SCORES.c.score_id, OUTCOME_SCORES.c.outcome == outcome),
        isouter=True,
    )
    ranked = (
        select(SCORES.c.person_id, SCORES.c.score_id, SCORES.c.is_flagged, OUTCOME_SCORES)
        .select_from(joined)
        .where(is_mine)
        .order_by(
            case((SCORES.c.is_flagged, 0), else_=1),
            case((OUTCOME_SCORES.c.number.is_(None), 1), else_=0),
            OUTCOME_SCORES.c.number.desc(),
            SCORES.c.person_id,
        )
        .limit(capacity)
    )
    rows = connection.execute(ranked).all()
    flagged = select(func.count()).select_from(joined).where(is_mine, SCORES.c.is_flagged)
    n_flagged = int(connection.execute(flagged).scalar() or 0)
    persons = [row.person_id for row in rows]
    decided = last_decisions(connection, persons, outcome)
    cared = in_care(connection, caller, persons, today)
    employed = _companies_of(connection, persons)
    entries = tuple(
        _entry(row, employed[row.person_id], decided.get(row.person_id), row.person_id in cared) for row in rows
    )
    target = next((row.target for row in rows if row.target), "event")
    return Worklist(run.night, outcome, target, entries, n_flagged - sum(one.is_flagged for one in entries))


def _run(connection: Connection, night: date | None) -> Any:
    query = select(NIGHTS.c.run_id, NIGHTS.c.night).where(NIGHTS.c.is_current).order_by(NIGHTS.c.night.desc())
    return connection.execute(query if night is None else query.where(NIGHTS.c.night == night)).first()


def _is_in(companies: Iterable[str]) -> ColumnElement[bool]:
    mine = MEMBERSHIPS.c.person_id == SCORES.c.person_id
    return exists().where(and_(mine, MEMBERSHIPS.c.company_id.in_([*companies])))


def _companies_of(connection: Connection, persons: Collection[str]) -> dict[str, frozenset[str]]:
    query = select(MEMBERSHIPS.c.person_id, MEMBERSHIPS.c.company_id).where(MEMBERSHIPS.c.person_id.in_([*persons]))
    found: dict[str, set[str]] = {person: set() for person in persons}
    for person_id, company_id in connection.execute(query):
        found[person_id].add(company_id)
    return {person_id: frozenset(companies) for person_id, companies in found.items()}


def _entry(row: Any, companies: frozenset[str], decision: LastDecision | None, is_cared_for: bool) -> WorklistEntry:
    return WorklistEntry(
        person_id=row.person_id,
        score_id=row.score_id,
        companies=companies,
        number=row.number,
        low=row.low,
        high=row.high,
        band=row.band,
        is_flagged=row.is_flagged,
        last_decision=decision,
        has_care_relation=is_cared_for,
    )
