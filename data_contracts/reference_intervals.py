"""Fallback reference intervals by sex and age, for results that come without their laboratory's own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple, cast

import numpy as np

_ADULT, _OLDEST = 18, 120
_UNKNOWN_SEX, _UNKNOWN_AGE = 2, _OLDEST + 1
_SEX_POSITIONS = np.array([0, 1, _UNKNOWN_SEX])
"""Looked up with 0 (male), 1 (female) and -1, which is the last one."""
_SEXES = {"male": (0,), "female": (1,), "both": (0, 1)}


class ReferenceInterval(NamedTuple):
    """Fallback interval of one sex and age group: completed years ``age_from..age_to``, both included.

    ``age_to`` None is "and older"; a limit None is "no limit". A limit is inside unless ``open`` names it: "below 140".
    """

    sex: Literal["female", "male", "both"]
    age_from: int
    age_to: int | None
    low: float | None
    high: float | None
    open: Literal["", "low", "high", "both"] = ""

    def closed(self) -> ReferenceInterval:
        """Return the interval of the same single-precision numbers with both limits inside."""
        low, high = self.low, self.high
        if low is not None and self.open in ("low", "both"):
            low = float(np.nextafter(np.float32(low), np.float32(np.inf)))
        if high is not None and self.open in ("high", "both"):
            high = float(np.nextafter(np.float32(high), np.float32(-np.inf)))
        return self._replace(low=low, high=high, open="")


def reference_intervals(rows: Iterable[dict[str, str]]) -> dict[str, tuple[ReferenceInterval, ...]]:
    """Return the intervals of each analyte from the rows of ``reference_intervals.csv``."""
    intervals: dict[str, tuple[ReferenceInterval, ...]] = {}
    for row in rows:
        interval = ReferenceInterval(
            sex=cast(Literal["female", "male", "both"], row["sex"]),
            age_from=int(row["age_from"]),
            age_to=int(row["age_to"]) if row["age_to"] else None,
            low=float(row["low"]) if row["low"] else None,
            high=float(row["high"]) if row["high"] else None,
            open=cast(Literal["", "low", "high", "both"], row["open"]),
        )
        intervals[row["analyte"]] = (*intervals.get(row["analyte"], ()), interval)
    return intervals


def limits_by_sex_and_age(intervals_of_each: Sequence[Iterable[ReferenceInterval]]) -> np.ndarray:
    """Return all limits as one table to look them up in.

    Parameters
    ----------
    intervals_of_each : sequence of iterables, length n
        The intervals of each analyte.

    Returns
    -------
    float64 array, shape (2, n, 3, 122)
        Low and high; analyte; male, female, unknown; completed years 0 to 120, unknown. NaN is no limit. The unknown sex or
        age has the limit that both sexes, or all ages from 18, share.
    """
    limits = np.full((2, len(intervals_of_each), 3, _OLDEST + 2), np.nan)
    for position, intervals in enumerate(intervals_of_each):
        for sex, age_from, age_to, low, high, _ in intervals:
            ages = slice(age_from, (_OLDEST if age_to is None else age_to) + 1)
            for row in _SEXES[sex]:
                limits[:, position, row, ages] = np.array([[low], [high]], dtype=np.float64)
    adult = limits[:, :, :2, _ADULT : _OLDEST + 1]
    limits[:, :, :2, _UNKNOWN_AGE] = np.where((adult == adult[..., :1]).all(-1), adult[..., 0], np.nan)
    limits[:, :, _UNKNOWN_SEX] = np.where(limits[:, :, 0] == limits[:, :, 1], limits[:, :, 0], np.nan)
    return limits


def looked_up(
    limits: np.ndarray, position: np.ndarray, is_female: np.ndarray, age_years: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the low and the high limit of each result from the table of :func:`limits_by_sex_and_age`.

    Parameters
    ----------
    limits : array, shape (2, n_analytes, 3, 122)
    position : integer array, shape (n,)
        Of the analyte.
    is_female : integer array, shape (n,)
        1 female, 0 male, -1 unknown.
    age_years : array, shape (n,)
        NaN or negative is unknown.
    """
    _, _, n_sexes, n_ages = limits.shape
    cell = (position * n_sexes + _SEX_POSITIONS[is_female]) * n_ages + age_positions(age_years)
    low, high = limits.reshape(2, -1)
    return low[cell], high[cell]


def age_positions(age_years: np.ndarray) -> np.ndarray:
    """Return where an age stands in the last axis of the table; NaN and negative ages stand last."""
    years = np.asarray(age_years)
    return np.where(years >= 0, np.minimum(years, _OLDEST), _UNKNOWN_AGE).astype(np.intp)
