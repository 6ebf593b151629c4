"""Sums and quantiles of rows whose bits depend on nothing but the row."""

from __future__ import annotations

import numpy as np


def linear_terms(
    X: np.ndarray,
    impute: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    mean: np.ndarray,
    scale: np.ndarray,
    coefficients: np.ndarray,
) -> np.ndarray:
    """Return the terms of a linear model, float64 of the shape that X and the parts broadcast to."""
    filled = np.where(np.isnan(X), impute, X.astype(np.float64))
    # A straight line knows nothing beyond the values it was fitted to: days since an event grow with every year in service.
    return (np.minimum(np.maximum(filled, low), high) - mean) / scale * coefficients


def quantiles(values: np.ndarray, shares: tuple[float, ...]) -> np.ndarray:
    """Return quantiles over the first axis, the same bits as ``np.quantile`` in a tenth of its time; (n_columns, n_shares)."""
    place = np.array(shares) * (len(values) - 1)
    below = place.astype(np.intp)
    ordered = np.sort(values, axis=0)
    low, high = ordered[below], ordered[np.minimum(below + 1, len(values) - 1)]
    step = (place - below)[:, np.newaxis]
    return np.where(step < 0.5, low + (high - low) * step, high - (high - low) * (1 - step)).T


def row_sums(terms: np.ndarray) -> np.ndarray:
    """Return the sums over the last axis, the same bits for a row alone and within any batch."""
    # Not `X @ coefficients`: BLAS picks its order of summation by the number of rows, so the last bits would depend on
    # the batch. A reduction over the last axis of a C-contiguous array adds each row in the same pairwise order.
    return np.add.reduce(np.ascontiguousarray(terms), axis=-1)
