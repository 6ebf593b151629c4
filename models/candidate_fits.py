"""A compared candidate becomes a model: fitted on all training rows, with its line, and again on resampled persons."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import clone

from models.comparison import described
from models.estimators import refittable
from models.estimators.columns import training_ranges
from models.estimators.trees import BinnedRows, TreesEstimator, are_grown_here
from models.evaluation.intervals import resampled_weights
from models.out_of_fold import OutOfFold, TrainingRows
from models.risk_model import RiskModel
from models.side_by_side import side_by_side

GOLDEN_ROWS = 24


def fitted_model(fit: OutOfFold, rows: TrainingRows, outcome: str, facts: dict[str, Any], seed: int) -> RiskModel:
    """Fit a candidate's estimator on all rows and put its out-of-fold line on top.

    Parameters
    ----------
    fit : OutOfFold
    rows : TrainingRows
    outcome : str
    facts : dict
        Of all candidates; ``training_range`` and ``estimator`` (with every choice made) are added.
    seed : int
        Of the golden rows.
    """
    names = fit.candidate.feature_names
    X = rows.columns(names)
    fitted = clone(fit.estimator).fit(X, rows.y, rows.weight, groups=rows.person)
    decided = fitted.decided() if hasattr(fitted, "decided") else fit.estimator
    model = RiskModel(
        outcome=outcome,
        name=fit.candidate.name,
        feature_names=names,
        link=rows.target.link,
        recalibration_intercept=fit.intercept,
        recalibration_slope=fit.slope,
        reference_risk=float(np.average(rows.y, weights=rows.weight)),
        facts=facts | {"training_range": _ranges(names, X, rows.person), "estimator": described(decided)},
        **fitted.parts_,
    )
    return model.with_golden(golden_rows(X, seed))


def resampled_models(
    champion: RiskModel, fit: OutOfFold, rows: TrainingRows, compared: TrainingRows, refits: int, seed: int
) -> Iterator[RiskModel]:
    """Refit the champion on resampled persons, its choices kept, each with a recalibration line of the same resample.

    The line is fitted anew to the out-of-fold predictions, weighted by how often each person was drawn: so the interval
    holds what is uncertain about the line as well. The out-of-fold predictions themselves are not made again.

    Parameters
    ----------
    champion : RiskModel
    fit : OutOfFold
        Of the champion, on ``compared``.
    rows, compared : TrainingRows
        All training rows, and those of the comparison (the same, or the rows of some of the persons).
    refits, seed : int
    """
    (estimator,) = refittable(champion).estimators
    X = rows.columns(fit.candidate.feature_names)
    in_comparison, fitted = np.isin(rows.person, compared.person), _refitter(estimator, X, rows)

    def refitted(weights: np.ndarray) -> RiskModel:
        parts = fitted(np.flatnonzero(weights > 0), weights).parts_
        line = rows.target.fit_recalibration(fit.log_odds, compared.y, weights[in_comparison])
        return replace(champion, **parts, **_on_top(line, fit), golden=None, facts={})

    yield from side_by_side(refitted, np.concatenate(list(resampled_weights(rows.person, rows.weight, refits, seed))))


def _refitter(estimator: Any, X: np.ndarray, rows: TrainingRows) -> Callable[[np.ndarray, np.ndarray], Any]:
    """What fits the estimator to the drawn rows, given their positions and the weights of all rows."""
    if isinstance(estimator, TreesEstimator) and are_grown_here():
        binned = BinnedRows(estimator, X)
        return lambda drawn, weights: binned.fitted(drawn, rows.y[drawn], weights[drawn])
    return lambda drawn, weights: clone(estimator).fit(
        X[drawn], rows.y[drawn], weights[drawn], groups=rows.person[drawn]
    )


def _on_top(line: tuple[float, float], fit: OutOfFold) -> dict[str, Any]:
    """A line of the calibrated predictions, as a line of the raw ones."""
    intercept, slope = line
    return {"recalibration_intercept": intercept + slope * fit.intercept, "recalibration_slope": slope * fit.slope}


def _ranges(names: tuple[str, ...], X: np.ndarray, person: np.ndarray) -> dict[str, list[float]]:
    found = zip(names, training_ranges(X, person), strict=True)
    return {name: list(kept) for name, kept in found if kept is not None}


def golden_rows(X: np.ndarray, seed: int) -> np.ndarray:
    """Return rows that are nobody: each column drawn on its own, so a model file never holds a person."""
    random = np.random.default_rng(seed)
    return np.stack([random.choice(column, GOLDEN_ROWS) for column in X.T], axis=1)


def varying(rows: TrainingRows) -> tuple[str, ...]:
    """Return the names of the columns that take more than one value (missing counts as one) in the training rows."""
    return tuple(name for name, column in zip(rows.feature_names, rows.X.T, strict=True) if _varies(column))


def _varies(column: np.ndarray) -> bool:
    known = np.isfinite(column)
    if not known.any():
        return False
    return bool(not known.all() or (column != column[0]).any())
