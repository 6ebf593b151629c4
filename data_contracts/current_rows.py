"""Which version of every fact counts on a morning, for everything that reads tables without gathering histories."""

from __future__ import annotations

from datetime import date

import numpy as np

from data_contracts.records import Record
from data_contracts.tables import Coded, Table, n_rows
from data_contracts.time_windows import day_number, to_day_numbers


def current_rows(record: type[Record], table: Table, as_of: date | None = None) -> np.ndarray:
    """Return the positions of the rows that count on the morning of ``as_of`` (None: of all rows there are).

    Of the versions of a fact, which share the record's natural key, the visible one with the latest ``known_from``
    counts; where that one is deleted, none does. The positions are ascending.
    """
    known_from = to_day_numbers(table["known_from"])
    visible = np.arange(n_rows(table)) if as_of is None else (known_from < day_number(as_of)).nonzero()[0]
    if not len(visible):
        return visible
    key = [_codes(table[name])[visible] for name in record.natural_key]
    order = np.lexsort((known_from[visible], *reversed(key)))
    is_last = np.ones(len(order), dtype=bool)
    is_last[:-1] = np.logical_or.reduce([one[order[1:]] != one[order[:-1]] for one in key])
    chosen = visible[order[is_last]]
    return np.sort(chosen[table["is_deleted"][chosen] != 1.0])


def _codes(column: Coded | np.ndarray) -> np.ndarray:
    return column.codes if isinstance(column, Coded) else column.view(np.int64)
