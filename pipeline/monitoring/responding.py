"""Who answers the questionnaire and who no longer does, by sex, age, education and earlier absence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from data_contracts.time_windows import calendar_date, day_number
from models.monitoring.comparison import FEWEST_PERSONS, TOO_FEW, Shift
from models.monitoring.response import Invited, ResponseShift, response_shifts
from pipeline.monitoring.score_groups import group_names
from pipeline.monitoring.windows import Window, window_start

RESPONSE = "response"
"""Group of the shifts of response: who answers is one question, whatever the groups it is asked of."""


def response(reference: Window, current: Window, months: int) -> list[ResponseShift]:
    """Compare who answered within the window, among those whose answers may be used."""
    persons = np.unique(np.concatenate([reference.person, current.person]))
    return response_shifts(*(_invited(window, persons, months) for window in (reference, current)))


def response_tests(found: Sequence[ResponseShift]) -> list[Shift]:
    """Return the tests under the name of the group asked, all in one family."""
    return [Shift(**{**vars(one.shift), "group": RESPONSE}) for one in found]


def told(found: Sequence[ResponseShift]) -> list[dict[str, Any]]:
    """Return the shares as JSON; of groups of few persons nothing is told."""
    return [_told(one) for one in found]


def _told(one: ResponseShift) -> dict[str, Any]:
    of = {"attribute": one.attribute, "group": one.group}
    if one.shift.p is None or one.reference is None or one.current is None or _is_revealing(one):
        return of | {"why_not": TOO_FEW}
    # The test is of those who did not answer: more of them is fewer answers.
    low, high = one.shift.low, one.shift.high
    return of | {
        "reference": one.reference, "current": one.current, "p": one.shift.p,
        "difference": one.current - one.reference,
        "low": None if high is None else -high, "high": None if low is None else -low,
    }  # fmt: skip


def _is_revealing(one: ResponseShift) -> bool:
    """True where so few of the group answered, or did not, that a share points at them."""
    sides = ((one.reference, one.shift.n_reference), (one.current, one.shift.n_current))
    counts = [min(share, 1 - share) * n for share, n in sides if share is not None]
    return any(0 < count < FEWEST_PERSONS / 2 for count in counts)


def _invited(window: Window, persons: np.ndarray, months: int) -> Invited:
    asked = window.take(~np.isnan(window.column("survey_days_730")))
    starts = {int(t): day_number(window_start(calendar_date(int(t)), months)) for t in np.unique(asked.t)}
    span = np.array([int(t) - starts[int(t)] for t in asked.t], dtype=np.int64)
    # Never answered is NaN, which is not within any span.
    answered = asked.column("days_since_survey") <= span
    return Invited(answered, np.searchsorted(persons, asked.person), _groups(asked))


def _groups(window: Window) -> dict[str, np.ndarray]:
    days = window.column("days_doctor_365")
    earlier = np.where(np.isnan(days), "", np.where(days > 0, "some", "none"))
    return {**group_names(window), "earlier_absence": earlier}
