"""Days of sickness absence in the horizon, self- and doctor-certified, weighted by grade and position.

A whole day away from a half position is half a day: the sum is calendar days lost of full-time work (the official
statistics weight by the same two numbers, but count agreed working days).
A day in both kinds of spells counts as doctor-certified, with the highest grade that a certificate of the day has
(SEMANTICS.md, "Absence"); every spell counts, also of pregnancy and birth (docs/decisions/20-pregnancy.md). The position is
that of the day itself: the sum over that day's jobs, 100 % at most.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from data_contracts.time_windows import NO_DAY, horizon
from features.as_of import DOCTOR, Rows, absences_known, employments_known
from features.histories import Histories
from features.segments import disjoint_points, expanded_ranges, group_of, point
from models.outcomes.absence_outcome import AbsenceOutcome
from models.outcomes.outcome import Anticipated, Labels, Status

FULL = 100.0
"""Percent of a full-time position."""


@dataclass(frozen=True)
class AbsenceDays(AbsenceOutcome):
    """Full-time days lost to sickness absence while employed."""

    name: str = "absence_days"
    label_nb: str = "Sykefraværsdager, regnet om til full stilling"
    label_en: str = "Days of sickness absence, as of a full-time position"
    horizon_days: int = 365
    extra_short_features: tuple[str, ...] = ("position_percent",)
    """The days are weighted by it: a baseline that did not know it would be too high for everyone who works part-time."""

    target: ClassVar[Literal["event", "days"]] = "days"
    anticipated: ClassVar[Anticipated] = {
        "r2": 0.10,
        "source": "somewhat below the 12.5 % of variance that Airaksinen et al. 2018 explain",
    }
    usual_level: ClassVar[float] = 15.0
    """An assumption."""

    @property
    def mature_after_days(self) -> int:
        """A day of absence at the end of the horizon must have been registered."""
        return self.horizon_days + self.registration_lag_days

    def _mature_labels(self, histories: Histories, t: int, data_as_of: int, last_employed: np.ndarray) -> Labels:
        """Days of those who stayed; of who left before the end nobody knows how many there would have been."""
        window = horizon(t, self.horizon_days)
        censored = last_employed < window[1] - 1
        days = _weighted_days(histories, window, data_as_of)
        followed = np.where(censored, np.maximum(last_employed - t, 0), self.horizon_days)
        return Labels(
            status=np.where(censored, Status.CENSORED, Status.OBSERVED).astype(np.int8),
            y=np.where(censored, np.nan, days),
            followed_days=followed.astype(np.int32),
            needs_diagnosis=np.zeros(len(histories), dtype=bool),
        )


def _weighted_days(histories: Histories, window: tuple[int, int], data_as_of: int) -> np.ndarray:
    """Sum of grade/100 x position/100 over the absent days in the window, float64 (n_persons,)."""
    spells = _inside(absences_known(histories, data_as_of), "first", "last", window)
    start, end, grade = disjoint_points(*_points(spells), spells["by_doctor"] * DOCTOR + spells["grade"])
    job_start, job_end, position = _positions(histories, window, data_as_of)
    low = np.searchsorted(job_end, start)
    counts = np.searchsorted(job_start, end, side="right") - low
    job, spell = expanded_ranges(low, counts), np.repeat(np.arange(len(start)), counts)
    days = np.minimum(end[spell], job_end[job]) - np.maximum(start[spell], job_start[job]) + 1
    weighted = days * (grade[spell] % DOCTOR) / FULL * position[job] / FULL
    return np.bincount(group_of(start[spell]), weighted, len(histories))


def _positions(histories: Histories, window: tuple[int, int], data_as_of: int) -> tuple[np.ndarray, ...]:
    """Stretches of an unchanging position within the window: first and last point, percent; sorted, disjoint."""
    rows = employments_known(histories, data_as_of, begun_by=window[1] - 1)
    rows["end"] = np.where(rows["end"] == NO_DAY, window[1] - 1, rows["end"])
    rows = _inside(rows, "start", "end", window)
    start, end = _points(rows)
    cuts = np.unique(np.concatenate((start, end + 1)))
    low = np.searchsorted(cuts, start)
    counts = np.searchsorted(cuts, end + 1) - low
    total = np.bincount(expanded_ranges(low, counts), np.repeat(rows["position_percent"], counts), len(cuts))
    covered = np.flatnonzero(total)
    return cuts[covered], cuts[covered + 1] - 1, np.minimum(total[covered], FULL)


def _inside(rows: Rows, first: str, last: str, window: tuple[int, int]) -> Rows:
    """Rows with a day in the window, cut to it, their days named first and last."""
    begin, end = np.maximum(rows[first], window[0]), np.minimum(rows[last], window[1] - 1)
    kept = np.flatnonzero(begin <= end)
    cut = rows | {"first": begin, "last": end}
    return {name: column[kept] for name, column in cut.items()}


def _points(rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    return point(rows["person"], rows["first"]), point(rows["person"], rows["last"])
