"""Straight lines: ridge regression on imputed, standardised columns, and the published formula of Roelen."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from models.estimators.columns import filled, ranges, standardised
from models.estimators.generalised_linear import ridge
from models.published_models import ROELEN_COEFFICIENTS, ROELEN_INTERCEPT
from models.risk_model import LINEAR_PARTS

NO_LIMIT = 1e9
"""Range of the published formula's columns: it was fitted elsewhere, and holds as printed."""

MILD_PENALTY = 1.0
"""Inverse strength for baselines with a handful of columns: keeps them finite, changes nothing else."""


class LinearEstimator(BaseEstimator):
    """L2-penalised regression on median-imputed, standardised columns held within their range in training.

    Parameters
    ----------
    inverse_penalty : float
        scikit-learn's ``C``.
    target : {"event", "days"}
        Logistic, or Tweedie (power 1.5) with log link.
    """

    def __init__(self, inverse_penalty: float = MILD_PENALTY, target: str = "event") -> None:
        self.inverse_penalty = inverse_penalty
        self.target = target

    def fit(
        self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray, *, groups: np.ndarray | None = None
    ) -> LinearEstimator:
        """Fit on X, shape (n, n_columns), NaN for missing; a column without any value counts as 0.

        A column that is the same in all rows says nothing and gets the coefficient 0: it is left out of the fit, which takes
        time with the second power of the number of columns. The range leaves out the extremes of single persons (groups).
        """
        impute, low, high = ranges(X, groups)
        varies = np.flatnonzero(low < high)

        def columns(some: slice) -> np.ndarray:
            chosen = varies[some]
            return filled(X[:, chosen], impute[chosen], low[chosen], high[chosen])

        Z, means, scales = standardised(columns, len(varies), sample_weight)
        beta = ridge(Z, y, sample_weight, 1 / self.inverse_penalty, self.target)
        # Of a column that few persons have, not even the median is kept: it may be one person's value.
        impute, low, high = (np.where(low < high, numbers, 0.0) for numbers in (impute, low, high))
        mean, scale, coefficients = low.copy(), np.ones(len(low)), np.zeros(len(low))
        mean[varies], scale[varies], coefficients[varies] = means, scales, beta[:-1]
        self.parts_ = _linear_parts((impute, low, high, mean, scale, coefficients), float(beta[-1]))
        return self

    def decision_function(self, X: np.ndarray) -> np.ndarray:
        """Return the raw linear predictor, shape (n,)."""
        return _linear_raw(self.parts_, X)


class RoelenEstimator(BaseEstimator):
    """The published formula: only medians for missing values are learned. Takes the columns of ``ROELEN_FEATURES``."""

    def fit(
        self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray, *, groups: np.ndarray | None = None
    ) -> RoelenEstimator:
        """Learn what to put in for missing values."""
        impute, *_ = ranges(X, groups)
        mean = np.average(np.where(np.isnan(X), impute, X.astype(np.float64)), axis=0, weights=sample_weight)
        coefficients = np.array(ROELEN_COEFFICIENTS)
        columns = (impute, np.full(3, -NO_LIMIT), np.full(3, NO_LIMIT), mean, np.ones(3), coefficients)
        self.parts_ = _linear_parts(columns, ROELEN_INTERCEPT + float(coefficients @ mean))
        return self

    def decision_function(self, X: np.ndarray) -> np.ndarray:
        """Return raw log-odds, shape (n,)."""
        return _linear_raw(self.parts_, X)


def _linear_parts(columns: tuple[np.ndarray, ...], intercept: float) -> dict[str, Any]:
    return {"kind": "linear", "intercept": intercept, **dict(zip(LINEAR_PARTS, columns, strict=True))}


def _linear_raw(parts: dict[str, Any], X: np.ndarray) -> np.ndarray:
    held = filled(X, parts["impute"], parts["low"], parts["high"])
    held -= parts["mean"]
    held /= parts["scale"]
    return parts["intercept"] + held @ parts["coefficients"]
