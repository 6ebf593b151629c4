"""Laboratory and bedside measurements: the latest value in the canonical unit, its age, and whether it lies outside."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from data_contracts.analytes import ANALYTES, Analyte, limits_inside
from data_contracts.time_windows import NO_DAY
from features.as_of import Known
from features.derived_labs import derived_results
from features.feature import Feature, FeatureGroup
from features.gathering import EXACT, UNKNOWN, outside
from features.life_situation import age_in_year_of, is_female
from features.segments import run_ends

_VALUE = (
    "latest value sampled before t, in the canonical unit; of several that day an exact one before a bound (<1, >90), "
    "then the one known last; a bound counts as the value"
)
_DERIVED = "; on a day without an exact measured value computed from {inputs}, where these are known and no bounds"
_OTHER_DAYS = {"height": "height (the latest by that day, else the first after it)"}
_OUTSIDE = (
    "1 if the latest value is outside the laboratory's interval (limits are inside) or, if it gave none, "
    "the fallback for the person's sex and age in the year of the sample; sex unknown: only where both agree; "
    "a bound: only where all that it leaves possible is outside (1) or inside (0)"
)


def _features(analyte: Analyte) -> tuple[Feature, Feature, Feature]:
    """Value, age and outside-reference flag of one analyte."""
    inputs = ", ".join(_OTHER_DAYS.get(name, name) for name in analyte.derived_from)
    value = Feature(
        name=analyte.name,
        unit=analyte.unit,
        label_nb=analyte.label_nb,
        label_en=analyte.label_en,
        domain=analyte.domain,
        modifiable=analyte.modifiable,
        expected_direction=analyte.higher_is_worse,
        table="lab_results",
        meaning=_VALUE + (_DERIVED.format(inputs=inputs) if inputs else ""),
    )
    age = replace(
        value,
        name=f"{analyte.name}_age_days",
        unit="d",
        label_nb=f"{analyte.label_nb}: dager siden prøven",
        label_en=f"{analyte.label_en}: days since the sample",
        modifiable=False,
        expected_direction=0,
        meaning="t minus the day of the latest sample",
    )
    outside = replace(
        value,
        name=f"{analyte.name}_outside",
        unit="1",
        label_nb=f"{analyte.label_nb}: utenfor referanseområdet",
        label_en=f"{analyte.label_en}: outside the reference interval",
        expected_direction=1,
        meaning=_OUTSIDE,
    )
    return value, age, outside


FEATURES = tuple(feature for analyte in ANALYTES for feature in _features(analyte))


def compute(known: Known) -> np.ndarray:
    """Number the lab levels.

    Parameters
    ----------
    known : Known of N persons

    Returns
    -------
    float32 array, shape (N, 3 * n_analytes); NaN where never measured or without consent for lab results.
    """
    result = np.full((len(known) * len(ANALYTES), 3), np.nan, dtype=np.float32)
    if len(known.labs["person"]):
        latest = _latest(known)
        place = _place(latest.person, latest.analyte)
        result[place, 0] = latest.value
        result[place, 1] = known.t[latest.person] - latest.day
        verdict = np.where(latest.outside == UNKNOWN, _outside_fallback(known, latest), latest.outside)
        result[place, 2] = np.where(verdict < 0, np.nan, verdict)
    return result.reshape(len(known), len(FEATURES))


def observed_on(known: Known) -> np.ndarray:
    """Return the day of the sample behind every level, age and flag; see ``FeatureGroup``."""
    days = np.full(len(known) * len(ANALYTES), NO_DAY, dtype=np.int32)
    if len(known.labs["person"]):
        latest = _latest(known)
        days[_place(latest.person, latest.analyte)] = latest.day
    return days.reshape(len(known), len(ANALYTES)).repeat(3, axis=1)


class _Latest(NamedTuple):
    """The latest result of a person and analyte, measured or else derived; ``outside`` is the laboratory's own verdict."""

    person: np.ndarray
    analyte: np.ndarray
    day: np.ndarray
    value: np.ndarray
    comparator: np.ndarray
    outside: np.ndarray


def _latest(known: Known) -> _Latest:
    last = run_ends(_place(known.labs["person"], known.labs["analyte"]))
    measured = _Latest(*(known.labs[name][last] for name in _Latest._fields))
    derived = derived_results(known)
    if derived is None:
        return measured
    # The last day on which a derived result gives way: one day less for a bound, which it replaces on the same day.
    measured_until = np.full(len(known) * len(ANALYTES), NO_DAY, dtype=np.int32)
    measured_until[_place(measured.person, measured.analyte)] = measured.day - (measured.comparator != EXACT)
    newer = (derived.day > measured_until[_place(derived.person, derived.analyte)]).nonzero()[0]
    columns = {name: column[newer] for name, column in derived._asdict().items()}
    exact, unknown = (np.full(len(newer), code, dtype=np.int8) for code in (EXACT, UNKNOWN))
    more = _Latest(**columns, comparator=exact, outside=unknown)
    # A newer derived result comes after the measured one of its place, and so is written over it.
    return _Latest(*(np.concatenate(pair) for pair in zip(measured, more, strict=True)))


def _place(person: np.ndarray, analyte: np.ndarray) -> np.ndarray:
    return person.astype(np.int64) * len(ANALYTES) + analyte


def _outside_fallback(known: Known, latest: _Latest) -> np.ndarray:
    """Return the verdict against the fallback interval of the person's sex and age."""
    sex = is_female(known)[latest.person].astype(np.int8)
    age = age_in_year_of(known, latest.person, latest.day)
    for_sex = _against(latest, np.maximum(sex, 0), age)
    unknown = sex == UNKNOWN
    if not unknown.any():
        return for_sex
    other = _against(latest, np.ones_like(sex), age)
    return np.where(unknown & (for_sex != other), UNKNOWN, for_sex)


def _against(latest: _Latest, sex: np.ndarray, age: np.ndarray) -> np.ndarray:
    # In float32, so that a value on a limit is that limit whatever the conversion of its unit did to the last bits.
    return outside(latest.value.astype(np.float32), latest.comparator, *limits_inside(latest.analyte, sex, age))


GROUP = FeatureGroup("lab_levels", FEATURES, compute, observed_on, version=2)
