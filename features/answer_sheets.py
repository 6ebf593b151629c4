"""Survey answers to scale scores, with every correction of an answer giving its occasion new versions of its scores.

An *occasion* is a person answering on one day; items of one instrument answered that day are scored together. A
*sheet* is what became known of an occasion on one day. Sheets of an occasion are laid on top of each other in the
order in which they became known, and the state after each sheet is scored: so a score depends on no index date, and is
computed once. Only scores that exist become rows: of ninety scales a person answers some. How an instrument was answered
(how many of its items, and whether all alike) is told in the same pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from data_contracts.instruments import INSTRUMENTS
from features.blocks import Block, block, sorted_block, until_next
from features.gathering import UNKNOWN, Rows
from features.segments import order_of, point, repeats, run_numbers, run_starts
from features.sheet_layouts import COLUMN_WITHIN, INSTRUMENT_OF, SheetLayout, columns_of, layout_of

FEWEST_TO_BE_STRAIGHT = 5
"""Answers, all alike, from which on an instrument is called straight-lined; fewer are alike by chance."""

_WITHDRAWN = np.inf
"""Stands in a sheet for an answer that was deleted: it hides the earlier answer, and is not one itself."""
_CELLS_AT_ONCE = 1 << 22
_FEW_ANSWERS = 2_000
_FEW_SHEETS = 500


class _Found(NamedTuple):
    """Scores or sheets of some occasions: rows as in the block.

    ``what`` is the scale or the instrument; ``numbers`` has the columns that only one of both has.
    """

    owner: np.ndarray
    what: np.ndarray
    day: np.ndarray
    known_from: np.ndarray
    known_until: np.ndarray
    numbers: tuple[np.ndarray, ...]


_NO_DAYS = np.empty(0, dtype=np.int32)
_NO_CODES, _NO_FLAGS = np.empty(0, dtype=np.int16), np.empty(0, dtype=bool)
_NO_SCORES = _Found(_NO_DAYS, _NO_CODES, _NO_DAYS, _NO_DAYS, _NO_DAYS, (np.empty(0),))
_NO_SHEETS = _Found(_NO_DAYS, _NO_CODES, _NO_DAYS, _NO_DAYS, _NO_DAYS, (_NO_CODES, _NO_FLAGS))


def gather_surveys(rows: Rows, usable: np.ndarray) -> tuple[Block, Block]:
    """Gather survey answers.

    Parameters
    ----------
    rows : Rows of ``survey_answers``
    usable : bool array, shape (n_rows,)
        The rows that may be used.

    Returns
    -------
    scores : Block
        Per person, scale and day, in versions: ``scale`` (position in ``SCALES``), ``day``, ``score``. A version without a
        score has no row, but ends the one before it.
    sheets : Block
        Per person, day and instrument, in versions: ``day``, ``instrument`` (position in ``INSTRUMENTS``), ``n_answered``,
        ``is_straight`` (at least ``FEWEST_TO_BE_STRAIGHT`` answers, all of one code). A version without an answer has no
        row either.
    """
    parts = [*_scored(_answers(rows, usable))] or [(_NO_SCORES, _NO_SHEETS)]
    owner, columns = _joined([scores for scores, _ in parts], "scale", "score")
    # The scores of a scale come by person, day and known_from already, and sorting is stable.
    scores = block(owner, rows.n_owners, columns, (columns["scale"],))
    owner, columns = _joined([sheets for _, sheets in parts], "instrument", "n_answered", "is_straight")
    # Sheets come by person and day, which is all the order they need, unless they were scored by instrument.
    place = point(owner, columns["day"])
    is_sorted = bool((place[1:] >= place[:-1]).all())
    sheets = (
        sorted_block(owner, rows.n_owners, columns) if is_sorted else block(owner, rows.n_owners, columns, (place,))
    )
    return scores, sheets


def _joined(parts: list[_Found], what: str, *numbers: str) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return the owners, and the columns of the block, of all parts together."""
    found = [[*part[:-1], *part.numbers] for part in parts]
    whole = found[0] if len(found) == 1 else [np.concatenate(columns) for columns in zip(*found, strict=True)]
    return whole[0], dict(zip((what, "day", "known_from", "known_until", *numbers), whole[1:], strict=True))


class _Answers(NamedTuple):
    """Answers: owner, days, the item's column in a sheet of all instruments, the answer, and whether it may be used.

    What may not be used (or is no declared item, column -1) stays among the rest and is laid aside with its sheets: choosing
    rows would copy every column of what is by far the longest table.
    """

    owner: np.ndarray
    day: np.ndarray
    known_from: np.ndarray
    column: np.ndarray
    answer: np.ndarray
    usable: np.ndarray


def _answers(rows: Rows, usable: np.ndarray) -> _Answers:
    column, answer = columns_of(rows.table), rows.table["answer"]
    given = np.where(rows.is_deleted, _WITHDRAWN, answer) if rows.is_deleted.any() else answer
    return _Answers(rows.owner, rows.days("answered_on"), rows.known_from, column, given, usable & (column != UNKNOWN))


def _scored(answers: _Answers) -> Iterator[tuple[_Found, _Found]]:
    """Score the sheets of all instruments that occur: few together, many, which would be mostly empty, by instrument."""
    instrument = np.where(answers.usable, INSTRUMENT_OF.take(answers.column), np.int8(len(INSTRUMENTS)))
    occurs = np.bincount(instrument, minlength=len(INSTRUMENTS) + 1)[:-1]
    codes = tuple(occurs.nonzero()[0].tolist())
    if not codes:
        return
    if len(instrument) <= _FEW_ANSWERS:
        layouts, column_of = [layout_of(codes)], layout_of(codes).column_of
    else:
        layouts, column_of = [layout_of((code,)) for code in codes], COLUMN_WITHIN
    form = np.full(len(INSTRUMENTS) + 1, len(layouts), dtype=np.int8)
    form[list(codes)] = np.arange(len(layouts))
    for sheets in _laid_out(form.take(instrument), column_of.take(answers.column), answers, layouts):
        yield from _scored_in_batches(sheets)


class _Sheets(NamedTuple):
    """Sheets of one layout, sorted by owner, day and ``known_from``; ``answers`` has one row a sheet, NaN unanswered."""

    layout: SheetLayout
    answers: np.ndarray
    owner: np.ndarray
    day: np.ndarray
    known_from: np.ndarray


def _laid_out(form: np.ndarray, column: np.ndarray, answers: _Answers, layouts: list[SheetLayout]) -> Iterator[_Sheets]:
    """Lay every answer into its column on its sheet, all at once.

    ``form`` is the position of the layout, one after the last where the answer may not be used: all those fall into one cell
    behind the others.
    """
    # Rows of a sheet nearly always lie together: sorting one row of each run instead of all is what makes this fast.
    starts = run_starts(form, *answers[:3])
    runs = [values[starts] for values in (form, *answers[:3])]
    order = order_of(*runs)
    sheets = [run[order] for run in runs]
    firsts = run_starts(*sheets)
    sheet_of_run = np.empty(len(starts), dtype=np.int64)
    sheet_of_run[order] = run_numbers(firsts, len(starts))
    form_of_sheet, *dates = (run[firsts] for run in sheets)
    n_sheets = np.bincount(form_of_sheet, minlength=len(layouts) + 1)
    n_sheets[-1] = 0
    n_cells = n_sheets * np.array([*(layout.key.n_items for layout in layouts), 0])
    last_sheet, last_cell = n_sheets.cumsum(), n_cells.cumsum()
    # Column after column, so that scoring adds whole columns: a cell lies at its column times the number of sheets.
    first_cell = (last_cell - n_cells - last_sheet + n_sheets)[runs[0]] + sheet_of_run
    first_cell[runs[0] == len(layouts)] = last_cell[-1]
    lengths = np.diff(starts, append=len(form))
    cell = n_sheets[runs[0]].repeat(lengths) * column
    cell += first_cell.repeat(lengths)
    room = np.full(last_cell[-1] + 1, np.nan)
    room[cell] = answers.answer
    for layout, n, end, end_cell in zip(
        layouts, n_sheets.tolist(), last_sheet.tolist(), last_cell.tolist(), strict=False
    ):
        mine = room[end_cell - n * layout.key.n_items : end_cell].reshape(layout.key.n_items, n).T
        yield _Sheets(layout, mine, *(column[end - n : end] for column in dates))


def _scored_in_batches(sheets: _Sheets) -> Iterator[tuple[_Found, _Found]]:
    layout, of_all, owner, day, known_from = sheets
    corrects = np.zeros(len(owner), dtype=bool)
    corrects[1:] = repeats(owner, day)
    until = until_next(corrects[1:], known_from)
    for first, end in _batches(corrects, layout.key.n_items):
        here = slice(first, end)
        answers = of_all[here]
        _lay_on_top(answers, corrects[here])
        answers[answers == _WITHDRAWN] = np.nan
        of_sheets = owner[here], day[here], known_from[here], until[here]
        yield _scores_of(layout, answers, *of_sheets), _answered_of(layout, answers, *of_sheets)


def _scores_of(
    layout: SheetLayout, answers: np.ndarray,
    owner: np.ndarray, day: np.ndarray, known_from: np.ndarray, until: np.ndarray,
) -> _Found:  # fmt: skip
    scores = layout.key.scores(answers).T.ravel()
    place = (scores == scores).nonzero()[0]
    scale = place // len(owner)
    of = place - scale * len(owner)
    return _Found(owner[of], layout.scales[scale], day[of], known_from[of], until[of], (scores[place],))


def _answered_of(
    layout: SheetLayout, answers: np.ndarray,
    owner: np.ndarray, day: np.ndarray, known_from: np.ndarray, until: np.ndarray,
) -> _Found:  # fmt: skip
    by_item = answers.T
    n_answered = _by_instrument(np.add, (by_item == by_item).view(np.int8), layout.borders)
    lowest, highest = (_by_instrument(ufunc, by_item, layout.borders) for ufunc in (np.fmin, np.fmax))
    is_straight = (n_answered >= FEWEST_TO_BE_STRAIGHT) & (lowest == highest)
    # Sheet by sheet, and within it instrument by instrument: so the rows come sorted.
    n = n_answered.T.astype(np.int16).ravel()
    place = n.nonzero()[0]
    of = place // len(layout.instruments)
    instrument = place - of * len(layout.instruments)
    return _Found(
        owner[of], layout.instruments[instrument], day[of], known_from[of], until[of],
        (n[place], is_straight.T.ravel()[place]),
    )  # fmt: skip


def _by_instrument(ufunc: np.ufunc, by_item: np.ndarray, borders: np.ndarray) -> np.ndarray:
    """Reduce the rows of each instrument: (items, sheets) to (instruments, sheets)."""
    if by_item.shape[1] < _FEW_SHEETS:
        return ufunc.reduceat(by_item, borders[:-1], axis=0, dtype=by_item.dtype)
    # One call for each instrument adds whole rows, where ``reduceat`` goes down every column by itself.
    return np.array(
        [ufunc.reduce(by_item[first:end], axis=0, dtype=by_item.dtype) for first, end in pairwise(borders.tolist())]
    )


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
