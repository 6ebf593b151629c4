"""What one person adds to the totals of their workplace: the same for who is added up and for who is taken away.

A record is not always complete: an app may send every fact as it stands today, without what was said before, or with the
day of a copy for ``known_from``. Then what the person added on an earlier day cannot be worked out, and taking nothing
away would leave them among the others. So :func:`undecided_places` and :func:`undecided_measures` say where that may be.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from data_contracts.consent import SOURCES
from features.as_of import Known, KnownAtWork
from features.blocks import Block
from features.gathering import UNKNOWN
from features.histories import Histories
from features.segments import merged, reduce_groups, run_ends, run_starts
from features.sheet_layouts import SCALES
from features.workplace import main_jobs
from features.workplace_totals import COLUMNS, FIXED_POINT, MEASURES, N_COUNTS, SCALE_NAMES, YEAR

IS_PART = COLUMNS.index("persons")
_EMPLOYMENT = SOURCES.index("employment")
OF_MEASURES = [SOURCES.index(name) for name in ("absence", *["survey"] * len(SCALE_NAMES))]
"""The source of each measure, by its column in ``Histories.consented``."""
_SOURCES = [*OF_MEASURES, _EMPLOYMENT, *OF_MEASURES]
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
    by_doctor = (rows["by_doctor"] & ~rows["of_pregnancy"] & (rows["last"] >= start[rows["person"]])).nonzero()[0]
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


def undecided_places(known: Known, histories: Histories, here: Places, shown: np.ndarray, day: int) -> np.ndarray:
    """Say where somebody may have been part of the totals though their history does not show it.

    Parameters
    ----------
    known : Known of N persons
        The cut of ``histories`` at the index dates.
    histories : Histories of the same N persons
    here : Places
        :func:`main_places` of the same cut.
    shown : bool array, shape (N, 2)
        Whether the history as of the day of the totals has the person at that company, and at that unit.
    day : int
        Of the totals.

    Returns
    -------
    bool array, shape (N, 2), company and unit: True with an employment there that began on or before the day, unless the
    person is shown there; both True where an employment that began by then, in any company, has no version known by then: the
    totals may have the person elsewhere than the history shows.
    """
    of_all = histories.employments
    owner = of_all.owners()
    late = (of_all["known_from"] >= day) & (of_all["known_from"] < known.t[owner]) & (of_all["start"] <= day)
    is_first = np.zeros(len(owner), dtype=bool)
    is_first[run_starts(owner, of_all["start"], of_all["company"])] = True
    late &= is_first
    jobs = known.employments
    person = jobs["person"]
    at_company = (jobs["company"] == here.company[person]) & (jobs["start"] <= day)
    at_unit = at_company & (jobs["unit"] == here.unit[person])
    began = np.zeros((len(known), 2), dtype=bool)
    began[person[at_company], 0] = True
    began[person[at_unit], 1] = True
    undecided = began & ~shown
    undecided[owner[late]] = True
    return undecided


def undecided_measures(histories: Histories, t: np.ndarray, day: int) -> np.ndarray:
    """Say of which measures own rows have become known since the day of the totals that tell of days before it.

    Parameters
    ----------
    histories : Histories of N persons
    t : int32 array, shape (N,)
    day : int
        Of the totals.

    Returns
    -------
    bool array, shape (N, 5), in the order of ``MEASURES``: True with a spell that began before the day, or a score of the
    year before it, that became known on the day or later, and before t.
    """
    late = np.zeros((len(t), len(MEASURES)), dtype=bool)
    spells = histories.absences
    owner, known_from = spells.owners(), spells["known_from"]
    # A spell however old: another version of it may have had other days.
    late[owner[(known_from >= day) & (known_from < t[owner]) & (spells["first"] < day)], 0] = True
    scores = histories.scores
    rows = ((scores["known_from"] >= day) & (scores["day"] < day) & (scores["day"] >= day - YEAR)).nonzero()[0]
    measure = _MEASURE_OF_SCALE[scores["scale"][rows]]
    rows, measure = rows[measure != UNKNOWN], measure[measure != UNKNOWN]
    if len(rows):
        owner = scores.owners()
        is_late = (scores["known_from"][rows] < t[owner[rows]]) & ~_repeats_the_version_before(scores, owner, rows)
        late[owner[rows[is_late]], measure[is_late]] = True
    return late


def _repeats_the_version_before(scores: Block, owner: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """True where a score is a version with the number of the one before: it may be of answers to another instrument."""
    before = rows - 1  # of the first row the last, which nothing follows
    follows = (scores["known_until"][before] == scores["known_from"][rows]) & (owner[before] == owner[rows])
    for column in ("scale", "day", "score"):
        follows &= scores[column][before] == scores[column][rows]
    return follows
