"""How followed measurements move: the change since the result before, and the slope of the last three."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from data_contracts.analytes import ANALYTES, Analyte
from data_contracts.time_windows import NO_DAY
from features.feature import Feature
from features.lab_levels import level
from features.lab_series import N_ANALYTES, Series
from features.segments import run_ends
from features.trends import SHORTEST_SPAN, STEEPEST, trends

_SERIES = (
    "of the days before t with an exact result, measured (of several that day the one known last) or else derived as the "
    "latest value is"
)
_CHANGE = f"the latest exact value minus the one before it, {_SERIES}"
_SLOPE = (
    f"least-squares slope per year of 365.25 days over the latest three exact values, {_SERIES}; unknown if the first and "
    f"the last are under {SHORTEST_SPAN} days apart"
)


def _change(analyte: Analyte) -> Feature:
    width = analyte.hard_high - analyte.hard_low
    return replace(
        level(analyte),
        name=f"{analyte.name}_change",
        label_nb=f"{analyte.label_nb}: endring siden forrige måling",
        label_en=f"{analyte.label_en}: change since the measurement before",
        modifiable=False,
        meaning=_CHANGE,
        low=-width,
        high=width,
    )


def _slope(analyte: Analyte) -> Feature:
    change = _change(analyte)
    return replace(
        change,
        name=f"{analyte.name}_slope",
        unit=f"{analyte.unit}/a",
        label_nb=f"{analyte.label_nb}: utvikling over de tre siste målingene",
        label_en=f"{analyte.label_en}: course over the last three measurements",
        meaning=_SLOPE,
        low=STEEPEST * change.low,
        high=STEEPEST * change.high,
    )


_FOLLOWED = [place for place, one in enumerate(ANALYTES) if one.followed]

FEATURES = tuple(make(ANALYTES[place]) for make in (_change, _slope) for place in _FOLLOWED)


def fill_courses(numbers: np.ndarray, exact: Series) -> None:
    """Write the courses into a float32 array of shape (n_persons, n_features); NaN where unknown."""
    latest, change, slope = trends(exact.place, exact.day, exact.value)
    at = exact.place[latest]
    of_all = np.full((2, len(numbers) * N_ANALYTES), np.nan, dtype=np.float32)
    of_all[0, at], of_all[1, at] = change, slope
    n = len(_FOLLOWED)
    numbers[:, :n], numbers[:, n:] = of_all.reshape(2, -1, N_ANALYTES)[..., _FOLLOWED]


def days_of_courses(n_persons: int, exact: Series) -> np.ndarray:
    """Return the day of the latest exact result of each feature, int32 of shape (n_persons, n_features), else ``NO_DAY``."""
    days = np.full(n_persons * N_ANALYTES, NO_DAY, dtype=np.int32)
    last = run_ends(exact.place)
    days[exact.place[last]] = exact.day[last]
    return np.tile(days.reshape(n_persons, N_ANALYTES)[:, _FOLLOWED], 2)
