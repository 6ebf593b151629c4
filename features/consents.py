"""Whose consent covers which source on one day, as it was known on one morning."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data_contracts.consent import SOURCES
from data_contracts.records import Purpose
from data_contracts.time_windows import NO_DAY, Days
from features.blocks import FOREVER, Block
from features.gathering import Rows

_COLUMNS = {name: position for position, name in enumerate(SOURCES)}


@dataclass(frozen=True)
class Terms:
    """On what terms rows are used: for which purpose, with consent in force on which day, known before which morning.

    ``known_by`` is ``FOREVER`` where everything counts that is known today.
    """

    purpose: Purpose
    consent_on: int
    known_by: int = FOREVER


def gather_consents(rows: Rows) -> Block:
    """Consents for one purpose, in versions: a fact is the source with the day on which consent was given."""
    given = rows.days("given_on")
    rows, known_until = rows.current(rows.table["source"].recode(_COLUMNS), given)
    return rows.block(
        known_until,
        source=rows.table["source"].recode(_COLUMNS).astype(np.int8),
        given=rows.days("given_on"),
        withdrawn=rows.days("withdrawn_on"),
    )


def in_force(consents: Block, on: Days, known_by: int = FOREVER) -> np.ndarray:
    """Say which consents are in force: ``given_on <= on`` and not ``withdrawn_on <= on``.

    Parameters
    ----------
    consents : Block
        Consents of N persons for one purpose.
    on : int or int array of shape (N,)
    known_by : int
        Only what was known before that morning counts; of the versions of a consent the latest of these.

    Returns
    -------
    bool array, shape (N, 4), columns in the order of ``consent.SOURCES``; any one consent in force suffices.
    """
    owner, given, withdrawn = consents.owners(), consents["given"], consents["withdrawn"]
    day = on if np.ndim(on) == 0 else np.asarray(on)[owner]
    holds = (given <= day) & ((withdrawn == NO_DAY) | (withdrawn > day))
    holds &= (consents["known_from"] < known_by) & (known_by <= consents["known_until"])
    result = np.zeros((len(consents.offsets) - 1, len(SOURCES)), dtype=bool)
    result[owner[holds], consents["source"][holds]] = True
    return result
