"""What the outcomes of absence share: who is at work at the index date, and for how long the workplace is seen."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from data_contracts.records import Source
from data_contracts.time_windows import NO_DAY
from features.as_of import absences_known
from features.histories import Histories
from features.workplace import employment_end
from models.outcomes.outcome import Incomplete, Labels, Outcome

WASHOUT_DAYS = 16

NEVER = np.iinfo(np.int32).max


@dataclass(frozen=True)
class AbsenceOutcome(Outcome):
    """An outcome read off the absence that came while the person was employed."""

    parameters: ClassVar[dict[str, tuple[int, int]]] = {"horizon_days": (30, 730)}
    own_reasons: ClassVar[tuple[str, ...]] = ("washout",)
    label_source: ClassVar[Source] = "absence"
    incomplete_because: ClassVar[Incomplete] = "left employment"

    def own_eligibility(self, histories: Histories, t: int) -> np.ndarray:
        """No doctor-certified day in the washout, as known at t."""
        rows = absences_known(histories, t)
        recent = np.zeros(len(histories), dtype=bool)
        recent[rows["person"][rows["by_doctor"] & (rows["last"] >= t - WASHOUT_DAYS)]] = True
        return recent[:, None]

    def labels(self, histories: Histories, t: int, data_as_of: int) -> Labels:
        """What came in the horizon while employed; leaving before it can be told is censoring."""
        if not self.is_mature(t, data_as_of):
            return Labels.not_mature(len(histories))
        last_employed = employment_end(histories, t, data_as_of)
        last_employed = np.where(last_employed == NO_DAY, np.int32(NEVER), last_employed)
        return self._mature_labels(histories, t, data_as_of, last_employed)

    @abstractmethod
    def _mature_labels(self, histories: Histories, t: int, data_as_of: int, last_employed: np.ndarray) -> Labels:
        """Labels at an index date whose horizon is over; ``last_employed`` is a day, ``NEVER`` where it has no end."""
