"""Whose consent covers which source, for one purpose, on one day."""

from __future__ import annotations

from typing import get_args

import numpy as np

from data_contracts.records import Purpose, Source
from data_contracts.tables import Coded, Table
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


def in_doubt(consents: Table, refused: dict[str, Coded]) -> np.ndarray:
    """True for each accepted row whose person, source and purpose a refused row names.

    Nobody can tell whether a refused row was a withdrawal, and data must not be used against somebody's will: what the
    person said before does not count until the row is mended. A source or purpose that cannot be read stands for all.
    """
    known = (None, set(SOURCES), set(get_args(Purpose)))
    columns = [refused[name].texts() if name in refused else [] for name in ("person_id", "source", "purpose")]
    named = {
        tuple(text if codes is None or text in codes else None for text, codes in zip(row, known, strict=True))
        for row in zip(*columns, strict=False)
    }
    doubtful = np.zeros(len(consents["person_id"]), dtype=bool)
    rows = (consents["person_id"].recode(dict.fromkeys((row[0] for row in named if row[0]), 1), 0) == 1).nonzero()[0]
    accepted = (consents[name][rows].texts() for name in ("person_id", "source", "purpose"))
    doubtful[rows] = [
        not named.isdisjoint(
            ((person, source, purpose), (person, source, None), (person, None, purpose), (person, None, None))
        )
        for person, source, purpose in zip(*accepted, strict=True)
    ]
    return doubtful
