"""Survey answers to scale scores, with every correction of an answer giving its occasion new versions of its scores.

An *occasion* is a person answering on one day; items of one instrument answered that day are scored together. A
*sheet* is what became known of an occasion on one day. Sheets of an occasion are laid on top of each other in the
order in which they became known, and the state after each sheet is scored: so a score depends on no index date, and is
computed once. Only scores that exist become rows: of ninety scales a person answers some. How an instrument was answered
(how many of its items, and whether all alike) is told in the same pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from data_contracts.instruments import INSTRUMENTS
from data_contracts.instruments.instrument import ScoringKey
from data_contracts.tables import Table
from data_contracts.time_windows import to_day_numbers
from features.blocks import Block, block, sorted_block, until_next
from features.gathering import UNKNOWN, Rows
from features.segments import order_of, point, repeats, run_numbers, run_starts

SCALES = tuple(scale for instrument in INSTRUMENTS.values() for scale in instrument.scales)
"""All scales; ``scale`` in a block of scores is the position here."""

_INSTRUMENTS = tuple(INSTRUMENTS.values())
_CODES = {name: code for code, name in enumerate(INSTRUMENTS)}
_FIRST_SCALE = np.cumsum([0, *(len(instrument.scales) for instrument in _INSTRUMENTS)]).tolist()
_ITEM_CODES = {
    item: code for code, item in enumerate(dict.fromkeys(item.id for one in _INSTRUMENTS for item in one.items))
}


_INSTRUMENT_OF = np.repeat(np.arange(len(_INSTRUMENTS), dtype=np.int8), [len(one.items) for one in _INSTRUMENTS])
"""The instrument of each column in a sheet of all instruments."""


def _places() -> np.ndarray:
    """Return the column of each instrument and item; one row and one column more, for names that are not known."""
    places = np.full((len(_CODES) + 1, len(_ITEM_CODES) + 1), UNKNOWN, dtype=np.int16)
    cells = [(code, _ITEM_CODES[item.id]) for code, one in enumerate(_INSTRUMENTS) for item in one.items]
    places[tuple(np.array(cells).T)] = np.arange(len(cells))
    return places


_PLACES = _places()
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


def scales_of(instrument_name: str) -> range:
    """Return the positions in ``SCALES`` of an instrument's scales."""
    code = _CODES[instrument_name]
    return range(_FIRST_SCALE[code], _FIRST_SCALE[code + 1])


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
    parts = [*_scored(*_answers(rows, usable))] or [(_NO_SCORES, _NO_SHEETS)]
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
    """Answers to declared items: owner, days, the item's column in a sheet of all instruments, and the answer."""

    owner: np.ndarray
    day: np.ndarray
    known_from: np.ndarray
    column: np.ndarray
    answer: np.ndarray

    def take(self, rows: slice) -> _Answers:
        """Return the chosen rows."""
        return _Answers(*(values[rows] for values in self))


def _answers(rows: Rows, usable: np.ndarray) -> tuple[_Answers, np.ndarray]:
    """Return the answers that may be used, sorted by instrument where they are many, and how many each instrument has."""
    column, answer = _columns(rows.table), rows.table["answer"]
    chosen = (usable & (column != UNKNOWN)).nonzero()[0]
    instrument = _INSTRUMENT_OF[column[chosen]]
    if len(chosen) > _FEW_ANSWERS:
        chosen = chosen[instrument.argsort(kind="stable")]
    answers = _Answers(
        rows.owner[chosen],
        to_day_numbers(rows.table["answered_on"][chosen]),
        rows.known_from[chosen],
        column[chosen],
        np.where(rows.is_deleted[chosen], _WITHDRAWN, answer[chosen]),
    )
    return answers, np.bincount(instrument, minlength=len(_INSTRUMENTS))


def _columns(table: Table) -> np.ndarray:
    """Return the column of every answer in a sheet of all instruments, -1 where it has none."""
    instrument, item = table["instrument"], table["item"]
    # Unknown words come first, where the code of a missing one, which is -1, points to.
    instruments = [UNKNOWN, *(_CODES.get(name, UNKNOWN) for name in instrument.vocabulary)]
    items = [UNKNOWN, *(_ITEM_CODES.get(name, UNKNOWN) for name in item.vocabulary)]
    cell = (instrument.codes + 1) * np.int32(len(items)) + (item.codes + 1)
    return _PLACES[instruments][:, items].ravel().take(cell)


class _Sheet:
    """A sheet with room for all items of some instruments: its layout and its scoring key.

    ``borders`` are the first columns of the instruments, and behind them the end of the last one.
    """

    def __init__(self, codes: tuple[int, ...]) -> None:
        instruments = [_INSTRUMENTS[code] for code in codes]
        self.key = ScoringKey(instruments)
        self.instruments = np.array(codes, dtype=np.int16)
        self.borders = np.cumsum([0, *(len(one.items) for one in instruments)])
        self.scales = np.array([scale for one in instruments for scale in scales_of(one.name)], dtype=np.int16)
        # The column here of each column in a sheet of all instruments.
        self.column_of = np.full(len(_INSTRUMENT_OF), UNKNOWN, dtype=np.int16)
        for code, border in zip(codes, self.borders.tolist(), strict=False):
            mine = np.equal(_INSTRUMENT_OF, code)
            self.column_of[mine] = border + np.arange(np.count_nonzero(mine))


@lru_cache(maxsize=256)
def _sheet(codes: tuple[int, ...]) -> _Sheet:
    return _Sheet(codes)


def _scored(answers: _Answers, n_answers: np.ndarray) -> Iterator[tuple[_Found, _Found]]:
    """Score the sheets of all instruments that occur: few together, many, which would be mostly empty, by instrument."""
    codes = tuple(n_answers.nonzero()[0].tolist())
    if len(answers.owner) <= _FEW_ANSWERS:
        if codes:
            yield from _of_layout(_sheet(codes), answers)
        return
    ends = n_answers.cumsum()
    for code in codes:
        yield from _of_layout(_sheet((code,)), answers.take(slice(ends[code] - n_answers[code], ends[code])))


def _of_layout(layout: _Sheet, answers: _Answers) -> Iterator[tuple[_Found, _Found]]:
    sheet, dates = _sheets(answers)
    column = layout.column_of[answers.column]
    yield from _scored_in_batches(layout, sheet, column, answers.answer, *dates)


def _scored_in_batches(
    layout: _Sheet, sheet: np.ndarray, column: np.ndarray, answer: np.ndarray,
    owner: np.ndarray, day: np.ndarray, known_from: np.ndarray,
) -> Iterator[tuple[_Found, _Found]]:  # fmt: skip
    corrects = np.zeros(len(owner), dtype=bool)
    corrects[1:] = repeats(owner, day)
    until = until_next(corrects[1:], known_from)
    for first, end in _batches(corrects, layout.key.n_items):
        mine = slice(None) if end - first == len(owner) else (sheet >= first) & (sheet < end)
        answers = np.full((end - first, layout.key.n_items), np.nan, order="F")
        answers[sheet[mine] - first, column[mine]] = answer[mine]
        _lay_on_top(answers, corrects[first:end])
        answers[answers == _WITHDRAWN] = np.nan
        here = slice(first, end)
        of_sheets = owner[here], day[here], known_from[here], until[here]
        yield _scores_of(layout, answers, *of_sheets), _answered_of(layout, answers, *of_sheets)


def _scores_of(
    layout: _Sheet, answers: np.ndarray,
    owner: np.ndarray, day: np.ndarray, known_from: np.ndarray, until: np.ndarray,
) -> _Found:  # fmt: skip
    scores = layout.key.scores(answers).T
    scale, of = (scores == scores).nonzero()
    return _Found(owner[of], layout.scales[scale], day[of], known_from[of], until[of], (scores[scale, of],))


def _answered_of(
    layout: _Sheet, answers: np.ndarray,
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


def _sheets(answers: _Answers) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """Number the sheets by person, day and ``known_from``: the sheet of every row, and those three of every sheet."""
    columns = answers[:3]
    # Rows of a sheet nearly always lie together: sorting one row of each run instead of all is what makes this fast.
    starts = run_starts(*columns)
    order = order_of(*(column[starts] for column in columns))
    runs = tuple(column[starts[order]] for column in columns)
    firsts = run_starts(*runs)
    sheet_of_run = np.empty(len(starts), dtype=np.int64)
    sheet_of_run[order] = run_numbers(firsts, len(starts))
    return sheet_of_run[run_numbers(starts, len(answers.owner))], tuple(run[firsts] for run in runs)


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
