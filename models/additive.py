"""Sums of curves: one function per feature, piecewise linear or a step function, with an own value for missing.

The curves of all features are looked up together in padded arrays: a row of 200 features takes some hundredths of a
millisecond. Every step is one operation per element, so a row has the same bits alone and within any batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

from data_contracts.errors import ArtifactError

FLAT_PARTS = ("knots", "values", "n_knots", "n_values", "missing")
"""The arrays that are stored, in the order of the file."""

MOST_KNOTS, MOST_CURVES = 256, 4096
"""Far above what this code fits (23 knots, a curve per feature of the catalogue): the look-up makes room for all of them."""

_ROWS_AT_ONCE = 500
"""So few rows stay in the processor's cache through all steps of the look-up."""


@dataclass(frozen=True, eq=False)
class AdditiveTerms:
    """The curves of a model.

    Parameters
    ----------
    knots : float64 array, shape (sum of n_knots,)
        The knots of the first feature, rising, then those of the second, and so on.
    values : float64 array, shape (sum of n_values,)
        As many values as knots: the curve is straight between the knots and constant outside them. One value more: a
        step function, ``values[i]`` from knot i - 1 (included) to knot i (not included).
    n_knots, n_values : int array, shape (n_features,)
    missing : float64 array, shape (n_features,)
        The curve's value where x is not known.

    Raises
    ------
    ArtifactError
        If the parts do not fit each other.
    """

    knots: np.ndarray
    values: np.ndarray
    n_knots: np.ndarray
    n_values: np.ndarray
    missing: np.ndarray

    def __post_init__(self) -> None:
        _check(self)

    @classmethod
    def from_curves(
        cls, curves: Sequence[tuple[Sequence[float] | np.ndarray, Sequence[float] | np.ndarray, float]]
    ) -> AdditiveTerms:
        """Put curves, each (knots, values, value for missing), behind each other."""
        knots, values, missing = zip(*curves, strict=True)
        return cls(
            np.concatenate([np.asarray(part, dtype=np.float64) for part in knots]),
            np.concatenate([np.asarray(part, dtype=np.float64) for part in values]),
            np.array([len(part) for part in knots], dtype=np.intp),
            np.array([len(part) for part in values], dtype=np.intp),
            np.array(missing, dtype=np.float64),
        )

    @cached_property
    def pieces(self) -> Pieces:
        """The curves as straight pieces, ready for the look-up."""
        return _pieces(self, int(self.n_knots.max()))

    def of(self, X: np.ndarray) -> np.ndarray:
        """Return the terms of rows X, float32 (n_rows, n_features), as float64 of the same shape."""
        if len(X) <= _ROWS_AT_ONCE:
            return self.pieces.of(X)
        starts = range(0, len(X), _ROWS_AT_ONCE)
        return np.concatenate([self.pieces.of(X[start : start + _ROWS_AT_ONCE]) for start in starts])


@dataclass(frozen=True, eq=False)
class Pieces:
    """Straight pieces of curves: ``level + slope * (x - edge)`` in the piece whose first knot is the last one not above x.

    Parameters
    ----------
    knots : float64 array, shape (..., n_features, width)
        Padded with infinity; the width is one less than a power of two.
    edge, level, slope : float64 array, shape (..., n_features, width + 1)
    low, high : float64 array, shape (..., n_features)
        First and last knot.
    missing : float64 array, shape (..., n_features)
    """

    knots: np.ndarray
    edge: np.ndarray
    level: np.ndarray
    slope: np.ndarray
    low: np.ndarray
    high: np.ndarray
    missing: np.ndarray

    def of(self, X: np.ndarray) -> np.ndarray:
        """Return the terms of X, shape (n_rows, ..., n_features); X broadcasts to that shape."""
        # Held below the padding's infinity, and below from above only: a step is taken at the first knot, not before.
        x = np.minimum(X.astype(np.float64), self.high)
        at = self._piece(x)
        found = self.level.take(at) + self.slope.take(at) * (np.maximum(x, self.low) - self.edge.take(at))
        return np.where(np.isnan(x), self.missing, found)

    def _piece(self, x: np.ndarray) -> np.ndarray:
        """Position in the flattened ``edge``: a binary search for the number of knots not above x, in all curves at once."""
        width = self.knots.shape[-1]
        curve = np.arange(self.missing.size).reshape(self.missing.shape)
        before = np.broadcast_to(curve * width - 1, x.shape).copy()
        step = (width + 1) // 2
        while step:
            before += step * (x >= self.knots.take(before + step))
            step //= 2
        return before + (1 + curve)


def stacked(terms: Sequence[AdditiveTerms]) -> Pieces:
    """Return the curves of several models of the same features as one: the first axis is the model."""
    most = max(int(one.n_knots.max()) for one in terms)
    parts = [_pieces(one, most) for one in terms]
    return Pieces(*(np.stack([getattr(part, own.name) for part in parts]) for own in fields(Pieces)))


def _pieces(terms: AdditiveTerms, most: int) -> Pieces:
    """Cut the curves into pieces, with room for ``most`` knots."""
    n, width = len(terms.missing), 2 ** int(most).bit_length() - 1
    knots = np.full((n, width), np.inf)
    edge, level, slope = np.zeros((3, n, width + 1))
    low, high = np.zeros((2, n))
    values_of = np.split(terms.values, np.cumsum(terms.n_values)[:-1])
    for row, (own, values) in enumerate(
        zip(np.split(terms.knots, np.cumsum(terms.n_knots)[:-1]), values_of, strict=True)
    ):
        k = len(own)
        if k == 0:
            level[row] = values[0]
            continue
        knots[row, :k], low[row], high[row] = own, own[0], own[-1]
        # Before the first knot a curve is as at the first knot.
        edge[row, : k + 1] = np.concatenate([own[:1], own])
        level[row, : k + 1] = values if len(values) > k else np.concatenate([values[:1], values])
        if len(values) == k:
            slope[row, 1:k] = np.diff(values) / np.diff(own)
    return Pieces(knots, edge, level, slope, low, high, terms.missing)


def _check(terms: AdditiveTerms) -> None:
    shapes = {getattr(terms, name).ndim for name in FLAT_PARTS}
    counts_fit = shapes == {1} and len(terms.n_knots) == len(terms.n_values) == len(terms.missing) > 0
    if counts_fit and (terms.n_knots.max() > MOST_KNOTS or len(terms.n_knots) > MOST_CURVES):
        raise ArtifactError(
            f"The model has a curve of more than {MOST_KNOTS} knots, or more than {MOST_CURVES} curves; no fit of this code "
            "has. Train it again."
        )
    if not counts_fit or (terms.n_knots.sum(), terms.n_values.sum()) != (len(terms.knots), len(terms.values)):
        raise ArtifactError(
            "The curves of the model have other numbers of knots and values than they say. Train it again."
        )
    more = terms.n_values - terms.n_knots
    if terms.n_knots.min() < 0 or terms.n_values.min() < 1 or not np.isin(more, (0, 1)).all():
        raise ArtifactError("A curve of the model must have as many values as knots, or one more. Train it again.")
    if not all(np.isfinite(getattr(terms, name)).all() for name in ("knots", "values", "missing")):
        raise ArtifactError("A curve of the model holds something that is not a number. Train it again.")
    of_feature = np.repeat(np.arange(len(terms.n_knots)), terms.n_knots)
    if ((np.diff(terms.knots) <= 0) & (np.diff(of_feature) == 0)).any():
        raise ArtifactError("The knots of a curve of the model do not rise. Train it again.")
