"""What an employer is told: per calendar month and measure one share, of ten persons or more, rounded, and fixed for ever.

A measure is an outcome or a workplace factor. A share could still tell of one person by comparison: of two months between
which one person has come or gone, of two filters, of a night with the next. The persons may even stay, and one of them
cross the limit. So there are no filters, a month is computed once, and a month whose persons, or whose persons beyond the
limit, differ from those of any month that was computed by one to four repeats what was told then, a share or none: any two
shares that are told are of cohorts that differ by five or more, or not at all. Each measure is decided on by its own persons
alone, and no factor is a sum or a part of another, so none can be taken from another to leave a rest: docs/store.md.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any, Literal

from sqlalchemy import Connection, and_, select

from serving.store.cohorts import Cohort
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
class Release:
    """One measure of one company and month: a share, or the reason why there is none."""

    measure: str
    persons: str | None
    share_percent: int | None
    why_not: WhyNot | None


@dataclass(frozen=True)
class CompanyRelease:
    """What a company is told of a month."""

    company_id: str
    month: str
    measures: tuple[Release, ...]


def month_of(day: date) -> str:
    """Return the calendar month of a day as 2026-03."""
    return f"{day:%Y-%m}"


def share_of(measure: str, cohort: Cohort, by_diagnosis: Collection[str]) -> Release:
    """Return the share of a cohort that is beyond the limit, or why it is not told."""
    n, beyond = len(cohort.persons), len(cohort.beyond)
    if n < (FEWEST_BY_DIAGNOSIS if measure in by_diagnosis else FEWEST_PERSONS):
        return Release(measure, None, None, "too_few_persons")
    if min(beyond, n - beyond) < FEWEST_IN_CELL:
        return Release(measure, None, None, "too_few_in_cell")
    share = ROUNDED_TO_PERCENT * round(100 * beyond / n / ROUNDED_TO_PERCENT)
    size = next(words for least, words in SIZES if n >= least)
    return Release(measure, size, share, None)


def write_month(
    connection: Connection, night: date, cohorts: Mapping[tuple[str, str], Cohort], by_diagnosis: Collection[str]
) -> None:
    """Write the month of a night for every company and measure that has none yet; what is written stays."""
    month = month_of(night)
    written = select(RELEASES.c.company_id, RELEASES.c.measure).where(RELEASES.c.month >= month)
    there = {(row.company_id, row.measure) for row in connection.execute(written)}
    for (company, measure), cohort in sorted(cohorts.items()):
        if (company, measure) not in there:
            release = _next(connection, company, measure, month, cohort, by_diagnosis)
            connection.execute(RELEASES.insert(), {"company_id": company, "month": month, **vars(release)})


def _next(
    connection: Connection, company: str, measure: str, month: str, cohort: Cohort, by_diagnosis: Collection[str]
) -> Release:
    """Return what is told of a month; one to four persons off a cohort of before, it is what was told of that one."""
    for computed in _computed(connection, company, measure):
        if any(0 < n < FEWEST_CHANGED for n in computed.changed(cohort)):
            return _told(connection, company, measure, computed.month)
    _remember(connection, company, measure, month, cohort)
    return share_of(measure, cohort, by_diagnosis)


@dataclass(frozen=True)
class _Computed:
    """A cohort whose share was computed; who was erased since has gone, and only the numbers of then tell of her."""

    month: str
    n_persons: int
    n_beyond: int
    persons: Set[str]
    beyond: Set[str]

    def changed(self, now: Cohort) -> tuple[int, int]:
        """Return how many persons, and how many beyond the limit, came or went since."""
        pairs = ((self.n_persons, self.persons, now.persons), (self.n_beyond, self.beyond, now.beyond))
        persons, beyond = (n + len(there) - 2 * len(then & there) for n, then, there in pairs)
        return persons, beyond


def _computed(connection: Connection, company: str, measure: str) -> list[_Computed]:
    """Return all cohorts of a measure that were computed, newest first."""
    cohorts, members = (
        select(table).where(table.c.company_id == company, table.c.measure == measure)
        for table in (RELEASE_COHORTS, RELEASE_MEMBERS)
    )
    then: dict[str, dict[str, bool]] = {}
    for row in connection.execute(members):
        then.setdefault(row.month, {})[row.person_id] = row.is_beyond
    return [
        _Computed(
            row.month, row.n_persons, row.n_beyond, there.keys(), {one for one, is_beyond in there.items() if is_beyond}
        )
        for row in connection.execute(cohorts.order_by(RELEASE_COHORTS.c.month.desc()))
        for there in (then.get(row.month, {}),)
    ]


def _told(connection: Connection, company: str, measure: str, month: str) -> Release:
    query = select(RELEASES.c.measure, RELEASES.c.persons, RELEASES.c.share_percent, RELEASES.c.why_not)
    of_month = and_(RELEASES.c.company_id == company, RELEASES.c.measure == measure, RELEASES.c.month == month)
    return Release(*connection.execute(query.where(of_month)).one())


def _remember(connection: Connection, company: str, measure: str, month: str, cohort: Cohort) -> None:
    key = {"company_id": company, "measure": measure, "month": month}
    rows = [key | {"person_id": one, "is_beyond": one in cohort.beyond} for one in sorted(cohort.persons)]
    connection.execute(RELEASE_COHORTS.insert(), key | {"n_persons": len(rows), "n_beyond": len(cohort.beyond)})
    if rows:
        connection.execute(RELEASE_MEMBERS.insert(), rows)


def release(connection: Connection, company_id: str) -> CompanyRelease | None:
    """Return the newest month of a company, None if nothing was ever computed for it."""
    months = releases(connection, company_id)
    return months[-1] if months else None


def releases(connection: Connection, company_id: str) -> tuple[CompanyRelease, ...]:
    """Return all months of a company, oldest first."""
    query = select(RELEASES).where(RELEASES.c.company_id == company_id).order_by(RELEASES.c.month, RELEASES.c.measure)
    months = groupby(connection.execute(query), key=lambda row: str(row.month))
    return tuple(CompanyRelease(company_id, month, _measures(rows)) for month, rows in months)


def _measures(rows: Iterable[Any]) -> tuple[Release, ...]:
    return tuple(Release(row.measure, row.persons, row.share_percent, row.why_not) for row in rows)
