"""What every estimator does with columns before it fits: ranges without extremes, medians for gaps, unit variance."""

from __future__ import annotations

import numpy as np

EXTREMES_NOT_KEPT = 5
"""The range of a feature in training leaves out this many rows at either end: an extreme value is one person's."""

_NO_SPREAD = 1e-9


def ranges(X: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return per column the median (0 where nothing is known), lowest and highest value, each float64 (n_columns,)."""
    impute, low, high = np.array([_range(column) for column in X.T]).T
    return impute, low, high


def _range(column: np.ndarray) -> tuple[float, float, float]:
    """Median (0 of nothing), and lowest and highest value without the extremes, single persons', or else the median."""
    known = np.sort(column[np.isfinite(column)])
    if not len(known):
        return 0.0, 0.0, 0.0
    median = float(np.median(known.astype(np.float64)))
    if len(known) <= 2 * EXTREMES_NOT_KEPT:
        return median, median, median
    return median, float(known[EXTREMES_NOT_KEPT]), float(known[-EXTREMES_NOT_KEPT - 1])


def filled(X: np.ndarray, impute: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return X as float64 with the median for what is missing, held within the range."""
    return np.clip(np.where(np.isnan(X), impute, X.astype(np.float64)), low, high)


def standardised(columns: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bring columns to weighted mean 0 and variance 1.

    Parameters
    ----------
    columns : float64 array, shape (n, p)
        Is overwritten.
    weight : float64 array, shape (n,)

    Returns
    -------
    Z : float32 array, shape (n, p)
    mean, scale : float64 arrays, shape (p,)
        The scale of a column without spread is 1.
    """
    share = weight / weight.sum()
    mean = share @ columns
    columns -= mean
    spread = np.sqrt(share @ columns**2)
    scale = np.where(spread > _NO_SPREAD, spread, 1.0)
    return (columns / scale).astype(np.float32), mean, scale


def person_folds_of(groups: np.ndarray | None, n: int, folds: int, seed: int) -> np.ndarray:
    """Assign rows to inner folds; all rows of a group share one, and without groups each row is one.

    Parameters
    ----------
    groups : int array, shape (n,), or None
    n, folds, seed : int

    Returns
    -------
    int array, shape (n,)
    """
    unique, group = np.unique(np.arange(n) if groups is None else groups, return_inverse=True)
    return (np.random.default_rng(seed).permutation(len(unique)) % folds)[group]
