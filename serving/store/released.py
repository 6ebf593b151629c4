"""What was told of companies and industries, as it is stored; what is written stays."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, func, select

from data_contracts.batches import batched
from serving.store.disclosure import Told
from serving.store.past_cohorts import Level
from serving.store.tables import COMPANY_INDUSTRIES, RELEASES

WHOLE = ""
"""The part that is all of a place."""


@dataclass(frozen=True)
class Release:
    """What is told of one measure."""

    measure: str
    told: Told


@dataclass(frozen=True)
class CompanyRelease:
    """What a company is told of a month: of all of it, and of each unit that can be told of."""

    company_id: str
    month: str
    measures: tuple[Release, ...]
    section: str | None = None
    units: dict[str, tuple[Release, ...]] = field(default_factory=dict)


def releases(connection: Connection, company_id: str) -> tuple[CompanyRelease, ...]:
    """Return all months of a company, oldest first."""
    query = select(RELEASES).where(RELEASES.c.level == "company", RELEASES.c.place == company_id)
    rows = connection.execute(query.order_by(RELEASES.c.month, RELEASES.c.part, RELEASES.c.measure)).all()
    sections = select(COMPANY_INDUSTRIES.c.month, COMPANY_INDUSTRIES.c.section)
    found = connection.execute(sections.where(COMPANY_INDUSTRIES.c.company_id == company_id))
    of_month = {row.month: row.section for row in found}
    return tuple(
        _month(company_id, month, of_month.get(month), there)
        for month, there in groupby(rows, key=lambda row: row.month)
    )


def release(connection: Connection, company_id: str) -> CompanyRelease | None:
    """Return the newest month of a company, None if nothing was ever computed for it."""
    months = releases(connection, company_id)
    return months[-1] if months else None


def industry(connection: Connection, section: str, month: str) -> tuple[Release, ...]:
    """Return what was last told of an industry up to a month, of each measure."""
    is_of_section = (RELEASES.c.level == "industry") & (RELEASES.c.place == section)
    newest = (
        select(RELEASES.c.measure, func.max(RELEASES.c.month).label("month"))
        .where(is_of_section, RELEASES.c.month <= month)
        .group_by(RELEASES.c.measure)
        .subquery()
    )
    is_newest = (newest.c.measure == RELEASES.c.measure) & (newest.c.month == RELEASES.c.month)
    found = connection.execute(select(RELEASES).join(newest, is_newest).where(is_of_section))
    return tuple(map(_release, found))


def insert(
    connection: Connection, level: Level, place: str, month: str, told: Mapping[str, Mapping[str, Told]]
) -> None:
    """Write what is told of a place, by measure and part."""
    key: dict[str, str | None] = {"level": level, "place": place, "month": month}
    rows = [
        key | {"measure": measure, "part": part, "persons": one.persons, "why_not": one.why_not,
               "shares": None if one.shares is None else json.dumps(one.shares)}
        for measure, parts in told.items() for part, one in parts.items()
    ]  # fmt: skip
    connection.execute(RELEASES.insert(), rows)


def last_told(connection: Connection, level: Level, place: str, measure: str) -> dict[str, Told]:
    """Return by part what was told of a measure in the newest month that has it; nothing if none has."""
    query = select(RELEASES).where(RELEASES.c.level == level, RELEASES.c.place == place, RELEASES.c.measure == measure)
    rows = connection.execute(query.order_by(RELEASES.c.month.desc())).all()
    return {row.part: _told(row) for row in rows if row.month == rows[0].month}


def whole_told_in(connection: Connection, measure: str, months: Mapping[str, str]) -> dict[str, Told]:
    """Return by company what was told of all of it in a month of its own; nothing of one that has none there."""
    found: dict[str, Told] = {}
    for some in batched(sorted(months)):
        is_asked = (RELEASES.c.level == "company") & (RELEASES.c.part == WHOLE) & RELEASES.c.place.in_(some)
        query = select(RELEASES).where(is_asked, RELEASES.c.measure == measure)
        found |= {row.place: _told(row) for row in connection.execute(query).all() if row.month == months[row.place]}
    return found


def _month(company_id: str, month: str, section: str | None, rows: Iterable[Any]) -> CompanyRelease:
    parts = {part: tuple(map(_release, there)) for part, there in groupby(rows, key=lambda row: str(row.part))}
    return CompanyRelease(company_id, month, parts.pop(WHOLE, ()), section, parts)


def _release(row: Any) -> Release:
    return Release(row.measure, _told(row))


def _told(row: Any) -> Told:
    return Told(row.persons, None if row.shares is None else tuple(json.loads(row.shares)), row.why_not)
