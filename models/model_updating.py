"""A published model brought up to date with as little freedom as the data can carry: the rungs of one ladder.

As published, its level shifted, a line through it, and its coefficients re-estimated but held near the published ones. How
near is learnt from the data by their marginal likelihood, so that few data leave the published model as it is and many
data the model they alone would give.

References: Steyerberg EW et al. Validation and updating of predictive logistic regression models. Stat Med 2004;23:2567.
Tierney L, Kadane JB. Accurate approximations for posterior moments and marginal densities. JASA 1986;81:82 (Laplace).
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from sklearn.base import BaseEstimator

from models.calibration import fit_intercepts, fit_recalibration
from models.published_models import (
    ROELEN_COEFFICIENTS,
    ROELEN_INTERCEPT,
    ROELEN_TYPICAL,
    roelen_days_log_odds,
)
from models.risk_model import LINEAR_PARTS, risk_of

Rung = Literal["as_published", "intercept", "line", "shrunken"]

NO_LIMIT = 1e9
"""Range of the published formula's columns: it was fitted elsewhere, and holds as printed."""

SPREADS = (0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
"""Standard deviations tried for how far our coefficients are from the published, in log-odds per standard deviation."""

PRIOR_SPREAD = 0.4
"""How large differences to the published coefficients are thought to be before any data: half-normal with this scale."""

_MOST_STEPS = 100
_LONGEST_STEP = 2.0
_SMALL_STEP = 1e-9


class UpdatedRoelen(BaseEstimator):
    """Roelen's formula with the freedom of one rung. Takes the columns of ``ROELEN_FEATURES``.

    Parameters
    ----------
    rung : {"as_published", "intercept", "line", "shrunken"}
    """

    recalibrates: ClassVar[bool] = False
    """A rung is its own recalibration: no line is put on top, neither where it is served nor where it is refitted."""

    def __init__(self, rung: Rung = "as_published") -> None:
        self.rung = rung

    def fit(
        self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray, *, groups: np.ndarray | None = None
    ) -> UpdatedRoelen:
        """Fit what the rung leaves free.

        Parameters
        ----------
        X : float array, shape (n, 3)
            NaN where missing.
        y, sample_weight : float arrays, shape (n,)
            Events and others; as published and for the median of what is missing y is not looked at.
        groups : int array, shape (n,), optional
            Persons: rows of one are not independent, so all rows together count for as much as there are persons.
        """
        impute = np.array([_typical(column, usual) for column, usual in zip(X.T, ROELEN_TYPICAL, strict=True)])
        filled = np.where(np.isnan(X), impute, X.astype(np.float64))
        n_independent = len(y) if groups is None else len(np.unique(groups))
        weight = sample_weight * n_independent / sample_weight.sum()
        intercept, coefficients = _fitted(self.rung, filled, y, weight)
        mean = np.average(filled, axis=0, weights=weight)
        columns = (impute, np.full(3, -NO_LIMIT), np.full(3, NO_LIMIT), mean, np.ones(3), coefficients)
        parts: dict[str, Any] = dict(zip(LINEAR_PARTS, columns, strict=True))
        self.parts_ = {"kind": "linear", "intercept": float(intercept + coefficients @ mean), **parts}
        return self

    def decision_function(self, X: np.ndarray) -> np.ndarray:
        """Return log-odds, shape (n,)."""
        filled = np.where(np.isnan(X), self.parts_["impute"], X.astype(np.float64))
        return self.parts_["intercept"] + (filled - self.parts_["mean"]) @ self.parts_["coefficients"]


def _typical(column: np.ndarray, usual: float) -> float:
    """Median in whole numbers, so that it is no one's age to the day; the usual value where nothing is known."""
    known = column[np.isfinite(column)]
    return float(np.round(np.median(known))) if len(known) else usual


def _fitted(rung: Rung, X: np.ndarray, y: np.ndarray, weight: np.ndarray) -> tuple[float, np.ndarray]:
    """Intercept and coefficients on the columns as they are."""
    published, linear = np.array(ROELEN_COEFFICIENTS), roelen_days_log_odds(*X.T)
    if rung == "as_published":
        return ROELEN_INTERCEPT, published
    if rung == "intercept":
        return ROELEN_INTERCEPT + float(fit_intercepts(linear, y, weight[None])[0]), published
    if rung == "line":
        level, slope = fit_recalibration(linear, y, weight)
        return level + slope * ROELEN_INTERCEPT, slope * published
    return _shrunken(X, linear, y, weight)


def _shrunken(X: np.ndarray, linear: np.ndarray, y: np.ndarray, weight: np.ndarray) -> tuple[float, np.ndarray]:
    """Coefficients ``slope * published + difference``, the differences drawn to 0 as strongly as the data say."""
    mean = np.average(X, axis=0, weights=weight)
    spread = np.sqrt(np.average((X - mean) ** 2, axis=0, weights=weight))
    spread = np.where(spread > 0, spread, 1.0)
    level, slope, *differences = _averaged(linear, (X - mean) / spread, y, weight)
    steps = np.array(differences) / spread
    return level + slope * ROELEN_INTERCEPT - float(steps @ mean), slope * np.array(ROELEN_COEFFICIENTS) + steps


def _averaged(linear: np.ndarray, Z: np.ndarray, y: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Level, slope and differences (2 + n_columns,), averaged over the spreads by how well each explains the data.

    The one best spread would be a matter of chance where there are few events.
    """
    fits, heights = zip(*(updated_at(linear, Z, y, weight, spread) for spread in SPREADS), strict=True)
    support = np.array(heights) - (np.array(SPREADS) / PRIOR_SPREAD) ** 2 / 2
    return np.average(fits, axis=0, weights=np.exp(support - support.max()))


def updated_at(
    linear: np.ndarray, Z: np.ndarray, y: np.ndarray, weight: np.ndarray, spread: float
) -> tuple[np.ndarray, float]:
    """Fit ``logit P = level + slope * linear + Z @ differences``, differences normal with this spread around 0.

    Parameters
    ----------
    linear : float64 array, shape (n,)
        The published log-odds.
    Z : float64 array, shape (n, n_columns)
        Standardised columns.
    y, weight : float64 arrays, shape (n,)
    spread : float
        0 keeps the published proportions.

    Returns
    -------
    coefficients : float64 array, shape (2 + n_columns,)
    marginal : float
        Log marginal likelihood by Laplace's approximation, up to what is the same for every spread.
    """
    centre, width = linear.mean(), max(float(linear.std()), 1e-9)
    # Drawn as spread * standard normal, the penalty is the same for every spread, 0 included.
    design = np.column_stack([np.ones_like(linear), (linear - centre) / width, spread * Z])
    penalty = np.array([0.0, 1e-9, *np.ones(Z.shape[1])])
    found, information = _newton(design, y, weight, penalty)
    log_odds = design @ found
    likelihood = float(weight @ (y * log_odds - np.logaddexp(0, log_odds))) - float(penalty @ found**2) / 2
    slope = found[1] / width
    coefficients = np.concatenate([[found[0] - slope * centre, slope], spread * found[2:]])
    return coefficients, likelihood - float(np.linalg.slogdet(information)[1]) / 2


def _newton(
    design: np.ndarray, y: np.ndarray, weight: np.ndarray, penalty: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Maximise the penalised likelihood; coefficients and the negative second derivative there."""
    mean = float(np.average(y, weights=weight))
    found = np.zeros(design.shape[1])
    found[0] = np.log(mean / (1 - mean))
    information = np.eye(len(found))
    for _ in range(_MOST_STEPS):
        risk = risk_of(design @ found)
        information = (design.T * (weight * risk * (1 - risk))) @ design + np.diag(penalty)
        step = np.linalg.solve(information, design.T @ (weight * (y - risk)) - penalty * found)
        found = found + np.clip(step, -_LONGEST_STEP, _LONGEST_STEP)
        if np.abs(step).max() < _SMALL_STEP:
            break
    return found, information
