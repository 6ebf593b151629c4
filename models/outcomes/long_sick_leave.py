"""Long sick leave: a doctor-certified episode starts in the horizon and lasts longer than the employer period.

The employer pays the first 16 calendar days (folketrygdloven § 8-19), which is also the gap within which absences count
as one case; hence ``min_days`` and the washout. Days as in SEMANTICS.md, "Absence" and "Labels".

An episode is of the ICPC-2 chapter of its first certificate that states a diagnosis. The first, because it is known by the
time the label is mature (the chapter of most of an episode's days is not: the episode may run on), because every episode
has then one chapter only, and because a later change of diagnosis is often a consequence of the absence. One *that states a
diagnosis*, because a self-declared first week or a first page without a code says nothing against the next.

Of an episode without any diagnosis nobody knows the chapter. Where there is such a one and none that is known to be of the
chapter, the label is not observed: a 0 would call some of the events none. Where one of the chapter is known too, before or
after, the event came whatever the other was: the label is 1, and its first day is that of the known one, so it may be dated
too late. As only persons with a long absence can lose their label so, those of them whose label hangs on diagnoses that are
all known are weighted up to stand for all (``observation_weights.known_diagnosis_weights``); whose event is known in spite
of another episode without a diagnosis could not have lost the label by that, and stands for one row.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from data_contracts.time_windows import horizon, is_within
from features.as_of import CHAPTERS, Chapters, Rows, absences_known, doctor_stretches
from features.histories import Histories
from features.segments import point
from models.outcomes.absence_outcome import NEVER, AbsenceOutcome
from models.outcomes.outcome import Anticipated, Labels, Status

EPISODE_GAP_DAYS = 16
"""Stretches with fewer days than this between them are one episode."""


@dataclass(frozen=True)
class LongSickLeave(AbsenceOutcome):
    """A new episode of more than ``min_days`` doctor-certified days, of one chapter of diagnoses or of any."""

    name: str = "long_sick_leave"
    label_nb: str = field(init=False)
    label_en: str = field(init=False)
    horizon_days: int = 365
    min_days: int = 16

    parameters: ClassVar[dict[str, tuple[int, int]]] = {**AbsenceOutcome.parameters, "min_days": (1, 364)}
    anticipated: ClassVar[Anticipated] = {
        "c_statistic": 0.72,
        "source": "towards the lower end of 0.70-0.76, what published one-year models of survey and history reach",
    }
    usual_level: ClassVar[float] = 0.18
    """0.145 of men and 0.23 of women in Norwegian rates; a quarter of it is mental, a third musculoskeletal."""
    is_dated: ClassVar[bool] = True
    chapter: ClassVar[Chapters | None] = None
    """Group of chapters that an episode must be of; None: it counts whatever its diagnosis."""
    about: ClassVar[dict[str, str]] = {"nb": "", "en": ""}
    """What the label says of the chapter."""

    def __post_init__(self) -> None:
        # What is trained is what is said: the words follow the parameter.
        object.__setattr__(self, "label_nb", f"Sykefravær over {self.min_days} dager{self.about['nb']}")
        object.__setattr__(self, "label_en", f"Sick leave of more than {self.min_days} days{self.about['en']}")

    @property
    def asks_diagnosis(self) -> bool:
        """True for the outcomes of one chapter."""
        return self.chapter is not None

    @property
    def mature_after_days(self) -> int:
        """An episode starting on the horizon's last day must have had time to pass ``min_days`` and be registered."""
        return self.horizon_days + self.min_days + 1 + self.registration_lag_days

    def _mature_labels(self, histories: Histories, t: int, data_as_of: int, last_employed: np.ndarray) -> Labels:
        """First episode known to qualify in the horizon while employed; leaving before without one is censoring."""
        found = self._first_days(histories, t, data_as_of)
        event_on, unknown_on, long_on = np.where(found <= last_employed, found, NEVER)
        event = event_on < NEVER
        unknown = (unknown_on < NEVER) & ~event
        censored = ~event & ~unknown & (last_employed < horizon(t, self.horizon_days)[1] - 1)
        ways = [event, unknown, censored]
        # An end before t that became known only after t leaves no day to follow.
        days = [event_on - t, unknown_on - t, np.maximum(last_employed - t, 0)]
        return Labels(
            status=np.select(ways[1:], [Status.NOT_OBSERVED, Status.CENSORED], Status.OBSERVED).astype(np.int8),
            y=np.where(unknown | censored, np.nan, event.astype(np.float64)),
            followed_days=np.select(ways, days, self.horizon_days).astype(np.int32),
            needs_diagnosis=(long_on < NEVER) & ~(event & (unknown_on < NEVER)) & self.asks_diagnosis,
        )

    def _first_days(self, histories: Histories, t: int, data_as_of: int) -> np.ndarray:
        """First days in the horizon of long episodes: an event, one that may be one, any; int32 (3, n), or NEVER."""
        person, first, last, _ = doctor_stretches(histories, data_as_of)
        person, first, certified_days = episodes(person, first, last)
        is_event, may_be = self._of_chapter(absences_known(histories, data_as_of), person, first)
        is_long = is_within(first, horizon(t, self.horizon_days)) & (certified_days > self.min_days)
        days = np.full((3, len(histories)), NEVER, dtype=np.int32)
        for of_kind, chosen in zip(days, (is_event, may_be, np.ones_like(is_event)), strict=True):
            np.minimum.at(of_kind, person[is_long & chosen], first[is_long & chosen])
        return days

    def _of_chapter(self, spells: Rows, person: np.ndarray, first: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Say which episodes are of the chapter, and which may be, as nothing is known of their diagnosis."""
        if self.chapter is None:
            return np.ones(len(person), dtype=bool), np.zeros(len(person), dtype=bool)
        told = spells["by_doctor"] & spells["has_diagnosis"]
        day = spells["first"][told]
        of_episode = np.searchsorted(point(person, first), point(spells["person"][told], day), side="right") - 1
        told_on = np.full(len(person), NEVER, dtype=np.int32)
        np.minimum.at(told_on, of_episode, day)
        decides = (day == told_on[of_episode]) & np.isin(spells["chapter"][told], CHAPTERS[self.chapter])
        return np.bincount(of_episode[decides], minlength=len(person)) > 0, told_on == NEVER


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
    person, first_day, certified_days : int32 arrays, shape (n_episodes,), sorted by person and first day; gaps are not
        counted as days.
    """
    order = np.lexsort((first_day, person))
    person, first_day, last_day = person[order], first_day[order], last_day[order]
    gap = first_day[1:] - last_day[:-1] - 1
    starts = np.flatnonzero(np.concatenate([[True], (person[1:] != person[:-1]) | (gap >= EPISODE_GAP_DAYS)]))
    if len(person) == 0:
        return person, first_day, first_day
    return person[starts], first_day[starts], np.add.reduceat(last_day - first_day + 1, starts)
