"""Patterns in the absence before the index date: what is running, how often and how regularly absence comes, how it
changes from year to year, how much of the right to self-certify is used, and the season.
"""

from __future__ import annotations

import math

import numpy as np

from data_contracts.absence_warnings import QUOTAS
from features.absence_stretches import BY_DOCTOR, BY_SELF, Stretches, place
from features.as_of import Rows
from features.feature import Direction, Feature
from features.segments import reduce_groups, repeats

EARLIER_ABSENCE = (
    "Roelen et al., BMC Public Health 2013;13:105: days and spells of the year before predict those to come"
)
_TIME_ABSENT = "HelseIArbeid, concept report 2016: the chance to return falls after two to three months of absence"
_GRADED = "HelseIArbeid, concept report 2016: graded rather than full absence, and contact with work, favour the return"

_MOST_DAYS, _MOST_TIMES = QUOTAS["extended"].days_in_12_months, QUOTAS["ordinary"].times_in_12_months
_QUOTA = np.array([[_MOST_DAYS], [_MOST_TIMES]], dtype=np.float64)
_MOST_STRETCHES = 183  # every other day of 365
_LAST_YEAR = np.array([place("days", kind, 365) for kind in ("doctor", "self")])
_TWO_YEARS = np.array([place("days", kind, 730) for kind in ("doctor", "self")])
_OWN = np.array([place(measure, "self", 365) for measure in ("days", "starts")])
_DAYS_ANY, _SINCE_SEASON, _REACHING_ANY = (
    place(*one) for one in (("days", "any", 365), ("days", "any", 275), ("reaching", "any", 365))
)
_GAP_WINDOW = 730


def _feature(
    name: str, unit: str, nb: str, en: str, meaning: str, low: float, high: float, source: str = "",
    direction: Direction = 0, table: str = "absence_spells",
) -> Feature:  # fmt: skip
    return Feature(
        name, unit, nb, en, "absence_history", False, direction, table, meaning, low=low, high=high, source=source
    )


FEATURES = (
    _feature(
        "running_doctor", "1", "Legemeldt fravær pågår", "Doctor-certified absence is running",
        "1 if a doctor-certified spell began before t and has no last day before t, else 0", 0, 1, EARLIER_ABSENCE, 1,
    ),
    _feature(
        "running_self", "1", "Egenmeldt fravær pågår", "Self-certified absence is running",
        "1 if a self-certified spell began before t and has no last day before t, else 0", 0, 1,
    ),
    _feature(
        "running_days_doctor", "d", "Dager så langt i det legemeldte fraværet som pågår",
        "Days so far of the doctor-certified absence that is running",
        "if running_doctor is 1, the length before t of the stretch of doctor-certified days that contains t-1, else 0",
        0, math.inf, _TIME_ABSENT, 1,
    ),
    _feature(
        "running_grade", "%", "Grad av det legemeldte fraværet som pågår",
        "Grade of the doctor-certified absence that is running",
        "highest grade of the doctor-certified spells that began before t and have no last day before t; 0 without any",
        0, 100, _GRADED, 1,
    ),
    _feature(
        "bradford_365", "1", "Hyppighet av fravær siste 365 dager (Bradford-faktor)",
        "Frequency of absence, last 365 days (Bradford factor)",
        "S x S x D: S the stretches of the union of all spells that have a day in [t-365, t), D their days in it",
        0, _MOST_STRETCHES**3, EARLIER_ABSENCE, 1,
    ),
    _feature(
        "trend_days_doctor", "d", "Endring i legemeldte fraværsdager fra forrige til siste 365 dager",
        "Change in doctor-certified absence days from the previous to the last 365 days",
        "doctor-certified days in [t-365, t) minus those in [t-730, t-365)", -365, 365,
    ),
    _feature(
        "trend_days_self", "d", "Endring i egenmeldte fraværsdager fra forrige til siste 365 dager",
        "Change in self-certified absence days from the previous to the last 365 days",
        "self-certified days, less doctor-certified ones, in [t-365, t) minus those in [t-730, t-365)", -365, 365,
    ),
    _feature(
        "quota_days_used_365", "1", f"Andel brukt av {_MOST_DAYS} egenmeldingsdager (utvidet ordning, IA), siste 365 dager",
        f"Share used of {_MOST_DAYS} self-certified days (the extended IA scheme), last 365 days",
        f"days_self_365 / {_MOST_DAYS}, at most 1; {_MOST_DAYS} days is the extended scheme of the IA agreement", 0, 1,
        EARLIER_ABSENCE, 1,
    ),
    _feature(
        "quota_times_used_365", "1", f"Andel brukt av {_MOST_TIMES} egenmeldinger (vanlig ordning), siste 365 dager",
        f"Share used of {_MOST_TIMES} self-certifications (the ordinary scheme), last 365 days",
        f"starts_self_365 / {_MOST_TIMES}, at most 1; {_MOST_TIMES} times is the ordinary scheme of the law", 0, 1,
        EARLIER_ABSENCE, 1,
    ),
    _feature(
        "days_any_same_season", "d", "Fraværsdager i den årstiden som kommer, for ett år siden",
        "Absence days in the coming season, one year ago", "days in [t-365, t-275) of the union of all spells", 0, 90,
    ),
    _feature(
        "gap_last_doctor", "d", "Dager mellom de to siste sammenhengende periodene med legemeldt fravær",
        "Days between the last two unbroken periods (stretches) of doctor-certified absence",
        "first day of the last stretch of doctor-certified days before t, minus the last day of the one before it, "
        "minus 1; NaN with fewer than two", 1, math.inf,
    ),
    _feature(
        "gap_mean_doctor_730", "d", "Dager mellom sammenhengende perioder med legemeldt fravær, gjennomsnitt siste 730 dager",
        "Days between unbroken periods (stretches) of doctor-certified absence, mean of the last 730 days",
        "mean number of days between stretches of doctor-certified days, over those whose later stretch begins in "
        "[t-730, t); NaN without any", 1, math.inf,
    ),
    _feature(
        "season_sin", "1", "Tid på året (sinus)", "Time of the year (sine)",
        "sine of 2 pi x day of the year of t / 365.25, known without any consent", -1, 1, table="persons",
    ),
    _feature(
        "season_cos", "1", "Tid på året (cosinus)", "Time of the year (cosine)",
        "cosine of 2 pi x day of the year of t / 365.25, known without any consent", -1, 1, table="persons",
    ),
)  # fmt: skip
N_FACTS_OF_T = 2
"""The last features, which follow from t alone."""
_RUNNING, _BRADFORD, _TRENDS, _QUOTAS, _SAME_SEASON, _GAPS = slice(4), 4, slice(5, 7), slice(7, 9), 9, slice(10, 12)

_CALENDAR_CYCLE = 146_097
"""Days in 400 years, after which the calendar repeats."""


def _seasons() -> np.ndarray:
    """Sine and cosine of the time of the year on every day of the calendar, from 1970-01-01, shape (2, days)."""
    date = np.arange(_CALENDAR_CYCLE).astype("datetime64[D]")
    day_of_year = (date - date.astype("datetime64[Y]")).astype(np.int64) + 1
    angle = 2 * np.pi * day_of_year / 365.25
    return np.array([np.sin(angle), np.cos(angle)], dtype=np.float32)


_SEASONS = _seasons()


def season(t: np.ndarray) -> np.ndarray:
    """Return the sine and the cosine of the time of the year, float32, shape (2, N)."""
    return _SEASONS[:, t % _CALENDAR_CYCLE]


def set_patterns(rows: Rows, stretches: Stretches, sums: np.ndarray, columns: np.ndarray) -> None:
    """Set the patterns, for those who have any absence.

    Parameters
    ----------
    rows : spells of N persons that count
    stretches : their stretches
    sums : their totals, shape (n_totals, N), in the order of ``place``
    columns : float32 array, shape (n_features, N)
        What applies to somebody without absence, to be overwritten.
    """
    days_any = sums[_DAYS_ANY]
    columns[_BRADFORD] = sums[_REACHING_ANY] ** 2 * days_any
    columns[_TRENDS] = 2 * sums[_LAST_YEAR] - sums[_TWO_YEARS]
    columns[_QUOTAS] = np.minimum(sums[_OWN] / _QUOTA, 1)
    columns[_SAME_SEASON] = days_any - sums[_SINCE_SEASON]
    n_by_doctor = stretches.group.searchsorted(sums.shape[1])
    person, first, last = (column[:n_by_doctor] for column in stretches)
    _set_running(rows, person, first, columns[_RUNNING])
    _set_gaps(person, first, last, columns[_GAPS])


def _set_running(rows: Rows, person: np.ndarray, first: np.ndarray, columns: np.ndarray) -> None:
    """Set what is running; ``person`` and ``first`` are those of the doctor-certified stretches."""
    goes_on = rows["is_running"].nonzero()[0]
    if not len(goes_on):
        return
    owner, by_doctor = rows["person"][goes_on], rows["by_doctor"][goes_on]
    columns[BY_SELF, owner[~by_doctor]] = 1
    owner, grade = owner[by_doctor], rows["grade"][goes_on][by_doctor]
    begun = np.zeros(columns.shape[1], dtype=np.int32)
    begun[person] = -first  # of the stretches of a person the last one is set last
    columns[BY_DOCTOR, owner] = 1
    columns[2, owner] = begun[owner]
    columns[3] = reduce_groups(np.maximum, owner, len(begun), grade)


def _set_gaps(person: np.ndarray, first: np.ndarray, last: np.ndarray, columns: np.ndarray) -> None:
    """Set the last and the mean gap from sorted stretches."""
    earlier = repeats(person).nonzero()[0]
    if not len(earlier):
        return
    n = columns.shape[1]
    person, first = person[earlier + 1], first[earlier + 1]
    gap = first - last[earlier] - 1
    columns[0, person] = gap  # of the gaps of a person the last one is set last
    counts = first >= -_GAP_WINDOW
    number = np.bincount(person, counts, n)
    number[number == 0] = np.nan
    columns[1] = np.bincount(person, gap * counts, n) / number
