"""The latest value of each measurement, how far it lies outside its interval, how old it is, and how much was measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from data_contracts.analytes import ANALYTES, Analyte, Examination, limits_inside, reference_limits
from data_contracts.time_windows import NO_DAY
from features.as_of import Known
from features.derived_labs import person_and_analyte
from features.feature import Feature
from features.gathering import EXACT, FURTHEST, NO_OWN_INTERVAL, UNKNOWN, distance, undecided
from features.lab_series import N_ANALYTES, Latest
from features.life_situation import age_in_year_of, is_female
from features.segments import run_ends

_WINDOW = 730
_NO_DISTANCE = ("height", "weight")
"""Of these alone nothing is high or low, so that no laboratory gives an interval."""

_VALUE = (
    "latest value sampled before t, in the canonical unit; of several that day an exact one before a bound (<1, >90), "
    "then the one known last; a bound counts as the value"
)
_DERIVED = (
    "; on a day without an exact measured value computed from {inputs}, where these are known and no bounds and the result "
    "is from {low:g} to {high:g}"
)
_OTHER_DAYS = {"height": "height (the latest by that day, else the first after it)"}
_DISTANCE = (
    "how far the latest value lies outside the laboratory's interval (limits are inside) or, if it gave none, the fallback "
    "for the person's sex and age in the year of the sample: (value - high) / high above, (value - low) / low below, 0 "
    "inside; sex unknown: only where both sexes have the same; a bound: that of the number, where all that it leaves "
    "possible, from 0 on, is outside or all inside; unknown where the limit is no more than a millionth of the value"
)
_UNFAVOURABLE = (
    "the medically unfavourable side of the reference interval ({source}); no predictor of these outcomes: no evidence for "
    "laboratory values was found"
)
_EXAMINATIONS: dict[Examination, tuple[str, str]] = {
    "blood_sample": ("Dager siden siste blodprøve", "Days since the latest blood sample"),
    "blood_pressure": ("Dager siden siste blodtrykksmåling", "Days since the latest blood pressure measurement"),
    "body_measure": (
        "Dager siden siste måling av høyde, vekt eller livvidde",
        "Days since height, weight or waist was last measured",
    ),
}


def level(analyte: Analyte) -> Feature:
    """Return the latest value of an analyte as a feature."""
    inputs = ", ".join(_OTHER_DAYS.get(name, name) for name in analyte.derived_from)
    derived = _DERIVED.format(inputs=inputs, low=analyte.hard_low, high=analyte.hard_high) if inputs else ""
    return Feature(
        name=analyte.name,
        unit=analyte.unit,
        label_nb=analyte.label_nb,
        label_en=analyte.label_en,
        domain=analyte.domain,
        modifiable=analyte.modifiable,
        expected_direction=analyte.higher_is_worse,
        table="lab_results",
        meaning=_VALUE + derived,
        low=analyte.hard_low,
        high=analyte.hard_high,
        source=_UNFAVOURABLE.format(source=analyte.interval_source) if analyte.higher_is_worse else "",
        valid_days=analyte.valid_days,
    )


def _distance(analyte: Analyte) -> Feature:
    return replace(
        level(analyte),
        name=f"{analyte.name}_distance",
        unit="1",
        label_nb=f"{analyte.label_nb}: avstand utenfor referanseområdet, som andel av grensen",
        label_en=f"{analyte.label_en}: distance outside the reference interval, as a share of the limit",
        meaning=_DISTANCE,
        low=-1.0,
        high=FURTHEST,
    )


def _age(examination: Examination) -> Feature:
    label_nb, label_en = _EXAMINATIONS[examination]
    names = ", ".join(one.name for one in ANALYTES if one.examination == examination)
    return Feature(
        f"{examination}_age_days", "d", label_nb, label_en, "diet_and_cardiometabolic", False, 0, "lab_results",
        f"t minus the day of the latest result, measured or derived, of {names}", low=1.0,
    )  # fmt: skip


_COUNTS = (
    Feature(
        "lab_bounds_count", "1", "Målinger der siste resultat bare er en grense (< eller >)",
        "Measurements whose latest result is only a limit (< or >)", "diet_and_cardiometabolic", False, 0, "lab_results",
        "number of analytes whose latest result, measured or derived, is a bound", low=0.0, high=N_ANALYTES,
    ),
    Feature(
        f"analytes_measured_{_WINDOW}", "1", f"Ulike målinger siste {_WINDOW} dager",
        f"Different measurements, last {_WINDOW} days", "diet_and_cardiometabolic", False, 0, "lab_results",
        f"number of analytes with a result, measured and not derived, sampled in [t-{_WINDOW}, t)", low=0.0, high=N_ANALYTES,
    ),
)  # fmt: skip

_WITH_DISTANCE = [place for place, one in enumerate(ANALYTES) if one.name not in _NO_DISTANCE]
_OF_EXAMINATION = [[place for place, one in enumerate(ANALYTES) if one.examination == name] for name in _EXAMINATIONS]
_BY_EXAMINATION = np.concatenate(_OF_EXAMINATION)
_EXAMINATION_STARTS = np.cumsum([0, *map(len, _OF_EXAMINATION[:-1])])

FEATURES = (
    *map(level, ANALYTES),
    *(_distance(ANALYTES[place]) for place in _WITH_DISTANCE),
    *map(_age, _EXAMINATIONS),
    *_COUNTS,
)
_DISTANCES = slice(N_ANALYTES, N_ANALYTES + len(_WITH_DISTANCE))
_AGES = slice(_DISTANCES.stop, _DISTANCES.stop + len(_EXAMINATIONS))
COUNTS = slice(_AGES.stop, len(FEATURES))
"""The last of them, which are 0 where nothing was measured."""
_BOUNDS, _MEASURED = range(COUNTS.start, COUNTS.stop)


def fill_levels(numbers: np.ndarray, known: Known, place: np.ndarray, found: Latest) -> None:
    """Write the numbers of the latest results, where there are any.

    Parameters
    ----------
    numbers : float32 array, shape (N, n_features)
        With NaN for all but the counts, which are 0.
    known : Known of N persons
        With at least one row of labs.
    place, found : as in :mod:`features.lab_series`
    """
    numbers[:, :N_ANALYTES] = found.value.reshape(-1, N_ANALYTES)
    numbers[:, _DISTANCES] = _filled_in(known, found).reshape(-1, N_ANALYTES)[:, _WITH_DISTANCE]
    examined = _examined_on(found)
    numbers[:, _AGES] = np.where(examined == NO_DAY, np.nan, known.t[:, np.newaxis] - examined.astype(np.float64))
    if found.has_bounds:
        numbers[:, _BOUNDS] = (found.comparator.reshape(-1, N_ANALYTES) != EXACT).sum(axis=1)
    numbers[:, _MEASURED] = _n_measured(known, place)


def days_of_levels(found: Latest) -> np.ndarray:
    """Return the day of the result behind each of them, int32 of shape (N, n_features); ``NO_DAY`` without, as of counts."""
    day = found.day.reshape(-1, N_ANALYTES)
    counts = np.full((len(day), len(_COUNTS)), NO_DAY, dtype=np.int32)
    return np.concatenate((day, day[:, _WITH_DISTANCE], _examined_on(found), counts), axis=1)


def _examined_on(found: Latest) -> np.ndarray:
    by_examination = found.day.reshape(-1, N_ANALYTES)[:, _BY_EXAMINATION]
    return np.asarray(np.maximum.reduceat(by_examination, _EXAMINATION_STARTS, axis=1))


def _n_measured(known: Known, place: np.ndarray) -> np.ndarray:
    last = run_ends(place)
    person = known.labs["person"][last]
    recent = known.labs["day"][last] >= known.t[person] - _WINDOW
    return np.bincount(person[recent], minlength=len(known))


def _filled_in(known: Known, found: Latest) -> np.ndarray:
    """Return the distance from the laboratory's interval or, if it gave none, from the fallback of the person."""
    places = (found.distance == NO_OWN_INTERVAL).nonzero()[0]
    if not len(places):
        return found.distance
    person, analyte = person_and_analyte(places)
    results = found.value[places], found.comparator[places]
    sex, age = is_female(known)[person].astype(np.int8), age_in_year_of(known, person, found.day[places])
    from_fallback = _against(*results, analyte, np.maximum(sex, 0), age)
    unsure = (sex == UNKNOWN).nonzero()[0]
    if len(unsure):
        value, comparator, of_analyte, of_age = (one[unsure] for one in (*results, analyte, age))
        other = _against(value, comparator, of_analyte, np.ones_like(unsure), of_age)
        from_fallback[unsure[from_fallback[unsure] != other]] = np.nan
    filled = found.distance.copy()
    filled[places] = from_fallback
    return filled


def _against(
    value: np.ndarray, comparator: np.ndarray, analyte: np.ndarray, sex: np.ndarray, age: np.ndarray
) -> np.ndarray:
    low, high = reference_limits(analyte, sex, age)
    found = distance(value, low, high)
    found[(low != low) & (high != high)] = np.nan
    if comparator.any():
        # In float32, so that a bound on a limit is that limit whatever the conversion of its unit did to the last bits.
        found[undecided(value.astype(np.float32), comparator, *limits_inside(analyte, sex, age))] = np.nan
    return found
