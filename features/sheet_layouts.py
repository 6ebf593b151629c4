"""Where an answer stands on a sheet: the columns of items and instruments, and the scoring key of a sheet's scales."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from data_contracts.instruments import INSTRUMENTS
from data_contracts.instruments.instrument import ScoringKey
from data_contracts.tables import Table
from features.gathering import UNKNOWN

SCALES = tuple(scale for instrument in INSTRUMENTS.values() for scale in instrument.scales)
"""All scales; ``scale`` in a block of scores is the position here."""

_INSTRUMENTS = tuple(INSTRUMENTS.values())
_CODES = {name: code for code, name in enumerate(INSTRUMENTS)}
_FIRST_SCALE = np.cumsum([0, *(len(instrument.scales) for instrument in _INSTRUMENTS)]).tolist()
_ITEM_CODES = {
    item: code for code, item in enumerate(dict.fromkeys(item.id for one in _INSTRUMENTS for item in one.items))
}


INSTRUMENT_OF = np.repeat(np.arange(len(_INSTRUMENTS), dtype=np.int8), [len(one.items) for one in _INSTRUMENTS])
"""The instrument of each column in a sheet of all instruments."""
COLUMN_WITHIN = np.concatenate([np.arange(len(one.items), dtype=np.int64) for one in _INSTRUMENTS])
"""Its column in a sheet of its instrument alone."""


def _places() -> np.ndarray:
    """Return the column of each instrument and item; one row and one column more, for names that are not known."""
    places = np.full((len(_CODES) + 1, len(_ITEM_CODES) + 1), UNKNOWN, dtype=np.int16)
    cells = [(code, _ITEM_CODES[item.id]) for code, one in enumerate(_INSTRUMENTS) for item in one.items]
    places[tuple(np.array(cells).T)] = np.arange(len(cells))
    return places


_PLACES = _places()


def scales_of(instrument_name: str) -> range:
    """Return the positions in ``SCALES`` of an instrument's scales."""
    code = _CODES[instrument_name]
    return range(_FIRST_SCALE[code], _FIRST_SCALE[code + 1])


def columns_of(table: Table) -> np.ndarray:
    """Return the column of every answer in a sheet of all instruments, -1 where it has none."""
    instrument, item = table["instrument"], table["item"]
    # Unknown words come first, where the code of a missing one, which is -1, points to.
    instruments = [UNKNOWN, *(_CODES.get(name, UNKNOWN) for name in instrument.vocabulary)]
    items = [UNKNOWN, *(_ITEM_CODES.get(name, UNKNOWN) for name in item.vocabulary)]
    cell = (instrument.codes + 1) * np.int32(len(items)) + (item.codes + 1)
    return _PLACES[instruments][:, items].ravel().take(cell)


class SheetLayout:
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
        self.column_of = np.full(len(INSTRUMENT_OF), UNKNOWN, dtype=np.int64)
        for code, border in zip(codes, self.borders.tolist(), strict=False):
            mine = np.equal(INSTRUMENT_OF, code)
            self.column_of[mine] = border + np.arange(np.count_nonzero(mine))


@lru_cache(maxsize=256)
def layout_of(codes: tuple[int, ...]) -> SheetLayout:
    """Return the layout of some instruments, by their position in ``INSTRUMENTS``."""
    return SheetLayout(codes)
