"""How questionnaires are answered: how often, how recently, how fully, and whether with one answer throughout."""

from __future__ import annotations

import numpy as np

from data_contracts.consent import SOURCES
from data_contracts.instruments import INSTRUMENTS, VALID_DAYS
from data_contracts.time_windows import NO_DAY
from features.answer_sheets import FEWEST_TO_BE_STRAIGHT
from features.as_of import Known, once
from features.feature import Feature, FeatureGroup
from features.segments import reduce_groups, run_ends, run_numbers, run_starts

_SOURCE = SOURCES.index("survey")
_TWO_YEARS = 730
_N_ITEMS = np.array([len(instrument.items) for instrument in INSTRUMENTS.values()], dtype=np.int64)


def _feature(name: str, unit: str, label_nb: str, label_en: str, meaning: str, low: float, high: float) -> Feature:
    is_of_latest_day = name not in ("survey_days_730", "days_since_survey")
    return Feature(
        name, unit, label_nb, label_en, "life_situation", False, 0, "survey_answers", meaning, low, high,
        valid_days=VALID_DAYS if is_of_latest_day else None,
    )  # fmt: skip


FEATURES = (
    _feature(
        "survey_days_730", "1", "Dager med svar på spørreskjema siste 730 dager",
        "Days with answers to a questionnaire, last 730 days",
        "distinct days in [t-730, t) with an answer to a declared questionnaire", 0, _TWO_YEARS,
    ),
    _feature(
        "days_since_survey", "d", "Dager siden siste svar på et spørreskjema",
        "Days since the latest answers to any questionnaire", "t minus the latest such day before t; NaN: none recorded",
        1, np.inf,
    ),
    _feature(
        "instruments_answered", "1", "Antall skjemaer i siste undersøkelse", "Number of questionnaires in the latest survey",
        "declared questionnaires with an answer on the latest such day", 1, len(INSTRUMENTS),
    ),
    _feature(
        "survey_items_missing_share", "1",
        "Andel uten svar av alle spørsmål i påbegynte skjemaer, også slike programmet ikke stilte, i siste undersøkelse",
        "Share without an answer of all questions of the questionnaires begun, also those the programme did not ask, in the "
        "latest survey",
        "1 minus answers divided by questions, of the questionnaires with an answer on the latest such day: all their "
        "questions count, also those that the programme does not ask", 0, 1,
    ),
    _feature(
        "straight_lining_share", "1", "Andel skjemaer med samme svar på alt i siste undersøkelse",
        "Share of questionnaires with the same answer throughout in the latest survey",
        f"of the questionnaires with at least {FEWEST_TO_BE_STRAIGHT} answers on the latest such day, those whose answers "
        "are all of one code; a healthy person who answers “not at all” throughout has it too", 0, 1,
    ),
)  # fmt: skip


def compute(known: Known) -> np.ndarray:
    """Number the response to surveys.

    Parameters
    ----------
    known : Known of N persons

    Returns
    -------
    float32 array, shape (N, 5); NaN where never answered (but 0 days) and without consent for surveys.
    """
    return _numbers(known).copy()


@once
def _numbers(known: Known) -> np.ndarray:
    result = np.full((len(known), len(FEATURES)), np.nan, dtype=np.float32)
    result[known.consented[:, _SOURCE], 0] = 0
    rows = known.sheets
    if not len(rows["person"]):
        return result
    starts = run_starts(rows["person"], rows["day"])
    person, day = rows["person"][starts], rows["day"][starts]
    latest = run_ends(person)
    whose = person[latest]
    recent = person[day >= known.t[person] - _TWO_YEARS]
    result[whose, 0] = np.bincount(recent, minlength=len(known))[whose]
    result[whose, 1] = known.t[whose] - day[latest]

    n_answered = rows["n_answered"]
    counts = np.empty((len(n_answered), 5), dtype=np.int64)
    counts[:, 0], counts[:, 1], counts[:, 2] = 1, n_answered, _N_ITEMS[rows["instrument"]]
    counts[:, 3], counts[:, 4] = n_answered >= FEWEST_TO_BE_STRAIGHT, rows["is_straight"]
    run = run_numbers(starts, len(n_answered))
    n_instruments, answered, asked, n_long, n_straight = reduce_groups(np.add, run, len(starts), counts)[latest].T
    result[whose, 2] = n_instruments
    result[whose, 3] = 1 - answered / asked
    result[whose, 4] = n_straight / np.where(n_long, n_long, np.nan)
    return result


def _latest_day(known: Known) -> np.ndarray:
    """Return the day of the latest survey of every person, ``NO_DAY`` where there is none."""
    days = np.full(len(known), NO_DAY, dtype=np.int32)
    latest = run_ends(known.sheets["person"])
    days[known.sheets["person"][latest]] = known.sheets["day"][latest]
    return days


def observed_on(known: Known) -> np.ndarray:
    """Return the day of the latest survey, for all but the count over a window; see ``FeatureGroup``."""
    days = np.repeat(_latest_day(known)[:, np.newaxis], len(FEATURES), axis=1)
    days[:, 0] = NO_DAY
    days[np.isnan(_numbers(known))] = NO_DAY
    return days


GROUP = FeatureGroup("survey_response", FEATURES, compute, observed_on)
