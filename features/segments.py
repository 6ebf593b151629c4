"""All reductions per person and all interval arithmetic, so that there is one place to get them right.

Sums and maxima go through ``reduceat`` or ``bincount``, never through differences of a running ``cumsum``: only the
former give one person the same bits alone and among a million others.

A *group* is a non-negative integer per row (a person, or person x kind); an interval is ``first..last``, both included.
"""

from __future__ import annotations

import numpy as np

_FEW_ROWS = 10_000
_SPAN_BITS = 20
_SPAN = 1 << _SPAN_BITS
_ZERO = _SPAN // 2
"""A group and a day share one int64: ``group * _SPAN + day + _ZERO``. Days from 534 to 3405 fit, groups up to 2**43."""


def order_of(*columns: np.ndarray) -> np.ndarray:
    """Return the stable order that sorts rows by ``columns``, the first column weighing most."""
    if len(columns[0]) <= _FEW_ROWS:
        return np.lexsort(columns[::-1])
    key = _packed_key(columns)
    return np.arange(len(key)) if (key[1:] >= key[:-1]).all() else key.argsort(kind="stable")


def _packed_key(columns: tuple[np.ndarray, ...]) -> np.ndarray:
    """Return one int64 per row that sorts like the rows: one sort instead of one per column."""
    key: np.ndarray = np.zeros(len(columns[0]), dtype=np.int64)
    width = 1
    for column in columns:
        low = int(column.min())
        span = int(column.max()) - low + 1
        if width * span > 1 << 62:
            distinct, key = np.unique(key, return_inverse=True)
            width = len(distinct)
        key, width = key * span + (column - np.int64(low)), width * span
    return key


def repeats(*columns: np.ndarray) -> np.ndarray:
    """True for every row (but the first, which is left out) that equals the row before it in all columns."""
    same = columns[0][1:] == columns[0][:-1]
    for column in columns[1:]:
        same &= column[1:] == column[:-1]
    return same


def run_starts(*columns: np.ndarray) -> np.ndarray:
    """Return the position of the first row of every run of equal rows."""
    is_start = np.empty(len(columns[0]), dtype=bool)
    is_start[:1] = True
    np.logical_not(repeats(*columns), out=is_start[1:])
    return is_start.nonzero()[0]


def run_ends(*columns: np.ndarray) -> np.ndarray:
    """Return the position of the last row of every run of equal rows."""
    is_end = np.empty(len(columns[0]), dtype=bool)
    is_end[-1:] = True
    np.logical_not(repeats(*columns), out=is_end[:-1])
    return is_end.nonzero()[0]


def run_numbers(starts: np.ndarray, n_rows: int) -> np.ndarray:
    """Return the number of the run (0, 1, ...) that each row lies in."""
    number = np.zeros(n_rows, dtype=np.int64)
    number[starts[1:]] = 1
    return number.cumsum()


def reduce_groups(ufunc: np.ufunc, group: np.ndarray, n_groups: int, values: np.ndarray) -> np.ndarray:
    """Reduce the rows of ``values`` within each group.

    Parameters
    ----------
    ufunc : numpy.add or numpy.maximum
    group : int array, shape (n_rows,), non-decreasing
    n_groups : int
    values : integer array, shape (n_rows, ...)

    Returns
    -------
    array of the dtype of ``values``, shape (n_groups, ...); 0 for a group without rows.
    """
    result = np.zeros((n_groups, *values.shape[1:]), dtype=values.dtype)
    if len(group):
        starts = run_starts(group)
        result[group[starts]] = ufunc.reduceat(values, starts, axis=0)
    return result


def reduce_measures(group: np.ndarray, n_groups: int, *parts: tuple[np.ufunc, np.ndarray]) -> np.ndarray:
    """Reduce several measures of the same rows within each group.

    Parameters
    ----------
    group : int array, shape (n_rows,), non-decreasing, with at least one row
    n_groups : int
    parts : of numpy.add or numpy.maximum, and an int32 array of shape (n_measures, n_rows)

    Returns
    -------
    int32 array, shape (n_measures of all parts, n_groups); 0 for a group without rows.
    """
    starts = run_starts(group)
    reduced = np.concatenate([ufunc.reduceat(values, starts, axis=1, dtype=np.int32) for ufunc, values in parts])
    result = np.zeros((len(reduced), n_groups), dtype=np.int32)
    result[:, group[starts]] = reduced
    return result


def expanded_ranges(starts: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return ``starts[0], starts[0] + 1, ... (counts[0] numbers), starts[1], ...`` as one int64 array."""
    ends = np.cumsum(counts)
    offsets = np.repeat(np.asarray(starts, dtype=np.int64) - ends + counts, counts)
    return offsets + np.arange(len(offsets))


def merged(group: np.ndarray, first: np.ndarray, last: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Join overlapping and touching intervals of a group into stretches.

    Parameters
    ----------
    group, first, last : int arrays, shape (n_rows,), in any order

    Returns
    -------
    group : int64 array; first, last : int32 arrays; sorted by group and first day.
    """
    start, end = merged_points(point(group, first), point(group, last))
    return group_of(start), day_of(start), day_of(end)


def merged_points(start: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Join intervals like :func:`merged`, each given by the :func:`point` of its first and last day."""
    start, end = _sorted_by_start(start, end)
    if not len(start):
        return start, end
    reach = np.maximum.accumulate(end)
    is_open = np.empty(len(start) + 1, dtype=bool)
    is_open[0] = is_open[-1] = True
    np.greater(start[1:], reach[:-1] + 1, out=is_open[1:-1])
    # A stretch closes just before the next one opens.
    return start[is_open[:-1]], reach[is_open[1:]]


def disjoint_pieces(
    group: np.ndarray, first: np.ndarray, last: np.ndarray, priority: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Split intervals of a group into pieces that do not overlap; each piece has the highest priority covering it.

    Parameters
    ----------
    group, first, last : int arrays, shape (n_rows,), in any order
    priority : int array, shape (n_rows,), non-negative

    Returns
    -------
    group (int64), first, last (int32), priority (int64), sorted by group and first day. Touching pieces are not joined.
    """
    start, end, priority = disjoint_points(point(group, first), point(group, last), priority)
    return group_of(start), day_of(start), day_of(end), priority


def disjoint_points(
    start: np.ndarray, end: np.ndarray, priority: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Split intervals like :func:`disjoint_pieces`, each given by the :func:`point` of its first and last day."""
    start, end, priority = _sorted_by_start(start, end, priority.astype(np.int64))
    crowded = _overlapping(start, end)
    if crowded is None:
        return start, end, priority
    split = _split(start[crowded], end[crowded], priority[crowded])
    alone = (start[~crowded], end[~crowded], priority[~crowded])
    start, end, priority = (np.concatenate(pair) for pair in zip(alone, split, strict=True))
    start, end, priority = _sorted_by_start(start, end, priority)
    return start, end, priority


def _overlapping(start: np.ndarray, end: np.ndarray) -> np.ndarray | None:
    """True for every interval that shares a day with another one; None if there is no such interval."""
    meets_earlier = start[1:] <= np.maximum.accumulate(end)[:-1]
    if not meets_earlier.any():
        return None
    cluster = np.cumsum(np.append(False, ~meets_earlier))
    return np.bincount(cluster)[cluster] > 1


def _split(start: np.ndarray, end: np.ndarray, priority: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    cuts = np.unique(np.concatenate((start, end + 1)))
    low = np.searchsorted(cuts, start)
    counts = np.searchsorted(cuts, end + 1) - low
    highest = np.full(len(cuts), -1, dtype=np.int64)
    np.maximum.at(highest, expanded_ranges(low, counts), np.repeat(priority, counts))
    covered = np.flatnonzero(highest >= 0)
    return cuts[covered], cuts[covered + 1] - 1, highest[covered]


def _sorted_by_start(start: np.ndarray, *others: np.ndarray) -> tuple[np.ndarray, ...]:
    if (start[1:] >= start[:-1]).all():
        return start, *others
    order = start.argsort(kind="stable")
    return start[order], *(other[order] for other in others)


def point(group: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Return one int64 that sorts by group and then day."""
    return group.astype(np.int64) * _SPAN + (day + np.int64(_ZERO))


def height(groups: np.ndarray) -> np.ndarray:
    """Return what moves a :func:`point` some groups up when it is added; a number of days moves it by these days."""
    return groups << _SPAN_BITS


def group_of(point: np.ndarray) -> np.ndarray:
    """Return the group of a :func:`point`."""
    return point >> _SPAN_BITS


def day_of(point: np.ndarray) -> np.ndarray:
    """Return the day of a :func:`point`, int32."""
    return ((point & (_SPAN - 1)) - _ZERO).astype(np.int32)
