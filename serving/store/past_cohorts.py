"""Cohorts whose shares were computed, and how one of now differs from each: two that differ by few tell of these few.

Compared are those of the same company, and those of any other company in which one of the persons was counted: a token may
name several companies, and their leaders may talk. Who was erased since has gone, and only the numbers of then tell of her.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Table, and_, select

from serving.store.cohorts import Cohort
from serving.store.tables import RELEASE_COHORTS, RELEASE_MEMBERS

FEWEST_CHANGED = 5
_AT_ONCE = 500


@dataclass(frozen=True)
class Difference:
    """How many persons came or went since a cohort was computed: in all, beyond the limit, and on the other side of it."""

    company_id: str
    month: str
    persons: int
    beyond: int
    not_beyond: int

    @property
    def tells_of_few(self) -> bool:
        """True if one to four persons make a difference, or if all that changed lies on one side: then it is that of each."""
        numbers = (self.persons, self.beyond, self.not_beyond)
        return any(0 < n < FEWEST_CHANGED for n in numbers) or bool(self.beyond) != bool(self.not_beyond)


class PastCohorts:
    """All cohorts that were computed and that one of a company can be compared with.

    Parameters
    ----------
    connection : sqlalchemy.Connection
    company : str
    persons : collection of str
        Who is counted there now, of whatever measure.
    """

    def __init__(self, connection: Connection, company: str, persons: Collection[str]) -> None:
        self._connection = connection
        self._company = company
        self._elsewhere: dict[str, list[Any]] = {}
        for some in _batched(persons):
            is_elsewhere = and_(RELEASE_MEMBERS.c.person_id.in_(some), RELEASE_MEMBERS.c.company_id != company)
            for row in connection.execute(select(RELEASE_MEMBERS).where(is_elsewhere)):
                self._elsewhere.setdefault(row.measure, []).append(row)

    def differences(self, measure: str, cohort: Cohort) -> Iterator[Difference]:
        """Yield how a cohort differs from each of a measure: the company's own first, the newest first."""
        there = [*self._own(RELEASE_MEMBERS, measure), *self._elsewhere.get(measure, ())]
        met = [row for row in there if row.person_id in cohort.persons]
        both = Counter((row.company_id, row.month) for row in met)
        of_side = Counter(
            (row.company_id, row.month, row.is_beyond)
            for row in met
            if row.is_beyond == (row.person_id in cohort.beyond)
        )
        for then in (*self._own(RELEASE_COHORTS, measure), *self._others(measure, both)):
            key = (then.company_id, then.month)
            n, n_beyond = len(cohort.persons), len(cohort.beyond)
            persons = then.n_persons + n - 2 * both[key]
            beyond = then.n_beyond + n_beyond - 2 * of_side[(*key, True)]
            not_beyond = then.n_persons - then.n_beyond + n - n_beyond - 2 * of_side[(*key, False)]
            yield Difference(*key, persons, beyond, not_beyond)

    def _own(self, table: Table, measure: str) -> Sequence[Any]:
        query = select(table).where(table.c.company_id == self._company, table.c.measure == measure)
        return self._connection.execute(query.order_by(table.c.month.desc())).all()

    def _others(self, measure: str, met: Collection[tuple[str, str]]) -> list[Any]:
        """Return the other companies' cohorts in which somebody of this one is."""
        companies = {company for company, _ in met} - {self._company}
        if not companies:
            return []
        query = select(RELEASE_COHORTS).where(RELEASE_COHORTS.c.measure == measure)
        found = self._connection.execute(query.where(RELEASE_COHORTS.c.company_id.in_(companies)))
        return [row for row in found if (row.company_id, row.month) in met]


def _batched(persons: Collection[str]) -> Iterator[list[str]]:
    source = iter(sorted(persons))
    return iter(lambda: list(islice(source, _AT_ONCE)), [])
