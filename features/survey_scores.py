"""Scale scores of the questionnaires: the latest, its change since the one before, and its age."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from data_contracts.instruments import Scale
from data_contracts.time_windows import NO_DAY, Days
from features.answer_sheets import SCALES, scales_of
from features.as_of import Known, scores_known
from features.feature import Feature, FeatureGroup
from features.histories import Histories
from features.segments import order_of, run_ends, run_numbers, run_starts


def _features(scale: Scale) -> tuple[Feature, Feature, Feature]:
    """Latest score, change and age of one scale."""
    latest = Feature(
        name=scale.name,
        unit="score",
        label_nb=scale.label_nb,
        label_en=scale.label_en,
        domain=scale.domain,
        modifiable=scale.modifiable,
        expected_direction=1 if scale.higher_is_worse else -1,
        table="survey_answers",
        meaning=f"latest score before t that can be computed, {scale.minimum:g}-{scale.maximum:g}",
    )
    change = replace(
        latest,
        name=f"{scale.name}_change",
        label_nb=f"{scale.label_nb}: endring siden forrige svar",
        label_en=f"{scale.label_en}: change since the answer before",
        modifiable=False,
        meaning="latest score minus the one before it, both before t",
    )
    age = replace(
        latest,
        name=f"{scale.name}_age_days",
        unit="d",
        label_nb=f"{scale.label_nb}: dager siden svaret",
        label_en=f"{scale.label_en}: days since the answer",
        modifiable=False,
        expected_direction=0,
        meaning="t minus the day of the latest score",
    )
    return latest, change, age


FEATURES = tuple(feature for scale in SCALES for feature in _features(scale))


def compute(known: Known) -> np.ndarray:
    """Number the survey scores.

    Parameters
    ----------
    known : Known of N persons

    Returns
    -------
    float32 array, shape (N, 3 * n_scales); NaN where never answered, not scorable or without consent for surveys.
    """
    rows, score = known.scores, known.scores["score"]
    group = rows["person"].astype(np.int64) * len(SCALES) + rows["scale"]
    latest = run_ends(group)
    place = group[latest]
    result = np.full((len(known) * len(SCALES), 3), np.nan, dtype=np.float32)
    result[place, 0] = score[latest]
    result[place, 2] = known.t[rows["person"][latest]] - rows["day"][latest]
    again = latest[run_starts(group) < latest]
    result[group[again], 1] = score[again] - score[again - 1]
    return result.reshape(len(known), len(FEATURES))


def observed_on(known: Known) -> np.ndarray:
    """Return the day of the answer behind every score, change and age; see ``FeatureGroup``."""
    rows = known.scores
    group = rows["person"].astype(np.int64) * len(SCALES) + rows["scale"]
    latest = run_ends(group)
    days = np.full(len(known) * len(SCALES), NO_DAY, dtype=np.int32)
    days[group[latest]] = rows["day"][latest]
    return days.reshape(len(known), len(SCALES)).repeat(3, axis=1)


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
