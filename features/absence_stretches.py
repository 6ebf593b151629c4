"""Absence as stretches of days, by kind, and what they add up to in the windows before t.

A day that is both self- and doctor-certified is doctor-certified. Chapter groups of ICPC-2 are the union of that
group's doctor-certified spells on their own, so that a day may count in two of them. Days are counted from t: -1 is
yesterday.

Spells of pregnancy and birth (chapter W) count in none of it: see :func:`counted` and docs/decisions/20-pregnancy.md.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from features.as_of import DOCTOR, Known, Rows
from features.segments import (
    day_of,
    disjoint_points,
    group_of,
    height,
    merged_points,
    point,
    reduce_measures,
)

KINDS = ("doctor", "self", "mental", "musculoskeletal", "respiratory", "other_diagnosis", "any")
"""The chapter groups stand in the order of their codes in ``features.gathering``."""
BY_DOCTOR, BY_SELF, FIRST_CHAPTER, ANY = 0, 1, 2, len(KINDS) - 1

WINDOWS = (30, 90, 180, 275, 365, 730)
START_WINDOWS = (90, 365, 730)
LONG_WINDOWS = (365, 730)
ROWS = {
    name: row
    for row, name in enumerate((
        *(("days", window) for window in WINDOWS),
        *(("starts", window) for window in START_WINDOWS),
        ("reaching", 365),
        *(("longest", window) for window in LONG_WINDOWS),
    ))
}  # fmt: skip
"""Row of each measure and window in what :func:`totals` returns."""

_OPENS = -np.array(WINDOWS, dtype=np.int32)[:, np.newaxis]
_START_OPENS = -np.array(START_WINDOWS, dtype=np.int32)[:, np.newaxis]
_YEAR, _STARTS, _REACHING, _LONGEST = (
    ROWS[one] for one in (("days", 365), ("starts", 90), ("reaching", 365), ("longest", 365))
)


def place(measure: str, kind: str, window: int) -> int:
    """Return the row of a total among all of a person, once they stand in rows by measure and kind."""
    return ROWS[measure, window] * len(KINDS) + KINDS.index(kind)


class Stretches(NamedTuple):
    """Stretches of every kind, sorted by group and first day.

    ``group`` (int64) is kind x number of persons + person; ``first`` and ``last`` (int32), both included, count from t.
    """

    group: np.ndarray
    first: np.ndarray
    last: np.ndarray


class Pieces(NamedTuple):
    """Absent days, split where the highest grade in percent changes; the grade of self-certified days is put at 0."""

    person: np.ndarray
    first: np.ndarray
    last: np.ndarray
    grade: np.ndarray


def counted(known: Known) -> Rows:
    """Return the spells that features count: all but those of pregnancy and birth, which must not raise a risk."""
    rows = known.absences
    left_out = rows["of_pregnancy"]
    if not left_out.any():
        return rows
    kept = (~left_out).nonzero()[0]
    return {name: column[kept] for name, column in rows.items()}


def stretches_and_pieces(rows: Rows, t: np.ndarray) -> tuple[Stretches, Pieces]:
    """Return the stretches of every kind, and the absent days by grade, of N persons with their index dates."""
    person, is_by_doctor = rows["person"], rows["by_doctor"]
    day_0 = point(person, -t[person])
    start, end = day_0 + rows["first"], day_0 + rows["last"]
    piece_start, piece_end, priority = disjoint_points(start, end, DOCTOR * is_by_doctor + rows["grade"])
    by_doctor = is_by_doctor.nonzero()[0]
    n_pieces, n_and_chapters = len(priority), len(priority) + len(by_doctor)
    kind = np.empty(n_and_chapters + len(start), dtype=np.int64)
    kind[:n_pieces] = priority < DOCTOR  # BY_SELF, else BY_DOCTOR
    kind[n_pieces:n_and_chapters] = rows["chapter"][by_doctor] + FIRST_CHAPTER
    kind[n_and_chapters:] = ANY
    lift = height(kind * len(t))
    first, last = merged_points(
        np.concatenate((piece_start, start[by_doctor], start)) + lift,
        np.concatenate((piece_end, end[by_doctor], end)) + lift,
    )
    pieces = Pieces(group_of(piece_start), day_of(piece_start), day_of(piece_end), np.maximum(priority - DOCTOR, 0))
    return Stretches(group_of(first), day_of(first), day_of(last)), pieces


def totals(stretches: Stretches, n: int) -> np.ndarray:
    """Add up the stretches in the windows before t.

    Parameters
    ----------
    stretches : Stretches of n persons
    n : int

    Returns
    -------
    int32 array, shape (n_measures, n_kinds x n), by ``ROWS`` and by group: days inside the window, stretches that begin
    in it, stretches that have a day in it, and the longest stretch, counted inside it.
    """
    group, first, last = stretches
    values = np.empty((_LONGEST, len(group)), dtype=np.int32)
    inside = values[: len(WINDOWS)]
    np.subtract(last + 1, np.maximum(first, _OPENS), out=inside)
    np.maximum(inside, 0, out=inside)
    np.greater_equal(first, _START_OPENS, out=values[_STARTS:_REACHING])
    np.greater(values[_YEAR], 0, out=values[_REACHING])
    return reduce_measures(group, len(KINDS) * n, (np.add, values), (np.maximum, inside[_YEAR:]))


def weighted_days(pieces: Pieces, n: int) -> np.ndarray:
    """Return the sum of grade/100 over the doctor-certified days in ``LONG_WINDOWS``, float64, shape (n_windows, n)."""
    person, first, last, grade = pieces
    weighted = np.maximum(last + 1 - np.maximum(first, _OPENS[_YEAR:]), 0) * grade
    return np.array([np.bincount(person, of_window, n) for of_window in weighted]) / 100
