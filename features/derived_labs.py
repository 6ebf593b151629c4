"""Measurements that nobody took but that follow from others: body mass index, cholesterol fractions, kidney function.

They are computed at the cut, from the rows that count at t: so a derived value is known from the day on which the last
of its inputs was, only as long as every input version is, and with sex and birth year as known at t. A bound (<1, >90)
is no number to compute with, and a result outside its hard limits tells of an error in the inputs, not of the person.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from data_contracts.analytes import ANALYTES
from data_contracts.derived_analytes import bmi, egfr_ckd_epi_2009, ldl_friedewald, non_hdl
from features.as_of import Known
from features.life_situation import age_in_year_of, is_female
from features.segments import day_of, group_of, point

_POSITIONS = {analyte.name: position for position, analyte in enumerate(ANALYTES)}
_HARD_LOW, _HARD_HIGH = np.array([(analyte.hard_low, analyte.hard_high) for analyte in ANALYTES]).T
_POINTS = dict(
    zip(_POSITIONS, point(np.arange(len(ANALYTES)), np.zeros(len(ANALYTES), dtype=np.int64)).tolist(), strict=True)
)
_WEIGHT_TO_HEIGHT, _WEIGHT_TO_BMI = (_POINTS[name] - _POINTS["weight"] for name in ("height", "bmi"))
_TO_HDL_AND_TRIGLYCERIDES = np.array(
    [[_POINTS[name] - _POINTS["total_cholesterol"]] for name in ("hdl", "triglycerides")]
)
_TO_NON_HDL, _TO_LDL = (_POINTS[name] - _POINTS["total_cholesterol"] for name in ("non_hdl", "ldl"))
_CREATININE_TO_EGFR = _POINTS["egfr"] - _POINTS["creatinine"]
"""What leads from the point of one analyte to that of another, of the same person and day."""
_Computed = list[tuple[np.ndarray, np.ndarray]]
"""Points and values, NaN among them, of each analyte that was computed."""
_BEFORE_AND_AFTER = np.array([[-1], [0]])


class Results(NamedTuple):
    """Results that can be computed with, one per person, analyte and day.

    ``point`` is that of the place (person x analyte) and day, see :mod:`features.segments`; ``analyte`` is its position.
    """

    point: np.ndarray
    analyte: np.ndarray
    value: np.ndarray


def person_and_analyte(place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split places, person x analyte, as ``numpy.divmod`` does, which is ten times slower."""
    person = place // len(ANALYTES)
    return person, place - person * len(ANALYTES)


def derived_results(known: Known, measured: Results) -> Results | None:
    """Compute all that follows from what was measured.

    Parameters
    ----------
    known : Known of N persons
    measured : Results
        Sorted by ``point``.

    Returns
    -------
    Results, sorted within each analyte; None if nothing follows.
    """
    base = measured.analyte == _BASES
    found = [
        result
        for is_base, formula in zip(base, _FORMULAS.values(), strict=True)
        if len(rows := is_base.nonzero()[0])
        for result in formula(known, measured, rows)
    ]
    if not found:
        return None
    points, values = (np.concatenate(column) for column in zip(*found, strict=True))
    _, analyte = person_and_analyte(group_of(points))
    sound = ((values >= _HARD_LOW[analyte]) & (values <= _HARD_HIGH[analyte])).nonzero()[0]
    return Results(points[sound], analyte[sound], values[sound]) if len(sound) else None


def _on(measured: Results, points: np.ndarray) -> np.ndarray:
    """Return the values at some points, NaN where there is none."""
    place = measured.point.searchsorted(points)
    is_there = measured.point.take(place, mode="clip") == points
    return np.where(is_there, measured.value.take(place, mode="clip"), np.nan)


def _nearest_to(measured: Results, points: np.ndarray) -> np.ndarray:
    """Return the latest value by the day of each point, else the first after it, else NaN."""
    after = measured.point.searchsorted(points, side="right")
    places = after + _BEFORE_AND_AFTER
    is_own = group_of(measured.point.take(places, mode="clip")) == group_of(points)
    before, later = np.where(is_own, measured.value.take(places, mode="clip"), np.nan)
    return np.where(is_own[0], before, later)


def _from_weight(known: Known, measured: Results, rows: np.ndarray) -> _Computed:
    points = measured.point[rows]
    height = _nearest_to(measured, points + _WEIGHT_TO_HEIGHT)
    return [(points + _WEIGHT_TO_BMI, bmi.of_positive(height, measured.value[rows]))]


def _from_cholesterol(known: Known, measured: Results, rows: np.ndarray) -> _Computed:
    points, total = measured.point[rows], measured.value[rows]
    hdl, fat = _on(measured, points + _TO_HDL_AND_TRIGLYCERIDES)
    return [
        (points + _TO_NON_HDL, non_hdl.of_positive(total, hdl)),
        (points + _TO_LDL, ldl_friedewald.of_positive(total, hdl, fat)),
    ]


def _from_creatinine(known: Known, measured: Results, rows: np.ndarray) -> _Computed:
    points = measured.point[rows]
    person = group_of(points) // len(ANALYTES)
    age = age_in_year_of(known, person, day_of(points))
    egfr = egfr_ckd_epi_2009(measured.value[rows], age, is_female(known)[person])
    return [(points + _CREATININE_TO_EGFR, egfr)]


_FORMULAS = {"weight": _from_weight, "total_cholesterol": _from_cholesterol, "creatinine": _from_creatinine}
"""By the analyte on whose day the result counts."""
_BASES = np.array([[_POSITIONS[name]] for name in _FORMULAS], dtype=np.int8)
