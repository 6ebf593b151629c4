"""Absence before the index date: how much, how often, how long and how long ago, by who certified it and under which
chapters of ICPC-2. The patterns in it belong to the same group of features, so that the days are sorted out only once.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from data_contracts.consent import SOURCES
from features import absence_patterns
from features.absence_stretches import (
    ANY,
    FIRST_CHAPTER,
    KINDS,
    LONG_WINDOWS,
    Stretches,
    counted,
    place,
    stretches_and_pieces,
    totals,
    weighted_days,
)
from features.as_of import Known
from features.feature import Direction, Feature, FeatureGroup

_SOURCE = SOURCES.index("absence")


class _Kind(NamedTuple):
    """One kind of absence: the words for it, the days it means, and why it should tell of the risk ("": no source)."""

    nb: str
    nb_where: str
    en: str
    en_where: str
    days: str
    source: str


def _of_chapter(nb_where: str, en_where: str, chapter: str, source: str) -> _Kind:
    where = f", registrert under {nb_where}", f", recorded under {en_where}"
    days = f"union of the doctor-certified spells of {chapter} ICPC-2 chapter (ICD-10 converted as NAV does)"
    return _Kind("legemeldt", where[0], "doctor-certified", where[1], days, source)


_EARLIER = absence_patterns.EARLIER_ABSENCE
_LEFT_OUT = "; without spells of the W (pregnancy and birth) ICPC-2 chapter (ICD-10 converted as NAV does)"
_KINDS = dict(zip(KINDS, (
    _Kind("legemeldt", "", "doctor-certified", "", "union of the doctor-certified spells", _EARLIER),
    _Kind("egenmeldt", "", "self-certified", "",
          "union of the self-certified spells, less doctor-certified days", _EARLIER),
    _of_chapter("psykisk helse", "mental health", "the P (mental)", _EARLIER),
    _of_chapter("muskel og skjelett", "muscles and skeleton", "the L (musculoskeletal)", _EARLIER),
    _of_chapter("luftveier", "airways", "the R (respiratory)", ""),
    _of_chapter("andre områder", "other areas", "any other or no", _EARLIER),
    _Kind("lege- eller egenmeldt", "", "doctor- or self-certified", "", "union of all spells of either kind", _EARLIER),
), strict=True))  # fmt: skip


class _Measure(NamedTuple):
    """What is measured in a window: unit, words and formula, with gaps for the kind and the number of days."""

    unit: str
    nb: str
    en: str
    meaning: str


_MEASURES = {
    "days": _Measure(
        "d", "{kind.nb}e fraværsdager siste {window} dager{kind.nb_where}",
        "{kind.en} absence days, last {window} days{kind.en_where}", "days in [t-{window}, t) of the {kind.days}",
    ),
    "weighted_days": _Measure(
        "d", "{kind.nb}e fraværsdager siste {window} dager, vektet med grad{kind.nb_where}",
        "{kind.en} absence days, last {window} days, weighted by grade{kind.en_where}",
        "sum of grade/100 over the days in [t-{window}, t) of the {kind.days}; the highest grade covering a day",
    ),
    "starts": _Measure(
        "1", "{kind.nb}e fraværsperioder startet siste {window} dager{kind.nb_where}",
        "{kind.en} absence periods started in the last {window} days{kind.en_where}",
        "stretches with first day in [t-{window}, t) of the {kind.days}",
    ),
    "longest": _Measure(
        "d", "lengste {kind.nb}e fraværsperiode siste {window} dager{kind.nb_where}",
        "longest {kind.en} absence period, last {window} days{kind.en_where}",
        "longest stretch, counted inside [t-{window}, t), of the {kind.days}",
    ),
}  # fmt: skip


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


def _in_window(measure: str, name: str, window: int) -> Feature:
    words, kind = _MEASURES[measure], _KINDS[name]
    nb, en, meaning = (text.format(kind=kind, window=window) for text in words[1:])
    # Between two stretches there is a day without absence.
    most = (window + 1) // 2 if measure == "starts" else window
    direction: Direction = 1 if kind.source else 0
    return Feature(
        f"{measure}_{name}_{window}", words.unit, _sentence(nb), _sentence(en), "absence_history", False, direction,
        "absence_spells", meaning, low=0, high=most, source=kind.source,
    )  # fmt: skip


def _days_since(name: str) -> Feature:
    kind = _KINDS[name]
    nb = f"Dager siden siste {kind.nb}e fraværsdag{kind.nb_where}"
    en = f"Days since the last {kind.en} absence day{kind.en_where}"
    direction: Direction = -1 if kind.source else 0
    return Feature(
        f"days_since_{name}", "d", nb, en, "absence_history", False, direction, "absence_spells",
        f"t minus the last day before t of the {kind.days}; 1 is yesterday; NaN: none recorded", low=1,
        source=kind.source,
    )  # fmt: skip


_LONG = (90, 365, 730)
_IN_WINDOWS = (
    *(("days", "doctor", window) for window in (30, 90, 180, 365, 730)),
    *(("starts", "doctor", window) for window in _LONG),
    *(("longest", "doctor", window) for window in (365, 730)),
    *((measure, "self", window) for measure in ("days", "starts") for window in _LONG),
    ("longest", "self", 365),
    *(
        (measure, kind, window)
        for kind in ("mental", "musculoskeletal", "respiratory", "other_diagnosis")
        for measure, windows in (("days", (365, 730)), ("starts", (365, 730)), ("longest", (730,)))
        for window in windows
    ),
    *((measure, "any", 365) for measure in ("days", "starts")),
)
"""Measure, kind and window of each number that is a total over stretches."""
_PLACES = np.array([place(*one) for one in _IN_WINDOWS])
_SINCE_KINDS = KINDS[:ANY]

_COUNTED = (
    *(_in_window(*one) for one in _IN_WINDOWS),
    *(_in_window("weighted_days", "doctor", window) for window in LONG_WINDOWS),
    *(_days_since(kind) for kind in _SINCE_KINDS),
    *absence_patterns.FEATURES,
)
FEATURES = tuple(
    replace(one, meaning=one.meaning + _LEFT_OUT) if one.table == "absence_spells" else one for one in _COUNTED
)
_CHAPTERS = KINDS[FIRST_CHAPTER:ANY]
BY_CHAPTER = frozenset((
    *(f"{measure}_{kind}_{window}" for measure, kind, window in _IN_WINDOWS if kind in _CHAPTERS),
    *(f"days_since_{kind}" for kind in _CHAPTERS),
))  # fmt: skip
"""Names of what is counted by chapter of the diagnosis: who reads them reads what somebody was away for."""
_TOTALS = slice(len(_IN_WINDOWS))
_WEIGHTED = slice(_TOTALS.stop, _TOTALS.stop + len(LONG_WINDOWS))
_SINCE = slice(_WEIGHTED.stop, _WEIGHTED.stop + len(_SINCE_KINDS))
_PATTERNS = slice(_SINCE.stop, len(FEATURES))
_FACTS_OF_T = slice(_PATTERNS.stop - absence_patterns.N_FACTS_OF_T, _PATTERNS.stop)
_NEVER_ABSENT = np.array([[math.nan if one.low == 1 else 0] for one in FEATURES], dtype=np.float32)
"""What lies a number of days back is unknown to who was never absent; all else is nought."""


def compute(known: Known) -> np.ndarray:
    """Number the absence history.

    Parameters
    ----------
    known : Known of N persons

    Returns
    -------
    float32 array, shape (N, n_features); NaN without consent for absence data. Sums are of whole numbers, hence exact.
    """
    n = len(known)
    columns = np.empty((len(FEATURES), n), dtype=np.float32)
    columns[:] = _NEVER_ABSENT
    rows = counted(known)
    if len(rows["person"]):
        stretches, pieces = stretches_and_pieces(rows, known.t)
        sums = totals(stretches, n).reshape(-1, n)
        columns[_TOTALS] = sums[_PLACES]
        columns[_WEIGHTED] = weighted_days(pieces, n)
        _set_days_since(stretches, columns[_SINCE])
        absence_patterns.set_patterns(rows, stretches, sums, columns[_PATTERNS])
    refused = (~known.consented[:, _SOURCE]).nonzero()[0]
    if len(refused):
        columns[:, refused] = np.nan
    columns[_FACTS_OF_T] = absence_patterns.season(known.t)
    return columns.T


def _set_days_since(stretches: Stretches, columns: np.ndarray) -> None:
    """Set the days since the last stretch of each kind: of the stretches of a group the last one is set last."""
    of_kinds = slice(stretches.group.searchsorted(columns.size))
    columns.reshape(-1)[stretches.group[of_kinds]] = -stretches.last[of_kinds]


GROUP = FeatureGroup("absence_history", FEATURES, compute)
