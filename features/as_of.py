"""The only cut at the index date.

A row counts at ``t`` if it is the version to believe then (``known_from < t``, not yet replaced or deleted by a
version that is visible itself) and what it tells of has begun before ``t``. Spells are clipped to the days before
``t``: the planned end of a certificate is no fact about the past.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Literal, TypeVar

import numpy as np

from data_contracts.consent import SOURCES
from data_contracts.time_windows import NO_DAY, Days
from features.blocks import Block
from features.gathering import MENTAL, MUSCULOSKELETAL, OTHER_CHAPTER, RESPIRATORY
from features.histories import Histories
from features.segments import disjoint_pieces, expanded_ranges, repeats

Rows = dict[str, np.ndarray]
"""Columns of a block, cut at t, and ``person``: position of the person of each row."""

Chapters = Literal["mental", "musculoskeletal", "respiratory", "other"]
CHAPTERS: dict[Chapters, tuple[int, ...]] = {
    "mental": (MENTAL,),
    "musculoskeletal": (MUSCULOSKELETAL,),
    "respiratory": (RESPIRATORY,),
    "other": (RESPIRATORY, OTHER_CHAPTER),
}
"""Chapter groups to choose certificates by. "other" is neither mental nor musculoskeletal: with the airways."""
_SURVEY = SOURCES.index("survey")
DOCTOR = 1000
"""Added to the grade of a doctor-certified spell, so that it outranks any self-certified one on the same day."""


@dataclass(frozen=True)
class Known:
    """What was known of N persons on the morning of their index dates.

    Parameters
    ----------
    t : int32 array, shape (N,)
        Index dates as day numbers.
    consented : bool array, shape (N, 4)
        As ``Histories.told``: a source of which no table was sent is as unknown as one without consent.
    guidance_told : bool array, shape (N,)
        The same of guidance sessions, which rest on the consent for surveys.
    events_sent : bool
        Whether there was a table of workplace events.
    persons, employments, scores, sheets, labs, absences, guidance : dict of arrays
        Rows that count at t, sorted by person, then as their block sorts them. Employments have begun on or before t;
        all else has happened before t. Absences end before t; ``is_running`` marks those that go on.
    events : Block
        Workplace events of all companies, not cut yet: see :func:`company_events`.
    """

    t: np.ndarray
    consented: np.ndarray
    guidance_told: np.ndarray
    events_sent: bool
    persons: Rows
    employments: Rows
    scores: Rows
    sheets: Rows
    labs: Rows
    absences: Rows
    guidance: Rows
    events: Block
    found: dict[Callable[..., Any], Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What :func:`once` remembers."""

    def __len__(self) -> int:
        return len(self.t)


_FEW_PERSONS = 100
_T = TypeVar("_T")


def once(find: Callable[[Known], _T]) -> Callable[[Known], _T]:
    """Let a function of what is known of few persons work once, for the numbers as for the days behind them.

    Of many it is not kept: it would take memory, and the days behind the numbers are asked for single persons only. Nobody may
    write into what is returned.
    """

    @wraps(find)
    def remembered(known: Known) -> _T:
        if len(known) > _FEW_PERSONS:
            return find(known)
        if find not in known.found:
            known.found[find] = find(known)
        found: _T = known.found[find]
        return found

    return remembered


@dataclass(frozen=True)
class KnownAtWork:
    """The part of :class:`Known` that tells of somebody's workplace; the same rows."""

    t: np.ndarray
    persons: Rows
    employments: Rows
    scores: Rows
    absences: Rows

    def __len__(self) -> int:
        return len(self.t)


def at_work(histories: Histories, t: Days) -> KnownAtWork:
    """Cut only what tells of the workplace, as :func:`as_of` cuts it."""
    t = index_dates(histories, t)
    return KnownAtWork(
        t=t,
        persons=_cut(histories.persons, t),
        employments=employments_known(histories, t, begun_by=t),
        scores=_cut(histories.scores, t, "day"),
        absences=absences_known(histories, t),
    )


def as_of(histories: Histories, t: Days) -> Known:
    """Cut histories at the index date.

    Parameters
    ----------
    histories : Histories of N persons
    t : int or int array of shape (N,)
        Index date, one for all or one per person.

    Returns
    -------
    Known
    """
    t = index_dates(histories, t)
    return Known(
        t=t,
        consented=histories.told,
        guidance_told=histories.consented[:, _SURVEY] & ("guidance_sessions" in histories.delivered),
        events_sent="workplace_events" in histories.delivered,
        persons=_cut(histories.persons, t),
        employments=employments_known(histories, t, begun_by=t),
        scores=_cut(histories.scores, t, "day"),
        sheets=_cut(histories.sheets, t, "day"),
        labs=_cut(histories.labs, t, "day"),
        absences=absences_known(histories, t),
        guidance=_cut(histories.guidance, t, "day"),
        events=histories.events,
    )


def index_dates(histories: Histories, t: Days) -> np.ndarray:
    """Return one int32 day per person."""
    t = np.asarray(t, dtype=np.int32)
    return t if t.shape == (len(histories),) else np.full(len(histories), t)


def employments_known(histories: Histories, known_at: Days, begun_by: Days) -> Rows:
    """Employments that began on or before ``begun_by``, as known on the morning of ``known_at``."""
    rows = _cut(histories.employments, index_dates(histories, known_at))
    return _chosen(rows, rows["start"] <= index_dates(histories, begun_by)[rows["person"]])


def absences_known(histories: Histories, t: Days) -> Rows:
    """Spells that began before ``t``, as known then, their ``last`` clipped to ``t - 1``; with ``is_running``."""
    t = index_dates(histories, t)
    rows = _cut(histories.absences, t, "first")
    yesterday = t[rows["person"]] - 1
    is_open = rows["last"] == NO_DAY
    rows["is_running"] = is_open | (rows["last"] > yesterday)
    rows["last"] = np.where(is_open, yesterday, np.minimum(rows["last"], yesterday))
    return rows


def scores_known(histories: Histories, t: Days, scales: range) -> Rows:
    """Scores of some scales answered before ``t``, as known then, sorted by person, scale and day."""
    scale = histories.scores["scale"]
    rows = ((scale >= scales.start) & (scale < scales.stop)).nonzero()[0]
    person = histories.scores.owners()[rows]
    return _visible(histories.scores, rows, person, index_dates(histories, t), "day")


def company_events(known: Known, persons: np.ndarray, companies: np.ndarray) -> Rows:
    """Events before t, as known then, in the company of each of some persons.

    Parameters
    ----------
    known : Known of N persons
    persons : int array, sorted
        Positions of the persons asked for.
    companies : int array of the same shape
        Their companies, by position among the owners of ``known.events``.

    Returns
    -------
    dict of arrays, sorted by person and day.
    """
    counts = known.events.counts()[companies]
    rows = expanded_ranges(known.events.offsets[companies], counts)
    return _visible(known.events, rows, persons.repeat(counts), known.t, "day")


def doctor_stretches(
    histories: Histories, d: Days, chapter: Chapters | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Doctor-certified days before ``d``, as known on the morning of ``d``, as disjoint stretches of one grade.

    Parameters
    ----------
    histories : Histories of N persons
    d : int or int array of shape (N,)
    chapter : str, optional
        Only spells of one chapter group of ICPC-2.

    Returns
    -------
    person (int64), first_day, last_day (int32, both included), grade (int64, percent), sorted by person and first day.
    Where the grade changes from one day to the next, the stretches touch.
    """
    rows = absences_known(histories, d)
    chosen = rows["by_doctor"] if chapter is None else rows["by_doctor"] & np.isin(rows["chapter"], CHAPTERS[chapter])
    rows = _chosen(rows, chosen)
    person, first, last, grade = disjoint_pieces(rows["person"], rows["first"], rows["last"], rows["grade"])
    if not len(person):
        return person, first, last, grade
    goes_on = repeats(person, grade) & (first[1:] == last[:-1] + 1)
    opens = np.flatnonzero(np.append(True, ~goes_on))
    closes = np.append(opens[1:] - 1, len(person) - 1)
    return person[opens], first[opens], last[closes], grade[opens]


def _cut(block: Block, t: np.ndarray, begins: str | None = None) -> Rows:
    return _visible(block, slice(None), block.owners(), t, begins)


def _visible(block: Block, rows: np.ndarray | slice, person: np.ndarray, t: np.ndarray, begins: str | None) -> Rows:
    """Return the chosen rows that count at ``t``, which is one day per person."""
    columns = {name: column[rows] for name, column in block.columns.items()}
    known_from, known_until = columns.pop("known_from"), columns.pop("known_until")
    columns["person"] = person
    if not len(person):
        return columns
    t_of_row = t[person]
    counts = (known_from < t_of_row) & (t_of_row <= known_until)
    if begins is not None:
        counts &= columns[begins] < t_of_row
    return _chosen(columns, counts)


def _chosen(rows: Rows, chosen: np.ndarray) -> Rows:
    if chosen.all():
        return rows
    positions = chosen.nonzero()[0]
    return {name: column[positions] for name, column in rows.items()}
