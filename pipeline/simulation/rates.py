"""What the simulated cohort came to: the rates that are published for real ones, counted over all blocks."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.simulation.blocks import BLOCK_SIZE, Block
from pipeline.simulation.employments import Employments
from pipeline.simulation.persons import Persons
from pipeline.simulation.responses import Responses
from pipeline.simulation.spells import Spells
from pipeline.simulation.timeline import DAYS_PER_YEAR

_SEXES = ("male", "female")


class Rates:
    """Sums over blocks, by sex where it matters."""

    def __init__(self) -> None:
        self._days, self._certified, self._own, self._spells = (np.zeros(2) for _ in range(4))
        self._lengths: list[np.ndarray] = []
        self._waves: list[np.ndarray] = []

    def add(
        self, block: Block, persons: Persons, employments: Employments, certified: Spells, grade: np.ndarray,
        own: Spells, responses: Responses, count: int,
    ) -> None:  # fmt: skip
        """Add the first ``count`` persons of a block."""
        first = persons.observed_from
        end = np.minimum(employments.last_day + 1, block.timeline.end)
        counted = np.arange(BLOCK_SIZE) < count
        sex = persons.is_female.astype(int)[counted]
        self._days += np.bincount(sex, np.maximum(end - first, 0)[counted], minlength=2)
        self._certified += np.bincount(sex, _days_inside(certified, grade, first, end)[counted], minlength=2)
        self._own += np.bincount(sex, _days_inside(own, np.full(len(own.days), 100), first, end)[counted], minlength=2)
        begins = (certified.first_day >= first[certified.person]) & (certified.first_day < end[certified.person])
        begins &= certified.person < count
        self._spells += np.bincount(persons.is_female[certified.person[begins]].astype(int), minlength=2)
        self._lengths.append(certified.days[begins])
        answered = np.bincount(responses.wave[responses.person < count], minlength=len(responses.invited))
        self._waves.append(np.array([answered, responses.invited[:, :count].sum(axis=1)]))

    def merge(self, other: Rates) -> None:
        """Add what another process has counted."""
        self._days += other._days
        self._certified += other._certified
        self._own += other._own
        self._spells += other._spells
        self._lengths += other._lengths
        self._waves += other._waves

    def summary(self) -> dict[str, Any]:
        """Return the rates, named with their units."""
        lengths, person_days = np.concatenate(self._lengths), np.maximum(self._days, 1)
        answered, invited = np.sum(self._waves, axis=0)
        return {
            "certified_percent_of_days": _by_sex(100 * self._certified / person_days, 2),
            "self_certified_percent_of_days": _by_sex(100 * self._own / person_days, 2),
            "certified_spells_per_year": _by_sex(self._spells / person_days * DAYS_PER_YEAR, 3),
            "certified_spells_over_16_days_percent": round(100 * float((lengths > 16).sum() / max(len(lengths), 1)), 1),
            "certified_spell_mean_days": round(float(lengths.sum() / max(len(lengths), 1)), 1),
            "person_years": _by_sex(self._days / DAYS_PER_YEAR, 0),
            "answered_percent_of_invited_by_wave": np.round(100 * answered / np.maximum(invited, 1), 1).tolist(),
        }


def _by_sex(values: np.ndarray, decimals: int) -> dict[str, float]:
    return {sex: round(float(value), decimals) for sex, value in zip(_SEXES, values, strict=True)}


def _days_inside(spells: Spells, grade: np.ndarray, first: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return grade-weighted days of each person's spells in ``[first, end)``."""
    inside = np.minimum(spells.last_day + 1, end[spells.person]) - np.maximum(spells.first_day, first[spells.person])
    return np.bincount(spells.person, np.maximum(inside, 0) * grade / 100, minlength=BLOCK_SIZE)
