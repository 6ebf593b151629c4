"""Somebody who knows all sizes of units, who comes and goes, the rules and all that is told solves for the rest.

The unknowns are how many of a unit are in each category, whole numbers. A *target* is a sum of cells, or the difference of two;
it is recovered if no other value of it fits all that is known (mixed-integer programming, scipy's HiGHS).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from serving.store import disclosure
from serving.store.disclosure import FEWEST_CHANGED, FEWEST_IN_CELL, FEWEST_PERSONS, ROUNDED_TO_PERCENT
from tests.lib.released_worlds import N_CATEGORIES, Publication, Staff

Place = tuple[int, str, str, int]
"""Month, company, unit and category."""
Target = dict[Place, float]
_LITTLE = 1e-6
_SECONDS = 10
_ANY_SOLUTION = {"mip_rel_gap": 1e9, "time_limit": _SECONDS}


class Attack:
    """A linear system over the cells of all months.

    Parameters
    ----------
    months : sequence of staff
        Of which only sizes of units and the number of those who came, went or answered anew are known.
    """

    def __init__(self, months: Sequence[Staff]) -> None:
        self._months = months
        self.truth: Counter[Place] = Counter(
            (month, company, unit, category)
            for month, staff in enumerate(months)
            for company, there in staff.items()
            for unit, category in there.values()
        )
        self._units = sorted({place[:3] for place in self.truth})
        self._places = [(*unit, category) for unit in self._units for category in range(N_CATEGORIES)]
        self._number = {place: number for number, place in enumerate(self._places)}
        self._rows: list[dict[int, float]] = []
        self._limits: list[tuple[float, float]] = []
        for unit in self._units:
            n = self._size([unit])
            self.between({(*unit, category): 1.0 for category in range(N_CATEGORIES)}, n, n)
        self._know_changes()

    def between(self, weights: Mapping[Place, float], low: float, high: float) -> None:
        """Know that a weighted sum of cells lies between two numbers."""
        self._rows.append({self._number[place]: weight for place, weight in weights.items()})
        self._limits.append((low - _LITTLE, high + _LITTLE))

    def read(self, one: Publication) -> None:
        """Know the shares of a publication, each within what it was rounded by, and that no category is too small."""
        group = [place for place in self._places if _is_in(place, one)]
        merged = N_CATEGORIES - len(one.shares)
        for number, share in enumerate(one.shares):
            inside = {place for place in group if max(place[3] - merged, 0) == number}
            self.between(dict.fromkeys(inside, 1.0), disclosure.FEWEST_IN_CELL, np.inf)
            for sign, is_open in ((1, share >= disclosure.HIGHEST_SHARE), (-1, share <= disclosure.LOWEST_SHARE)):
                limit = (share + sign * ROUNDED_TO_PERCENT / 2) / 100
                if not is_open:
                    self.between({place: sign * ((place in inside) - limit) for place in group}, -np.inf, 0)

    def recovered(self, targets: Sequence[Target], seed: int = 0) -> list[Target]:
        """Return the targets that can have one value only; one whose search takes over ten seconds counts as recovered."""
        chance, open_, found = np.random.default_rng(seed), list(targets), []
        where = [(line, number, weight) for line, row in enumerate(self._rows) for number, weight in row.items()]
        line, number, weight = (np.array(column) for column in zip(*where, strict=True))
        known = csr_array((weight, (line, number)), shape=(len(self._rows), len(self._places)))
        constraint = LinearConstraint(known, *np.array(self._limits).T)
        truth = np.array([self.truth[place] for place in self._places], dtype=float)
        assert min(map(np.min, constraint.residual(truth))) >= 0, "what is known holds of the truth"
        while open_:
            target = open_.pop()
            other = self._another(target, truth, constraint, chance)
            if other is None:
                found.append(target)
            else:
                open_ = [one for one in open_ if abs(self._row(one) @ (other - truth)) < 0.5]
        return found

    def _another(
        self, target: Target, truth: np.ndarray, known: LinearConstraint, chance: np.random.Generator
    ) -> np.ndarray | None:
        """Return cells that fit all that is known, of which the target has another value than in truth."""
        row, direction = self._row(target), chance.normal(size=len(truth))
        for limits in ((-np.inf, row @ truth - 1), (row @ truth + 1, np.inf)):
            constraints = [known, LinearConstraint(row, *limits)]
            found = milp(direction, constraints=constraints, integrality=np.ones(len(row)), bounds=Bounds(0, self._most()),
                         options=_ANY_SOLUTION)  # fmt: skip
            if found.x is not None:
                solution: np.ndarray = found.x.round()
                return solution
        return None

    def _most(self) -> int:
        return max(self._size([unit]) for unit in self._units)

    def _row(self, target: Target) -> np.ndarray:
        row = np.zeros(len(self._places))
        for place, weight in target.items():
            row[self._number[place]] += weight
        return row

    def _size(self, units: Sequence[tuple[int, str, str]]) -> int:
        return sum(self.truth[(*unit, category)] for unit in units for category in range(N_CATEGORIES))

    def _know_changes(self) -> None:
        """From one month to the next a cell changes by no more than came, went or answered anew in its unit."""
        for month, company, changed in self._changes():
            then, now = self._months[month - 1][company], self._months[month][company]
            touched = Counter(part for one in changed for part in {_unit(then, one), _unit(now, one)})
            for unit in {unit for unit, _ in now.values()} & {unit for unit, _ in then.values()}:
                for category in range(N_CATEGORIES):
                    weights = {(month, company, unit, category): 1.0, (month - 1, company, unit, category): -1.0}
                    self.between(weights, -touched[unit], touched[unit])

    def _changes(self) -> Iterator[tuple[int, str, list[str]]]:
        for month, (before, after) in enumerate(pairwise(self._months), start=1):
            for company in before.keys() & after.keys():
                then, now = before[company], after[company]
                yield month, company, [one for one in {*then, *now} if then.get(one) != now.get(one)]

    def hidden(self, publications: Sequence[Publication] = ()) -> list[Target]:
        """Return what must not be known.

        Cells of under five, or with under five on the other side, or of a group under ten: of units, of companies, and of
        what is left of a company without the units that are told; and the change of a category of a company in which one
        to four persons came, went or changed.
        """
        groups = [[unit] for unit in self._units]
        for month, company in sorted({unit[:2] for unit in self._units}):
            own = [unit for unit in self._units if unit[:2] == (month, company)]
            told = {one.part for one in publications if (one.month, one.place) == (month, company)}
            groups += [own, [unit for unit in own if unit[2] not in told]]
        cells = [
            _cells(group, category)
            for group in groups
            for category in range(N_CATEGORIES)
            if self._is_small(group, category)
        ]
        return cells + [
            _cells([unit for unit in self._units if unit[:2] == (month, company)], category)
            | _cells([unit for unit in self._units if unit[:2] == (month - 1, company)], category, -1.0)
            for month, company, changed in self._changes() if 0 < len(changed) < FEWEST_CHANGED
            for category in range(N_CATEGORIES)
        ]  # fmt: skip

    def _is_small(self, group: Sequence[tuple[int, str, str]], category: int) -> bool:
        n, inside = self._size(group), sum(self.truth[(*unit, category)] for unit in group)
        return n > 0 and (n < FEWEST_PERSONS or min(inside, n - inside) < FEWEST_IN_CELL)


def _cells(group: Sequence[tuple[int, str, str]], category: int, weight: float = 1.0) -> Target:
    return {(*unit, category): weight for unit in group}


def _unit(staff: dict[str, tuple[str, int]], one: str) -> str | None:
    return staff[one][0] if one in staff else None


def _is_in(place: Place, one: Publication) -> bool:
    month, company, unit, _ = place
    return one.rests_on.get(company) == month and one.part in ("", unit)
