"""Which candidate is chosen: out-of-fold log loss by person, and the simplest within one standard error of the best.

Reference: Hastie T, Tibshirani R, Friedman J. The Elements of Statistical Learning. 2nd ed, 7.10 (the
one-standard-error rule); here with the standard error of the paired difference, clustered by person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from sklearn.base import clone

from models.estimators.candidates import Candidate
from models.estimators.trees import TreeSize
from models.evaluation.discrimination import Ranking, auroc, average_precision, brier_score
from models.risk_model import risk_of
from models.target import EVENT, Target

PUBLISHED_CEILING = 0.82
"""The best published models reach an AUROC of 0.70-0.79; above this, suspect leakage."""


MOST_AT_ONCE, FEWEST_ONSETS = 0.05, 20
"""Share of events on the index date that may be chance or a habit of registering on the first of a month, of so many events."""


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
        positions = {name: position for position, name in enumerate(self.feature_names)}
        return self.X[:, [positions[name] for name in names]]


@dataclass(frozen=True)
class ComparedCandidate:
    """One line of the comparison; all numbers are out of fold, after recalibration.

    ``difference`` is the log loss above the best candidate's, ``standard_error`` that of this difference. Of a target of
    days the loss is the Tweedie deviance, and what only events have is None.
    """

    name: str
    n_features: int
    log_loss: float
    difference: float
    standard_error: float
    within_one_standard_error: bool
    chosen: bool
    auroc: float | None
    average_precision: float | None
    brier: float | None
    recalibration_intercept: float
    recalibration_slope: float
    settings: dict[str, Any]


@dataclass(frozen=True)
class Comparison:
    """All candidates, simplest first.

    Parameters
    ----------
    candidates : tuple of ComparedCandidate
    notes : tuple of str
    reason : str
        Why the chosen one is chosen, in words.
    left_out : tuple of dict
        Name, reason and, where that is the reason, the sample size verdict of candidates that were not fitted.
    compared_on : dict
        ``persons``, ``rows`` and how they were drawn.
    """

    candidates: tuple[ComparedCandidate, ...]
    notes: tuple[str, ...]
    reason: str
    left_out: tuple[dict[str, Any], ...] = ()
    compared_on: Mapping[str, Any] = field(default_factory=dict)

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
        fitted = clone(estimator).fit(X[rest], rows.y[rest], rows.weight[rest], groups=rows.person[rest])
        raw[~rest] = fitted.decision_function(X[~rest])
    intercept, slope = rows.target.fit_recalibration(raw, rows.y, rows.weight)
    return OutOfFold(candidate, estimator, intercept, slope, intercept + slope * raw)


def compare(fits: Sequence[OutOfFold], rows: TrainingRows) -> Comparison:
    """Compare candidates on the same out-of-fold rows.

    Parameters
    ----------
    fits : sequence of OutOfFold
        Simplest candidate first.
    rows : TrainingRows
    """
    found = zip(fits, *_differences(fits, rows), strict=True)
    lines = choose([_line(fit, rows, *numbers) for fit, *numbers in found])
    return Comparison(lines, _notes(lines), reason_of(lines))


def _differences(fits: Sequence[OutOfFold], rows: TrainingRows) -> tuple[list[float], list[float], list[float]]:
    """Return each fit's log loss, its difference to the best, and that difference's standard error."""
    losses = np.stack([rows.target.losses(fit.log_odds, rows.y) for fit in fits])
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
    return ComparedCandidate(
        name=fit.candidate.name,
        n_features=len(fit.candidate.feature_names),
        log_loss=float(mean),
        difference=float(difference),
        standard_error=error,
        within_one_standard_error=False,
        chosen=False,
        **_of_events(fit.log_odds, rows),
        recalibration_intercept=fit.intercept,
        recalibration_slope=fit.slope,
        settings=described(fit.estimator)["settings"],
    )


def _of_events(log_odds: np.ndarray, rows: TrainingRows) -> dict[str, float | None]:
    if rows.target is not EVENT:
        return {"auroc": None, "average_precision": None, "brier": None}
    ranking, weight = Ranking.of(log_odds), rows.weight[None]
    return {
        "auroc": float(auroc(ranking, rows.y, weight)[0]),
        "average_precision": float(average_precision(ranking, rows.y, weight)[0]),
        "brier": float(brier_score(risk_of(log_odds), rows.y, weight)[0]),
    }


def reason_of(lines: Sequence[ComparedCandidate]) -> str:
    """Say in words why the chosen line is chosen."""
    best = min(lines, key=lambda line: line.log_loss)
    chosen = next(line for line in lines if line.chosen)
    if len(lines) == 1:
        return f"{chosen.name} is the only candidate for which there are persons enough."
    if chosen is best:
        simpler = [line.name for line in lines[: lines.index(chosen)]]
        worse = (
            f"; every simpler one ({', '.join(simpler)}) is worse by more than one standard error" if simpler else ""
        )
        return f"{chosen.name} has the lowest loss out of fold ({best.log_loss:.4f}){worse}."
    return (
        f"{chosen.name} is the simplest candidate within one standard error of the best: {best.name} has the lowest loss out "
        f"of fold ({best.log_loss:.4f}), {chosen.name} is {chosen.difference:.4f} above it, with a standard error of "
        f"{chosen.standard_error:.4f} clustered by person."
    )


def described(estimator: Any) -> dict[str, Any]:
    """Return an estimator's name and settings as JSON values; its columns are the model's."""
    settings = estimator.get_params()
    settings.pop("feature_names", None)
    plain = {name: asdict(value) if isinstance(value, TreeSize) else value for name, value in settings.items()}
    return {"name": type(estimator).__name__, "settings": plain}


def _notes(lines: Sequence[ComparedCandidate]) -> tuple[str, ...]:
    areas = [(line.name, line.auroc) for line in lines if line.auroc is not None]
    leaks = [note for name, area in areas if (note := leakage_note(f"{name}, out of fold", area))]
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
