"""Scale scores of the questionnaires: every latest one; of the core set also how it moves; and how old an answer is."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from data_contracts.instruments import CORE, INSTRUMENTS, VALID_DAYS, Instrument, Scale
from data_contracts.time_windows import NO_DAY, Days
from features.as_of import Known, once, scores_known
from features.feature import Feature, FeatureGroup
from features.histories import Histories
from features.segments import order_of, reduce_groups, run_numbers, run_starts
from features.sheet_layouts import SCALES, scales_of
from features.trends import SHORTEST_SPAN, STEEPEST, trends

_WITHOUT_COURSE = (
    "bis_case",
    "ipaq_category",
    "shc_complaints_count",
    "shc_substantial_count",
    "shc_pain_regions_count",
    "shc_groups_count",
)
"""Scales of the core set that say yes or no, or a level, or count over again what other scales add up."""

FOLLOWED = tuple(scale for one in CORE for scale in one.scales if scale.name not in _WITHOUT_COURSE)
"""Scales whose change and slope are features."""

_INSTRUMENTS = tuple(INSTRUMENTS.values())


def _level(instrument: Instrument, scale: Scale) -> Feature:
    return Feature(
        name=scale.name,
        unit="score",
        label_nb=scale.label_nb,
        label_en=scale.label_en,
        domain=scale.domain,
        modifiable=scale.modifiable,
        expected_direction=1 if scale.higher_is_worse else -1,
        table="survey_answers",
        meaning=f"latest score before t that can be computed, {scale.minimum:g}-{scale.maximum:g}",
        low=scale.minimum,
        high=scale.maximum,
        source=f"the unfavourable end by its scoring key; {instrument.source}",
        valid_days=VALID_DAYS,
    )


def _age(instrument: Instrument) -> Feature:
    # Titles of questionnaires name diseases; the label of a scale never does.
    first = instrument.scales[0]
    return Feature(
        name=f"{instrument.name}_age_days",
        unit="d",
        label_nb=f"Dager siden svar på skjemaet om «{first.label_nb}»",
        label_en=f"Days since the answers to the questionnaire on “{first.label_en}”",
        domain=first.domain,
        modifiable=False,
        expected_direction=0,
        table="survey_answers",
        meaning="t minus the latest day before t on which a scale of the questionnaire can be computed",
        low=1,
    )


def _change(level: Feature) -> Feature:
    width = level.high - level.low
    return replace(
        level,
        name=f"{level.name}_change",
        label_nb=f"{level.label_nb}: endring siden forrige svar",
        label_en=f"{level.label_en}: change since the answer before",
        modifiable=False,
        meaning="latest score minus the one before it, both before t",
        low=-width,
        high=width,
    )


def _slope(level: Feature) -> Feature:
    steepest = STEEPEST * (level.high - level.low)
    return replace(
        level,
        name=f"{level.name}_slope",
        unit="score/a",
        label_nb=f"{level.label_nb}: utvikling per år over de tre siste svarene",
        label_en=f"{level.label_en}: course per year over the latest three answers",
        modifiable=False,
        meaning=f"least-squares slope of the latest three scores before t, per 365.25 days; their first and last day are at "
        f"least {SHORTEST_SPAN} days apart",
        low=-steepest,
        high=steepest,
    )


_LEVELS = tuple(_level(instrument, scale) for instrument in _INSTRUMENTS for scale in instrument.scales)
_OF_FOLLOWED = tuple(_LEVELS[SCALES.index(scale)] for scale in FOLLOWED)
FEATURES = (
    *_LEVELS,
    *(_age(instrument) for instrument in _INSTRUMENTS),
    *(_change(level) for level in _OF_FOLLOWED),
    *(_slope(level) for level in _OF_FOLLOWED),
)

_FIRST_AGE = len(SCALES)
_FIRST_CHANGE = _FIRST_AGE + len(_INSTRUMENTS)
_INSTRUMENT_OF = np.repeat(np.arange(len(_INSTRUMENTS)), [len(one.scales) for one in _INSTRUMENTS])
_FOLLOWED_PLACE = np.array([FOLLOWED.index(scale) if scale in FOLLOWED else -1 for scale in SCALES])


class _Found(NamedTuple):
    """Numbers that there are: the person and the column of each, the number itself, and the day of the answer behind it."""

    person: np.ndarray
    column: np.ndarray
    number: np.ndarray
    day: np.ndarray


@once
def _found(known: Known) -> list[_Found]:
    """Return levels, ages, changes and slopes."""
    rows = known.scores
    if not len(rows["person"]):
        return []
    group = rows["person"].astype(np.int64) * len(SCALES) + rows["scale"]
    latest, change, slope = trends(group, rows["day"], rows["score"])
    person, scale, day = rows["person"][latest], rows["scale"][latest], rows["day"][latest]

    # The scales of an instrument are neighbours, so its rows are too.
    instrument = _INSTRUMENT_OF[scale]
    starts = run_starts(person, instrument)
    whose = person[starts]
    answered = reduce_groups(np.maximum, run_numbers(starts, len(day)), len(starts), day)
    found = [
        _Found(person, scale, rows["score"][latest], day),
        _Found(whose, _FIRST_AGE + instrument[starts], known.t[whose] - answered, answered),
    ]
    place = _FOLLOWED_PLACE[scale]
    for first, course in ((_FIRST_CHANGE, change), (_FIRST_CHANGE + len(FOLLOWED), slope)):
        known_course = ((place >= 0) & (course == course)).nonzero()[0]
        if len(known_course):
            found.append(
                _Found(person[known_course], first + place[known_course], course[known_course], day[known_course])
            )
    return found


def compute(known: Known) -> np.ndarray:
    """Number the survey scores.

    Parameters
    ----------
    known : Known of N persons

    Returns
    -------
    float32 array, shape (N, n_features); NaN where never answered, not scorable or without consent for surveys.
    """
    result = np.full((len(known), len(FEATURES)), np.nan, dtype=np.float32)
    for person, column, number, _ in _found(known):
        result[person, column] = number
    return result


def observed_on(known: Known) -> np.ndarray:
    """Return the day of the latest answer behind every number; see ``FeatureGroup``."""
    days = np.full((len(known), len(FEATURES)), NO_DAY, dtype=np.int32)
    for person, column, _, day in _found(known):
        days[person, column] = day
    return days


GROUP = FeatureGroup("survey_scores", FEATURES, compute, observed_on)


def occasions(histories: Histories, d: Days, instrument_name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every occasion before ``d`` at which a person answered an instrument, as known on the morning of ``d``.

    Parameters
    ----------
    histories : Histories of N persons
    d : int or int array of shape (N,)
    instrument_name : str

    Returns
    -------
    person : int32 array; answered_on : int32 array; scores : float64 array, shape (n_occasions, n_scales)
        Sorted by person and day; scales in the order of the instrument, NaN where too few items were answered. An
        occasion on which no scale can be scored is not there.
    """
    scales = scales_of(instrument_name)
    rows = scores_known(histories, d, scales)
    order = order_of(rows["person"], rows["day"])
    person, day = rows["person"][order], rows["day"][order]
    starts = run_starts(person, day)
    scores = np.full((len(starts), len(scales)), np.nan)
    scores[run_numbers(starts, len(order)), rows["scale"][order] - scales.start] = rows["score"][order]
    return person[starts], day[starts], scores
