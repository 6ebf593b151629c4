"""Survey answers to scale scores, with every correction of an answer giving its occasion a new version.

An *occasion* is a person answering on one day; items of one instrument answered that day are scored together. A
*sheet* is what became known of an occasion on one day. Sheets of an occasion are laid on top of each other in the
order in which they became known, and the state after each sheet is scored: so a score depends on no index date, and is
computed once.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from data_contracts.instruments import INSTRUMENTS
from data_contracts.instruments.instrument import ScoringKey
from features.blocks import Block, sorted_block, until_next
from features.gathering import UNKNOWN, Rows
from features.segments import order_of, repeats, run_numbers, run_starts

SCALES = tuple(scale for instrument in INSTRUMENTS.values() for scale in instrument.scales)
"""All scales, in the order of the columns of ``scores``."""

_INSTRUMENTS = tuple(INSTRUMENTS.values())
_CODES = {name: code for code, name in enumerate(INSTRUMENTS)}
_FIRST_SCALE = np.cumsum([0, *(len(instrument.scales) for instrument in _INSTRUMENTS)]).tolist()
_ITEM_CODES = {
    item: code for code, item in enumerate(dict.fromkeys(item.id for one in _INSTRUMENTS for item in one.items))
}
_KEY = ScoringKey(_INSTRUMENTS)


def _item_places() -> np.ndarray:
    """Column of each instrument's items in a sheet that has room for all items of all; -1 for what is not there."""
    places = np.full((len(_CODES) + 1, len(_ITEM_CODES) + 1), UNKNOWN, dtype=np.int16)
    items = [(code, _ITEM_CODES[item.id]) for code, one in enumerate(_INSTRUMENTS) for item in one.items]
    places[tuple(np.array(items).T)] = np.arange(len(items))
    return places


_ITEM_PLACES = _item_places()
_WITHDRAWN = np.inf
"""Stands in a sheet for an answer that was deleted: it hides the earlier answer, and is not one itself."""
_SHEETS_AT_ONCE = 50_000


def scale_columns(instrument_name: str) -> slice:
    """Return the columns of an instrument's scales in ``scores``."""
    code = _CODES[instrument_name]
    return slice(_FIRST_SCALE[code], _FIRST_SCALE[code + 1])


def gather_scores(rows: Rows) -> Block:
    """Scores of all scales per person and day, in versions; ``scores`` has one column per scale, NaN where unknown."""
    column = _item_columns(rows)
    known = column != UNKNOWN
    if not known.all():
        rows, column = rows.take(known), column[known]
    sheet, (owner, day, known_from) = _sheets(rows)
    corrects = np.zeros(len(owner), dtype=bool)
    corrects[1:] = repeats(owner, day)
    answer = rows.table["answer"]
    if rows.is_deleted.any():
        answer = np.where(rows.is_deleted, _WITHDRAWN, answer)
    scores = np.empty((len(owner), len(SCALES)))
    for first, end in _batches(corrects):
        mine = slice(None) if end - first == len(owner) else (sheet >= first) & (sheet < end)
        answers = np.full((end - first, _KEY.n_items), np.nan, order="F")
        answers[sheet[mine] - first, column[mine]] = answer[mine]
        _lay_on_top(answers, corrects[first:end])
        answers[answers == _WITHDRAWN] = np.nan
        scores[first:end] = _KEY.scores(answers)
    until = until_next(corrects[1:], known_from)
    columns = {"day": day, "scores": scores, "known_from": known_from, "known_until": until}
    return sorted_block(owner, rows.n_owners, columns)


def _item_columns(rows: Rows) -> np.ndarray:
    """Column of every answer in a sheet; -1 where instrument or item is unknown."""
    instrument, item = rows.table["instrument"], rows.table["item"]
    instruments = [*(_CODES.get(name, UNKNOWN) for name in instrument.vocabulary), UNKNOWN]
    items = [*(_ITEM_CODES.get(name, UNKNOWN) for name in item.vocabulary), UNKNOWN]
    return _ITEM_PLACES[instruments][:, items][instrument.codes, item.codes]


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


def _batches(corrects: np.ndarray) -> list[tuple[int, int]]:
    """Cut the sheets into batches, never between a sheet and one that corrects it."""
    starts = (~corrects).nonzero()[0]
    return list(pairwise([*starts[::_SHEETS_AT_ONCE].tolist(), len(corrects)]))


def _lay_on_top(answers: np.ndarray, corrects: np.ndarray) -> None:
    """Fill, in place, what a sheet does not mention from the sheet before it of the same occasion."""
    turn = (corrects[1:] > corrects[:-1]).nonzero()[0] + 1
    while len(turn):
        answers[turn] = np.where(np.isnan(answers[turn]), answers[turn - 1], answers[turn])
        turn = turn[turn + 1 < len(corrects)] + 1
        turn = turn[corrects[turn]]
