"""Survey answers to scale scores, with every correction of an answer giving its occasion new versions of its scores.

An *occasion* is a person answering on one day; items of one instrument answered that day are scored together. A
*sheet* is what became known of an occasion on one day. Sheets of an occasion are laid on top of each other in the
order in which they became known, and the state after each sheet is scored: so a score depends on no index date, and is
computed once. Only scores that exist become rows: of ninety scales a person answers some.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from data_contracts.instruments import INSTRUMENTS
from data_contracts.instruments.instrument import ScoringKey
from features.blocks import Block, block, until_next
from features.gathering import UNKNOWN, Rows
from features.segments import order_of, repeats, run_numbers, run_starts

SCALES = tuple(scale for instrument in INSTRUMENTS.values() for scale in instrument.scales)
"""All scales; ``scale`` in a block of scores is the position here."""

_INSTRUMENTS = tuple(INSTRUMENTS.values())
_CODES = {name: code for code, name in enumerate(INSTRUMENTS)}
_FIRST_SCALE = np.cumsum([0, *(len(instrument.scales) for instrument in _INSTRUMENTS)]).tolist()
_ITEM_CODES = {
    item: code for code, item in enumerate(dict.fromkeys(item.id for one in _INSTRUMENTS for item in one.items))
}


_COLUMNS = ("instrument", "item", "answer", "answered_on")
_WITHDRAWN = np.inf
"""Stands in a sheet for an answer that was deleted: it hides the earlier answer, and is not one itself."""
_CELLS_AT_ONCE = 1 << 22
_FEW_CELLS = 1 << 16


class _Scores(NamedTuple):
    """Rows of scores, as in the block."""

    owner: np.ndarray
    scale: np.ndarray
    day: np.ndarray
    known_from: np.ndarray
    known_until: np.ndarray
    score: np.ndarray


_NO_DAYS = np.empty(0, dtype=np.int32)
_NO_SCORES = _Scores(_NO_DAYS, np.empty(0, dtype=np.int16), _NO_DAYS, _NO_DAYS, _NO_DAYS, np.empty(0))


def scales_of(instrument_name: str) -> range:
    """Return the positions in ``SCALES`` of an instrument's scales."""
    code = _CODES[instrument_name]
    return range(_FIRST_SCALE[code], _FIRST_SCALE[code + 1])


def gather_scores(rows: Rows) -> Block:
    """Scores per person, scale and day, in versions; a version without a score has no row, but ends the one before it."""
    needed = replace(rows, table={name: rows.table[name] for name in _COLUMNS})
    parts = [_NO_SCORES, *_scored(needed)]
    found = _Scores(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    columns = found._asdict()
    return block(columns.pop("owner"), rows.n_owners, columns, (found.scale, found.day, found.known_from))


class _Sheet:
    """A sheet with room for all items of some instruments: its layout and its scoring key."""

    def __init__(self, codes: tuple[int, ...]) -> None:
        instruments = [_INSTRUMENTS[code] for code in codes]
        self.key = ScoringKey(instruments)
        self.scales = np.array([scale for one in instruments for scale in scales_of(one.name)], dtype=np.int16)
        # One row and one column more, for names that are not known or not of these instruments.
        self._columns = np.full((len(_CODES) + 1, len(_ITEM_CODES) + 1), UNKNOWN, dtype=np.int16)
        places = [(code, _ITEM_CODES[item.id]) for code in codes for item in _INSTRUMENTS[code].items]
        self._columns[tuple(np.array(places).T)] = np.arange(len(places))

    def columns(self, rows: Rows) -> np.ndarray:
        """Return the column of every answer, -1 where it has none."""
        instrument, item = rows.table["instrument"], rows.table["item"]
        instruments = [*(_CODES.get(name, UNKNOWN) for name in instrument.vocabulary), UNKNOWN]
        items = [*(_ITEM_CODES.get(name, UNKNOWN) for name in item.vocabulary), UNKNOWN]
        return self._columns[instruments][:, items][instrument.codes, item.codes]


@lru_cache(maxsize=256)
def _sheet(codes: tuple[int, ...]) -> _Sheet:
    return _Sheet(codes)


def _scored(rows: Rows) -> Iterator[_Scores]:
    """Score the sheets of all instruments that occur; many sheets that would be mostly empty, by instrument."""
    codes = _instruments(rows)
    if not codes:
        return
    layout = _sheet(codes)
    column = layout.columns(rows)
    known = column != UNKNOWN
    if not known.all():
        rows, column = rows.take(known), column[known]
    sheet, dates = _sheets(rows)
    if len(codes) > 1 and len(dates[0]) * layout.key.n_items > max(2 * len(column), _FEW_CELLS):
        for name in rows.table["instrument"].vocabulary:
            yield from _scored(rows.take(rows.table["instrument"].recode({name: 0}) == 0))
    else:
        yield from _scored_in_batches(layout, sheet, column, _answers(rows), *dates)


def _instruments(rows: Rows) -> tuple[int, ...]:
    """Codes of the declared instruments that occur, in order."""
    instrument = rows.table["instrument"]
    occurs = np.zeros(len(instrument.vocabulary) + 1, dtype=bool)
    occurs[instrument.codes] = True
    names = (name for name, is_there in zip(instrument.vocabulary, occurs.tolist(), strict=False) if is_there)
    return tuple(sorted(_CODES[name] for name in names if name in _CODES))


def _answers(rows: Rows) -> np.ndarray:
    answer = rows.table["answer"]
    return np.where(rows.is_deleted, _WITHDRAWN, answer) if rows.is_deleted.any() else answer


def _scored_in_batches(
    layout: _Sheet, sheet: np.ndarray, column: np.ndarray, answer: np.ndarray,
    owner: np.ndarray, day: np.ndarray, known_from: np.ndarray,
) -> Iterator[_Scores]:  # fmt: skip
    corrects = np.zeros(len(owner), dtype=bool)
    corrects[1:] = repeats(owner, day)
    until = until_next(corrects[1:], known_from)
    for first, end in _batches(corrects, layout.key.n_items):
        mine = slice(None) if end - first == len(owner) else (sheet >= first) & (sheet < end)
        answers = np.full((end - first, layout.key.n_items), np.nan, order="F")
        answers[sheet[mine] - first, column[mine]] = answer[mine]
        _lay_on_top(answers, corrects[first:end])
        answers[answers == _WITHDRAWN] = np.nan
        scores = layout.key.scores(answers).T
        scale, place = (scores == scores).nonzero()
        of = first + place
        yield _Scores(owner[of], layout.scales[scale], day[of], known_from[of], until[of], scores[scale, place])


def _sheets(rows: Rows) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """Number the sheets by person, day and ``known_from``: the sheet of every row, and those three of every sheet."""
    columns = rows.owner, rows.days("answered_on"), rows.known_from
    # Rows of a sheet nearly always lie together: sorting one row of each run instead of all is what makes this fast.
    starts = run_starts(*columns)
    order = order_of(*(column[starts] for column in columns))
    runs = tuple(column[starts[order]] for column in columns)
    firsts = run_starts(*runs)
    sheet_of_run = np.empty(len(starts), dtype=np.int64)
    sheet_of_run[order] = run_numbers(firsts, len(starts))
    return sheet_of_run[run_numbers(starts, len(rows.owner))], tuple(run[firsts] for run in runs)


def _batches(corrects: np.ndarray, n_items: int) -> list[tuple[int, int]]:
    """Cut the sheets into batches, never between a sheet and one that corrects it."""
    starts = (~corrects).nonzero()[0]
    return list(pairwise([*starts[:: max(1, _CELLS_AT_ONCE // n_items)].tolist(), len(corrects)]))


def _lay_on_top(answers: np.ndarray, corrects: np.ndarray) -> None:
    """Fill, in place, what a sheet does not mention from the sheet before it of the same occasion."""
    turn = (corrects[1:] > corrects[:-1]).nonzero()[0] + 1
    while len(turn):
        answers[turn] = np.where(np.isnan(answers[turn]), answers[turn - 1], answers[turn])
        turn = turn[turn + 1 < len(corrects)] + 1
        turn = turn[corrects[turn]]
