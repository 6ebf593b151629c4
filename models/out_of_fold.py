"""What each candidate says of persons that it has not learnt from, and how much it loses by it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone

from models.estimators.candidates import Candidate
from models.side_by_side import side_by_side
from models.target import EVENT, Target


@dataclass(frozen=True, eq=False)
class TrainingRows:
    """Rows with an observed label, ready to learn from.

    Parameters
    ----------
    feature_names : tuple of str
    X : float32 array, shape (n, n_features)
    y, weight : float64 arrays, shape (n,)
        1 event, 0 no event, or days; and how many rows each stands for.
    person, fold : int arrays, shape (n,)
        All rows of a person share the fold.
    company : int32 array, shape (n,)
        -1 where it is not known.
    followed_days : int32 array, shape (n,)
        Days from the index date to the event or the end of the horizon.
    target : Target
        What y is.
    """

    feature_names: tuple[str, ...]
    X: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    person: np.ndarray
    fold: np.ndarray
    company: np.ndarray
    followed_days: np.ndarray
    target: Target = EVENT

    def columns(self, names: Sequence[str]) -> np.ndarray:
        """Return the named columns, float32 (n, len(names))."""
        return self.X[:, self.positions(names)]

    def positions(self, names: Sequence[str]) -> list[int]:
        """Return where the named columns are in X."""
        positions = {name: position for position, name in enumerate(self.feature_names)}
        return [positions[name] for name in names]


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """A candidate's estimator with its recalibration line and its calibrated out-of-fold log-odds, shape (n,)."""

    candidate: Candidate
    estimator: Any
    intercept: float
    slope: float
    log_odds: np.ndarray


def out_of_fold(candidate: Candidate, rows: TrainingRows) -> OutOfFold:
    """Predict every row by a model that never saw its person; of several estimators keep the simplest within one SE."""
    (found,) = all_out_of_fold([candidate], rows)
    return found


def all_out_of_fold(
    candidates: Sequence[Candidate], rows: TrainingRows, on_candidate: Callable[[str], None] = lambda name: None
) -> Iterator[OutOfFold]:
    """Yield :func:`out_of_fold` of each candidate; the fits of all candidates and folds are done side by side.

    Parameters
    ----------
    candidates : sequence of Candidate
    rows : TrainingRows
    on_candidate : callable
        Called with the name of the candidate that is waited for.
    """
    folds = np.unique(rows.fold)
    fits = [(one, estimator, fold) for one in candidates for estimator in one.estimators for fold in folds]
    predicted = side_by_side(lambda fit: _fold_predicted(*fit, rows), fits)
    for candidate in candidates:
        on_candidate(candidate.name)
        found = [
            _recalibrated(candidate, estimator, {fold: next(predicted) for fold in folds}, rows)
            for estimator in candidate.estimators
        ]
        _, differences, errors = loss_differences(found, rows)
        yield found[simplest_within_one_standard_error(differences, errors)]


def _fold_predicted(candidate: Candidate, estimator: Any, fold: int, rows: TrainingRows) -> np.ndarray:
    """Raw predictions for the persons of a fold by a model of all others."""
    rest, columns = rows.fold != fold, rows.positions(candidate.feature_names)
    X = rows.X[np.ix_(rest, columns)]
    fitted = clone(estimator).fit(X, rows.y[rest], rows.weight[rest], groups=rows.person[rest])
    return np.asarray(fitted.decision_function(rows.X[np.ix_(~rest, columns)]))


def _recalibrated(
    candidate: Candidate, estimator: Any, predicted: dict[int, np.ndarray], rows: TrainingRows
) -> OutOfFold:
    raw = np.empty(len(rows.y))
    for fold, values in predicted.items():
        raw[rows.fold == fold] = values
    intercept, slope = rows.target.fit_recalibration(raw, rows.y, rows.weight)
    return OutOfFold(candidate, estimator, intercept, slope, intercept + slope * raw)


def loss_differences(fits: Sequence[OutOfFold], rows: TrainingRows) -> tuple[list[float], list[float], list[float]]:
    """Return each fit's log loss, its difference to the best, and that difference's standard error."""
    losses = np.stack([rows.target.losses(fit.log_odds, rows.y) for fit in fits])
    means = np.average(losses, axis=1, weights=rows.weight)
    best = int(means.argmin())
    errors = [clustered_standard_error(loss - losses[best], rows.weight, rows.person) for loss in losses]
    return means.tolist(), (means - means[best]).tolist(), errors


def simplest_within_one_standard_error(differences: Iterable[float], standard_errors: Iterable[float]) -> int:
    """Return the first position (simplest first) whose difference to the best is at most its standard error."""
    return [difference <= error for difference, error in zip(differences, standard_errors, strict=True)].index(True)


def clustered_standard_error(values: np.ndarray, weights: np.ndarray, person: np.ndarray) -> float:
    """Return the standard error of a weighted mean when the rows of one person are not independent.

    Parameters
    ----------
    values, weights : float64 arrays, shape (n,)
    person : int array, shape (n,)
    """
    mean = np.average(values, weights=weights)
    sums = np.bincount(np.unique(person, return_inverse=True)[1], weights * (values - mean))
    n = len(sums)
    return float(np.sqrt(n / max(n - 1, 1) * (sums**2).sum()) / weights.sum())
