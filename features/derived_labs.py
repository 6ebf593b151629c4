"""Measurements that nobody took but that follow from others: body mass index, cholesterol fractions, kidney function.

They are computed at the cut, from the rows that count at t: so a derived value is known from the day on which the last
of its inputs was, only as long as every input version is, and with sex and birth year as known at t. A bound (<1, >90)
is no number to compute with, and a result outside its hard limits tells of an error in the inputs, not of the person.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from data_contracts.analytes import ANALYTES, Analyte
from data_contracts.derived_analytes import bmi, egfr_ckd_epi_2009, ldl_friedewald, non_hdl
from features.as_of import Known, Rows
from features.gathering import EXACT
from features.life_situation import age_in_year_of, is_female
from features.segments import day_of, group_of, point, run_ends

_POSITIONS = {analyte.name: position for position, analyte in enumerate(ANALYTES)}
DERIVED = tuple(analyte for analyte in ANALYTES if analyte.derived_from)
_INPUTS = tuple(dict.fromkeys(name for analyte in DERIVED for name in analyte.derived_from))
_IS_INPUT = np.array([analyte.name in _INPUTS for analyte in ANALYTES])


class Results(NamedTuple):
    """The latest derived result of a person and analyte: position of the person and of the analyte, day, value."""

    person: np.ndarray
    analyte: np.ndarray
    day: np.ndarray
    value: np.ndarray


class _Series(NamedTuple):
    """Results of one analyte that can be computed with: person and day as a ``point``, sorted and distinct, and value."""

    point: np.ndarray
    value: np.ndarray


def derived_results(known: Known) -> Results | None:
    """Compute what follows from the results that count at t; None if nothing does."""
    series = _series(known.labs)
    wanted = [one for one in DERIVED if all(name in series for name in one.derived_from)]
    found = [_latest(known, one, [series[name] for name in one.derived_from]) for one in wanted]
    return Results(*(np.concatenate(columns) for columns in zip(*found, strict=True))) if found else None


def _series(rows: Rows) -> dict[str, _Series]:
    """Return the series of each input that occurs; of several results of a day the one known last."""
    chosen = (_IS_INPUT[rows["analyte"]] & (rows["comparator"] == EXACT)).nonzero()[0]
    points, analytes = point(rows["person"][chosen], rows["day"][chosen]), rows["analyte"][chosen]
    last = run_ends(analytes, points)
    points, analytes, values = points[last], analytes[last], rows["value"][chosen[last]]
    occurs = np.bincount(analytes, minlength=len(ANALYTES)) > 0
    places = {name: analytes == _POSITIONS[name] for name in _INPUTS if occurs[_POSITIONS[name]]}
    return {name: _Series(points[place], values[place]) for name, place in places.items()}


def _on_day_of(wanted: _Series, base: _Series) -> np.ndarray:
    """Return the value of one series on the person and day of each row of another; NaN where there is none."""
    place = np.minimum(wanted.point.searchsorted(base.point), len(wanted.point) - 1)
    return np.where(wanted.point[place] == base.point, wanted.value[place], np.nan)


def _nearest_to_day_of(wanted: _Series, base: _Series) -> np.ndarray:
    """Return the person's latest value by the day of each row of another series, else the first after it, else NaN."""
    after = wanted.point.searchsorted(base.point, side="right")
    value = np.full(len(base.point), np.nan)
    for place in (np.minimum(after, len(wanted.point) - 1), np.maximum(after - 1, 0)):
        value = np.where(group_of(wanted.point[place]) == group_of(base.point), wanted.value[place], value)
    return value


def _latest(known: Known, analyte: Analyte, inputs: list[_Series]) -> Results:
    base, value = _FORMULAS[analyte.name](known, *inputs)
    sound = ((value >= analyte.hard_low) & (value <= analyte.hard_high)).nonzero()[0]
    person = group_of(base.point[sound])
    latest = run_ends(person)
    position = np.full(len(latest), _POSITIONS[analyte.name])
    return Results(person[latest], position, day_of(base.point[sound[latest]]), value[sound[latest]])


def _bmi(known: Known, height: _Series, weight: _Series) -> tuple[_Series, np.ndarray]:
    return weight, bmi(_nearest_to_day_of(height, weight), weight.value)


def _egfr(known: Known, creatinine: _Series) -> tuple[_Series, np.ndarray]:
    person = group_of(creatinine.point)
    age = age_in_year_of(known, person, day_of(creatinine.point))
    return creatinine, egfr_ckd_epi_2009(creatinine.value, age, is_female(known)[person])


def _non_hdl(known: Known, total: _Series, hdl: _Series) -> tuple[_Series, np.ndarray]:
    return total, non_hdl(total.value, _on_day_of(hdl, total))


def _ldl(known: Known, total: _Series, hdl: _Series, triglycerides: _Series) -> tuple[_Series, np.ndarray]:
    return total, ldl_friedewald(total.value, _on_day_of(hdl, total), _on_day_of(triglycerides, total))


_FORMULAS: dict[str, Callable[..., tuple[_Series, np.ndarray]]] = {
    "bmi": _bmi,
    "egfr": _egfr,
    "non_hdl": _non_hdl,
    "ldl": _ldl,
}
assert set(_FORMULAS) == {analyte.name for analyte in DERIVED}
