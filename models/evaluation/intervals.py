"""95 % intervals by resampling persons (or companies): all rows of one are drawn together.

A resample is a row of weights (how often each person was drawn times the observation weight), so that hundreds of
resamples are one matrix product instead of hundreds of copies.
Reference: Davison AC, Hinkley DV. Bootstrap Methods and their Application. 1997, ch. 3.8.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Statistic = Callable[[np.ndarray], dict[str, np.ndarray]]
"""Takes weights (n_weightings, n), returns named numbers, each (n_weightings,)."""

_CELLS_AT_ONCE = 500_000


def resampled_weights(person: np.ndarray, weights: np.ndarray, repeats: int, seed: int) -> Iterator[np.ndarray]:
    """Yield blocks of resampled weights, shape (n_in_block, n), ``repeats`` rows in all.

    Parameters
    ----------
    person : int array, shape (n,)
        Which person each row belongs to.
    weights : float64 array, shape (n,)
    repeats : int
    seed : int
    """
    persons, position = np.unique(person, return_inverse=True)
    random = np.random.default_rng(seed)
    share = np.full(len(persons), 1.0 / len(persons))
    in_block = max(1, _CELLS_AT_ONCE // len(person))
    for done in range(0, repeats, in_block):
        times = random.multinomial(len(persons), share, size=min(in_block, repeats - done))
        yield times[:, position] * weights


def with_intervals(
    statistic: Statistic, person: np.ndarray, weights: np.ndarray, repeats: int, seed: int
) -> dict[str, dict[str, Any]]:
    """Return each number of a statistic with its percentile interval.

    Parameters
    ----------
    statistic : Statistic
        Its arrays may have a second axis, (n_weightings, n_points): a curve, of which every point gets an interval.
    person, weights, repeats, seed
        As in :func:`resampled_weights`.

    Returns
    -------
    name -> {"value", "low", "high"}, each a float (of a curve: a list of them), None where the number does not exist;
    resamples in which it does not exist (no events drawn) are left out.
    """
    values = statistic(weights[None])
    blocks = [statistic(block) for block in resampled_weights(person, weights, repeats, seed)]
    return {
        name: _with_interval(value[0], np.concatenate([block[name] for block in blocks]))
        for name, value in values.items()
    }


def _with_interval(value: np.ndarray, drawn: np.ndarray) -> dict[str, Any]:
    if drawn.ndim > 1:
        points = [_with_interval(one, column) for one, column in zip(value, drawn.T, strict=True)]
        return {part: [point[part] for point in points] for part in ("value", "low", "high")}
    known = drawn[np.isfinite(drawn)]
    low, high = np.percentile(known, [2.5, 97.5]) if len(known) else (np.nan, np.nan)
    return {name: _number(number) for name, number in (("value", value), ("low", low), ("high", high))}


def _number(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
