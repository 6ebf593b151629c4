"""A model fitted anew on fewer persons or fewer sources, and what it says of the held-out rows.

Every refit is recalibrated as the champion was, on predictions for persons it had not seen, but with two folds instead of
five: a refit then costs three fits, and its line belongs to a model of half the persons (it shrinks a little more). So
refits are compared with refits, never with the champion. What serves no line of its own (``recalibrates = False``: the
rungs of a published formula) gets none here either.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import clone
from threadpoolctl import threadpool_limits

from models.estimators import Candidate
from models.evaluation.held_out import HeldOut
from models.out_of_fold import TrainingRows
from models.splits import Split, person_shares
from models.target import TARGETS
from models.training import training_rows
from models.training_set import TrainingSet

FOLDS = 2

MOST_ROWS = 20_000
"""Refits learn from so many rows at most, of persons drawn by a hash: it bounds time, and the report says so."""

FEWEST_EVENTS = 40
"""Rows with an event, in training or testing, below which a comparison of refits is noise."""

_NO_LINE = (0.0, 1.0)


def learning_rows(training_set: TrainingSet, split: Split) -> TrainingRows:
    """Return the training rows with an observed label, their persons in two folds."""
    return training_rows(training_set, split.train, FOLDS, TARGETS[training_set.facts.get("target", "event")])


def shares_of(training_set: TrainingSet, rows: TrainingRows) -> np.ndarray:
    """Return a fixed point in [0, 1) of each row's person, (n,): rows under a share are of that share of the persons."""
    return person_shares(training_set.person_ids.tolist(), "refits")[rows.person]


def at_most(rows: TrainingRows, shares: np.ndarray, most: int) -> TrainingRows:
    """Return the rows of as many persons as have ``most`` rows together."""
    return rows if len(shares) <= most else take(rows, shares <= np.sort(shares)[most - 1])


def take(rows: TrainingRows, chosen: np.ndarray) -> TrainingRows:
    """Return the chosen rows (bool or positions)."""
    names = ("X", "y", "weight", "person", "fold", "company", "followed_days")
    return replace(rows, **{name: getattr(rows, name)[chosen] for name in names})


def too_few(rows: TrainingRows, held_out: HeldOut) -> str:
    """Say why refits cannot be compared, or return an empty string."""
    for where, y in (("training", rows.y), ("test", held_out.y)):
        found = min(int((y > 0).sum()), int((y == 0).sum()))
        if found < FEWEST_EVENTS:
            return (
                f"{found} events (or non-events) in the {where} rows; under {FEWEST_EVENTS} refits cannot be compared."
            )
    if len(np.unique(rows.fold)) < FOLDS:
        return "too few persons to recalibrate refits."
    return ""


def predict_anew(
    candidate: Candidate, rows: TrainingRows, held_out: HeldOut, without: Collection[str] = ()
) -> np.ndarray:
    """Fit a candidate's estimator to rows, recalibrate it, and number the held-out rows.

    Parameters
    ----------
    candidate : Candidate
        With one estimator; see :func:`models.estimators.refittable`.
    rows : TrainingRows
    held_out : HeldOut
    without : collection of str
        Features that nobody has: missing in every row, in training and in testing.

    Returns
    -------
    float64 array, shape (n_held_out,): calibrated log-odds (log days).
    """
    (estimator,) = candidate.estimators
    names = candidate.feature_names
    X, X_test = rows.columns(names), np.stack([held_out.column(name) for name in names], axis=1)
    gone = [position for position, name in enumerate(names) if name in without]
    X[:, gone], X_test[:, gone] = np.nan, np.nan
    # Matrices this small are faster on one thread, and the last bits do not depend on the number of cores.
    with threadpool_limits(1):
        intercept, slope = _line(estimator, X, rows)
        return np.asarray(intercept + slope * _fitted(estimator, X, rows).decision_function(X_test))


def _line(estimator: Any, X: np.ndarray, rows: TrainingRows) -> tuple[float, float]:
    if not getattr(estimator, "recalibrates", True):
        return _NO_LINE
    return rows.target.fit_recalibration(_out_of_fold(estimator, X, rows), rows.y, rows.weight)


def _out_of_fold(estimator: Any, X: np.ndarray, rows: TrainingRows) -> np.ndarray:
    raw = np.empty(len(X))
    for fold in np.unique(rows.fold):
        rest = rows.fold != fold
        raw[~rest] = _fitted(estimator, X[rest], take(rows, rest)).decision_function(X[~rest])
    return raw


def _fitted(estimator: Any, X: np.ndarray, rows: TrainingRows) -> Any:
    return clone(estimator).fit(X, rows.y, rows.weight, groups=rows.person)
