"""Whether what goes into the model, and what comes out of it, has moved since the training: by domain, with persons counted.

A measured value counts where it is new within the window before the index date: an answer from years ago says nothing about
today, and one that was compared last month would be compared again. So "missing" is "nothing new in the window".
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np

from data_contracts.time_windows import calendar_date, day_number
from features.catalogue import feature
from features.workplace_context import NAMES as ABOUT_OTHERS
from models.monitoring.comparison import Sample, Shift, shifts
from pipeline.monitoring.windows import MEASURED, Window, window_start

RECORDED = (
    "days_doctor_90", "starts_doctor_90", "days_self_90", "starts_self_90", "is_female", "education", "position_percent",
    "shift_work", "is_leader",
)  # fmt: skip
"""What is counted or registered and watched whatever the champion looks at: absence of the last 90 days, person, position."""

GROWING = ("age_years", "tenure_years")
"""Not compared: everybody grows a year older in a year, which is no news. How the model serves each age band is told."""

SCORE = "score"
"""Name and group of the model's own number."""


def watched(feature_names: Sequence[str]) -> tuple[str, ...]:
    """Return the features that are compared: all that is measured, :data:`RECORDED`, and what the champion looks at.

    Not what it is told of others at the workplace: those are sums over the same persons.
    """
    names = (*MEASURED, *RECORDED, *(name for name in feature_names if name not in {*ABOUT_OTHERS, *GROWING}))
    return tuple(dict.fromkeys(names))


def input_shifts(reference: Window, current: Window, months: int, names: Sequence[str]) -> list[Shift]:
    """Compare features of current rows with those of the reference.

    Parameters
    ----------
    reference, current : Window
    months : int
        A measured value counts if it is of the last so many months before its index date.
    names : sequence of str
        As :func:`watched` returns them. Those that nobody has in either window are left out.

    Returns
    -------
    list of Shift, with the domain as the group.
    """
    before, after = (new_values(window, months, names) for window in (reference, current))
    known = np.flatnonzero(~(np.isnan(before).all(axis=0) & np.isnan(after).all(axis=0)))
    kept = tuple(names[int(place)] for place in known)
    first, second = samples(reference, current, (before[:, known], after[:, known]), kept)
    return shifts(first, second, [feature(name).domain for name in kept])


def new_values(window: Window, months: int, names: Sequence[str]) -> np.ndarray:
    """Return features of the rows, float32 (n, len(names)), where measured ones are NaN unless they are new."""
    values = window.columns(names)
    starts = {int(t): _start(t, months) for t in np.unique(window.t)}
    start = np.array([starts[int(t)] for t in window.t], dtype=np.int64)
    for column, name in enumerate(names):
        if name in MEASURED:
            values[window.observed_on[:, MEASURED.index(name)] < start, column] = np.nan
    return values


def score_shifts(reference: Window, current: Window, scores: tuple[np.ndarray, np.ndarray]) -> list[Shift]:
    """Compare the model's numbers on its linear scale; ``scores`` are (n,) of the reference and the current rows."""
    first, second = samples(reference, current, (scores[0][:, None], scores[1][:, None]), (SCORE,))
    return [one for one in shifts(first, second, (SCORE,)) if one.kind == "level"]


def samples(
    reference: Window, current: Window, values: tuple[np.ndarray, np.ndarray], names: Sequence[str]
) -> tuple[Sample, Sample]:
    """Return numbers of both windows, each (n, len(names)), as samples that share the numbers of persons."""
    _, person = np.unique(np.concatenate([reference.person, current.person]), return_inverse=True)
    n = len(reference)
    return Sample(values[0], person[:n], tuple(names)), Sample(values[1], person[n:], tuple(names))


def _start(t: int, months: int) -> int:
    on: date = calendar_date(t)
    return day_number(window_start(on, months))
