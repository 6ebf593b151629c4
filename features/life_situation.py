"""Who the person is, and the guidance received within the programme."""

from __future__ import annotations

import math

import numpy as np

from features.as_of import Known
from features.feature import Direction, Feature, FeatureGroup
from features.gathering import GUIDANCE_DOMAINS, UNKNOWN

_NEW_YEARS = np.arange("0001", "10000", dtype="datetime64[Y]").astype("datetime64[D]").astype(np.int32)
_YEAR, _QUARTER = 365, 90
_WOMEN = "NAV, doctor-certified absence in the second quarter of 2017: women 6.8 %, men 3.8 %"


def _about_person(
    name: str, unit: str, nb: str, en: str, meaning: str, low: float, high: float, source: str = "",
    direction: Direction = 0,
) -> Feature:  # fmt: skip
    return Feature(
        name, unit, nb, en, "life_situation", False, direction, "persons", meaning, low=low, high=high, source=source
    )


def _of_guidance(name: str, unit: str, nb: str, en: str, meaning: str, low: float, high: float) -> Feature:
    return Feature(name, unit, nb, en, "life_situation", False, 0, "guidance_sessions", meaning, low=low, high=high)


FEATURES = (
    _about_person("age_years", "a", "Alder", "Age", "calendar year of t minus birth year", 0, 150),
    _about_person("is_female", "1", "Kvinne", "Woman", "1 female, 0 male", 0, 1,
                  _WOMEN, 1),
    _about_person("education", "level", "Utdanningsnivå", "Level of education",
                  "highest completed: 1 basic, 2 secondary, 3 tertiary up to four years, 4 longer", 1, 4),
    _of_guidance(f"guidance_sessions_{_YEAR}", "1", f"Veiledningstimer siste {_YEAR} dager",
                 f"Guidance sessions, last {_YEAR} days", f"sessions held in [t-{_YEAR}, t)",
                 0, _YEAR * len(GUIDANCE_DOMAINS)),
    _of_guidance(f"guidance_sessions_{_QUARTER}", "1", f"Veiledningstimer siste {_QUARTER} dager",
                 f"Guidance sessions, last {_QUARTER} days", f"sessions held in [t-{_QUARTER}, t)",
                 0, _QUARTER * len(GUIDANCE_DOMAINS)),
    _of_guidance(f"guidance_domains_{_YEAR}", "1", f"Temaer i veiledningen siste {_YEAR} dager",
                 f"Subjects of guidance, last {_YEAR} days",
                 f"distinct domains of the sessions held in [t-{_YEAR}, t)", 0, len(GUIDANCE_DOMAINS)),
    _of_guidance("days_since_guidance", "d", "Dager siden siste veiledningstime",
                 "Days since the last guidance session",
                 "t minus the day of the last session before t; NaN: none recorded", 1, math.inf),
)  # fmt: skip
_GUIDANCE = slice(3, len(FEATURES))


def compute(known: Known) -> np.ndarray:
    """Number the life situation.

    Parameters
    ----------
    known : Known of N persons

    Returns
    -------
    float32 array, shape (N, n_features); NaN where unknown, for guidance without consent for surveys or without a table.
    """
    columns = np.empty((len(FEATURES), len(known)), dtype=np.float32)
    columns[:3] = np.nan
    rows = known.persons
    person, education = rows["person"], rows["education"]
    columns[0, person] = _calendar_year(known.t[person]) - rows["birth_year"]
    columns[1, person] = rows["is_female"]
    columns[2, person] = np.where(education == UNKNOWN, np.nan, education)
    _set_guidance(known, columns[_GUIDANCE])
    refused = (~known.guidance_told).nonzero()[0]
    if len(refused):
        columns[_GUIDANCE, refused] = np.nan
    return columns.T


def is_female(known: Known) -> np.ndarray:
    """Return 1 female, 0 male, -1 unknown, per person."""
    return _of_person(known, "is_female", UNKNOWN)


def age_in_year_of(known: Known, person: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Return the calendar year of each day minus the birth year of the person (a position), NaN where unknown."""
    return np.asarray(_calendar_year(day) - _of_person(known, "birth_year", np.nan)[person])


def _calendar_year(day: np.ndarray) -> np.ndarray:
    return _NEW_YEARS.searchsorted(day, side="right")  # a fifth of what NumPy's conversion of dates takes


def _of_person(known: Known, column: str, missing: float) -> np.ndarray:
    values = np.full(len(known), missing, dtype=np.float32)
    values[known.persons["person"]] = known.persons[column]
    return values


def _set_guidance(known: Known, columns: np.ndarray) -> None:
    """Set sessions in a year and in a quarter, domains in a year, and days since the last session."""
    person, n = known.guidance["person"], len(known)
    columns[:3] = 0
    columns[3] = np.nan
    if not len(person):
        return
    days_ago = known.t[person] - known.guidance["day"]
    columns[3, person] = days_ago  # of the sessions of a person the last one is set last
    in_year = (days_ago <= _YEAR).nonzero()[0]
    person, days_ago, domain = person[in_year], days_ago[in_year], known.guidance["domain"][in_year]
    columns[0] = np.bincount(person, minlength=n)
    columns[1] = np.bincount(person, days_ago <= _QUARTER, n)
    met = np.zeros((n, len(GUIDANCE_DOMAINS)), dtype=np.float32)
    met[person, domain] = 1
    columns[2] = met.sum(axis=1)


GROUP = FeatureGroup("life_situation", FEATURES, compute)
