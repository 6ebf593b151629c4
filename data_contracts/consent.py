"""Whose consent covers which source, for one purpose, on one day."""

from __future__ import annotations

from typing import get_args

import numpy as np

from data_contracts.records import Purpose, Source
from data_contracts.tables import Table
from data_contracts.time_windows import NO_DAY, Days, to_day_numbers

SOURCES: tuple[Source, ...] = get_args(Source)
"""Order of the columns of :func:`in_force`: survey, lab, absence, employment."""


def in_force(consents: Table, person_index: np.ndarray, n_persons: int, purpose: Purpose, on: Days) -> np.ndarray:
    """True where consent for (source, ``purpose``) is in force: ``given_on <= on`` and not ``withdrawn_on <= on``.

    ``person_index`` gives the person of every consent row (-1: nobody of interest); ``on`` is one day number or one per
    person. The latest version of each consent counts, deleted ones are gone; any one consent in force suffices. Returns
    a bool array of shape (n_persons, 4), columns in the order of :data:`SOURCES`.
    """
    source = consents["source"].recode({name: position for position, name in enumerate(SOURCES)})
    of_purpose = consents["purpose"].recode({purpose: 0}) == 0
    rows = np.flatnonzero(of_purpose & (np.asarray(person_index) >= 0))
    person, source = np.asarray(person_index)[rows], source[rows]
    given = to_day_numbers(consents["given_on"][rows])
    withdrawn = to_day_numbers(consents["withdrawn_on"][rows])
    known = to_day_numbers(consents["known_from"][rows])

    order = np.lexsort((known, given, source, person))
    latest = order[_is_last_of_fact(person[order], source[order], given[order])]
    latest = latest[~(consents["is_deleted"][rows[latest]] == 1.0)]

    day = np.broadcast_to(np.asarray(on), (n_persons,))[person[latest]]
    is_withdrawn = (withdrawn[latest] != NO_DAY) & (withdrawn[latest] <= day)
    holds = latest[(given[latest] <= day) & ~is_withdrawn]
    result = np.zeros((n_persons, len(SOURCES)), dtype=bool)
    result[person[holds], source[holds]] = True
    return result


def _is_last_of_fact(*sorted_keys: np.ndarray) -> np.ndarray:
    """True at the last row of each run of equal keys."""
    is_last = np.ones(len(sorted_keys[0]), dtype=bool)
    is_last[:-1] = np.logical_or.reduce([key[1:] != key[:-1] for key in sorted_keys])
    return is_last
