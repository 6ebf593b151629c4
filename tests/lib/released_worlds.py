"""Workplaces by chance, month by month, and what is told of them: what an attack on releases is tried on."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Connection, create_engine, select

from serving.store.cohorts import Cohort
from serving.store.disclosure import Cell
from serving.store.releases import month_of, write_month
from serving.store.tables import METADATA, RELEASE_COHORTS, RELEASE_MEMBERS, RELEASES

MEASURE, SECTION = "sleep", "Q"
N_CATEGORIES = 3
NIGHTS = (date(2026, 1, 1), date(2026, 4, 1), date(2026, 7, 1))
"""Of three quarters, so that industries are told each time too."""

WITHIN_A_QUARTER = (date(2026, 1, 1), date(2026, 2, 1), date(2026, 4, 1))

Staff = dict[str, dict[str, Cell]]
"""Company -> person -> unit and category."""


@dataclass(frozen=True)
class Publication:
    """What was computed anew and told of a place (a section, a company or one of its units) in a month.

    Parameters
    ----------
    rests_on : mapping
        Company -> the month whose staff it counts: of an industry, when each company was last computed.
    """

    level: str
    place: str
    part: str
    month: int
    shares: tuple[int, ...]
    rests_on: dict[str, int] = field(default_factory=dict)


def world(seed: int) -> list[Staff]:
    """Return companies of one industry in three months: units of 3 to 25, and changes of nobody, of one, or of many."""
    chance = random.Random(seed)
    names = [f"c{number}" for number in range(chance.choice((1, 2, 5, 6, 7)))]
    staff = {name: _company(chance, name) for name in names}
    months = [staff]
    for number in range(1, len(NIGHTS)):
        staff = {name: _changed(chance, there, f"{name}-{number}") for name, there in staff.items()}
        months.append(staff)
    return months


def _company(chance: random.Random, name: str) -> dict[str, Cell]:
    weights = [chance.random() + 0.1 for _ in range(N_CATEGORIES)]
    units = [f"u{number}" for number in range(chance.randint(1, 4))]
    return {
        f"{name}-{unit}-{number}": (unit, chance.choices(range(N_CATEGORIES), weights)[0])
        for unit in units
        for number in range(chance.randint(3, 25))
    }


def _changed(chance: random.Random, there: dict[str, Cell], new: str) -> dict[str, Cell]:
    n = chance.choice((0, 1, 1, 3, 12, 30))
    staff = dict(there)
    for number in range(n):
        change_one(chance, staff, f"{new}-{number}")
    return staff


def change_one(chance: random.Random, staff: dict[str, Cell], new: str) -> None:
    """Let one person join, leave, go to another unit or change category."""
    units = sorted({unit for unit, _ in staff.values()})
    what = chance.choice(("join", "leave", "move", "change"))
    someone = chance.choice(sorted(staff))
    unit, category = staff[someone]
    if what == "leave" and len(staff) > 1:
        del staff[someone]
    elif what == "move":
        staff[someone] = (chance.choice(units), category)
    elif what == "change":
        staff[someone] = (unit, (category + chance.choice((1, 2))) % N_CATEGORIES)
    else:
        staff[new] = (unit, chance.randrange(N_CATEGORIES))


def published(months: Sequence[Staff], nights: Sequence[date] = NIGHTS) -> tuple[list[Any], list[Publication]]:
    """Write the months; return all rows that are told, and those of them that were computed anew."""
    engine = create_engine("sqlite://")
    METADATA.create_all(engine)
    with engine.begin() as connection:
        for night, staff in zip(nights, months, strict=False):
            cohorts = {(company, MEASURE): cohort_of(there) for company, there in staff.items()}
            write_month(connection, night, cohorts, dict.fromkeys(staff, SECTION), ())
        rows = [*connection.execute(select(RELEASES).order_by(*RELEASES.primary_key))]
        found = rows, list(_fresh(connection, rows, nights))
    engine.dispose()
    return found


def cohort_of(staff: dict[str, Cell]) -> Cohort:
    """Return who is counted at a company."""
    return Cohort({one: of for one, (_, of) in staff.items()}, {one: unit for one, (unit, _) in staff.items()})


def _fresh(connection: Connection, rows: Sequence[Any], nights: Sequence[date]) -> Any:
    members = Counter(
        (row.level, row.place, row.month, bool(row.part)) for row in connection.execute(select(RELEASE_MEMBERS))
    )
    months = {month_of(night): number for number, night in enumerate(nights)}
    computed = {(row.place, months[row.month]) for row in connection.execute(select(RELEASE_COHORTS))
                if row.level == "company"}  # fmt: skip
    for row in rows:
        key = row.level, row.place, row.month
        is_fresh = members[(*key, True)] or (not row.part and members[(*key, False)])
        if row.shares is not None and is_fresh:
            shares = tuple(int(share) for share in row.shares.strip("[]").split(","))
            month, of = months[row.month], {row.place} if row.level == "company" else {one for one, _ in computed}
            rests_on = {one: max(then for where, then in computed if where == one and then <= month) for one in of}
            yield Publication(row.level, row.place, row.part, month, shares, rests_on)
