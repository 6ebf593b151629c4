"""What an employer is told: per calendar month and outcome one share, of ten persons or more, rounded, and fixed for ever.

A share could still tell of one person by comparison: of two months between which one person has come or gone, of two
filters, of a night with the next. The persons may even stay, and one of them cross the limit. So there are no filters, a
month is computed once, and a month whose persons, or whose persons above the limit, differ from those of the last computed
month by one to four repeats what was told then, a share or none: whatever differs tells of five or more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass
from datetime import date
from typing import Literal

from sqlalchemy import Connection, and_, delete, func, select

from serving.store.tables import RELEASE_COHORTS, RELEASE_MEMBERS, RELEASES

FEWEST_PERSONS = 10
FEWEST_BY_DIAGNOSIS = 30
"""A diagnosis is told of with more care."""

FEWEST_IN_CELL = 5
FEWEST_CHANGED = 5
ROUNDED_TO_PERCENT = 5
SIZES = ((100, "100 or more"), (50, "50 to 99"), (20, "20 to 49"), (FEWEST_PERSONS, "10 to 19"))

WhyNot = Literal["too_few_persons", "too_few_in_cell"]


@dataclass(frozen=True)
class OutcomeRelease:
    """One outcome of one company and month: a share, or the reason why there is none."""

    outcome: str
    persons: str | None
    share_percent: int | None
    why_not: WhyNot | None


@dataclass(frozen=True)
class CompanyRelease:
    """What a company is told of a month."""

    company_id: str
    month: str
    outcomes: tuple[OutcomeRelease, ...]


@dataclass(frozen=True)
class Cohort:
    """Those at a company who have a number for an outcome and consent to it being counted, and who of them are above."""

    persons: frozenset[str]
    above: frozenset[str]


def month_of(day: date) -> str:
    """Return the calendar month of a day as 2026-03."""
    return f"{day:%Y-%m}"


def share_of(outcome: str, cohort: Cohort, by_diagnosis: Collection[str]) -> OutcomeRelease:
    """Return the share of a cohort that is above the reference group, or why it is not told."""
    n, above = len(cohort.persons), len(cohort.above)
    if n < (FEWEST_BY_DIAGNOSIS if outcome in by_diagnosis else FEWEST_PERSONS):
        return OutcomeRelease(outcome, None, None, "too_few_persons")
    if min(above, n - above) < FEWEST_IN_CELL:
        return OutcomeRelease(outcome, None, None, "too_few_in_cell")
    share = ROUNDED_TO_PERCENT * round(100 * above / n / ROUNDED_TO_PERCENT)
    size = next(words for least, words in SIZES if n >= least)
    return OutcomeRelease(outcome, size, share, None)


def write_month(
    connection: Connection, night: date, cohorts: Mapping[tuple[str, str], Cohort], by_diagnosis: Collection[str]
) -> None:
    """Write the month of a night for every company and outcome that has none yet; what is written stays."""
    month = month_of(night)
    written = select(RELEASES.c.company_id, RELEASES.c.outcome).where(RELEASES.c.month >= month)
    there = {(row.company_id, row.outcome) for row in connection.execute(written)}
    for (company, outcome), cohort in sorted(cohorts.items()):
        if (company, outcome) not in there:
            release = _next(connection, company, outcome, cohort, by_diagnosis)
            connection.execute(RELEASES.insert(), {"company_id": company, "month": month, **vars(release)})


def _next(
    connection: Connection, company: str, outcome: str, cohort: Cohort, by_diagnosis: Collection[str]
) -> OutcomeRelease:
    """Return what is told of a month: as last computed where one to four persons came, went or crossed the limit since."""
    before = _last(connection, company, outcome)
    if before is not None and any(0 < n < FEWEST_CHANGED for n in _changed(connection, company, outcome, cohort)):
        return before
    release = share_of(outcome, cohort, by_diagnosis)
    _remember(connection, company, outcome, cohort)
    return release


def _last(connection: Connection, company: str, outcome: str) -> OutcomeRelease | None:
    of_company = and_(RELEASES.c.company_id == company, RELEASES.c.outcome == outcome)
    query = select(RELEASES.c.outcome, RELEASES.c.persons, RELEASES.c.share_percent, RELEASES.c.why_not)
    row = connection.execute(query.where(of_company).order_by(RELEASES.c.month.desc())).first()
    return None if row is None else OutcomeRelease(*row)


def _changed(connection: Connection, company: str, outcome: str, now: Cohort) -> tuple[int, int]:
    """Return how many persons, and how many above the limit, came or went since the last computed month.

    Who was erased since has gone; only the numbers of then tell of her.
    """
    cohort = and_(RELEASE_COHORTS.c.company_id == company, RELEASE_COHORTS.c.outcome == outcome)
    counts = connection.execute(select(RELEASE_COHORTS.c.n_persons, RELEASE_COHORTS.c.n_above).where(cohort)).first()
    n_persons, n_above = counts or (0, 0)
    members = and_(RELEASE_MEMBERS.c.company_id == company, RELEASE_MEMBERS.c.outcome == outcome)
    query = select(RELEASE_MEMBERS.c.person_id, RELEASE_MEMBERS.c.is_above).where(members)
    then = {row.person_id: row.is_above for row in connection.execute(query)}
    above = {person for person, is_above in then.items() if is_above}
    return _difference(n_persons, then.keys(), now.persons), _difference(n_above, above, now.above)


def _difference(n_then: int, then: Set[str], now: Set[str]) -> int:
    n_both = len(then & now)
    return (n_then - n_both) + (len(now) - n_both)


def _remember(connection: Connection, company: str, outcome: str, cohort: Cohort) -> None:
    for table in (RELEASE_COHORTS, RELEASE_MEMBERS):
        connection.execute(delete(table).where(table.c.company_id == company, table.c.outcome == outcome))
    key = {"company_id": company, "outcome": outcome}
    rows = [key | {"person_id": one, "is_above": one in cohort.above} for one in sorted(cohort.persons)]
    connection.execute(RELEASE_COHORTS.insert(), key | {"n_persons": len(rows), "n_above": len(cohort.above)})
    if rows:
        connection.execute(RELEASE_MEMBERS.insert(), rows)


def release(connection: Connection, company_id: str) -> CompanyRelease | None:
    """Return the newest month of a company, None if nothing was ever computed for it."""
    newest = select(func.max(RELEASES.c.month)).where(RELEASES.c.company_id == company_id).scalar_subquery()
    query = select(RELEASES).where(RELEASES.c.company_id == company_id, RELEASES.c.month == newest)
    rows = connection.execute(query.order_by(RELEASES.c.outcome)).all()
    if not rows:
        return None
    found = (OutcomeRelease(row.outcome, row.persons, row.share_percent, row.why_not) for row in rows)
    return CompanyRelease(company_id, rows[0].month, tuple(found))
