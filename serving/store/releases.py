"""Writes what employers are told: once per calendar month and measure rounded shares of large enough groups, fixed for ever.

Shares could still tell of one person by comparison: of two months between which one person has come or gone, of a unit with
its company, of a night with the next. The persons may even stay, and one of them change category. So there are no filters,
a month is computed once, and a month that differs by few from any that was computed repeats what was told then, shares or
none: see :func:`~serving.store.disclosure.tells_of_few`. So do two companies with a person in common. A company and its
units are computed together or not at all, units only where what is left of the company is large enough too. An industry is
the sum of what its companies were last told of, so that it says nothing of whom a repeated company holds back. Of every
company with anybody at work every measure is written, also where nobody is counted: that there is an entry tells of nobody.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import NamedTuple

from sqlalchemy import Connection, select

from serving.store.cohorts import Cohort
from serving.store.disclosure import (
    FEWEST_BY_DIAGNOSIS,
    FEWEST_PERSONS,
    Block,
    Told,
    block_of,
    industry_told,
    tells_of_few,
    together,
    told_of,
    units_told,
)
from serving.store.past_cohorts import Level, PastCohorts, forget_old, newest
from serving.store.released import WHOLE, insert, last_told, whole_told_in
from serving.store.tables import COMPANY_INDUSTRIES, RELEASES
from serving.workplace_measures import MEASURES

NOTHING = {WHOLE: Told(None, None, "too_few_persons")}
Places = Mapping[tuple[str, str], Cohort]


def month_of(day: date) -> str:
    """Return the calendar month of a day as 2026-03."""
    return f"{day:%Y-%m}"


def quarter_of(day: date) -> str:
    """Return the first month of the quarter of a day."""
    return month_of(day.replace(month=day.month - (day.month - 1) % 3))


@dataclass(frozen=True)
class _Now:
    """A release that is being written: its month, and of how many at least a measure is told."""

    connection: Connection
    month: str
    by_diagnosis: Collection[str]

    def fewest(self, measure: str) -> int:
        is_by_diagnosis = measure in self.by_diagnosis or MEASURES[measure].kind == "absence"
        return FEWEST_BY_DIAGNOSIS if is_by_diagnosis else FEWEST_PERSONS


def write_month(
    connection: Connection, night: date, cohorts: Places, sections: Mapping[str, str], by_diagnosis: Collection[str]
) -> None:
    """Write the month of a night for every company and measure that has none yet, and the quarter of every industry.

    Parameters
    ----------
    cohorts : mapping
        (company, measure) -> who is counted.
    sections : mapping
        Company -> section of its industry.
    """
    now = _Now(connection, month_of(night), by_diagnosis)
    missing = _without_release(connection, "company", now.month, cohorts)
    for company, places in groupby(missing, key=lambda place: place[0]):
        own = {measure: cohorts[company, measure] for _, measure in places}
        everybody = {one for cohort in own.values() for one in cohort.categories}
        past = PastCohorts(connection, "company", company, everybody)
        found = {measure: _company(now, past, measure, cohort, company) for measure, cohort in own.items()}
        _write(now, "company", company, past, found)
    if missing:
        forget_old(connection, now.month)
    _write_sections(now, sections)
    _write_quarter(now, quarter_of(night), cohorts, sections)


def _without_release(
    connection: Connection, level: str, since: str, places: Collection[tuple[str, str]]
) -> list[tuple[str, str]]:
    written = select(RELEASES.c.place, RELEASES.c.measure).where(RELEASES.c.level == level, RELEASES.c.month >= since)
    there = {(row.place, row.measure) for row in connection.execute(written)}
    return sorted(place for place in places if place not in there)


class _Found(NamedTuple):
    """What is told of a measure, by part, and the cohort that it was computed from, None where it was not."""

    told: dict[str, Told]
    block: Block | None = None


def _write(now: _Now, level: Level, place: str, past: PastCohorts, found: Mapping[str, _Found]) -> None:
    past.remember(now.month, {name: one.block for name, one in found.items() if one.block is not None})
    insert(now.connection, level, place, now.month, {name: one.told for name, one in found.items()})


def _company(now: _Now, past: PastCohorts, measure: str, cohort: Cohort, company: str) -> _Found:
    """Return what is told of a company and its units; few persons off a cohort of before, it is what was last told."""
    block, last, own = block_of(cohort), MEASURES[measure].last, past.own(measure)
    if _is_near([*own, *past.others(measure)], block.undivided(), last) or _is_near(own, block, last):
        return _last_told(now, "company", company, measure)
    told = {WHOLE: told_of(cohort.counts(last + 1), now.fewest(measure))}
    told |= _units(block, last + 1, now.fewest(measure))
    # Nobody differs from anybody by those who are told of where nobody is.
    return _Found(told, block if cohort.categories else None)


def _is_near(blocks: Collection[Block], now: Block, last: int) -> bool:
    return any(tells_of_few(then, now, last) for then in blocks)


def _last_told(now: _Now, level: Level, place: str, measure: str) -> _Found:
    return _Found(last_told(now.connection, level, place, measure) or NOTHING)


def _units(block: Block, n_categories: int, fewest: int) -> dict[str, Told]:
    counts: dict[str, list[int]] = {}
    for (unit, category), n in block.cells.items():
        counts.setdefault(unit, [0] * n_categories)[category] = n
    return {unit: told_of(pair, fewest) for unit, pair in units_told(counts, fewest).items()}


def _write_sections(now: _Now, sections: Mapping[str, str]) -> None:
    query = select(COMPANY_INDUSTRIES.c.company_id).where(COMPANY_INDUSTRIES.c.month == now.month)
    there = set(now.connection.execute(query).scalars())
    rows = [{"company_id": company, "month": now.month, "section": section}
            for company, section in sorted(sections.items()) if company not in there]  # fmt: skip
    if rows:
        now.connection.execute(COMPANY_INDUSTRIES.insert(), rows)


def _write_quarter(now: _Now, quarter: str, cohorts: Places, sections: Mapping[str, str]) -> None:
    """Write every industry and measure that has no release in this quarter yet."""
    companies: dict[tuple[str, str], list[str]] = {}
    for (company, measure), cohort in cohorts.items():
        if company in sections and cohort.categories:
            companies.setdefault((sections[company], measure), []).append(company)
    missing = _without_release(now.connection, "industry", quarter, companies)
    for section, places in groupby(missing, key=lambda place: place[0]):
        own = {measure: newest(now.connection, measure, companies[section, measure]) for _, measure in places}
        everybody = {one for there in own.values() for block in there.values() for one in block.members}
        past = PastCohorts(now.connection, "industry", section, everybody)
        for measure, there in own.items():  # one by one: of an industry they are as many as persons
            _write(now, "industry", section, past, {measure: _industry(now, past, measure, there, section)})


def _industry(now: _Now, past: PastCohorts, measure: str, companies: Mapping[str, Block], section: str) -> _Found:
    last, everybody = MEASURES[measure].last, together(companies.values())
    if _is_near([*past.own(measure), *past.others(measure)], everybody, last):
        return _last_told(now, "industry", section, measure)
    told = industry_told(companies, _levels(now, measure, companies), last + 1, now.fewest(measure))
    return _Found({WHOLE: told}, everybody if companies else None)


def _levels(now: _Now, measure: str, companies: Mapping[str, Block]) -> dict[str, int]:
    """Return in how many categories each company was told of, when it was last computed."""
    told = whole_told_in(now.connection, measure, {company: block.month for company, block in companies.items()})
    return {company: len(one.shares) for company, one in told.items() if one.shares is not None}
