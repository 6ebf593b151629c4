"""Columns for additive regression: lines, hinges at chosen knots, and flags for what is missing.

Hinges, not restricted cubic splines: a broken line is what the model stores and draws, so nothing is approximated, and it
is held constant beyond the range it was fitted to. Knots at the quantiles of Harrell FE. Regression Modeling Strategies.
2nd ed, 2.4.6 (three knots: 10, 50 and 90 %).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.additive import AdditiveTerms
from models.estimators.columns import filled, ranges, standardised

KNOT_QUANTILES = (0.10, 0.50, 0.90)
FEWEST_MISSING, MOST_MISSING = 0.02, 0.98
"""Shares of missing values between which a flag can say anything."""


@dataclass(frozen=True, eq=False)
class Design:
    """Which columns stand for which feature.

    Parameters
    ----------
    impute, low, high : float64 array, shape (n_features,)
    feature : int array, shape (p,)
        The feature that each column is made of.
    knot : float64 array, shape (p,)
        ``max(x - knot, 0)``; minus infinity for the line itself, NaN for the flag of a missing value.
    """

    impute: np.ndarray
    low: np.ndarray
    high: np.ndarray
    feature: np.ndarray
    knot: np.ndarray

    @classmethod
    def of(cls, X: np.ndarray, curved: np.ndarray, flagged: np.ndarray, groups: np.ndarray | None = None) -> Design:
        """Choose the columns.

        Parameters
        ----------
        X : float32 array, shape (n, n_features)
        curved, flagged : bool array, shape (n_features,)
            Features that may bend, and features whose absence may count.
        groups : int array, shape (n,), or None
            Persons, whose extremes are not kept.
        """
        impute, low, high = ranges(X, groups)
        columns: list[tuple[int, float]] = []
        for j in np.flatnonzero(low < high):
            columns.append((int(j), -np.inf))
            if curved[j]:
                columns += [(int(j), knot) for knot in _knots(X[:, j], low[j], high[j])]
        columns += [(int(j), np.nan) for j in _flags(X, flagged)]
        feature, knot = np.array(columns, dtype=np.float64).reshape(-1, 2).T
        return cls(impute, low, high, feature.astype(np.intp), knot)

    def matrix(self, X: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return standardised columns, float32 (n, p), and their weighted means and scales, float64 (p,)."""
        return standardised(lambda some: self._columns(X, some), len(self.feature), weight)

    def standard(self, X: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """Return the columns of other rows, standardised as those of :meth:`matrix`, float32 (n, p)."""
        return ((self._columns(X) - mean) / scale).astype(np.float32)

    def _columns(self, X: np.ndarray, some: slice = slice(None)) -> np.ndarray:
        j, knot = self.feature[some], self.knot[some]
        chosen = X[:, j]
        absent = np.isnan(chosen)
        held = filled(chosen, self.impute[j], self.low[j], self.high[j])
        with np.errstate(invalid="ignore"):
            bent = np.where(np.isneginf(knot), held, np.maximum(held - knot, 0.0))
        return np.where(np.isnan(knot), absent, bent)

    def terms(self, coefficients: np.ndarray, mean: np.ndarray) -> AdditiveTerms:
        """Return the curves, each with weighted mean 0 over the rows whose column means are ``mean``.

        Parameters
        ----------
        coefficients : float64 array, shape (p,)
            Of the columns as they are, not standardised.
        mean : float64 array, shape (p,)
        """
        return AdditiveTerms.from_curves([self._curve(j, coefficients, mean) for j in range(len(self.impute))])

    def _curve(self, j: int, coefficients: np.ndarray, mean: np.ndarray) -> tuple[list[float], list[float], float]:
        own = (self.feature == j) & (coefficients != 0)
        beta, knot, offset = coefficients[own], self.knot[own], float(coefficients[own] @ mean[own])
        flag, line = np.isnan(knot), np.isneginf(knot)
        hinged = ~flag & ~line

        def at(x: float) -> float:
            return float(beta[line].sum() * x + beta[hinged] @ np.maximum(x - knot[hinged], 0.0) - offset)

        missing = at(float(np.clip(self.impute[j], self.low[j], self.high[j]))) + float(beta[flag].sum())
        if not (hinged | line).any():
            return [], [at(0.0)], missing
        corners: list[float] = np.unique([self.low[j], *knot[hinged], self.high[j]]).tolist()
        return corners, [at(x) for x in corners], missing


def _knots(column: np.ndarray, low: float, high: float) -> list[float]:
    """Inner knots: quantiles of the values above the lowest one where most rows share it, as with days of absence."""
    known = column[np.isfinite(column)].astype(np.float64)
    above = known[known > low]
    chosen = above if len(above) < 0.5 * len(known) else known
    knots = np.unique(np.quantile(chosen, KNOT_QUANTILES)) if len(chosen) else np.empty(0)
    return [float(knot) for knot in knots if low < knot < high]


def _flags(X: np.ndarray, flagged: np.ndarray) -> list[int]:
    """Features of which a flag says something that no other flag says."""
    seen: dict[bytes, int] = {}
    for j in np.flatnonzero(flagged):
        absent = np.isnan(X[:, j])
        if FEWEST_MISSING < absent.mean() < MOST_MISSING:
            seen.setdefault(np.packbits(absent).tobytes(), int(j))
    return list(seen.values())
