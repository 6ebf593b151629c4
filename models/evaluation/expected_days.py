"""How good expected numbers of days are: deviance, error, calibration, ranking, and whether the top tenth holds the days.

Every number is a function of weights of shape (n_weightings, n): one call serves the estimate and its resamples.

References: Jorgensen B. J R Stat Soc B 1987;49:127 (Tweedie deviance). Hastie T, Tibshirani R, Wainwright M. Statistical
Learning with Sparsity. 2015, ch. 3 (share of the deviance explained, D squared). Gourieroux C, Monfort A, Trognon A.
Econometrica 1984;52:701 (a Poisson likelihood estimates the line of a mean whatever the days' distribution is).
"""

from __future__ import annotations

import numpy as np

from models.evaluation.discrimination import Ranking
from models.evaluation.intervals import Statistic
from models.target import tweedie_losses

TOP = 0.1
"""The share of rows that a programme could talk to: how many of all days are theirs?"""

TENTHS = 10

_MOST_STEPS = 50
_LONGEST_STEP = 1.0
_SMALL_STEP = 1e-10
_NO_SPREAD = 1e-12
_TINY = 1e-300


def days_metrics_of(linear: np.ndarray, y: np.ndarray) -> Statistic:
    """Return a function from weights (n_weightings, n) to every metric of a model of days, each (n_weightings,).

    Parameters
    ----------
    linear : float64 array, shape (n,)
        Calibrated log expected days of the test rows.
    y : float64 array, shape (n,)
        Days, 0 or more.

    Returns
    -------
    Statistic
        ``tweedie_deviance`` (power 1.5) and ``d2``, the share of it that the mean alone leaves and the model explains;
        ``mae`` (days); ``observed_to_expected``; ``calibration_intercept`` and ``calibration_slope`` of the line of log
        days on ``linear``; ``spearman``; ``top_tenth_share`` of all days. NaN where no row has a day, and for a slope or
        rank of predictions that do not vary.
    """
    expected, ranking, ranking_of_days = np.exp(linear), Ranking.of(linear), Ranking.of(y)
    losses, error = tweedie_losses(linear, y), np.abs(y - expected)

    def metrics(weights: np.ndarray) -> dict[str, np.ndarray]:
        total = weights.sum(axis=1)
        mean = _positive(weights @ y / total)
        deviance = weights @ losses / total
        intercept, slope = log_lines(linear, y, weights)
        return {
            "tweedie_deviance": deviance,
            "d2": 1 - deviance / _deviance_of_mean(mean, y, weights / total[:, None]),
            "mae": weights @ error / total,
            "observed_to_expected": mean * total / (weights @ expected),
            "calibration_intercept": intercept,
            "calibration_slope": slope,
            "spearman": spearman(ranking, ranking_of_days, weights),
            "top_tenth_share": top_share(ranking, y, weights),
        }

    return metrics


def _positive(values: np.ndarray) -> np.ndarray:
    return np.where(values > 0, values, np.nan)


def _deviance_of_mean(mean: np.ndarray, y: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Deviance of predicting everybody's mean: 8 times what the square roots' mean falls short of the mean's root."""
    roots = shares @ np.sqrt(y)
    deviance: np.ndarray = 8 * (np.sqrt(mean) - roots)
    return _positive(deviance)


def log_lines(linear: np.ndarray, y: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fit ``log E(y) = intercept + slope * linear`` for every weighting by the Poisson likelihood, with Newton's method.

    Parameters
    ----------
    linear, y : float64 arrays, shape (n,)
    weights : float64 array, shape (n_fits, n)

    Returns
    -------
    intercepts, slopes : float64 arrays, shape (n_fits,); NaN where no row has a day or predictions do not vary.
    """
    days, spread = weights @ y, linear.std()
    solvable = (days > 0) & (spread > _NO_SPREAD)
    x = (linear - linear.mean()) / max(spread, _NO_SPREAD)
    slope = np.full(len(weights), np.nan)
    slope[solvable] = _newton_slopes(x, y, weights[solvable])
    level = np.log(_positive(days)) - np.log((weights * np.exp(slope[:, None] * x)).sum(axis=1))
    return level - slope * linear.mean() / max(spread, _NO_SPREAD), slope / max(spread, _NO_SPREAD)


def _newton_slopes(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Slopes on standardised predictions: given one, the level has a closed form, and what is left is concave."""
    wanted = weights @ (x * y) / (weights @ y)
    slope = np.zeros(len(weights))
    for _ in range(_MOST_STEPS):
        exponent = slope[:, None] * x
        mass = weights * np.exp(exponent - exponent.max(axis=1, keepdims=True))
        mass /= mass.sum(axis=1, keepdims=True)
        centre = mass @ x
        step = (wanted - centre) / np.maximum(mass @ x**2 - centre**2, _TINY)
        step = np.clip(step, -_LONGEST_STEP, _LONGEST_STEP)
        slope = slope + step
        if np.abs(step).max(initial=0.0) < _SMALL_STEP:
            break
    return slope


def spearman(one: Ranking, other: Ranking, weights: np.ndarray) -> np.ndarray:
    """Rank correlation, equal values sharing their mean rank, shape (n_weightings,); NaN where nothing varies."""
    total = weights.sum(axis=1, keepdims=True)
    a, b = (_centred_ranks(ranking, weights) for ranking in (one, other))
    covariance = (weights * a * b).sum(axis=1) / total[:, 0]
    spread = (weights * a**2).sum(axis=1) * (weights * b**2).sum(axis=1) / total[:, 0] ** 2
    return covariance / np.sqrt(np.where(spread > _NO_SPREAD, spread, np.nan))


def _centred_ranks(ranking: Ranking, weights: np.ndarray) -> np.ndarray:
    """Weight below each row, and half of what equals it, as a share of all, less the mean: shape of ``weights``."""
    within = ranking.sums(weights)
    ranks = (np.cumsum(within, axis=1) - within / 2) / weights.sum(axis=1, keepdims=True) - 0.5
    placed = np.empty_like(weights)
    group = np.cumsum(np.isin(np.arange(len(ranking.order)), ranking.starts)) - 1
    placed[:, ranking.order] = ranks[:, group]
    return placed


def top_share(ranking: Ranking, y: np.ndarray, weights: np.ndarray, share: float = TOP) -> np.ndarray:
    """Share of all days that the rows with the highest predictions have, shape (n_weightings,).

    Of rows with equal predictions on the border, as large a part is taken as there is room for.
    """
    rows, days = ranking.sums(weights)[:, ::-1], ranking.sums(weights * y)[:, ::-1]
    room = share * rows.sum(axis=1, keepdims=True) - (np.cumsum(rows, axis=1) - rows)
    part = np.clip(room / np.maximum(rows, _TINY), 0, 1)
    return (part * days).sum(axis=1) / _positive(days.sum(axis=1))


def days_curve(linear: np.ndarray, y: np.ndarray, weight: np.ndarray) -> dict[str, list[float]]:
    """Return expected and observed days by tenth of the prediction: a calibration table.

    Parameters
    ----------
    linear, y, weight : float64 arrays, shape (n,)
        Log expected days, days, and how many rows each stands for.

    Returns
    -------
    dict of lists, one entry per tenth, lowest first: ``rows`` (unweighted), ``expected``, ``observed`` (weighted mean days).
    Tenths are of the weight; rows with equal predictions are not split, so that there may be fewer.
    """
    ranking = Ranking.of(linear)
    below = np.cumsum(ranking.sums(weight)) - ranking.sums(weight) / 2
    tenth = np.minimum((below / weight.sum() * TENTHS).astype(int), TENTHS - 1)
    sums = [np.bincount(tenth, ranking.sums(values), TENTHS)
            for values in (np.ones_like(y), weight, weight * np.exp(linear), weight * y)]  # fmt: skip
    rows, weights, expected, observed = (of_tenth[sums[1] > 0] for of_tenth in sums)
    found = {"rows": rows.astype(int), "expected": expected / weights, "observed": observed / weights}
    return {name: values.tolist() for name, values in found.items()}
