"""Whose consent covers which source, for one purpose, on one day."""

from __future__ import annotations

from typing import get_args

import numpy as np

from data_contracts.records import Purpose, Source
from data_contracts.tables import Table
from data_contracts.time_windows import NO_DAY, Days, to_day_numbers

SOURCES: tuple[Source, ...] = get_args(Source)
"""Order of the columns of :func:`in_force`: survey, lab, absence, employment."""
_COLUMNS = {name: position for position, name in enumerate(SOURCES)}


def in_force(consents: Table, person_index: np.ndarray, n_persons: int, purpose: Purpose, on: Days) -> np.ndarray:
    """True where consent for (source, ``purpose``) is in force: ``given_on <= on`` and not ``withdrawn_on <= on``.

    ``person_index`` gives the person of every consent row (-1: nobody of interest); ``on`` is one day number or one per
    person. The latest version of each consent counts, deleted ones are gone; any one consent in force suffices. Returns
    a bool array of shape (n_persons, 4), columns in the order of :data:`SOURCES`.
    """
    of_purpose = consents["purpose"].recode({purpose: 0}) == 0
    rows = (of_purpose & (person_index >= 0)).nonzero()[0]
    cell = person_index[rows].astype(np.int64) * len(SOURCES) + consents["source"].recode(_COLUMNS)[rows]
    given, withdrawn, known = (
        to_day_numbers(consents[name][rows]) for name in ("given_on", "withdrawn_on", "known_from")
    )

    order = np.lexsort((known, given, cell))
    cell, given, withdrawn = cell[order], given[order], withdrawn[order]
    holds = consents["is_deleted"][rows[order]] != 1.0
    # Of the versions of a fact, neighbours now, only the last counts.
    holds[:-1] &= (cell[1:] != cell[:-1]) | (given[1:] != given[:-1])

    day = on if np.ndim(on) == 0 else np.asarray(on)[cell // len(SOURCES)]
    holds &= (given <= day) & ((withdrawn == NO_DAY) | (withdrawn > day))
    result = np.zeros(n_persons * len(SOURCES), dtype=bool)
    result[cell[holds]] = True
    return result.reshape(n_persons, len(SOURCES))
