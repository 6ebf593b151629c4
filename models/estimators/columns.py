"""What every estimator does with columns before it fits: ranges without extremes, medians for gaps, unit variance."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

EXTREMES_NOT_KEPT = 5
"""The range of a feature in training leaves out so many persons at either end: an extreme value is one person's."""

_NO_SPREAD = 1e-9
_FIRST_LOOK = 64
"""Rows at an end that are looked at first for persons enough; more where they are not."""

_COLUMNS_AT_ONCE, _ROWS_AT_ONCE = 32, 2048
_STANDARDISED_AT_ONCE = 32


def ranges(X: np.ndarray, groups: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what stands for a missing value in each column, and the range without single persons' extremes.

    Parameters
    ----------
    X : float32 array, shape (n, n_columns)
    groups : int array, shape (n,), or None
        Persons; None: each row is one.

    Returns
    -------
    impute, low, high : float64 arrays, shape (n_columns,)
        The median of the rows, held within the range (0 where nothing is known); the range as :func:`training_ranges`
        has it, or the median twice where there is none.
    """
    person = numbered(groups, len(X))
    impute, low, high = np.array([_range(column, person) for column in _columns(X)]).T
    return impute, low, high


def training_ranges(X: np.ndarray, groups: np.ndarray | None = None) -> list[tuple[float, float] | None]:
    """Return the range of each column without single persons' extremes; None where there are too few persons for one.

    Parameters
    ----------
    X : float32 array, shape (n, n_columns)
    groups : int array, shape (n,), or None
        Persons; None: each row is one.
    """
    person = numbered(groups, len(X))
    return [_kept_range(column, _known(column), person) for column in _columns(X)]


def numbered(groups: np.ndarray | None, n: int) -> np.ndarray:
    """Return groups as numbers from 0, int (n,); without groups each row is one."""
    return np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1]


def _columns(X: np.ndarray) -> Iterator[np.ndarray]:
    """Each column behind the other in memory: picked one by one out of wide rows, most of the time is spent on waiting."""
    for start in range(0, X.shape[1], _COLUMNS_AT_ONCE):
        block = X[:, start : start + _COLUMNS_AT_ONCE]
        columns = np.empty(block.T.shape, dtype=X.dtype)
        for first in range(0, len(X), _ROWS_AT_ONCE):
            columns[:, first : first + _ROWS_AT_ONCE] = block[first : first + _ROWS_AT_ONCE].T
        yield from columns


def _known(column: np.ndarray) -> np.ndarray:
    """The finite values, rising."""
    ordered = np.sort(column)
    return ordered[np.searchsorted(ordered, -np.inf, side="right") : np.searchsorted(ordered, np.inf)]


def _range(column: np.ndarray, person: np.ndarray) -> tuple[float, float, float]:
    known = _known(column)
    if not len(known):
        return 0.0, 0.0, 0.0
    median = (float(known[(len(known) - 1) // 2]) + float(known[len(known) // 2])) / 2
    kept = _kept_range(column, known, person)
    if kept is None:
        return median, median, median
    return float(np.clip(median, *kept)), *kept


def _kept_range(column: np.ndarray, known: np.ndarray, person: np.ndarray) -> tuple[float, float] | None:
    """Lowest and highest value that five more persons reach or pass: rows are quarterly, so rows would not do."""
    if not len(known):
        return None
    low, high = _highest_kept(-column, -known[::-1], person), _highest_kept(column, known, person)
    return None if low is None or high is None else (-low, high)


def _highest_kept(column: np.ndarray, known: np.ndarray, person: np.ndarray) -> float | None:
    """Highest value of the next person after those whose extremes are not kept; None if these are half of all, or more."""
    look = _FIRST_LOOK
    while True:
        edge = known[-min(look, len(known))]
        if _are_many(person, np.flatnonzero((column >= edge) & (column < np.inf))):
            break
        if look >= len(known):
            return None
        look *= 8
    # Many rows may share the edge, as with days of absence; those above it are few.
    above = np.flatnonzero((column > edge) & (column < np.inf))
    falling = above[np.argsort(-column[above], kind="stable")]
    first_of_each = np.sort(np.unique(person[falling], return_index=True)[1])
    if len(first_of_each) <= EXTREMES_NOT_KEPT:
        return float(edge)
    return float(column[falling[first_of_each[EXTREMES_NOT_KEPT]]])


def _are_many(person: np.ndarray, rows: np.ndarray) -> bool:
    """Whether the rows are of more persons than twice those whose extremes are not kept."""
    few = rows[:_FIRST_LOOK]
    return any(len(np.unique(person[some])) > 2 * EXTREMES_NOT_KEPT for some in (few, rows))


def filled(X: np.ndarray, impute: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return X as float64 with the median for what is missing, held within the range."""
    held = X.astype(np.float64)
    np.copyto(held, impute, where=np.isnan(X))
    return np.clip(held, low, high, out=held)


def standardised(
    columns: Callable[[slice], np.ndarray], n_columns: int, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bring columns to weighted mean 0 and variance 1, some at a time: in float64 all of them are twice the result.

    Parameters
    ----------
    columns : callable
        ``columns(some)`` returns these columns, float64 (n, n_some); they are overwritten.
    n_columns : int
    weight : float64 array, shape (n,)

    Returns
    -------
    Z : float32 array, shape (n, n_columns)
        Each column behind the other in memory.
    mean, scale : float64 arrays, shape (n_columns,)
        The scale of a column without spread is 1.
    """
    share = weight / weight.sum()
    Z = np.empty((len(weight), n_columns), dtype=np.float32, order="F")
    mean, scale = np.zeros(n_columns), np.ones(n_columns)
    for some in _blocks(n_columns):
        found = columns(some)
        mean[some] = share @ found
        found -= mean[some]
        spread = np.sqrt(share @ found**2)
        scale[some] = np.where(spread > _NO_SPREAD, spread, 1.0)
        found /= scale[some]
        Z[:, some] = found
    return Z, mean, scale


def _blocks(n_columns: int) -> list[slice]:
    """Columns in blocks, what is left over in the last: products of a narrower block would be summed in another order."""
    n = max(1, n_columns // _STANDARDISED_AT_ONCE)
    starts = [block * _STANDARDISED_AT_ONCE for block in range(n)]
    return [slice(start, end) for start, end in zip(starts, [*starts[1:], n_columns], strict=True)]


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
    group = numbered(groups, n)
    return (np.random.default_rng(seed).permutation(int(group.max(initial=-1)) + 1) % folds)[group]
