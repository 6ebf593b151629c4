"""What one person adds to the totals of their workplace: the same for who is added up and for who is taken away."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from data_contracts.consent import SOURCES
from features.answer_sheets import SCALES
from features.as_of import Known, KnownAtWork
from features.gathering import UNKNOWN
from features.segments import merged, reduce_groups, run_ends
from features.workplace import main_jobs
from features.workplace_totals import COLUMNS, FIXED_POINT, MEASURES, N_COUNTS, SCALE_NAMES, YEAR

IS_PART = COLUMNS.index("persons")
_EMPLOYMENT = SOURCES.index("employment")
_OF_MEASURES = [SOURCES.index(name) for name in ("absence", *["survey"] * len(SCALE_NAMES))]
_SOURCES = [*_OF_MEASURES, _EMPLOYMENT, *_OF_MEASURES]
"""The source of each column of the totals."""
_POSITIONS = {scale.name: position for position, scale in enumerate(SCALES)}
_MEASURE_OF_SCALE = np.full(len(SCALES), UNKNOWN)
_MEASURE_OF_SCALE[[_POSITIONS[name] for name in SCALE_NAMES]] = np.arange(1, len(MEASURES))


class Places(NamedTuple):
    """Company and unit of each person's main job, by rank; ``UNKNOWN`` without one."""

    company: np.ndarray
    unit: np.ndarray


def main_places(known: Known | KnownAtWork) -> Places:
    """Return where everybody has their main job on the index date."""
    jobs = known.employments
    main = main_jobs(jobs, known.t)
    company, unit = np.full((2, len(known)), UNKNOWN, dtype=np.int64)
    person = jobs["person"][main]
    company[person], unit[person] = jobs["company"][main], jobs["unit"][main]
    return Places(company, unit)


def contributions(known: Known | KnownAtWork, places: Places, consented: np.ndarray) -> np.ndarray:
    """Return what each person adds to the totals of their place.

    Parameters
    ----------
    known : Known or KnownAtWork of N persons
        The cut at the day of the totals.
    places : Places
        :func:`main_places` of the same cut.
    consented : bool array, shape (N, 4)
        On the terms of the totals.

    Returns
    -------
    int64 array, shape (N, 11), columns as in ``COLUMNS``; all 0 for who is no part of them.
    """
    own = np.zeros((len(known), len(COLUMNS)), dtype=np.int64)
    person, measure, score = _latest_scores(known)
    own[person, measure], own[person, N_COUNTS + measure] = 1, score
    own[:, 0], own[:, N_COUNTS] = 1, _days_doctor(known)
    # A row of its own in `persons`: else a store would count who is not yet in it, but whose job is.
    own[known.persons["person"], IS_PART] = 1
    is_part = own[:, IS_PART].astype(bool) & (places.company != UNKNOWN) & consented[:, _EMPLOYMENT]
    own *= consented[:, _SOURCES] & is_part[:, np.newaxis]
    return own


def _days_doctor(known: Known | KnownAtWork) -> np.ndarray:
    """Doctor-certified days in the last year, as the feature ``days_doctor_365`` counts them; int64, shape (n,)."""
    rows = known.absences
    start = known.t - YEAR
    by_doctor = (rows["by_doctor"] & (rows["last"] >= start[rows["person"]])).nonzero()[0]
    if not len(by_doctor):
        return np.zeros(len(known), dtype=np.int64)
    person, first, last = merged(*(rows[name][by_doctor] for name in ("person", "first", "last")))
    inside = last - np.maximum(first, start[person]) + 1
    return reduce_groups(np.add, person, len(known), inside.astype(np.int64))


def _latest_scores(known: Known | KnownAtWork) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Person, measure and score in fixed point of the latest scores that were answered in the last year."""
    rows = known.scores
    measure = _MEASURE_OF_SCALE[rows["scale"]]
    wanted = ((measure != UNKNOWN) & (rows["day"] >= known.t[rows["person"]] - YEAR)).nonzero()[0]
    person, measure = rows["person"][wanted], measure[wanted]
    latest = run_ends(person, measure)
    score = np.rint(rows["score"][wanted[latest]] * FIXED_POINT).astype(np.int64)
    return person[latest], measure[latest], score
