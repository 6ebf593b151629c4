"""Laboratory and bedside measurements: the latest value in the canonical unit, its age, and whether it lies outside."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from data_contracts.analytes import ANALYTES, Analyte
from features.as_of import Known
from features.feature import Feature, FeatureGroup
from features.gathering import UNKNOWN
from features.life_situation import is_female
from features.segments import run_ends

_VALUE = (
    "latest value sampled before t, in the canonical unit; of several that day the one known last; "
    "a bound (<1, >90) counts as the value"
)
_OUTSIDE = (
    "1 if the latest value is outside the laboratory's interval (limits are inside) or, if it gave none, "
    "the fallback for the person's sex; sex unknown: only where both agree"
)


def _features(analyte: Analyte) -> tuple[Feature, Feature, Feature]:
    """Value, age and outside-reference flag of one analyte."""
    value = Feature(
        name=analyte.name,
        unit=analyte.unit,
        label_nb=analyte.label_nb,
        label_en=analyte.label_en,
        domain=analyte.domain,
        modifiable=analyte.modifiable,
        expected_direction=analyte.higher_is_worse,
        table="lab_results",
        meaning=_VALUE,
        age_feature=f"{analyte.name}_age_days",
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
    rows = known.labs
    group = rows["person"].astype(np.int64) * len(ANALYTES) + rows["analyte"]
    latest = run_ends(group)
    person, place = rows["person"][latest], group[latest]
    result = np.full((len(known) * len(ANALYTES), 3), np.nan, dtype=np.float32)
    result[place, 0] = rows["value"][latest]
    result[place, 1] = known.t[person] - rows["day"][latest]
    outside = _outside(is_female(known)[person], rows["outside_female"][latest], rows["outside_male"][latest])
    result[place, 2] = np.where(outside == UNKNOWN, np.nan, outside)
    return result.reshape(len(known), len(FEATURES))


def _outside(female: np.ndarray, for_females: np.ndarray, for_males: np.ndarray) -> np.ndarray:
    agreed = np.where(for_females == for_males, for_females, UNKNOWN)
    return np.where(female == 1, for_females, np.where(female == 0, for_males, agreed))


GROUP = FeatureGroup("lab_levels", FEATURES, compute)
