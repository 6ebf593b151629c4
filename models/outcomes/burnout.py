"""Burnout: a Copenhagen Burnout Inventory scale, personal or work, reaches 50 at the first survey in the window.

The window and the cut-off of 50 are those of SEMANTICS.md, "Labels".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from data_contracts.instruments import INSTRUMENTS
from data_contracts.records import Source
from data_contracts.time_windows import is_within, lookback
from features.histories import Histories
from features.survey_scores import occasions
from models.outcomes.outcome import Anticipated, Incomplete, Labels, Outcome, Status

INSTRUMENT = "cbi"
SCALES = ("cbi_personal", "cbi_work")
HIGH = 50.0
LOOKBACK_DAYS = 400
_SCALE_COLUMNS = [[scale.name for scale in INSTRUMENTS[INSTRUMENT].scales].index(scale) for scale in SCALES]
FIRST_DAY_AFTER, LAST_DAY_AFTER = 90, 400
"""The survey that decides is the first with ``answered_on`` in ``[t + 90, t + 400]``, both included."""


@dataclass(frozen=True)
class Burnout(Outcome):
    """New burnout among those whose last complete inventory was below 50 on both scales."""

    name: str = "burnout"
    label_nb: str = "Utbrenthet (CBI 50 eller mer)"
    label_en: str = "Burnout (CBI 50 or more)"
    horizon_days: int = LAST_DAY_AFTER
    extra_short_features: tuple[str, ...] = SCALES

    anticipated: ClassVar[Anticipated] = {
        "c_statistic": 0.70,
        "source": "an assumption, the low end of absence: no validated prospective model of new burnout is published",
    }
    usual_level: ClassVar[float] = 0.10
    """An assumption."""
    own_reasons: ClassVar[tuple[str, ...]] = (
        "no burnout survey in the last 400 days",
        "burnout scale already at 50 or more",
    )
    label_source: ClassVar[Source] = "survey"
    incomplete_because: ClassVar[Incomplete] = "no survey in the window"

    @property
    def mature_after_days(self) -> int:
        """A survey on the window's last day, known ``registration_lag_days`` later, is visible the day after that."""
        return LAST_DAY_AFTER + self.registration_lag_days + 1

    @property
    def embargo_days(self) -> int:
        """One day more than the horizon: the window's last day is included."""
        return LAST_DAY_AFTER + 1

    def own_eligibility(self, histories: Histories, t: int) -> np.ndarray:
        """A complete inventory in ``[t - 400, t)``, and no scale at 50 or more from it on."""
        person, answered_on, scores = burnout_surveys(histories, t)
        inside = is_within(answered_on, lookback(t, LOOKBACK_DAYS))
        complete = inside & np.isfinite(scores).all(axis=1)
        last_complete = np.full(len(histories), -1, dtype=np.int64)
        np.maximum.at(last_complete, person[complete], answered_on[complete])
        since = inside & (answered_on >= last_complete[person])
        already = np.zeros(len(last_complete), dtype=bool)
        already[person[since & (scores >= HIGH).any(axis=1)]] = True
        return np.stack([last_complete < 0, already], axis=1)

    def labels(self, histories: Histories, t: int, data_as_of: int) -> Labels:
        """The first survey of the window decides; no survey is not observed, never 0.

        One scale at 50 or more is an event; 0 needs both scales below 50. With one low and the other unanswered the
        survey does not say, and the label is not observed either.
        """
        n = len(histories)
        if not self.is_mature(t, data_as_of):
            return Labels.not_mature(n)
        person, answered_on, scores = burnout_surveys(histories, data_as_of)
        counts = (
            (answered_on >= t + FIRST_DAY_AFTER) & (answered_on <= t + LAST_DAY_AFTER) & np.isfinite(scores).any(axis=1)
        )
        person, answered_on, scores = person[counts], answered_on[counts], scores[counts]
        order = np.lexsort((answered_on, person))
        person, first = np.unique(person[order], return_index=True)
        first = order[first]
        y = np.full(n, np.nan)
        event, both = (scores[first] >= HIGH).any(axis=1), np.isfinite(scores[first]).all(axis=1)
        y[person] = np.where(event | both, event.astype(np.float64), np.nan)
        followed = np.full(n, self.horizon_days, dtype=np.int32)
        followed[person] = answered_on[first] - t
        status = np.where(np.isnan(y), Status.NOT_OBSERVED, Status.OBSERVED).astype(np.int8)
        return Labels(status, y, followed, np.zeros(n, dtype=bool))


def burnout_surveys(histories: Histories, d: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inventories before ``d``, as known then: person, answered_on, scores of SCALES (n_occasions, 2)."""
    person, answered_on, scores = occasions(histories, d, INSTRUMENT)
    return person, answered_on, scores[:, _SCALE_COLUMNS]
