"""A straight line through a few sizes, with the uncertainty that so few points leave, and the exponent between the largest."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

FEWEST = 3
"""Points of which a line says anything about its own error."""


class Line(NamedTuple):
    """``value = fixed + per_person * persons``.

    Parameters
    ----------
    fixed, per_person : float
    low, high : float
        95 % interval of ``per_person`` (t with n - 2 degrees of freedom); NaN below three points.
    worst : float
        Largest relative distance of a point from the line.
    exponent : float
        Slope on logarithmic scales between the two largest sizes: 1 is in proportion, 2 is quadratic.
    """

    fixed: float
    per_person: float
    low: float
    high: float
    worst: float
    exponent: float

    def at(self, persons: float) -> float:
        """Return the value at a size."""
        return self.fixed + self.per_person * persons

    def persons_at(self, value: float) -> float:
        """Return the size at which the line reaches a value; infinite if it does not rise."""
        return (value - self.fixed) / self.per_person if self.per_person > 0 else math.inf


def line(persons: Sequence[float], values: Sequence[float]) -> Line | None:
    """Fit by least squares of relative errors, so that a million persons do not drown a thousand; None below two points."""
    n, y = np.array(persons, dtype=float), np.array(values, dtype=float)
    if len(n) < 2 or (y <= 0).any():
        return None
    design = np.column_stack([np.ones_like(n), n])
    relative = design / y[:, None]
    (fixed, slope), *_ = np.linalg.lstsq(relative, np.ones_like(y), rcond=None)
    off = relative @ np.array([fixed, slope]) - 1
    low, high = _interval(relative, off, slope)
    by_size = np.argsort(n)[-2:]
    exponent = float(np.diff(np.log(y[by_size]))[0] / np.diff(np.log(n[by_size]))[0])
    return Line(float(fixed), float(slope), low, high, float(np.abs(off).max()), exponent)


def _interval(design: np.ndarray, off: np.ndarray, slope: float) -> tuple[float, float]:
    freedom = len(off) - 2
    if len(off) < FEWEST:
        return math.nan, math.nan
    variance = float(off @ off) / freedom * float(np.linalg.inv(design.T @ design)[1, 1])
    half = float(stats.t.ppf(0.975, freedom)) * math.sqrt(variance)
    return slope - half, slope + half
