"""Days employed and days absent, by employment, quarter and person: the two sides of every absence rate.

The published rate counts working days (Monday to Friday) weighted by position and grade. Here calendar days stand for
them: absence and employment both have five working days in seven.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from data_contracts.time_windows import calendar_date, day_number
from pipeline.simulation.employments import ENDS, Employments
from pipeline.simulation.spells import Spells
from pipeline.simulation.world import World


@dataclass(frozen=True)
class Exposure:
    """Employed time of a block's first persons inside the data: half-open intervals (employments, persons).

    ``edges`` are the first days of the quarters and the closing day.
    """

    first: np.ndarray
    end: np.ndarray
    position: np.ndarray
    edges: np.ndarray

    @classmethod
    def of(cls, world: World, count: int) -> Exposure:
        """Return when the block's first ``count`` persons were employed within the data."""
        timeline, employments = world.block.timeline, world.employments
        inside = timeline.index_quarters
        edges = np.minimum(timeline.quarters[np.append(inside, inside[-1] + 1)], timeline.end)
        first = np.maximum(employments.start_day, world.persons.observed_from)[:, :count]
        last = np.minimum(employments.end_day + 1, timeline.end)[:, :count]
        end = np.where(employments.exists[:, :count], np.maximum(last, first), first)
        return cls(first, end, employments.position_percent[:, :count] / 100, edges)

    @property
    def count(self) -> int:
        """Number of persons."""
        return self.first.shape[1]

    def employed_days(self) -> np.ndarray:
        """Return employed days: (employments, quarters, persons)."""
        return _overlap(self.first[:, None], self.end[:, None], self.edges)

    def spell_days(self, spells: Spells) -> np.ndarray:
        """Return the days of each spell while employed: (employments, quarters, spells)."""
        first = np.maximum(self.first[:, spells.person], spells.first_day)
        end = np.minimum(self.end[:, spells.person], spells.last_day + 1)
        return _overlap(first[:, None], np.maximum(end, first)[:, None], self.edges)

    def absent_days(self, spells: Spells, weight: np.ndarray) -> np.ndarray:
        """Return absent days times the spells' ``weight``: (employments, quarters, persons)."""
        days = self.spell_days(spells) * weight
        found = np.zeros((*days.shape[:2], self.count))
        for place in np.ndindex(days.shape[:2]):
            found[place] = np.bincount(spells.person, days[place], minlength=self.count)
        return found

    def starts_inside(self, spells: Spells) -> np.ndarray:
        """Return which spells begin while the person is employed, within the data."""
        first, end = self.first[:, spells.person], self.end[:, spells.person]
        return np.asarray(((first <= spells.first_day) & (spells.first_day < end)).any(axis=0))


def _overlap(first: np.ndarray, end: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return days of [first, end) in each quarter; the quarters are the second axis."""
    begins, ends = edges[:-1, None], edges[1:, None]
    return np.maximum(np.minimum(end, ends) - np.maximum(first, begins), 0)


def of_first(spells: Spells, count: int) -> np.ndarray:
    """Return the rows of the spells of the first ``count`` persons."""
    return np.flatnonzero(spells.person < count)


def employed_throughout(employments: Employments, first: int, end: int) -> np.ndarray:
    """Return who worked from ``first`` until ``end``; days between two employments do not count as leaving."""
    return np.asarray((employments.start_day[0] <= first) & (employments.last_day >= end - 1))


def lost_before(employments: Employments, end: int) -> np.ndarray:
    """Return who changed to a job outside the cohort before ``end``: a register would follow them, the cohort does not."""
    last = employments.exists.sum(axis=0) - 1
    by_change = np.take_along_axis(employments.ended_by, last[None], axis=0)[0] == ENDS.index("job_change")
    return np.asarray(by_change & (employments.last_day < end - 1))


def years_before(day: int, years: int) -> int:
    """Return the day number of the same date some years earlier (29 February becomes the first of March)."""
    when = calendar_date(day)
    if (when.month, when.day) == (2, 29):
        when += timedelta(days=1)
    return day_number(when.replace(year=when.year - years))


def new_years(start: int, end: int) -> list[tuple[int, int]]:
    """Return the calendar years that lie wholly within [start, end), as half-open intervals of day numbers."""
    years = range(calendar_date(start).year, calendar_date(end).year + 1)
    found = [(day_number(date(year, 1, 1)), day_number(date(year + 1, 1, 1))) for year in years]
    return [(first, closing) for first, closing in found if start <= first and closing <= end]
