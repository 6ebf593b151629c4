"""What an employer is told: per calendar month and measure one share, of ten persons or more, rounded, and fixed for ever.

A measure is an outcome or a workplace factor. A share could still tell of one person by comparison: of two months between
which one person has come or gone, of two filters, of a night with the next. The persons may even stay, and one of them
cross the limit. So there are no filters, a month is computed once, and a month whose persons, or whose persons beyond the
limit or on its other side, differ from those of any month that was computed by one to four repeats what was told then, a
share or none: any two shares that are told are of cohorts that differ by five or more on each side, or not at all. So do
those of two companies with a person in common. Of every company with anybody at work every measure is written, also where
nobody is counted: that there is an entry tells of nobody. No factor is a sum or a part of another: docs/store.md.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any, Literal

from sqlalchemy import Connection, select

from serving.store.cohorts import Cohort
from serving.store.past_cohorts import PastCohorts
from serving.store.tables import RELEASE_COHORTS, RELEASE_MEMBERS, RELEASES

FEWEST_PERSONS = 10
FEWEST_BY_DIAGNOSIS = 30
"""A diagnosis is told of with more care."""

FEWEST_IN_CELL = 5
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
    missing = sorted(place for place in cohorts if place not in there)
    for company, places in groupby(missing, key=lambda place: place[0]):
        own = {measure: cohorts[company, measure] for _, measure in places}
        past = PastCohorts(connection, company, frozenset[str]().union(*(one.persons for one in own.values())))
        for measure, cohort in own.items():
            release = _next(connection, past, (company, measure, month), cohort, by_diagnosis)
            connection.execute(RELEASES.insert(), {"company_id": company, "month": month, **vars(release)})


def _next(
    connection: Connection,
    past: PastCohorts,
    place: tuple[str, str, str],
    cohort: Cohort,
    by_diagnosis: Collection[str],
) -> Release:
    """Return what is told of a month; few persons off a cohort of before, it is what was told then."""
    company, measure, _ = place
    near = [one for one in past.differences(measure, cohort) if one.tells_of_few]
    if near:
        return _repeated(connection, company, measure, [one.month for one in near if one.company_id == company])
    if cohort.persons:  # nobody differs from anybody by those who are told of
        _remember(connection, place, cohort)
    return share_of(measure, cohort, by_diagnosis)


def fewest_of(size: str) -> int:
    """Return where a range of persons starts."""
    return next(least for least, words in SIZES if words == size)


def _repeated(connection: Connection, company: str, measure: str, near: Sequence[str]) -> Release:
    """Return what was told of the newest month that is near, else the company's last word; "too few" where there is none."""
    query = select(RELEASES.c.measure, RELEASES.c.persons, RELEASES.c.share_percent, RELEASES.c.why_not)
    query = query.where(RELEASES.c.company_id == company, RELEASES.c.measure == measure)
    told = query.where(RELEASES.c.month == near[0]) if near else query.order_by(RELEASES.c.month.desc())
    row = connection.execute(told).first()
    return Release(measure, None, None, "too_few_persons") if row is None else Release(*row)


def _remember(connection: Connection, place: tuple[str, str, str], cohort: Cohort) -> None:
    key = dict(zip(("company_id", "measure", "month"), place, strict=True))
    rows = [key | {"person_id": one, "is_beyond": one in cohort.beyond} for one in sorted(cohort.persons)]
    connection.execute(RELEASE_COHORTS.insert(), key | {"n_persons": len(rows), "n_beyond": len(cohort.beyond)})
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
