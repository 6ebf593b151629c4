"""Long sick leave: a doctor-certified episode starts in the horizon and lasts longer than the employer period.

The employer pays the first 16 calendar days (folketrygdloven § 8-19), which is also the gap within which absences count
as one case; hence ``min_days`` and the washout. Days as in SEMANTICS.md, "Absence" and "Labels".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from data_contracts.records import Source
from data_contracts.time_windows import NO_DAY, horizon, is_within
from features.as_of import absences_known, doctor_stretches
from features.histories import Histories
from features.workplace import employment_end
from models.outcomes.outcome import Incomplete, Labels, Outcome, Status

EPISODE_GAP_DAYS = 16
"""Stretches with fewer days than this between them are one episode."""

WASHOUT_DAYS = 16

NEVER = np.iinfo(np.int32).max


@dataclass(frozen=True)
class LongSickLeave(Outcome):
    """A new episode of more than ``min_days`` doctor-certified days."""

    name: str = "long_sick_leave"
    label_nb: str = field(init=False)
    label_en: str = field(init=False)
    horizon_days: int = 365
    min_days: int = 16

    own_reasons: ClassVar[tuple[str, ...]] = ("washout",)
    label_source: ClassVar[Source] = "absence"
    incomplete_because: ClassVar[Incomplete] = "left employment"

    def __post_init__(self) -> None:
        # What is trained is what is said: the words follow the parameter.
        object.__setattr__(self, "label_nb", f"Sykefravær over {self.min_days} dager")
        object.__setattr__(self, "label_en", f"Sick leave of more than {self.min_days} days")

    @property
    def mature_after_days(self) -> int:
        """An episode starting on the horizon's last day must have had time to pass ``min_days`` and be registered."""
        return self.horizon_days + self.min_days + 1 + self.registration_lag_days

    def own_eligibility(self, histories: Histories, t: int) -> np.ndarray:
        """No doctor-certified day in the washout, as known at t."""
        rows = absences_known(histories, t)
        recent = np.zeros(len(histories), dtype=bool)
        recent[rows["person"][rows["by_doctor"] & (rows["last"] >= t - WASHOUT_DAYS)]] = True
        return recent[:, None]

    def labels(self, histories: Histories, t: int, data_as_of: int) -> Labels:
        """First qualifying episode in the horizon while employed; leaving before without one is censoring."""
        n = len(histories)
        if not self.is_mature(t, data_as_of):
            return Labels.not_mature(n)
        window_end = horizon(t, self.horizon_days)[1]
        event_on = self._first_event(histories, t, data_as_of)
        last_employed = employment_end(histories, t, data_as_of)
        last_employed = np.where(last_employed == NO_DAY, NEVER, last_employed)
        event = (event_on < NEVER) & (event_on <= last_employed)
        censored = ~event & (last_employed < window_end - 1)
        return Labels(
            status=np.where(censored, Status.CENSORED, Status.OBSERVED).astype(np.int8),
            y=np.where(censored, np.nan, event.astype(np.float64)),
            followed_days=self._followed_days(t, event, event_on, censored, last_employed),
        )

    def _followed_days(
        self, t: int, event: np.ndarray, event_on: np.ndarray, censored: np.ndarray, last_employed: np.ndarray
    ) -> np.ndarray:
        # An end before t that became known only after t leaves no day to follow.
        days = [event_on - t, np.maximum(last_employed - t, 0)]
        return np.select([event, censored], days, self.horizon_days).astype(np.int32)

    def _first_event(self, histories: Histories, t: int, data_as_of: int) -> np.ndarray:
        """First day of each person's first qualifying episode in the horizon, or NEVER."""
        person, first_day, last_day, _ = doctor_stretches(histories, data_as_of)
        person, first_day, certified_days = episodes(person, first_day, last_day)
        qualifies = is_within(first_day, horizon(t, self.horizon_days)) & (certified_days > self.min_days)
        event_on = np.full(len(histories), NEVER, dtype=np.int32)
        np.minimum.at(event_on, person[qualifies], first_day[qualifies])
        return event_on


def episodes(
    person: np.ndarray, first_day: np.ndarray, last_day: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Join doctor-certified stretches whose gap is under 16 days.

    Parameters
    ----------
    person, first_day, last_day : int32 arrays, shape (n_stretches,)
        Disjoint stretches, both days included, in any order.

    Returns
    -------
    person, first_day, certified_days : int32 arrays, shape (n_episodes,); gaps are not counted as days.
    """
    order = np.lexsort((first_day, person))
    person, first_day, last_day = person[order], first_day[order], last_day[order]
    gap = first_day[1:] - last_day[:-1] - 1
    starts = np.flatnonzero(np.concatenate([[True], (person[1:] != person[:-1]) | (gap >= EPISODE_GAP_DAYS)]))
    if len(person) == 0:
        return person, first_day, first_day
    return person[starts], first_day[starts], np.add.reduceat(last_day - first_day + 1, starts)
