"""Cohorts whose shares were computed, to compare one of now with: two that differ by few tell of these few.

Compared are those of the same company, and those of any other company in which one of the persons was counted: a token may
name several companies, and their leaders may talk. The same holds for industries. Who was erased since, or withdrew, is
not known any more, and only the numbers of then tell of her. What is older than :data:`MONTHS_COMPARED` goes, but for the
newest of a place, which its release still rests on: who kept a report for longer than that can compare it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import groupby
from operator import attrgetter
from typing import Any, Literal

from sqlalchemy import Connection, and_, delete, exists, func, select

from data_contracts.batches import batched
from serving.store.disclosure import Block, Cell
from serving.store.tables import RELEASE_COHORTS, RELEASE_MEMBERS

Level = Literal["company", "industry"]
MONTHS_COMPARED = 24
"""As many months as a report shows of the past."""


class PastCohorts:
    """All cohorts that were computed and that one of a company, or of an industry, can be compared with.

    Parameters
    ----------
    connection : sqlalchemy.Connection
    level : {"company", "industry"}
    place : str
        The company, or the section of the industry.
    persons : collection of str
        Who is counted there now, of whatever measure.
    """

    def __init__(self, connection: Connection, level: Level, place: str, persons: Collection[str]) -> None:
        self._connection = connection
        self._level = level
        self._place = place
        self._cells: dict[str, list[Any]] = {}
        of_place = select(RELEASE_COHORTS).where(self._of(RELEASE_COHORTS), RELEASE_COHORTS.c.place == place)
        for row in connection.execute(of_place).all():
            self._cells.setdefault(row.measure, []).append(row)
        self._elsewhere: dict[str, list[Any]] = {}
        for some in batched(sorted(persons)):
            # Asked for the level, too, SQLite goes through all rows of it, for each place: a night of a million never ended.
            for row in connection.execute(select(RELEASE_MEMBERS).where(RELEASE_MEMBERS.c.person_id.in_(some))).all():
                if row.level == level and row.place != place:
                    self._elsewhere.setdefault(row.measure, []).append(row)

    def own(self, measure: str) -> list[Block]:
        """Return the place's own of a measure, the newest first."""
        cells = self._cells.get(measure, [])
        members = self._rows(RELEASE_MEMBERS, measure, {self._place}) if cells else []
        return sorted(_blocks(cells, members), key=attrgetter("month"), reverse=True)

    def others(self, measure: str) -> list[Block]:
        """Return those of other places in which somebody of this one is."""
        members = self._elsewhere.get(measure, [])
        met = {(row.place, row.month) for row in members}
        cells = self._rows(RELEASE_COHORTS, measure, {place for place, _ in met}) if met else []
        return list(_blocks((row for row in cells if (row.place, row.month) in met), members))

    def remember(self, month: str, blocks: Mapping[str, Block]) -> None:
        """Keep the cohorts, by measure, of which something is computed now."""
        keys = {name: {"level": self._level, "place": self._place, "measure": name, "month": month} for name in blocks}
        cells = [keys[name] | {"part": part, "category": of, "n_persons": n}
                 for name, block in blocks.items() for (part, of), n in sorted(block.cells.items())]  # fmt: skip
        members = [keys[name] | {"person_id": one, "part": part, "category": of}
                   for name, block in blocks.items() for one, (part, of) in sorted(block.members.items())]  # fmt: skip
        for table, rows in ((RELEASE_COHORTS, cells), (RELEASE_MEMBERS, members)):
            if rows:
                self._connection.execute(table.insert(), rows)

    def _of(self, table: Any) -> Any:
        return table.c.level == self._level

    def _rows(self, table: Any, measure: str, places: Collection[str]) -> list[Any]:
        query = select(table).where(self._of(table), table.c.place.in_(sorted(places)), table.c.measure == measure)
        return list(self._connection.execute(query).all())


def newest(connection: Connection, measure: str, companies: Collection[str]) -> dict[str, Block]:
    """Return by company what was last computed of a measure, which what it is told rests on."""
    found: dict[str, Block] = {}
    for some in batched(sorted(companies)):
        of_some = [_of_companies(table, measure, some) for table in (RELEASE_COHORTS, RELEASE_MEMBERS)]
        months = select(RELEASE_COHORTS.c.place, func.max(RELEASE_COHORTS.c.month).label("month")).where(of_some[0])
        last = months.group_by(RELEASE_COHORTS.c.place).subquery()
        rows = []
        for table, is_asked in zip((RELEASE_COHORTS, RELEASE_MEMBERS), of_some, strict=True):
            is_last = and_(table.c.place == last.c.place, table.c.month == last.c.month)
            rows.append(connection.execute(select(table).join(last, is_last).where(is_asked)).all())
        found |= {block.place: block for block in _blocks(*rows)}
    return found


def _of_companies(table: Any, measure: str, companies: Collection[str]) -> Any:
    return and_(table.c.level == "company", table.c.measure == measure, table.c.place.in_(companies))


def forget_old(connection: Connection, month: str) -> None:
    """Delete the cohorts of before the months that are compared, but for the newest of each place and measure."""
    year, number = divmod(12 * int(month[:4]) + int(month[5:]) - 1 - MONTHS_COMPARED, 12)
    newer = RELEASE_COHORTS.alias()
    for table in (RELEASE_MEMBERS, RELEASE_COHORTS):
        is_of_same = (newer.c[name] == table.c[name] for name in ("level", "place", "measure"))
        is_superseded = exists().where(*is_of_same, newer.c.month > table.c.month)
        connection.execute(delete(table).where(table.c.month < f"{year}-{number + 1:02}", is_superseded))


def _blocks(cells: Iterable[Any], members: Iterable[Any]) -> Iterator[Block]:
    where: dict[tuple[str, str], dict[str, Cell]] = {}
    for row in members:
        where.setdefault((row.place, row.month), {})[row.person_id] = (row.part, row.category)
    key = attrgetter("place", "month")
    for (place, month), rows in groupby(sorted(cells, key=key), key=key):
        counts = {(row.part, row.category): row.n_persons for row in rows}
        yield Block(place, month, counts, where.get((place, month), {}))
