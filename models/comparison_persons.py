"""The rows on which candidates are compared where there are many, and whose lines are then fitted again on all rows.

A candidate's recalibration line comes from the out-of-fold predictions of the comparison. A line of a model of fewer persons
is too flat for one of all: measured, slope 0.79 and O:E 0.88 for ridge. The champion's is therefore fitted again on all
rows, and so are those of the candidates that cost little; the rest say that theirs is not comparable.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from models.comparison import Comparison
from models.out_of_fold import OutOfFold, TrainingRows, all_out_of_fold
from models.splits import person_shares

CHEAP = ("roelen", "prior_absence", "short", "core", "logistic")
"""Candidates of few columns or one penalty: as many fits of them on all rows as there are folds cost little."""

MOST_ROWS = 50_000
"""Above this, candidates are compared on some index dates only: rows of one person a quarter apart tell mostly the same, so
half the rows of the same persons compare nearly as well in half the time."""

EVERYBODY, SOME = "all training persons", "comparison persons"
"""Whose out-of-fold predictions a candidate's line is fitted to."""


def drawn(
    rows: TrainingRows, t: np.ndarray, person_ids: np.ndarray, most: int, most_rows: int = MOST_ROWS
) -> TrainingRows:
    """Return the rows of at most so many persons, drawn by a hash, and of these every so many index dates.

    Parameters
    ----------
    rows : TrainingRows
    t : int array, shape (n,)
        Index dates of the rows. Dates are counted from the last.
    person_ids : array of str
    most, most_rows : int
        The same persons are drawn whoever else is there. Each date is taken or left as a whole, so that about so many rows
        are kept.
    """
    chosen = np.ones(len(rows.y), dtype=bool)
    present = np.unique(rows.person)
    if len(present) > most:
        shares = person_shares(person_ids[present].tolist(), "comparison")
        chosen = np.isin(rows.person, present[np.argsort(shares, kind="stable")[:most]])
    every = max(1, -(-int(chosen.sum()) // most_rows))
    chosen &= np.isin(t, np.unique(t[chosen])[::-every])
    if chosen.all():
        return rows
    parts = {name: getattr(rows, name)[chosen]
             for name in ("X", "y", "weight", "person", "fold", "company", "followed_days")}  # fmt: skip
    return replace(rows, **parts)


def compared_on(rows: TrainingRows, compared: TrainingRows, most: int) -> dict[str, Any]:
    """Return how many persons and rows the comparison is of, and how they were drawn; ``most`` as for :func:`drawn`."""
    persons, of = len(np.unique(compared.person)), len(np.unique(rows.person))
    how = EVERYBODY if len(compared.y) == len(rows.y) else f"{_how(rows, compared, of > most)}; the final fits use all"
    return {"persons": persons, "of_persons": of, "rows": len(compared.y), "of_rows": len(rows.y), "how": how}


def _how(rows: TrainingRows, compared: TrainingRows, of_drawn_persons: bool) -> str:
    said = ["persons drawn by a hash of their pseudonym"] if of_drawn_persons else []
    of_some_dates = np.isin(rows.person, compared.person).sum() > len(compared.y)
    return " and ".join([*said, "some of their index dates"] if of_some_dates or not said else said)


def _of_everybody(comparison: Comparison) -> bool:
    return bool(comparison.compared_on["rows"] == comparison.compared_on["of_rows"])


def recalibrated_on(name: str, comparison: Comparison) -> str:
    """Return whose predictions the line of a candidate of this comparison is fitted to, ``EVERYBODY`` or ``SOME``."""
    return EVERYBODY if _of_everybody(comparison) or name in (*CHEAP, comparison.chosen.name) else SOME


def with_lines_note(comparison: Comparison) -> Comparison:
    """Add a note that names the candidates whose line is not of everybody, where there are any."""
    names = [line.name for line in comparison.candidates if recalibrated_on(line.name, comparison) == SOME]
    if not names:
        return comparison
    note = (
        f"{', '.join(names)}: recalibrated on the {comparison.compared_on['persons']} persons "
        f"({comparison.compared_on['rows']} rows) of the comparison only, the others on all. In the evaluation their Brier "
        "score, log loss, O:E, slope, ICI and net benefit are therefore too bad to be compared; AUROC is not."
    )
    return replace(comparison, notes=(*comparison.notes, note))


def recalibrated(
    fits: Sequence[OutOfFold], comparison: Comparison, rows: TrainingRows, on_step: Callable[[str], None]
) -> list[OutOfFold]:
    """Predict all rows out of fold, and fit the line to that, for the champion and the candidates that cost little.

    Parameters
    ----------
    fits : sequence of OutOfFold
        Of the comparison; the estimator that it chose is kept.
    comparison : Comparison
    rows : TrainingRows
        All training rows.
    on_step : callable
    """
    if _of_everybody(comparison):
        return list(fits)
    again = [fit for fit in fits if recalibrated_on(fit.candidate.name, comparison) == EVERYBODY]
    candidates = [replace(fit.candidate, estimators=(fit.estimator,)) for fit in again]
    found = all_out_of_fold(candidates, rows, lambda name: on_step(f"recalibrating {name} on all rows"))
    by_name = {fit.candidate.name: fit for fit in found}
    return [by_name.get(fit.candidate.name, fit) for fit in fits]
