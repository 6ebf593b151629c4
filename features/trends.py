"""What the latest values of a series say of its course: the change since the one before, and the slope of three.

Everything here is elementwise and in a fixed order of additions, so that one person gets the same bits as in a batch.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from features.segments import run_ends, run_starts

SHORTEST_SPAN = 90
"""Fewest days between the first and the last of the three values of a slope: below, noise would be called a trend."""

STEEPEST = 5
"""Ranges per year that no slope exceeds. For values within a range R over L days, with the middle one after u L days, the
slope is at most R / L x (2 - u) / (2 (1 - u + u²)) (or the same with 1 - u), at its largest 1/2 + 1/sqrt(3) = 1.08 R / L
for u = 2 - sqrt(3): over 90 days 4.4 R per year of 365.25 days."""

_DAYS_PER_YEAR = 365.25


class Trends(NamedTuple):
    """The course of each group that has rows, in order of the groups.

    ``latest`` is the position of the latest row of each group (int64); ``change`` and ``slope`` are float64, NaN where the
    values are too few or too close together.
    """

    latest: np.ndarray
    change: np.ndarray
    slope: np.ndarray


def trends(group: np.ndarray, day: np.ndarray, value: np.ndarray) -> Trends:
    """Return the change and the slope over the latest values of each group.

    Parameters
    ----------
    group : int array, shape (n_rows,), non-decreasing
    day : int array, shape (n_rows,)
        Rising within a group: one row per group and day.
    value : float64 array, shape (n_rows,), finite

    Returns
    -------
    Trends
        ``change`` is the latest value minus the one before; ``slope`` as in :func:`slope_per_year`.
    """
    latest = run_ends(group)
    n_values = latest - run_starts(group) + 1
    change, slope = np.full((2, len(latest)), np.nan)
    place = (n_values > 1).nonzero()[0]
    if len(place):
        again = latest[place]
        change[place] = value[again] - value[again - 1]
        place = (n_values > 2).nonzero()[0]
    if len(place):
        three = latest[place] - np.array([[2], [1], [0]])
        slope[place] = slope_per_year(day[three], value[three])
    return Trends(latest, change, slope)


def slope_per_year(day: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Return the least-squares slope of three values, per year of 365.25 days.

    Parameters
    ----------
    day : int array, shape (3, n), rising along the first axis
    value : float64 array, shape (3, n)

    Returns
    -------
    float64 array, shape (n,); NaN where the first and the last day are under ``SHORTEST_SPAN`` days apart.
    """
    # (3 Σxy - Σx Σy) / (3 Σx² - (Σx)²), with days and values counted from the latest one: whole numbers of days keep the sums
    # of x exact, and three equal values give exactly 0.
    x, y = (day[:2] - day[2]).astype(np.float64), value[:2] - value[2]
    sum_x, sum_xy, sum_xx = x[0] + x[1], x[0] * y[0] + x[1] * y[1], x[0] * x[0] + x[1] * x[1]
    slope = (3 * sum_xy - sum_x * (y[0] + y[1])) / (3 * sum_xx - sum_x * sum_x) * _DAYS_PER_YEAR
    return np.where(x[0] <= -SHORTEST_SPAN, slope, np.nan)
