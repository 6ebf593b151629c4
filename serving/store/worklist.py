"""Whom to contact this week: persons of some companies in order, within a capacity, those lately assessed set aside.

A safety flag comes first, whatever order and domain are asked for. Who was decided about for this outcome in the last four
weeks, or is followed up since, is not named again among those to contact. Whoever has a flag is set aside only where
somebody means to talk with them, or the general practitioner does, about a score with the very same flags.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, and_, case, exists, func, or_, select

from data_contracts.domains import Domain
from serving.store.care import in_care
from serving.store.consents import is_shown, may_be_shown
from serving.store.decisions import TALK_STEPS, LastDecision, counts_for, last_decisions
from serving.store.marks import Mark, marks
from serving.store.tables import DECISIONS, MEMBERSHIPS, NIGHTS, OUTCOME_SCORES, SCORES

Order = Literal["benefit", "risk"]
SET_ASIDE_DAYS = 28
MOST_SET_ASIDE = 200
"""More are read by nobody, and each is an event of the audit log."""


@dataclass(frozen=True)
class WorklistQuestion:
    """What a caller asks: of which companies, about which outcome, and for how many there is time.

    Parameters
    ----------
    night : date, optional
        The newest where it is left out.
    order : {"benefit", "risk"}
        By what can be worked with, or by the number itself.
    company, domain : str, optional
        Only this one of the companies; only persons with this leading domain, and whoever has a safety flag.
    """

    subject: str
    companies: Collection[str]
    outcome: str
    capacity: int
    day: date
    night: date | None = None
    order: Order = "benefit"
    company: str | None = None
    domain: Domain | None = None


@dataclass(frozen=True)
class WorklistEntry:
    """One person of a worklist; ``number`` is a risk or expected days, None where only a safety flag brings her here.

    ``benefit`` is the part of the number that is tied to what can be worked with, ``domain`` where most of that lies.
    """

    person_id: str
    score_id: str
    companies: frozenset[str]
    number: float | None
    low: float | None
    high: float | None
    band: str | None
    benefit: float | None
    domain: Domain | None
    mark: Mark | None
    is_flagged: bool
    last_decision: LastDecision | None
    has_care_relation: bool


@dataclass(frozen=True)
class Worklist:
    """Whom to talk with first, and who is set aside: safety flags first, then the newest decision.

    ``n_flagged_left_out`` and ``n_above_capacity`` count, of those the capacity has no room for, who has a safety flag and
    who has a number; they are not named.
    """

    night: date
    outcome: str
    target: str
    entries: tuple[WorklistEntry, ...]
    set_aside: tuple[WorklistEntry, ...]
    n_flagged_left_out: int
    n_above_capacity: int


def worklist(connection: Connection, asked: WorklistQuestion) -> Worklist | None:
    """Return the list; None where there is no such night."""
    run = _run(connection, asked.night)
    if run is None:
        return None
    rows = connection.execute(_to_contact(asked, run)).all()
    aside = connection.execute(_set_aside(asked, run)).all()
    named = _Entries(connection, asked, run, [*rows, *aside])
    entries = tuple(map(named.entry, rows))
    n_flagged, n_numbers = (rows[0].n_flagged, rows[0].n_numbers) if rows else (0, 0)
    return Worklist(
        night=run.night,
        outcome=asked.outcome,
        target=next((row.target for row in (*rows, *aside) if row.target), "event"),
        entries=entries,
        set_aside=tuple(map(named.entry, aside)),
        n_flagged_left_out=n_flagged - sum(one.is_flagged for one in entries),
        n_above_capacity=n_numbers - sum(one.number is not None for one in entries),
    )


def _run(connection: Connection, night: date | None) -> Any:
    query = select(NIGHTS.c.run_id, NIGHTS.c.night, NIGHTS.c.models).where(NIGHTS.c.is_current)
    query = query.order_by(NIGHTS.c.night.desc())
    return connection.execute(query if night is None else query.where(NIGHTS.c.night == night)).first()


def _to_contact(asked: WorklistQuestion, run: Any) -> Any:
    """Those within the capacity, each with how many there would be without it: one pass over everybody."""
    counts = (
        func.sum(case((SCORES.c.is_flagged, 1), else_=0)).over().label("n_flagged"),
        func.count(OUTCOME_SCORES.c.number).over().label("n_numbers"),
    )
    # Of most there is no decision at all: that is looked up once, not for each person.
    is_to_contact = or_(SCORES.c.person_id.not_in(lately_decided(asked.outcome, asked.day)), ~_is_set_aside(asked))
    query = _persons(asked, run).add_columns(*counts).where(is_to_contact)
    query = query.where(is_shown(SCORES.c.person_id, run.night, asked.day))
    return query.order_by(*_order(asked)).limit(asked.capacity)


def _set_aside(asked: WorklistQuestion, run: Any) -> Any:
    """Those set aside, of whom there are few: found by the decisions, and each looked at alone."""
    is_decided = SCORES.c.person_id.in_(lately_decided(asked.outcome, asked.day))
    query = _persons(asked, run).where(is_decided, _is_set_aside(asked))
    query = query.where(may_be_shown(SCORES.c.person_id, run.night, asked.day))
    return query.order_by(_flags_first(), _last_decision(asked).desc(), SCORES.c.person_id).limit(MOST_SET_ASIDE)


def _persons(asked: WorklistQuestion, run: Any) -> Any:
    """Everybody of the companies with a number, or a safety flag."""
    of_score = and_(OUTCOME_SCORES.c.score_id == SCORES.c.score_id, OUTCOME_SCORES.c.outcome == asked.outcome)
    columns = (SCORES.c.person_id, SCORES.c.score_id, SCORES.c.is_flagged)
    numbers = [OUTCOME_SCORES.c[name] for name in ("target", "number", "low", "high", "band", "benefit", "domain")]
    companies = [one for one in asked.companies if asked.company in (None, one)]
    members = select(MEMBERSHIPS.c.person_id).where(MEMBERSHIPS.c.company_id.in_(companies))
    return (
        select(*columns, *numbers)
        .select_from(SCORES.join(OUTCOME_SCORES, of_score, isouter=True))
        .where(SCORES.c.run_id == run.run_id, SCORES.c.person_id.in_(members))
        .where(or_(SCORES.c.is_flagged, and_(*_has_number(asked))))
    )


def _has_number(asked: WorklistQuestion) -> list[ColumnElement[bool]]:
    of_domain = [] if asked.domain is None else [OUTCOME_SCORES.c.domain == asked.domain]
    return [OUTCOME_SCORES.c.number.is_not(None), *of_domain]


def _is_set_aside(asked: WorklistQuestion) -> ColumnElement[bool]:
    then = SCORES.alias()
    is_taken_care_of = and_(then.c.flags_digest == SCORES.c.flags_digest, DECISIONS.c.next_step.in_(TALK_STEPS))
    is_mine = and_(DECISIONS.c.person_id == SCORES.c.person_id, DECISIONS.c.score_id == then.c.score_id)
    is_recent = and_(counts_for(asked.outcome), is_lately(asked.day))
    return exists().where(is_mine, or_(~SCORES.c.is_flagged, is_taken_care_of), is_recent).correlate(SCORES)


def is_lately(day: date) -> ColumnElement[bool]:
    """Return the condition under which a decision is of the last four weeks."""
    return DECISIONS.c.decided_at >= (day - timedelta(days=SET_ASIDE_DAYS)).isoformat()


def lately_decided(outcome: str, day: date) -> Any:
    """Select who was decided about lately, or is followed up since, whichever way."""
    return select(DECISIONS.c.person_id).where(counts_for(outcome), is_lately(day))


def _last_decision(asked: WorklistQuestion) -> Any:
    is_mine = and_(DECISIONS.c.person_id == SCORES.c.person_id, counts_for(asked.outcome))
    return select(func.max(DECISIONS.c.decision_id)).where(is_mine).correlate(SCORES).scalar_subquery()


def _order(asked: WorklistQuestion) -> list[ColumnElement[Any]]:
    """Flags first, then the largest; a benefit that an older night did not compute comes after those that are known."""
    ranked = [OUTCOME_SCORES.c.number]
    if asked.order == "benefit":
        ranked.insert(0, OUTCOME_SCORES.c.benefit)
    largest = [part for one in ranked for part in (case((one.is_(None), 1), else_=0), one.desc())]
    return [_flags_first(), *largest, SCORES.c.person_id]


def _flags_first() -> ColumnElement[int]:
    return case((SCORES.c.is_flagged, 0), else_=1)


class _Entries:
    """What is said of the persons who are named, read for all of them at once."""

    def __init__(self, connection: Connection, asked: WorklistQuestion, run: Any, rows: Sequence[Any]) -> None:
        persons = [row.person_id for row in rows]
        self._decided = last_decisions(connection, persons, asked.outcome, asked.day)
        self._cared = in_care(connection, asked.subject, persons, asked.day)
        self._companies = _companies_of(connection, persons)
        self._marks = marks(connection, run, asked.outcome, rows, asked.day)

    def entry(self, row: Any) -> WorklistEntry:
        """Return one person."""
        return WorklistEntry(
            person_id=row.person_id,
            score_id=row.score_id,
            companies=self._companies[row.person_id],
            number=row.number,
            low=row.low,
            high=row.high,
            band=row.band,
            benefit=row.benefit,
            domain=row.domain,
            mark=self._marks.get(row.person_id),
            is_flagged=row.is_flagged,
            last_decision=self._decided.get(row.person_id),
            has_care_relation=row.person_id in self._cared,
        )


def _companies_of(connection: Connection, persons: Collection[str]) -> Mapping[str, frozenset[str]]:
    query = select(MEMBERSHIPS.c.person_id, MEMBERSHIPS.c.company_id).where(MEMBERSHIPS.c.person_id.in_([*persons]))
    found: dict[str, set[str]] = {person: set() for person in persons}
    for person_id, company_id in connection.execute(query):
        found[person_id].add(company_id)
    return {person_id: frozenset(companies) for person_id, companies in found.items()}
