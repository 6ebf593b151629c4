"""Stability and compacity of explanations as Shapash 2.10 defines them (MAIF, ``shapash/utils/explanation_metrics.py``).

Stability: among like rows with like predictions, how much a feature's share of the explanation varies. Compacity: how few
features come close to the whole explanation. Reimplemented in NumPy, vectorised, without the data frames.
Reference: Bouche F, Golhen Y. Shapash documentation, "Explanation quality"; https://github.com/MAIF/shapash.
"""

from __future__ import annotations

import numpy as np

NEIGHBOURS = 10
MOST_DIFFERENT = 0.1
"""Two predictions (probabilities) this far apart are not alike."""

CLOSE_ENOUGH = 0.1
"""Of a sum of few contributions to that of all, in their own unit."""

_RADIUS_ROWS, _RADIUS_PERCENTILE, _RADIUS_SEED = 500, 95, 79
_EPSILON = 1e-7


def stability(
    rows: np.ndarray, X: np.ndarray, predictions: np.ndarray, contributions: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return variability and amplitude per row and feature.

    Parameters
    ----------
    rows : int array, shape (k,)
        Positions of the rows that are judged.
    X : float array, shape (n, n_features)
        Without missing values.
    predictions : float64 array, shape (n,)
    contributions : float64 array, shape (n, n_features)
        Without the base.

    Returns
    -------
    variability : float64 array, shape (k, n_features)
        Standard deviation over a row and its neighbours of the contributions as shares of their absolute sum, over the mean of
        the absolute shares; 0 where that is 0. Near 0: stable.
    amplitude : float64 array, shape (k, n_features)
        The row's own absolute shares.
    """
    # float32, as Shapash takes the spread: the last digits of its distances depend on it.
    spread = X.astype(np.float32).std(axis=0) + _EPSILON
    radius = _radius(X, spread)
    total = np.abs(contributions).sum(axis=1, keepdims=True)
    shares = np.divide(contributions, total, out=np.zeros_like(contributions), where=total > 0)
    variability = np.stack([_variability(shares[_neighbours(row, X, spread, predictions, radius)]) for row in rows])
    return variability, np.abs(shares[rows])


def features_needed(contributions: np.ndarray, close_enough: float = CLOSE_ENOUGH) -> np.ndarray:
    """Return how many of the largest contributions sum to within ``close_enough`` of the sum of all, int (n,)."""
    gap = _gaps(contributions)
    is_close = gap < close_enough
    return np.where(is_close.any(axis=1), is_close.argmax(axis=1) + 1, contributions.shape[1])


def distance_reached(contributions: np.ndarray, features: int) -> np.ndarray:
    """Return how far the sum of so many of the largest contributions is from the sum of all, float64 (n,)."""
    gaps: np.ndarray = _gaps(contributions)[:, min(features, contributions.shape[1]) - 1]
    return gaps


def _gaps(contributions: np.ndarray) -> np.ndarray:
    order = np.argsort(-np.abs(contributions), axis=1, kind="stable")
    sums = np.cumsum(np.take_along_axis(contributions, order, axis=1), axis=1)
    return np.abs(sums - sums[:, -1:])


def _variability(shares: np.ndarray) -> np.ndarray:
    size = np.abs(shares).mean(axis=0)
    return np.divide(shares.std(axis=0), size, out=np.zeros_like(size), where=size > 0)


def _neighbours(row: int, X: np.ndarray, spread: np.ndarray, predictions: np.ndarray, radius: float) -> np.ndarray:
    distance = (np.abs(X - X[row]) / spread).sum(axis=1)
    nearest = np.argsort(distance)[: NEIGHBOURS + 1]
    is_alike = (np.abs(predictions[nearest] - predictions[row]) < MOST_DIFFERENT) & (distance[nearest] < radius)
    # A row is its own neighbour whatever the radius: it is the explanation that is judged.
    return np.union1d(nearest[is_alike], [row])


def _radius(X: np.ndarray, spread: np.ndarray) -> float:
    """The distance below which 95 % of the nearest neighbours of a sample lie within the sample."""
    sample = X[np.random.default_rng(_RADIUS_SEED).integers(0, len(X), min(len(X), _RADIUS_ROWS))]
    distances = np.stack([(np.abs(sample - one) / spread).sum(axis=1) for one in sample])
    return float(np.percentile(np.sort(distances)[:, 1 : NEIGHBOURS + 1], _RADIUS_PERCENTILE))
