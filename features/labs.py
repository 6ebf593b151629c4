"""All features of laboratory and bedside measurements, computed from one pass over the results."""

from __future__ import annotations

import numpy as np

from data_contracts.consent import SOURCES
from data_contracts.time_windows import NO_DAY
from features import lab_levels, lab_trends
from features.as_of import Known, once
from features.feature import FeatureGroup
from features.lab_levels import COUNTS, days_of_levels, fill_levels
from features.lab_series import Latest, Series, latest, places, series
from features.lab_trends import days_of_courses, fill_courses

_SOURCE = SOURCES.index("lab")

FEATURES = (*lab_levels.FEATURES, *lab_trends.FEATURES)
_N_LEVELS = len(lab_levels.FEATURES)


def compute(known: Known) -> np.ndarray:
    """Number the measurements.

    Parameters
    ----------
    known : Known of N persons

    Returns
    -------
    float32 array, shape (N, n_features); NaN where never measured, and everywhere without consent for lab results.
    """
    result = np.full((len(known), len(FEATURES)), np.nan, dtype=np.float32)
    result[:, COUNTS] = 0
    if len(known.labs["person"]):
        place, exact, last = _results(known)
        fill_levels(result[:, :_N_LEVELS], known, place, last)
        fill_courses(result[:, _N_LEVELS:], exact)
    result[~known.consented[:, _SOURCE]] = np.nan
    return result


@once
def _results(known: Known) -> tuple[np.ndarray, Series, Latest]:
    """Return the place of each row of labs, of which there is at least one, the exact results, and the latest ones."""
    place = places(known)
    exact = series(known, place)
    return place, exact, latest(known, place, exact)


def observed_on(known: Known) -> np.ndarray:
    """Return the day of the result behind every feature; see ``FeatureGroup``."""
    if not len(known.labs["person"]):
        return np.full((len(known), len(FEATURES)), NO_DAY, dtype=np.int32)
    _, exact, last = _results(known)
    of_levels = days_of_levels(last)
    return np.concatenate((of_levels, days_of_courses(len(known), exact)), axis=1)


GROUP = FeatureGroup("labs", FEATURES, compute, observed_on, version=3)
