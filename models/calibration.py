"""Logistic recalibration: the straight line from a model's raw log-odds to calibrated log-odds.

Fitted on out-of-fold predictions, it keeps contributions additive: each is multiplied by the slope.
Reference: Cox DR. Two further applications of a model for binary regression. Biometrika 1958;45:562.
"""

from __future__ import annotations

import numpy as np

from models.risk_model import risk_of

_MOST_STEPS = 50
_STEP_TOLERANCE = 1e-10


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
    centre, spread = raw.mean(), raw.std()
    if spread < 1e-12:
        return fit_intercepts(np.zeros_like(raw), y, weights), np.zeros(len(weights))
    x = (raw - centre) / spread
    total, events = weights.sum(axis=1), weights @ y
    level, slope = _start(total, events), np.zeros(len(weights))
    for _ in range(_MOST_STEPS):
        p = risk_of(level[:, None] + slope[:, None] * x)
        information = weights * p * (1 - p)
        residual = weights * (y - p)
        g0, g1 = residual.sum(axis=1), residual @ x
        h00, h01, h11 = information.sum(axis=1), information @ x, information @ (x * x)
        determinant = h00 * h11 - h01 * h01
        with np.errstate(invalid="ignore", divide="ignore"):
            steps = np.stack([h11 * g0 - h01 * g1, h00 * g1 - h01 * g0]) / determinant
        steps = np.where(np.isfinite(steps), np.clip(steps, -2.0, 2.0), 0.0)
        level, slope = level + steps[0], slope + steps[1]
        if np.abs(steps).max() < _STEP_TOLERANCE:
            break
    return level - slope * centre / spread, slope / spread + 0 * level


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
    level = 0.0 * _start(weights.sum(axis=1), weights @ y)
    for _ in range(_MOST_STEPS):
        p = risk_of(level[:, None] + offset)
        step = np.clip((weights * (y - p)).sum(axis=1) / (weights * p * (1 - p)).sum(axis=1), -2.0, 2.0)
        level = level + step
        if not np.any(np.abs(step) > _STEP_TOLERANCE):
            break
    return level


def _start(total: np.ndarray, events: np.ndarray) -> np.ndarray:
    """Log-odds of the observed share; NaN where there is none or nothing else."""
    with np.errstate(invalid="ignore", divide="ignore"):
        share = events / total
        return np.where((share > 0) & (share < 1), np.log(share / (1 - share)), np.nan)
