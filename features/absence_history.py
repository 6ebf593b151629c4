"""Absence before the index date: how much, how often, how long, how long ago, and under which chapters of ICPC-2.

A day that is both self- and doctor-certified is doctor-certified. Chapter groups (P mental, L musculoskeletal, all
others and unknown) are the union of that group's doctor-certified spells on their own, so that a day may count in two
of them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from data_contracts.consent import SOURCES
from features.as_of import DOCTOR, Known
from features.feature import Direction, Feature, FeatureGroup
from features.segments import disjoint_pieces, merged, reduce_groups, reduce_runs, run_ends, run_starts

WINDOWS = (30, 90, 180, 365, 730)
_LONG_WINDOWS = (90, 365, 730)


class _Kind(NamedTuple):
    """One kind of absence: its name in feature names, and the words for it."""

    name: str
    nb: str
    nb_where: str
    en: str
    en_where: str
    days: str


def _by_doctor(name: str, nb_where: str, en_where: str, chapters: str) -> _Kind:
    days = f"union of the doctor-certified spells{chapters}"
    return _Kind(name, "legemeldt", nb_where, "doctor-certified", en_where, days)


_KINDS = (
    _by_doctor("doctor", "", "", ""),
    _Kind("self", "egenmeldt", "", "self-certified", "", "union of self-certified spells, less doctor-certified days"),
    _by_doctor(
        "mental", ", registrert under psykisk helse", ", recorded under mental health", " of ICPC-2 chapter P"
    ),
    _by_doctor(
        "musculoskeletal", ", registrert under muskel og skjelett", ", recorded under muscles and skeleton",
        " of ICPC-2 chapter L",
    ),
    _by_doctor(
        "other_diagnosis", ", registrert under andre områder", ", recorded under other areas",
        " of any other or no ICPC-2 chapter",
    ),
)  # fmt: skip
_DOCTOR_KIND, _SELF_KIND, _FIRST_CHAPTER_KIND = 0, 1, 2

_SOURCE = SOURCES.index("absence")


def _feature(name: str, unit: str, nb: str, en: str, meaning: str, direction: Direction) -> Feature:
    return Feature(
        name=name,
        unit=unit,
        label_nb=nb[0].upper() + nb[1:],
        label_en=en[0].upper() + en[1:],
        domain="absence_history",
        modifiable=False,
        expected_direction=direction,
        table="absence_spells",
        meaning=meaning,
    )


def _days(kind: _Kind, window: int) -> Feature:
    nb = f"{kind.nb}e fraværsdager siste {window} dager{kind.nb_where}"
    en = f"{kind.en} absence days, last {window} days{kind.en_where}"
    return _feature(f"days_{kind.name}_{window}", "d", nb, en, f"days in [t-{window}, t) of the {kind.days}", 1)


def _weighted_days(kind: _Kind, window: int) -> Feature:
    nb = f"{kind.nb}e fraværsdager siste {window} dager, vektet med grad{kind.nb_where}"
    en = f"{kind.en} absence days, last {window} days, weighted by grade{kind.en_where}"
    meaning = f"sum of grade/100 over the days in [t-{window}, t) of the {kind.days}; the highest grade covering a day"
    return _feature(f"weighted_days_{kind.name}_{window}", "d", nb, en, meaning, 1)


def _starts(kind: _Kind, window: int) -> Feature:
    nb = f"{kind.nb}e fraværsperioder startet siste {window} dager{kind.nb_where}"
    en = f"{kind.en} absence periods started in the last {window} days{kind.en_where}"
    meaning = f"stretches with first day in [t-{window}, t) of the {kind.days}"
    return _feature(f"starts_{kind.name}_{window}", "1", nb, en, meaning, 1)


def _longest(kind: _Kind, window: int) -> Feature:
    nb = f"lengste {kind.nb}e fraværsperiode siste {window} dager{kind.nb_where}"
    en = f"longest {kind.en} absence period, last {window} days{kind.en_where}"
    meaning = f"longest stretch, counted inside [t-{window}, t), of the {kind.days}"
    return _feature(f"longest_{kind.name}_{window}", "d", nb, en, meaning, 1)


def _days_since(kind: _Kind) -> Feature:
    nb = f"dager siden siste {kind.nb}e fraværsdag{kind.nb_where}"
    en = f"days since the last {kind.en} absence day{kind.en_where}"
    meaning = f"t minus the last day before t of the {kind.days}; 1 is yesterday, NaN is never"
    return _feature(f"days_since_{kind.name}", "d", nb, en, meaning, -1)


def _running(kind: _Kind) -> Feature:
    meaning = f"1 if a {kind.en} spell began before t and has no last day before t, else 0"
    return _feature(f"running_{kind.name}", "1", f"{kind.nb} fravær pågår", f"{kind.en} absence is running", meaning, 1)


_MEASURES = {"days": _days, "weighted_days": _weighted_days, "starts": _starts, "longest": _longest}
_IN_WINDOWS = (
    *((measure, _DOCTOR_KIND, window) for measure in _MEASURES for window in WINDOWS),
    *((measure, _SELF_KIND, window) for measure in ("days", "starts") for window in WINDOWS),
    ("longest", _SELF_KIND, 365),
    *(
        (measure, kind, window)
        for kind in range(_FIRST_CHAPTER_KIND, len(_KINDS))
        for measure in ("days", "starts", "longest")
        for window in _LONG_WINDOWS
    ),
)
"""Measure, kind and window of each windowed feature, in the order of the columns."""

FEATURES = (
    *(_MEASURES[measure](_KINDS[kind], window) for measure, kind, window in _IN_WINDOWS),
    *(_days_since(kind) for kind in _KINDS),
    *(_running(_KINDS[kind]) for kind in (_DOCTOR_KIND, _SELF_KIND)),
)


def _plan(measure: str) -> tuple[np.ndarray, np.ndarray]:
    """Columns of a measure's features, and where they stand among the totals (kind x window) of a person."""
    places = [
        (column, kind * len(WINDOWS) + WINDOWS.index(window))
        for column, (name, kind, window) in enumerate(_IN_WINDOWS)
        if name == measure
    ]
    columns, totals = np.array(places).T
    return columns, totals


_PLANS = {measure: _plan(measure) for measure in _MEASURES}
_LENGTHS = np.array(WINDOWS, dtype=np.int32)


def compute(known: Known) -> np.ndarray:
    """Number the absence history.

    Parameters
    ----------
    known : Known of N persons

    Returns
    -------
    float32 array, shape (N, n_features); NaN without consent for absence data. Sums are of whole numbers, hence exact.
    """
    n, rows = len(known), known.absences
    pieces = disjoint_pieces(
        rows["person"], rows["first"], rows["last"], rows["grade"] + DOCTOR * rows["by_doctor"].astype(np.int64)
    )
    group, first, last = _stretches(known, pieces)
    inside, begins_inside = _inside(known, group // len(_KINDS), first, last)
    result = np.empty((n, len(FEATURES)), dtype=np.float32)
    n_groups, starts, shape = n * len(_KINDS), run_starts(group), (n, len(_KINDS) * len(WINDOWS))
    totals = {
        "days": reduce_runs(np.add, group, starts, n_groups, inside).reshape(shape),
        "weighted_days": _weighted(known, pieces) / 100,
        "starts": reduce_runs(np.add, group, starts, n_groups, begins_inside).reshape(shape),
        "longest": reduce_runs(np.maximum, group, starts, n_groups, inside).reshape(shape),
    }
    for measure, (columns, places) in _PLANS.items():
        result[:, columns] = totals[measure].take(places, axis=1)
    rest = len(_IN_WINDOWS)
    result[:, rest : rest + len(_KINDS)] = _days_since_last(known, group, last)
    result[:, rest + len(_KINDS) :] = _is_running(known)
    result[~known.consented[:, _SOURCE]] = np.nan
    return result


def _stretches(known: Known, pieces: tuple[np.ndarray, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Stretches of every kind; group is person x kind."""
    rows, (person, first, last, priority) = known.absences, pieces
    by_doctor = rows["by_doctor"].nonzero()[0]
    kind = np.where(priority > DOCTOR, _DOCTOR_KIND, _SELF_KIND)
    chapter = _FIRST_CHAPTER_KIND + rows["chapter"][by_doctor].astype(np.int64)
    return merged(
        np.concatenate([person * len(_KINDS) + kind, rows["person"][by_doctor] * len(_KINDS) + chapter]),
        np.concatenate([first, rows["first"][by_doctor]]),
        np.concatenate([last, rows["last"][by_doctor]]),
    )


def _inside(known: Known, person: np.ndarray, first: np.ndarray, last: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Days of each stretch inside each window, and whether it begins there; int32, shape (n_stretches, n_windows)."""
    window_start = known.t[person][:, np.newaxis] - _LENGTHS
    from_start = first[:, np.newaxis] - window_start
    begins_inside = from_start >= 0
    days = (last - first + 1)[:, np.newaxis] + np.minimum(from_start, 0)
    return np.maximum(days, 0), begins_inside.astype(np.int32)


def _weighted(known: Known, pieces: tuple[np.ndarray, ...]) -> np.ndarray:
    """Sum of grades in percent over the doctor-certified days in each window, int64, shape (n_persons, n_windows)."""
    by_doctor = (pieces[3] > DOCTOR).nonzero()[0]
    person, first, last, priority = (column[by_doctor] for column in pieces)
    inside, _ = _inside(known, person, first, last)
    return reduce_groups(np.add, person, len(known), inside * (priority - DOCTOR)[:, np.newaxis])


def _days_since_last(known: Known, group: np.ndarray, last: np.ndarray) -> np.ndarray:
    since = np.full(len(known) * len(_KINDS), np.nan, dtype=np.float32)
    ends = run_ends(group)
    group = group[ends]
    since[group] = known.t[group // len(_KINDS)] - last[ends]
    return since.reshape(len(known), len(_KINDS))


def _is_running(known: Known) -> np.ndarray:
    running = np.zeros((len(known), 2), dtype=np.float32)
    rows = known.absences
    goes_on = rows["is_running"].nonzero()[0]
    running[rows["person"][goes_on], np.where(rows["by_doctor"][goes_on], _DOCTOR_KIND, _SELF_KIND)] = 1
    return running


GROUP = FeatureGroup("absence_history", FEATURES, compute)
