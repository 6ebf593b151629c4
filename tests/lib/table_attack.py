"""Somebody who knows how many work in each unit every month, who comes and goes, and all that is told, solves for the rest.

The unknowns are how many of a unit are in each category. They are bound by linear programming (scipy's HiGHS); a number
whose bounds leave one whole number is recovered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

from serving.store.disclosure import FEWEST_IN_CELL, FEWEST_PERSONS, ROUNDED_TO_PERCENT
from tests.lib.released_worlds import N_CATEGORIES, Publication, Staff

Place = tuple[int, str, str, int]
"""Month, company, unit and category."""
_LITTLE = 1e-6
_GLANCES = 6


class Attack:
    """A linear system over the cells of all months.

    Parameters
    ----------
    months : sequence of staff
        Of which only sizes of units and the number of those who came, went or answered anew are known.
    """

    def __init__(self, months: Sequence[Staff]) -> None:
        self.truth: Counter[Place] = Counter(
            (month, company, unit, category)
            for month, staff in enumerate(months)
            for company, there in staff.items()
            for unit, category in there.values()
        )
        units = sorted({place[:3] for place in self.truth})
        self._places = [(*unit, category) for unit in units for category in range(N_CATEGORIES)]
        self._number = {place: number for number, place in enumerate(self._places)}
        self._rows: list[dict[int, float]] = []
        self._most: list[float] = []
        for unit in units:
            n = sum(self.truth[(*unit, category)] for category in range(N_CATEGORIES))
            self.between({(*unit, category): 1.0 for category in range(N_CATEGORIES)}, n, n)
        self._know_changes(months)

    def between(self, weights: Mapping[Place, float], low: float, high: float) -> None:
        """Know that a weighted sum of cells lies between two numbers."""
        row = {self._number[place]: weight for place, weight in weights.items()}
        self._rows += [row, {number: -weight for number, weight in row.items()}]
        self._most += [high, -low]

    def read(self, one: Publication) -> None:
        """Know the shares of a publication, each within what it was rounded by."""
        group = [place for place in self._places if _is_in(place, one)]
        merged = N_CATEGORIES - len(one.shares)
        for number, share in enumerate(one.shares):
            inside = {place for place in group if max(place[3] - merged, 0) == number}
            for sign in (1, -1):
                limit = (share + sign * ROUNDED_TO_PERCENT / 2) / 100
                weights = {place: sign * ((place in inside) - limit) for place in group}
                self.between(weights, -np.inf, 0)

    def recovered(self, cells: Sequence[Place], seed: int = 0) -> list[Place]:
        """Return those of some cells that are known exactly; each is looked at in random directions first."""
        rows = [row for row, most in zip(self._rows, self._most, strict=True) if most < np.inf]
        where = [(line, number, weight) for line, row in enumerate(rows) for number, weight in row.items()]
        line, number, weight = (np.array(column) for column in zip(*where, strict=True))
        self._a = csr_array((weight, (line, number)), shape=(len(rows), len(self._places)))
        self._b = np.array([most for most in self._most if most < np.inf]) + _LITTLE
        chance, truth = (
            np.random.default_rng(seed),
            np.array([self.truth[place] for place in self._places], dtype=float),
        )
        low, high = truth.copy(), truth.copy()
        for _ in range(_GLANCES):
            found = self._solve(chance.normal(size=len(self._places)))
            low, high = np.minimum(low, found), np.maximum(high, found)
        open_ = [place for place in cells if _is_one(low[self._number[place]], high[self._number[place]])]
        return [place for place in open_ if _is_one(*self.bounds(place))]

    def bounds(self, place: Place) -> tuple[float, float]:
        """Return the least and the largest number that a cell can have."""
        direction = np.zeros(len(self._places))
        direction[self._number[place]] = 1
        return float(self._solve(direction) @ direction), float(self._solve(-direction) @ direction)

    def _solve(self, direction: np.ndarray) -> np.ndarray:
        found = linprog(direction, A_ub=self._a, b_ub=self._b, bounds=(0, None), method="highs")
        assert found.status == 0, "what is known holds of the truth, so there is a solution"
        solution: np.ndarray = found.x
        return solution

    def _know_changes(self, months: Sequence[Staff]) -> None:
        """From one month to the next a cell changes by no more than came, went or answered anew in its unit."""
        for month, (then, now) in enumerate(pairwise(months)):
            for company, there in now.items():
                before = then[company]
                changed = [one for one in {*before, *there} if before.get(one) != there.get(one)]
                touched = Counter(part for one in changed for part in {_unit(before, one), _unit(there, one)})
                for unit in {unit for unit, _ in there.values()} & {unit for unit, _ in before.values()}:
                    for category in range(N_CATEGORIES):
                        weights = {(month + 1, company, unit, category): 1.0, (month, company, unit, category): -1.0}
                        self.between(weights, -touched[unit], touched[unit])

    def hidden(self) -> Iterator[Place]:
        """Yield the cells that must not be known: of units of under ten, or with under five on a side."""
        for place in self._places:
            n = sum(self.truth[(*place[:3], category)] for category in range(N_CATEGORIES))
            if n < FEWEST_PERSONS or min(self.truth[place], n - self.truth[place]) < FEWEST_IN_CELL:
                yield place


def _unit(staff: dict[str, tuple[str, int]], one: str) -> str | None:
    return staff[one][0] if one in staff else None


def _is_in(place: Place, one: Publication) -> bool:
    month, company, unit, _ = place
    return month == one.month and (one.level == "industry" or company == one.place) and one.part in ("", unit)


def _is_one(low: float, high: float) -> bool:
    """True if exactly one whole number is between two bounds."""
    return bool(np.ceil(low - 1e-4) >= np.floor(high + 1e-4))
