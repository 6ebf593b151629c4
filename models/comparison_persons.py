"""The persons on whom candidates are compared where there are many, and whose lines are then fitted again on everybody.

A candidate's recalibration line comes from the out-of-fold predictions of the comparison. A line of a model of fewer persons
is too flat for one of all: measured, slope 0.79 and O:E 0.88 for ridge. The champion's is therefore fitted again on all
rows, and so are those of the candidates that cost little; the rest say that theirs is not comparable.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from models.comparison import Comparison, OutOfFold, TrainingRows, out_of_fold
from models.splits import person_shares

CHEAP = ("roelen", "prior_absence", "short", "core")
"""Candidates of few columns: as many fits of them on all rows as there are folds cost little."""

EVERYBODY, SOME = "all training persons", "comparison persons"
"""Whose out-of-fold predictions a candidate's line is fitted to."""


def drawn(rows: TrainingRows, person_ids: np.ndarray, most: int) -> TrainingRows:
    """Return the rows of at most so many persons, drawn by a hash: the same persons whoever else is there."""
    present = np.unique(rows.person)
    if len(present) <= most:
        return rows
    shares = person_shares(person_ids[present].tolist(), "comparison")
    chosen = np.isin(rows.person, present[np.argsort(shares, kind="stable")[:most]])
    parts = {name: getattr(rows, name)[chosen]
             for name in ("X", "y", "weight", "person", "fold", "company", "followed_days")}  # fmt: skip
    return replace(rows, **parts)


def compared_on(rows: TrainingRows, compared: TrainingRows) -> dict[str, Any]:
    """Return how many persons and rows the comparison is of, and how they were drawn."""
    persons, of = len(np.unique(compared.person)), len(np.unique(rows.person))
    how = EVERYBODY if persons == of else "persons drawn by a hash of their pseudonym; the final fits use all"
    return {"persons": persons, "of_persons": of, "rows": len(compared.y), "of_rows": len(rows.y), "how": how}


def recalibrated_on(name: str, comparison: Comparison) -> str:
    """Return whose predictions the line of a candidate of this comparison is fitted to, ``EVERYBODY`` or ``SOME``."""
    everybody = comparison.compared_on["persons"] == comparison.compared_on["of_persons"]
    return EVERYBODY if everybody or name in (*CHEAP, comparison.chosen.name) else SOME


def with_lines_note(comparison: Comparison) -> Comparison:
    """Add a note that names the candidates whose line is not of everybody, where there are any."""
    names = [line.name for line in comparison.candidates if recalibrated_on(line.name, comparison) == SOME]
    if not names:
        return comparison
    note = (
        f"{', '.join(names)}: recalibrated on the {comparison.compared_on['persons']} persons of the comparison only, the "
        "others on all. In the evaluation their Brier score, log loss, O:E and slope are therefore too bad to be compared; "
        "AUROC does not depend on the line."
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
    if comparison.compared_on["persons"] == comparison.compared_on["of_persons"]:
        return list(fits)
    again = []
    for fit in fits:
        if recalibrated_on(fit.candidate.name, comparison) == EVERYBODY:
            on_step(f"recalibrating {fit.candidate.name} on all rows")
            again.append(out_of_fold(replace(fit.candidate, estimators=(fit.estimator,)), rows))
        else:
            again.append(fit)
    return again
