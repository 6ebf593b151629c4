"""95 % intervals by resampling persons: all index dates of a person are drawn together.

A resample is a row of weights (how often each person was drawn times the observation weight), so that hundreds of
resamples are one matrix product instead of hundreds of copies.
Reference: Davison AC, Hinkley DV. Bootstrap Methods and their Application. 1997, ch. 3.8.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

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
) -> dict[str, dict[str, float]]:
    """Return each number of a statistic with its percentile interval.

    Parameters
    ----------
    statistic : Statistic
    person, weights, repeats, seed
        As in :func:`resampled_weights`.

    Returns
    -------
    name -> {"value", "low", "high"}; resamples in which a number does not exist (no events drawn) are left out.
    """
    values = statistic(weights[None])
    blocks = [statistic(block) for block in resampled_weights(person, weights, repeats, seed)]
    result = {}
    for name, value in values.items():
        drawn = np.concatenate([block[name] for block in blocks])
        low, high = np.nanpercentile(drawn, [2.5, 97.5]) if np.isfinite(drawn).any() else (np.nan, np.nan)
        result[name] = {"value": float(value[0]), "low": float(low), "high": float(high)}
    return result
