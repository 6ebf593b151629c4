"""The sources that consent is given for, and consents that are in doubt."""

from __future__ import annotations

from typing import get_args

import numpy as np

from data_contracts.records import Purpose, Source
from data_contracts.tables import Coded, Table

SOURCES: tuple[Source, ...] = get_args(Source)
"""Order of the columns wherever there is one per source: survey, lab, absence, employment."""


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
