"""Spells as flat arrays, and when two of them share a day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Spells:
    """Spells as they happened, one element each, in no particular order; ``chapter`` is a position in ``Chapters``."""

    person: np.ndarray
    first_day: np.ndarray
    days: np.ndarray
    chapter: np.ndarray

    @property
    def last_day(self) -> np.ndarray:
        """Last day of absence, included."""
        return self.first_day + self.days - 1

    def take(self, rows: np.ndarray) -> Spells:
        """Return the chosen spells."""
        return Spells(self.person[rows], self.first_day[rows], self.days[rows], self.chapter[rows])

    def between(self, first: np.ndarray | int, last: np.ndarray | int) -> Spells:
        """Return the parts of all spells that lie in ``first..last`` (both included), of zero days where none does."""
        begins = np.maximum(self.first_day, first)
        days = np.maximum(np.minimum(self.last_day, last) - begins + 1, 0)
        return Spells(self.person, begins, days, self.chapter)


def joined(parts: list[Spells], *, in_order: bool = True) -> Spells:
    """Return the spells of all parts, sorted by person and first day unless ``in_order`` is false."""
    joined = Spells(*(np.concatenate([getattr(part, name) for part in parts])
                      for name in ("person", "first_day", "days", "chapter")))  # fmt: skip
    return joined.take(np.lexsort((joined.first_day, joined.person))) if in_order else joined


def overlaps(spells: Spells, others: Spells) -> np.ndarray:
    """True where a spell shares a day with one of ``others`` (sorted by person and day, none of them overlapping)."""
    span = 1 << 20
    key = others.person * span + others.first_day
    before = np.searchsorted(key, spells.person * span + spells.last_day, side="right") - 1
    same = (before >= 0) & (others.person[before] == spells.person)
    return same & (others.last_day[before] >= spells.first_day)
