"""Workplace context: whole-number totals of the people of each company and unit on one day, which hold no person.

All numbers are integers (scores in fixed point), so that one person's part is taken away exactly, and so that partial
totals of disjoint persons add up to the same bits in any order and with any partition.

What is protected, and what is not. A number is given to nobody who has fewer than ten *others* behind it, and
:meth:`WorkplaceContext.published` drops every cell with fewer than eleven contributors before totals leave the store;
and where a company less its shown units would be one to ten contributors, its smallest shown unit as well
(complementary suppression: else the rest could be had by subtraction). Other *differences* stay: of two measures of one
workplace the counts tell how many did not answer one of them; two snapshots of different days tell the totals of who
came and went between; and with the rows of ten people of eleven the last one can be worked out. So a snapshot is no
anonymous report: it is kept and passed on like the model it belongs to, inside the signed artifact, and no employer sees
it. No route answers a number about the others, but their numbers move the risk and its contributions: who may ask about
anybody can invent records, with and without own answers, at any workplace, compare the answers, and so work out the
totals. Hence a service that carries a snapshot is for authenticated callers and a trusted app only. Reports that may be
shown to anybody are another matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any, get_args

import numpy as np

from data_contracts.instruments import INSTRUMENTS
from data_contracts.records import Purpose
from data_contracts.time_windows import calendar_date, day_number
from features.blocks import FOREVER
from features.consents import Terms
from features.segments import run_starts

FORMAT = 1
FEWEST_OTHERS = 10
FEWEST_PUBLISHED = FEWEST_OTHERS + 1
"""Who is told a mean may be one of those behind it: of eleven contributors, ten are others."""

YEAR = 365
FIXED_POINT = 1 << 20
"""Scores are summed as ``round(score * 2**20)``: finer than any scale, and a million persons fit into 64 bits."""

SCALE_NAMES = ("cbi_work", "who5_wellbeing", "was_work_ability", "shc_musculoskeletal")
MEASURES = ("days_doctor_365", *SCALE_NAMES)
N_COUNTS = len(MEASURES) + 1
COLUMNS = (
    *(f"{measure}_persons" for measure in MEASURES), "persons", *(f"{measure}_sum" for measure in MEASURES),
)  # fmt: skip
"""Of ``totals``: how many contribute to each measure, how many work there, and the sum of each measure."""

UNITS_OF_SUMS = np.array([1.0, *[float(FIXED_POINT)] * len(SCALE_NAMES)])
"""By which sums are divided to become days or scores."""

Place = tuple[str, str | None]
"""Company and unit within it; None for the unit is the whole company."""

_SCALES = {scale.name: scale for instrument in INSTRUMENTS.values() for scale in instrument.scales}
RANGES = ((0.0, float(YEAR)), *((float(_SCALES[name].minimum), float(_SCALES[name].maximum)) for name in SCALE_NAMES))
"""Lowest and highest value of each measure."""

_LOWEST, _HIGHEST = np.rint(np.array(RANGES).T * UNITS_OF_SUMS).astype(np.int64)
_LONGEST_IDENTIFIER = 64
_FIELDS = {"format", "day", "purpose", "consent_on", "known_by", "columns", "workplaces"}
_MOST_PERSONS = 10**9
_DO_NOT_ADD_UP = "contexts add up if there is at least one, and all are of one day and on the same terms"


@dataclass(frozen=True, eq=False)
class WorkplaceContext:
    """Totals of companies and units on the morning of one day.

    Parameters
    ----------
    day : int
        Day number s: what was known before its morning, of who had their main job there on it.
    terms : Terms
        Purpose, day of consent and morning of the store; whoever reads the context has to take their own part away on
        the same terms.
    places : tuple of (company, unit or None), sorted and distinct
    totals : int64 array, shape (n_places, 11)
        Columns as in ``COLUMNS``.
    """

    day: int
    terms: Terms
    places: tuple[Place, ...]
    totals: np.ndarray

    def of(self, places: Sequence[Place]) -> np.ndarray:
        """Return the totals of the company and of the unit of each place, int64 of shape (n, 2, 11).

        0 where nobody is known, and for the unit where there is none.
        """
        rows, none = self._rows, len(self.places)
        return self._padded[
            [
                (rows.get((company, None), none), rows.get((company, unit), none) if unit else none)
                for company, unit in places
            ]
        ]

    def published(self) -> WorkplaceContext:
        """Return what may leave the store: without counts, and their sums, that are small or give a small one away."""
        counts = self.totals[:, :N_COUNTS]
        shown = counts >= FEWEST_PUBLISHED
        shown &= ~_given_away(self.places, np.where(shown, counts, 0))
        # Of a unit whose persons are hidden nothing is shown: nobody has more contributors than persons.
        shown &= shown[:, -1:]
        totals = np.where(np.hstack([shown, shown[:, : len(MEASURES)]]), self.totals, 0)
        kept = np.flatnonzero(shown.any(axis=1))
        places = tuple(self.places[row] for row in kept.tolist())
        return replace(self, places=places, totals=totals[kept])

    def to_document(self) -> dict[str, Any]:
        """Return what is :meth:`published` of the context as JSON values; equal contexts give equal documents.

        Raises
        ------
        ValueError
            If it is of a store without a date: nobody could say what was known.
        """
        if self.terms.known_by == FOREVER:
            raise ValueError("gather histories with data_as_of: a snapshot has a date")
        shown = self.published()
        rows = zip(shown.places, shown.totals.tolist(), strict=True)
        return {
            "format": FORMAT,
            "day": _text(self.day),
            "purpose": self.terms.purpose,
            "consent_on": _text(self.terms.consent_on),
            "known_by": _text(self.terms.known_by),
            "columns": list(COLUMNS),
            "workplaces": [[*place, *numbers] for place, numbers in rows],
        }

    @cached_property
    def _rows(self) -> dict[Place, int]:
        return {place: row for row, place in enumerate(self.places)}

    @cached_property
    def _padded(self) -> np.ndarray:
        return np.vstack([self.totals, np.zeros((1, len(COLUMNS)), dtype=np.int64)])


def _given_away(places: Sequence[Place], counts: np.ndarray) -> np.ndarray:
    """Say of which smallest shown unit a cell would give away that the rest of its company is small.

    Parameters
    ----------
    places : sequence of (company, unit or None), sorted
    counts : int64 array, shape (n_places, 6)
        Of contributors, each 0 (hidden) or at least eleven. So one unit suffices: hidden too, it leaves more than eleven.

    Returns
    -------
    bool array, shape (n_places, 6); of equal units the first by name.
    """
    ranks: dict[str, int] = {}
    company = np.array([ranks.setdefault(name, len(ranks)) for name, _ in places], dtype=np.int64)
    is_unit = np.array([unit is not None for _, unit in places], dtype=bool)[:, np.newaxis]
    starts = run_starts(company)
    rest = np.add.reduceat(np.where(is_unit, -counts, counts), starts)
    # The row behind the count makes every unit another size.
    size = counts * len(places) + np.arange(len(places))[:, np.newaxis]
    size = np.where(is_unit & (counts > 0), size, np.iinfo(np.int64).max)
    is_smallest = size == np.minimum.reduceat(size, starts)[company]
    return ((rest > 0) & (rest < FEWEST_PUBLISHED))[company] & is_smallest


class Sum:
    """Adds up contexts of disjoint persons as they come; what one more takes does not depend on how many came before."""

    def __init__(self) -> None:
        self._first: WorkplaceContext | None = None
        self._rows: dict[Place, int] = {}
        self._totals = np.zeros((0, len(COLUMNS)), dtype=np.int64)

    def add(self, part: WorkplaceContext) -> None:
        """Take in the context of some more persons; raises ValueError if it is of another day, or on other terms."""
        self._first = self._first or part
        if (part.day, part.terms) != (self._first.day, self._first.terms):
            raise ValueError(_DO_NOT_ADD_UP)
        rows = [self._rows.setdefault(place, len(self._rows)) for place in part.places]
        if len(self._rows) > len(self._totals):
            room = np.zeros((2 * len(self._rows), len(COLUMNS)), dtype=np.int64)
            room[: len(self._totals)] = self._totals
            self._totals = room
        self._totals[rows] += part.totals

    def context(self) -> WorkplaceContext:
        """Return the context of everybody; raises ValueError if there is none."""
        if self._first is None:
            raise ValueError(_DO_NOT_ADD_UP)
        places = sorted_places(self._rows)
        rows = np.array([self._rows[place] for place in places], dtype=np.intp)
        return replace(self._first, places=places, totals=self._totals[rows])


def merged(parts: Iterable[WorkplaceContext]) -> WorkplaceContext:
    """Add up the contexts of disjoint persons.

    Raises
    ------
    ValueError
        If there is none, or if they are not of one day and on the same terms.
    """
    total = Sum()
    for part in parts:
        total.add(part)
    return total.context()


def sorted_places(places: Iterable[Place]) -> tuple[Place, ...]:
    """Sort places by company, the company itself before its units."""
    return tuple(sorted(places, key=lambda place: (place[0], place[1] is not None, place[1] or "")))


def from_document(document: Any) -> WorkplaceContext:
    """Read what ``to_document`` wrote of a published context, trusting nothing.

    Raises
    ------
    ValueError
        If anything is not as it is written: other fields, types or columns, places out of order, counts of one to ten,
        in a cell or in a company less its units, sums that so many persons cannot have.
    """
    if (
        type(document) is not dict
        or set(document) != _FIELDS
        or type(document["format"]) is not int
        or document["format"] != FORMAT
    ):
        raise ValueError("a workplace context has other fields, or another format")
    if document["columns"] != list(COLUMNS) or document["purpose"] not in get_args(Purpose):
        raise ValueError("a workplace context of other measures or another purpose")
    day, consent_on, known_by = (_day(document[name]) for name in ("day", "consent_on", "known_by"))
    places, totals = _rows_of(document["workplaces"])
    _check_totals(totals)
    if _given_away(places, totals[:, :N_COUNTS]).any():
        raise ValueError("published units that give away the rest of their company")
    return WorkplaceContext(day, Terms(document["purpose"], consent_on, known_by), places, totals)


def _text(day: int) -> str:
    return calendar_date(day).isoformat()


def _day(text: Any) -> int:
    if type(text) is not str or date.fromisoformat(text).isoformat() != text:
        raise ValueError("a day of a workplace context is no date")
    return day_number(text)


def _rows_of(rows: Any) -> tuple[tuple[Place, ...], np.ndarray]:
    if type(rows) is not list or not all(type(row) is list and len(row) == 2 + len(COLUMNS) for row in rows):
        raise ValueError("the workplaces are no list of rows of this length")
    if not all(_is_identifier(row[0]) and (row[1] is None or _is_identifier(row[1])) for row in rows):
        raise ValueError("a workplace without an identifier")
    places = tuple((row[0], row[1]) for row in rows)
    if places != sorted_places(set(places)):
        raise ValueError("workplaces out of order, or twice")
    # By type(), as True is an int to Python; the bound keeps every sum and product far inside 64 bits.
    largest = _MOST_PERSONS * int(_HIGHEST.max())
    if not all(type(number) is int and abs(number) <= largest for row in rows for number in row[2:]):
        raise ValueError("a total that is no whole number, or too large")
    return places, np.array([row[2:] for row in rows], dtype=np.int64).reshape(len(rows), len(COLUMNS))


def _is_identifier(text: Any) -> bool:
    return type(text) is str and 0 < len(text) <= _LONGEST_IDENTIFIER


def _check_totals(totals: np.ndarray) -> None:
    counts, sums = totals[:, :N_COUNTS], totals[:, N_COUNTS:]
    persons, contributors = counts[:, -1:], counts[:, :-1]
    if ((counts != 0) & ((counts < FEWEST_PUBLISHED) | (counts > _MOST_PERSONS))).any() or (persons < 1).any():
        raise ValueError("a count of persons that is never published")
    possible = (sums >= contributors * _LOWEST) & (sums <= contributors * _HIGHEST)
    if not (possible & (contributors <= persons)).all():
        raise ValueError("a sum that so many persons cannot have, or more contributors than persons")
