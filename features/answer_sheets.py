"""Survey answers to scale scores, with every correction of an answer giving the whole occasion a new version.

An *occasion* is one person answering one instrument on one day; its items are scored together. A *sheet* is what became
known of an occasion on one day. Sheets of an occasion are laid on top of each other in the order in which they became
known, and the state after each sheet is scored: so a score depends on no index date, and is computed once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data_contracts.instruments import INSTRUMENTS, Instrument, score
from features.blocks import FOREVER, Block, block
from features.gathering import UNKNOWN, Rows
from features.segments import packed_key, run_starts

SCALES = tuple(scale for instrument in INSTRUMENTS.values() for scale in instrument.scales)
"""All scales, in the order of their codes in a block of scores."""

_INSTRUMENTS = tuple(INSTRUMENTS.values())
_INSTRUMENT_CODES = {name: code for code, name in enumerate(INSTRUMENTS)}
_ITEM_POSITIONS = tuple(instrument.item_positions for instrument in _INSTRUMENTS)
_FIRST_SCALE = np.cumsum([0, *(len(instrument.scales) for instrument in _INSTRUMENTS)])
_WITHDRAWN = np.inf
"""Stands in a sheet for an answer that was deleted: it hides the earlier answer, and is not one itself."""


def scale_codes(instrument_name: str) -> range:
    """Return the codes of an instrument's scales in a block of scores."""
    code = _INSTRUMENT_CODES[instrument_name]
    return range(int(_FIRST_SCALE[code]), int(_FIRST_SCALE[code + 1]))


@dataclass(frozen=True)
class Sheets:
    """One row per sheet, sorted by owner, day, instrument and ``known_from``; ``rank`` counts the sheets of an occasion."""

    owner: np.ndarray
    day: np.ndarray
    instrument: np.ndarray
    known_from: np.ndarray
    known_until: np.ndarray
    rank: np.ndarray


def gather_scores(rows: Rows) -> Block:
    """Scale scores per person, scale and day, in versions; occasions that cannot be scored have no row."""
    instrument = rows.table["instrument"].recode(_INSTRUMENT_CODES, UNKNOWN)
    item = _item_positions(rows)[rows.table["item"].codes, instrument]
    known = (instrument != UNKNOWN) & (item != UNKNOWN)
    if not known.all():
        rows, instrument, item = rows.take(known), instrument[known], item[known]
    answer = np.where(rows.is_deleted, _WITHDRAWN, rows.table["answer"])
    sheets, sheet_of_row = _sheets(rows, instrument)
    scored = [
        _score(code, sheets, sheet_of_row[chosen], item[chosen], answer[chosen])
        for code, chosen in _rows_by_instrument(instrument)
    ]
    return _as_block(scored, rows.n_owners)


def _item_positions(rows: Rows) -> np.ndarray:
    """Column of an item in its instrument, shape (n_item_names + 1, n_instruments + 1); last ones are "missing"."""
    names = (*rows.table["item"].vocabulary, None)
    table = [[positions.get(name, UNKNOWN) for positions in (*_ITEM_POSITIONS, {})] for name in names]
    return np.array(table, dtype=np.int16)


def _rows_by_instrument(instrument: np.ndarray) -> list[tuple[int, np.ndarray]]:
    present = np.flatnonzero(np.bincount(instrument, minlength=1))
    return [(int(code), np.flatnonzero(instrument == code)) for code in present]


def _sheets(rows: Rows, instrument: np.ndarray) -> tuple[Sheets, np.ndarray]:
    """Find the sheets, and the sheet of every row."""
    day = rows.days("answered_on")
    key = packed_key(rows.owner, day, instrument, rows.known_from)
    # Rows of a sheet nearly always lie together: sorting one row of each run instead of all is what makes this fast.
    starts = run_starts(key)
    run_of_row = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(key))))
    _, representative, sheet_of_run = np.unique(key[starts], return_index=True, return_inverse=True)
    one = starts[representative]
    occasion = packed_key(rows.owner[one], day[one], instrument[one])
    known_from = rows.known_from[one]
    return Sheets(
        owner=rows.owner[one],
        day=day[one],
        instrument=instrument[one],
        known_from=known_from,
        known_until=_until_next(occasion, known_from),
        rank=_rank(occasion),
    ), sheet_of_run[run_of_row]


def _until_next(occasion: np.ndarray, known_from: np.ndarray) -> np.ndarray:
    until = np.full(len(occasion), FOREVER, dtype=np.int32)
    same = np.flatnonzero(occasion[1:] == occasion[:-1])
    until[same] = known_from[same + 1]
    return until


def _rank(occasion: np.ndarray) -> np.ndarray:
    starts = run_starts(occasion)
    return np.arange(len(occasion)) - np.repeat(starts, np.diff(np.append(starts, len(occasion))))


def _score(
    code: int, sheets: Sheets, sheet_of_row: np.ndarray, item: np.ndarray, answer: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Score the sheets of one instrument: owner, scale, day, known_from, known_until, score of all that can be scored."""
    instrument: Instrument = _INSTRUMENTS[code]
    mine = np.flatnonzero(sheets.instrument == code)
    answers = np.full((len(mine), len(instrument.items)), np.nan)
    answers[np.searchsorted(mine, sheet_of_row), item] = answer
    _lay_on_top(answers, sheets.rank[mine])
    scores = score(instrument, np.where(answers == _WITHDRAWN, np.nan, answers))
    sheet, scale = np.nonzero(~np.isnan(scores))
    columns = (column[mine[sheet]] for column in (sheets.owner, sheets.day, sheets.known_from, sheets.known_until))
    return (*columns, (scale + _FIRST_SCALE[code]).astype(np.int8), scores[sheet, scale])


def _lay_on_top(answers: np.ndarray, rank: np.ndarray) -> None:
    """Fill, in place, what a sheet does not mention from the sheet before it of the same occasion."""
    for turn in range(1, int(rank.max(initial=0)) + 1):
        later = np.flatnonzero(rank == turn)
        answers[later] = np.where(np.isnan(answers[later]), answers[later - 1], answers[later])


def _as_block(scored: list[tuple[np.ndarray, ...]], n_owners: int) -> Block:
    dtypes = (np.int32, np.int32, np.int32, np.int32, np.int8, np.float64)
    parts = zip(*scored, strict=True) if scored else ([np.empty(0, dtype)] for dtype in dtypes)
    owner, day, known_from, known_until, scale, scores = (np.concatenate(part) for part in parts)
    columns = {"scale": scale, "day": day, "known_from": known_from, "known_until": known_until, "score": scores}
    return block(owner, n_owners, columns, ("scale", "day", "known_from"))
