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

FEWEST_SIDE = 5
"""Persons who answered, and persons who did not, that a group must have to be shown."""

HIDDEN = "hidden: too few of the group answered or did not, or the rest of everybody would tell of such a group"

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
    """Return the shares as JSON, in hundredths: exact ones of known numbers of persons are counts.

    Of groups of few persons nothing is told, of groups of whom all or nearly all answered or did not neither, nor of the group
    that would give such a one away as the rest of everybody.
    """
    hidden = hidden_tests(found)
    return [_told(one, one.shift.name in hidden) for one in found]


def hidden_tests(found: Sequence[ResponseShift]) -> set[str]:
    """Return the names of the tests of groups of which nothing is told."""
    hidden: set[str] = set()
    for attribute in {one.attribute for one in found}:
        groups = [one for one in found if one.attribute == attribute]
        kept = [one for one in groups if not _is_revealing([one])]
        # Everybody less those shown must be enough persons to be shown as one.
        while kept and len(kept) < len(groups) and _is_revealing([one for one in groups if one not in kept]):
            kept.remove(min(kept, key=lambda one: min(one.shift.n_reference, one.shift.n_current)))
        hidden |= {one.shift.name for one in groups if one not in kept}
    return hidden


def rounded(share: float | None) -> float | None:
    """Return a share in hundredths."""
    return None if share is None else round(share, 2)


def _told(one: ResponseShift, is_hidden: bool) -> dict[str, Any]:
    of = {"attribute": one.attribute, "group": one.group}
    reference, current, p = rounded(one.reference), rounded(one.current), one.shift.p
    if is_hidden or p is None or reference is None or current is None:
        return of | {"why_not": TOO_FEW if p is None else HIDDEN}
    # The test is of those who did not answer: more of them is fewer answers.
    low, high = rounded(one.shift.low), rounded(one.shift.high)
    return of | {
        "reference": reference, "current": current, "p": round(p, 3), "difference": round(current - reference, 2),
        "low": None if high is None else 0.0 - high, "high": None if low is None else 0.0 - low,
    }  # fmt: skip


def _is_revealing(groups: Sequence[ResponseShift]) -> bool:
    """True where so few of these groups together answered, or did not, that a share points at them; none is few as well."""
    sides = (
        [(one.reference or 0.0, one.shift.n_reference) for one in groups],
        [(one.current or 0.0, one.shift.n_current) for one in groups],
    )
    for side in sides:
        persons, answered = sum(n for _, n in side), sum(share * n for share, n in side)
        if persons < FEWEST_PERSONS or min(answered, persons - answered) < FEWEST_SIDE:
            return True
    return False


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
