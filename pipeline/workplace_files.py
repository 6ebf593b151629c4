"""Published workplaces at an index date, in a file of a build that is under way: every partition reads all of them.

Arrays, as a document that is read with distrust takes fifteen times as long; what is kept, and signed, is a document.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from features.blocks import FOREVER
from features.consents import Terms
from features.workplace_context import WorkplaceContext


def write_context(path: Path, context: WorkplaceContext) -> None:
    """Write what may be published of a context; of a store without a date nobody could say what was known."""
    assert context.terms.known_by != FOREVER, "histories are gathered with data_as_of"
    shown, terms = context.published(), context.terms
    companies, units = [[place[level] or "" for place in shown.places] for level in (0, 1)]
    days = np.array([context.day, terms.consent_on, terms.known_by], dtype=np.int64)
    with path.open("wb") as file:
        np.savez(file, companies=companies, units=units, totals=shown.totals, days=days, purpose=terms.purpose)


def read_context(path: Path) -> WorkplaceContext:
    """Read what :func:`write_context` wrote."""
    with np.load(path, allow_pickle=False) as found:
        companies, units = (found[name].tolist() for name in ("companies", "units"))
        day, consent_on, known_by = found["days"].tolist()
        terms = Terms(found["purpose"].item(), consent_on, known_by)
        places = tuple((company, unit or None) for company, unit in zip(companies, units, strict=True))
        return WorkplaceContext(day, terms, places, found["totals"])
