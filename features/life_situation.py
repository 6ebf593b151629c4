"""Who the person is, and the guidance received within the programme."""

from __future__ import annotations

import numpy as np

from data_contracts.consent import SOURCES
from features.as_of import Known
from features.feature import Feature, FeatureGroup
from features.gathering import UNKNOWN
from features.segments import run_ends

_SOURCE = SOURCES.index("survey")
_YEAR = 365
_DAY, _YEARS = np.dtype("datetime64[D]"), np.dtype("datetime64[Y]")

FEATURES = (
    Feature(
        "age_years", "a", "Alder", "Age", "life_situation", False, 0, "persons", "calendar year of t minus birth year",
    ),
    Feature(
        "is_female", "1", "Kvinne", "Woman", "life_situation", False, 1, "persons", "1 female, 0 male",
    ),
    Feature(
        "education", "level", "Utdanningsnivå", "Level of education", "life_situation", False, -1, "persons",
        "highest completed: 1 basic, 2 secondary, 3 tertiary up to four years, 4 longer",
    ),
    Feature(
        "guidance_sessions_365", "1", "Veiledningstimer siste 365 dager", "Guidance sessions, last 365 days",
        "life_situation", True, 0, "guidance_sessions", "sessions held in [t-365, t)",
    ),
    Feature(
        "days_since_guidance", "d", "Dager siden siste veiledningstime", "Days since the last guidance session",
        "life_situation", True, 0, "guidance_sessions", "t minus the day of the last session before t; NaN is never",
    ),
)  # fmt: skip


def compute(known: Known) -> np.ndarray:
    """Number the life situation.

    Parameters
    ----------
    known : Known of N persons

    Returns
    -------
    float32 array, shape (N, n_features); NaN where unknown, for guidance without consent for surveys.
    """
    result = np.empty((len(known), len(FEATURES)), dtype=np.float32)
    result[:, 0] = age_in_year_of(known, np.arange(len(known)), known.t)
    result[:, 1] = is_female(known)
    result[:, 2] = _of_person(known, "education", UNKNOWN)
    result[:, 1:3][result[:, 1:3] == UNKNOWN] = np.nan
    result[:, 3], result[:, 4] = _guidance(known)
    result[~known.consented[:, _SOURCE], 3:] = np.nan
    return result


def is_female(known: Known) -> np.ndarray:
    """Return 1 female, 0 male, -1 unknown, per person."""
    return _of_person(known, "is_female", UNKNOWN)


def age_in_year_of(known: Known, person: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Return the calendar year of each day minus the birth year of the person (a position), NaN where unknown."""
    year = day.astype(_DAY).astype(_YEARS).astype(np.int64) + 1970
    return np.asarray(year - _of_person(known, "birth_year", np.nan)[person])


def _of_person(known: Known, column: str, missing: float) -> np.ndarray:
    values = np.full(len(known), missing, dtype=np.float32)
    values[known.persons["person"]] = known.persons[column]
    return values


def _guidance(known: Known) -> tuple[np.ndarray, np.ndarray]:
    person, day = known.guidance["person"], known.guidance["day"]
    days_since = np.full(len(known), np.nan)
    if not len(person):
        return np.zeros(len(known), dtype=np.int64), days_since
    recent = day >= known.t[person] - _YEAR
    sessions = np.bincount(person[recent], minlength=len(known))
    last = run_ends(person)
    days_since[person[last]] = known.t[person[last]] - day[last]
    return sessions, days_since


GROUP = FeatureGroup("life_situation", FEATURES, compute)
