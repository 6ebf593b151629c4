"""Which candidate is chosen: out-of-fold log loss by person, and the simplest within one standard error of the best.

Reference: Hastie T, Tibshirani R, Friedman J. The Elements of Statistical Learning. 2nd ed, 7.10 (the
one-standard-error rule); here with the standard error of the paired difference, clustered by person.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from sklearn.base import clone

from models.calibration import fit_recalibration
from models.estimators import Candidate
from models.evaluation.discrimination import Ranking, auroc, average_precision, brier_score, log_losses
from models.risk_model import risk_of

PUBLISHED_CEILING = 0.82
"""The best published models reach an AUROC of 0.70-0.79; above this, suspect leakage."""


MOST_AT_ONCE, FEWEST_ONSETS = 0.05, 20
"""Share of events on the index date that may be chance or a habit of registering on the first of a month, of so many events."""


@dataclass(frozen=True, eq=False)
class TrainingRows:
    """Rows with an observed label, ready to learn from: X (n, n_columns), and y, weight, person, fold, each (n,)."""

    feature_names: tuple[str, ...]
    X: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    person: np.ndarray
    fold: np.ndarray

    def columns(self, names: Sequence[str]) -> np.ndarray:
        """Return the named columns, float32 (n, len(names))."""
        positions = {name: position for position, name in enumerate(self.feature_names)}
        return self.X[:, [positions[name] for name in names]]


@dataclass(frozen=True)
class ComparedCandidate:
    """One line of the comparison; all numbers are out of fold, after recalibration.

    ``difference`` is the log loss above the best candidate's, ``standard_error`` that of this difference.
    """

    name: str
    n_features: int
    log_loss: float
    difference: float
    standard_error: float
    within_one_standard_error: bool
    chosen: bool
    auroc: float
    average_precision: float
    brier: float
    recalibration_intercept: float
    recalibration_slope: float
    settings: dict[str, Any]


@dataclass(frozen=True)
class Comparison:
    """All candidates, simplest first."""

    candidates: tuple[ComparedCandidate, ...]
    notes: tuple[str, ...]

    @property
    def chosen(self) -> ComparedCandidate:
        """The candidate that becomes champion."""
        return next(candidate for candidate in self.candidates if candidate.chosen)

    def to_json(self) -> dict[str, Any]:
        """Return the table and its notes as JSON values."""
        return {"chosen": self.chosen.name, **asdict(self)}


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
    X = rows.columns(candidate.feature_names)
    fits = [_recalibrated(candidate, estimator, X, rows) for estimator in candidate.estimators]
    _, differences, errors = _differences(fits, rows)
    return fits[simplest_within_one_standard_error(differences, errors)]


def _recalibrated(candidate: Candidate, estimator: Any, X: np.ndarray, rows: TrainingRows) -> OutOfFold:
    raw = np.empty(len(X))
    for held_out in np.unique(rows.fold):
        rest = rows.fold != held_out
        fitted = clone(estimator).fit(X[rest], rows.y[rest], rows.weight[rest])
        raw[~rest] = fitted.decision_function(X[~rest])
    intercept, slope = fit_recalibration(raw, rows.y, rows.weight)
    return OutOfFold(candidate, estimator, intercept, slope, intercept + slope * raw)


def compare(fits: Sequence[OutOfFold], rows: TrainingRows) -> Comparison:
    """Compare candidates on the same out-of-fold rows.

    Parameters
    ----------
    fits : sequence of OutOfFold
        Simplest candidate first.
    rows : TrainingRows
    """
    lines = [_line(fit, rows, *numbers) for fit, *numbers in zip(fits, *_differences(fits, rows), strict=True)]
    return Comparison(choose(lines), _notes(lines))


def _differences(fits: Sequence[OutOfFold], rows: TrainingRows) -> tuple[list[float], list[float], list[float]]:
    """Return each fit's log loss, its difference to the best, and that difference's standard error."""
    losses = np.stack([log_losses(fit.log_odds, rows.y) for fit in fits])
    means = np.average(losses, axis=1, weights=rows.weight)
    best = int(means.argmin())
    errors = [clustered_standard_error(loss - losses[best], rows.weight, rows.person) for loss in losses]
    return means.tolist(), (means - means[best]).tolist(), errors


def simplest_within_one_standard_error(differences: Iterable[float], standard_errors: Iterable[float]) -> int:
    """Return the first position (simplest first) whose difference to the best is at most its standard error."""
    return [difference <= error for difference, error in zip(differences, standard_errors, strict=True)].index(True)


def choose(lines: Sequence[ComparedCandidate]) -> tuple[ComparedCandidate, ...]:
    """Mark the simplest (first) line whose difference to the best is at most its standard error."""
    within = [line.difference <= line.standard_error for line in lines]
    first = simplest_within_one_standard_error(
        [line.difference for line in lines], [line.standard_error for line in lines]
    )
    return tuple(
        replace(line, within_one_standard_error=near, chosen=position == first)
        for position, (line, near) in enumerate(zip(lines, within, strict=True))
    )


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


def _line(fit: OutOfFold, rows: TrainingRows, mean: float, difference: float, error: float) -> ComparedCandidate:
    risks, weight = risk_of(fit.log_odds), rows.weight[None]
    ranking = Ranking.of(fit.log_odds)
    return ComparedCandidate(
        name=fit.candidate.name,
        n_features=len(fit.candidate.feature_names),
        log_loss=float(mean),
        difference=float(difference),
        standard_error=error,
        within_one_standard_error=False,
        chosen=False,
        auroc=float(auroc(ranking, rows.y, weight)[0]),
        average_precision=float(average_precision(ranking, rows.y, weight)[0]),
        brier=float(brier_score(risks, rows.y, weight)[0]),
        recalibration_intercept=fit.intercept,
        recalibration_slope=fit.slope,
        settings=_settings(fit.estimator),
    )


def _settings(estimator: Any) -> dict[str, Any]:
    settings = estimator.get_params()
    settings.pop("feature_names", None)
    return {
        name: asdict(value) if hasattr(value, "__dataclass_fields__") else value for name, value in settings.items()
    }


def _notes(lines: Sequence[ComparedCandidate]) -> tuple[str, ...]:
    leaks = [note for line in lines if (note := leakage_note(f"{line.name}, out of fold", line.auroc))]
    empty = [
        f"{line.name} says nothing about this outcome out of fold: it gives everybody the mean risk."
        for line in lines
        if line.recalibration_slope == 0
    ]
    return (*leaks, *empty)


def leakage_note(where: str, area: float) -> str:
    """Return a warning when discrimination is better than anything published, else an empty string."""
    if not area > PUBLISHED_CEILING:
        return ""
    return (
        f"SUSPECT LEAKAGE ({where}): AUROC {area:.3f} is above the published ceiling of {PUBLISHED_CEILING}. Check "
        "that no feature knows the future (known_from dates, persons already absent, outcome among the predictors)."
    )


def onset_note(y: np.ndarray, followed_days: np.ndarray) -> str:
    """Return a warning when events pile up on the index date: who was a case already counts as a new one.

    Parameters
    ----------
    y : float array, shape (n,)
        1 event, 0 no event, NaN unknown.
    followed_days : int array, shape (n,)
        Days from the index date to the event.
    """
    at_once = followed_days[y == 1] == 0
    if len(at_once) < FEWEST_ONSETS or at_once.mean() <= MOST_AT_ONCE:
        return ""
    return (
        f"SUSPECT LEAKAGE: {at_once.mean():.0%} of the {len(at_once)} events begin on the index date itself; of new cases "
        "about one in 365 would. Check whether the source enters running absence anew, so that the absent count as new cases."
    )
