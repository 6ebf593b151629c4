"""Survey answers to scale scores, with every correction of an answer giving its occasion a new version.

An *occasion* is a person answering on one day; items of one instrument answered that day are scored together. A
*sheet* is what became known of an occasion on one day. Sheets of an occasion are laid on top of each other in the
order in which they became known, and the state after each sheet is scored: so a score depends on no index date, and is
computed once.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from data_contracts.instruments import INSTRUMENTS, score
from features.blocks import Block, block, until_next
from features.gathering import UNKNOWN, Rows
from features.segments import order_of, repeats, run_numbers, run_starts

SCALES = tuple(scale for instrument in INSTRUMENTS.values() for scale in instrument.scales)
"""All scales, in the order of the columns of ``scores``."""

_INSTRUMENTS = tuple(INSTRUMENTS.values())
_CODES = {name: code for code, name in enumerate(INSTRUMENTS)}
_FIRST_SCALE = np.cumsum([0, *(len(instrument.scales) for instrument in _INSTRUMENTS)]).tolist()
_FIRST_ITEM = np.cumsum([0, *(len(instrument.items) for instrument in _INSTRUMENTS)]).tolist()
_ITEM_COLUMNS = tuple(
    {item: first + position for item, position in instrument.item_positions.items()}
    for instrument, first in zip(_INSTRUMENTS, _FIRST_ITEM, strict=False)
)
"""Per instrument, the column of each item in a sheet that has room for all items of all instruments."""
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
    answer = np.where(rows.is_deleted, _WITHDRAWN, rows.table["answer"])
    scores = np.empty((len(owner), len(SCALES)))
    for first, end in _batches(corrects):
        mine = slice(None) if end - first == len(owner) else (sheet >= first) & (sheet < end)
        answers = np.full((end - first, _FIRST_ITEM[-1]), np.nan, order="F")
        answers[sheet[mine] - first, column[mine]] = answer[mine]
        _lay_on_top(answers, corrects[first:end])
        scores[first:end] = _score(answers)
    until = until_next((owner, day), known_from)
    columns = {"day": day, "scores": scores, "known_from": known_from, "known_until": until}
    return block(owner, rows.n_owners, columns, (day, known_from))


def _item_columns(rows: Rows) -> np.ndarray:
    """Column of every answer in a sheet; -1 where instrument or item is unknown."""
    items = (*rows.table["item"].vocabulary, None)
    names = (*rows.table["instrument"].vocabulary, None)
    instruments = [_ITEM_COLUMNS[_CODES[name]] if name in _CODES else {} for name in names]
    columns = np.array([[places.get(item, UNKNOWN) for item in items] for places in instruments], dtype=np.int16)
    return columns[rows.table["instrument"].codes, rows.table["item"].codes]


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
    turn = (corrects & ~np.roll(corrects, 1)).nonzero()[0]
    while len(turn):
        answers[turn] = np.where(np.isnan(answers[turn]), answers[turn - 1], answers[turn])
        turn = turn[turn + 1 < len(corrects)] + 1
        turn = turn[corrects[turn]]


def _score(answers: np.ndarray) -> np.ndarray:
    answers[answers == _WITHDRAWN] = np.nan
    parts = zip(_INSTRUMENTS, _FIRST_ITEM[:-1], _FIRST_ITEM[1:], strict=True)
    return np.concatenate([score(instrument, answers[:, first:end]) for instrument, first, end in parts], axis=1)
