"""Cohorts whose shares were computed, to compare one of now with: two that differ by few tell of these few.

Compared are those of the same company, and those of any other company in which one of the persons was counted: a token may
name several companies, and their leaders may talk. The same holds for industries. Who was erased since has gone, and only
the numbers of then tell of her.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import groupby, islice
from operator import attrgetter
from typing import Any, Literal

from sqlalchemy import Connection, and_, select

from serving.store.cohorts import Cohort
from serving.store.disclosure import Block, Cell, block_of
from serving.store.tables import RELEASE_COHORTS, RELEASE_MEMBERS

Level = Literal["company", "industry"]
_AT_ONCE = 500


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
        for row in connection.execute(
            select(RELEASE_COHORTS).where(self._of(RELEASE_COHORTS), RELEASE_COHORTS.c.place == place)
        ):
            self._cells.setdefault(row.measure, []).append(row)
        self._elsewhere: dict[str, list[Any]] = {}
        for some in _batched(persons):
            is_elsewhere = and_(self._of(RELEASE_MEMBERS), RELEASE_MEMBERS.c.person_id.in_(some))
            for row in connection.execute(
                select(RELEASE_MEMBERS).where(is_elsewhere, RELEASE_MEMBERS.c.place != place)
            ):
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

    def remember(self, measure: str, month: str, cohort: Cohort) -> None:
        """Keep a cohort of which something is computed now."""
        key = {"level": self._level, "place": self._place, "measure": measure, "month": month}
        block = block_of(cohort)
        cells = [key | {"part": part, "category": of, "n_persons": n} for (part, of), n in sorted(block.cells.items())]
        members = [key | {"person_id": one, "part": part, "category": of}
                   for one, (part, of) in sorted(block.members.items())]  # fmt: skip
        self._connection.execute(RELEASE_COHORTS.insert(), cells)
        self._connection.execute(RELEASE_MEMBERS.insert(), members)

    def _of(self, table: Any) -> Any:
        return table.c.level == self._level

    def _rows(self, table: Any, measure: str, places: Collection[str]) -> list[Any]:
        query = select(table).where(self._of(table), table.c.place.in_(sorted(places)), table.c.measure == measure)
        return [*self._connection.execute(query)]


def _blocks(cells: Iterable[Any], members: Iterable[Any]) -> Iterator[Block]:
    where: dict[tuple[str, str], dict[str, Cell]] = {}
    for row in members:
        where.setdefault((row.place, row.month), {})[row.person_id] = (row.part, row.category)
    key = attrgetter("place", "month")
    for (place, month), rows in groupby(sorted(cells, key=key), key=key):
        counts = {(row.part, row.category): row.n_persons for row in rows}
        yield Block(place, month, counts, where.get((place, month), {}))


def _batched(persons: Collection[str]) -> Iterator[list[str]]:
    source = iter(sorted(persons))
    return iter(lambda: list(islice(source, _AT_ONCE)), [])
