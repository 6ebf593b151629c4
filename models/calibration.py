"""Recalibration: the straight line from a model's raw linear predictor to a calibrated one (log-odds, or log days).

Fitted on out-of-fold predictions, it keeps contributions additive: each is multiplied by the slope.
Reference: Cox DR. Two further applications of a model for binary regression. Biometrika 1958;45:562.
"""

from __future__ import annotations

import numpy as np

_MOST_STEPS = 50
_LONGEST_STEP = 2.0
_SMALL_STEP = 1e-10
_NO_SPREAD = 1e-12
_TINY = 1e-300


def fit_recalibration(raw: np.ndarray, y: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Fit ``logit P(y = 1) = intercept + slope * raw`` by weighted maximum likelihood.

    Parameters
    ----------
    raw : float64 array, shape (n,)
        Out-of-fold log-odds of the uncalibrated model.
    y : float64 array, shape (n,)
        1 event, 0 no event.
    weights : float64 array, shape (n,)

    Returns
    -------
    intercept, slope : float
        Slope 0 and the log-odds of the mean when the raw prediction carries no or inverted information: a model is
        never turned upside down to fit.
    """
    intercept, slope = (float(value[0]) for value in fit_lines(raw, y, weights[None]))
    if slope > 0:
        return intercept, slope
    mean = float(np.average(y, weights=weights))
    return float(np.log(mean / (1 - mean))), 0.0


def fit_log_line(raw: np.ndarray, y: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Fit ``log E(y) = intercept + slope * raw`` by weighted quasi-Poisson likelihood.

    Its score equations make the predictions add up to the observed days, whatever the variance of the days is.

    Parameters
    ----------
    raw, weights : float64 arrays, shape (n,)
    y : float64 array, shape (n,)
        Not negative, and not all 0.

    Returns
    -------
    intercept, slope : float
        Slope 0 and the logarithm of the mean when the raw prediction carries no or inverted information.
    """
    mean, centre, spread = float(np.average(y, weights=weights)), raw.mean(), raw.std()
    slope = _newton_log_slope((raw - centre) / spread, y, weights) / spread if spread >= _NO_SPREAD else 0.0
    if slope <= 0:
        return float(np.log(mean)), 0.0
    # The likelihood's best level for this slope, in closed form: predicted days add up to the observed.
    held = slope * (raw - centre)
    level = np.log(mean / np.average(np.exp(held), weights=weights))
    return float(level - slope * centre), float(slope)


def _newton_log_slope(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> float:
    """Slope on a standardised x: the level is eliminated, what is left is concave in one number."""
    observed = np.average(x, weights=weights * y)
    slope = 0.0
    for _ in range(_MOST_STEPS):
        exponent = slope * x
        mass = weights * np.exp(exponent - exponent.max())
        expected = np.average(x, weights=mass)
        step = (observed - expected) / max(float(np.average((x - expected) ** 2, weights=mass)), _TINY)
        step = float(np.clip(step, -_LONGEST_STEP, _LONGEST_STEP))
        slope += step
        if abs(step) < _SMALL_STEP:
            break
    return slope


def fit_lines(raw: np.ndarray, y: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fit one recalibration line per row of ``weights``, all at once, by Newton's method.

    Parameters
    ----------
    raw, y : float64 arrays, shape (n,)
    weights : float64 array, shape (n_fits, n)

    Returns
    -------
    intercepts, slopes : float64 arrays, shape (n_fits,); NaN where a fit has no events or nothing but events.
    """
    solvable = _has_both(y, weights)
    lines = np.full((2, len(weights)), np.nan)
    lines[:, solvable] = _newton_lines(raw, y, weights[solvable])
    return lines[0], lines[1]


def fit_intercepts(offset: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Fit ``logit P(y = 1) = intercept + offset``, one intercept per row of ``weights``.

    Parameters
    ----------
    offset, y : float64 arrays, shape (n,)
    weights : float64 array, shape (n_fits, n)

    Returns
    -------
    float64 array, shape (n_fits,); NaN where a fit has no events or nothing but events.
    """
    solvable = _has_both(y, weights)
    levels = np.full(len(weights), np.nan)
    levels[solvable] = _newton_levels(offset, y, weights[solvable])
    return levels


def _has_both(y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return (weights @ y > 0) & (weights @ (1 - y) > 0)


def _newton_lines(raw: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Intercepts and slopes, shape (2, n_fits)."""
    centre, spread = raw.mean(), raw.std()
    level, slope = _newton_levels(np.zeros_like(raw), y, weights), np.zeros(len(weights))
    if spread < _NO_SPREAD:
        return np.stack([level, slope])
    x = (raw - centre) / spread
    for _ in range(_MOST_STEPS):
        p = _shares(level[:, None] + slope[:, None] * x)
        information = weights * p * (1 - p)
        residual = weights * (y - p)
        g0, g1 = residual.sum(axis=1), residual @ x
        h00, h01, h11 = information.sum(axis=1), information @ x, information @ (x * x)
        steps = np.stack([h11 * g0 - h01 * g1, h00 * g1 - h01 * g0]) / np.maximum(h00 * h11 - h01 * h01, _TINY)
        steps = np.clip(steps, -_LONGEST_STEP, _LONGEST_STEP)
        level, slope = level + steps[0], slope + steps[1]
        if np.abs(steps).max(initial=0.0) < _SMALL_STEP:
            break
    return np.stack([level - slope * centre / spread, slope / spread])


def _newton_levels(offset: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    level = np.zeros(len(weights))
    for _ in range(_MOST_STEPS):
        p = _shares(level[:, None] + offset)
        step = (weights * (y - p)).sum(axis=1) / np.maximum((weights * p * (1 - p)).sum(axis=1), _TINY)
        step = np.clip(step, -_LONGEST_STEP, _LONGEST_STEP)
        level = level + step
        if np.abs(step).max(initial=0.0) < _SMALL_STEP:
            break
    return level


def _shares(log_odds: np.ndarray) -> np.ndarray:
    """Risks to 1e-16 absolute, in a quarter of the time that exactness near 0 would take."""
    return 0.5 + 0.5 * np.tanh(0.5 * log_odds)
