"""Generalised linear models by Newton's method on Gram matrices: logistic, and Tweedie (power 1.5) with log link.

Columns are float32: the work is one symmetric product of the columns per step, and half the bytes take half the time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from models.risk_model import risk_of
from models.target import DAYS, EVENT

_MOST_STEPS = 25
_SMALL_GAIN = 1e-10
"""Loss per unit of weight that a further step would gain: below what float32 columns can tell."""

_LONGEST_STEP = 2.0
_ROUNDING = (1e-6, 1e-5, 1e-4, 1e-3)
"""Shares of the mean of the diagonal: the first is enough but where columns say nearly the same of very many rows."""

_SUMMED_AT_ONCE = 2**17
"""Rows whose products are summed in float32; the sums of more are added in float64, or rounding would make a Hessian of
millions of rows indefinite."""


@dataclass(frozen=True, eq=False)
class Curvature:
    """A likelihood around a point, per unit of weight: gradient (p + 1,) and Hessian (p + 1, p + 1), intercept last."""

    gradient: np.ndarray
    hessian: np.ndarray


def ridge(
    Z: np.ndarray, y: np.ndarray, weight: np.ndarray, penalty: float, target: str, start: np.ndarray | None = None
) -> np.ndarray:
    """Fit coefficients with an L2 penalty on all but the intercept.

    Parameters
    ----------
    Z : float32 array, shape (n, p)
        Columns of about unit variance.
    y, weight : float64 arrays, shape (n,)
    penalty : float
        Half of it times the sum of squared coefficients is added to the weighted sum of losses (scikit-learn's 1 / C).
    target : {"event", "days"}
    start : float64 array, shape (p + 1,), optional

    Returns
    -------
    float64 array, shape (p + 1,): coefficients, the intercept last.
    """
    beta = null_model(Z.shape[1], y, weight, target) if start is None else start.copy()
    total = weight.sum()
    strength = np.append(np.full(Z.shape[1], penalty / total), 0.0)
    for _ in range(_MOST_STEPS):
        around = curvature(Z, y, weight, beta, target)
        gradient = around.gradient + strength * beta
        step = _newton_step(around, strength, gradient)
        beta += step * min(1.0, _LONGEST_STEP / max(np.abs(step).max(), 1e-300))
        if -gradient @ step < _SMALL_GAIN:
            break
    return beta


def _newton_step(
    around: Curvature, strength: np.ndarray, gradient: np.ndarray, shares: tuple[float, ...] = _ROUNDING
) -> np.ndarray:
    """Return the step; a little on the diagonal makes up for rounding: it slows the steps, and does not move where they end."""
    share, *more = shares
    held = around.hessian + np.diag(strength + share * np.diag(around.hessian).mean())
    try:
        return -cho_solve(cho_factor(held), gradient)
    except LinAlgError:
        if not more:
            raise
        return _newton_step(around, strength, gradient, tuple(more))


def null_model(p: int, y: np.ndarray, weight: np.ndarray, target: str) -> np.ndarray:
    """Return coefficients of zero and the intercept of the mean, float64 (p + 1,)."""
    mean = float(np.average(y, weights=weight))
    # A sample without an event, or with nothing else, has no finite intercept.
    mean = max(mean, 1e-6)
    held = min(mean, 1 - 1e-6)
    return np.append(np.zeros(p), np.log(mean) if target == DAYS.name else np.log(held / (1 - held)))


def curvature(Z: np.ndarray, y: np.ndarray, weight: np.ndarray, beta: np.ndarray, target: str) -> Curvature:
    """Return gradient and Hessian of the mean weighted loss at ``beta``."""
    slopes, bends = _derivatives(linear(Z, beta), y, target)
    total = weight.sum()
    slopes, bends = weight * slopes / total, weight * bends / total
    p = Z.shape[1]
    gradient, hessian = np.zeros(p), np.zeros((p + 1, p + 1))
    for first in range(0, len(Z), _SUMMED_AT_ONCE):
        part = slice(first, first + _SUMMED_AT_ONCE)
        scaled = Z[part] * np.sqrt(bends[part]).astype(np.float32)[:, None]
        hessian[:p, :p] += scaled.T @ scaled
        hessian[p, :p] += bends[part].astype(np.float32) @ Z[part]
        gradient += slopes[part].astype(np.float32) @ Z[part]
    hessian[:p, p] = hessian[p, :p]
    hessian[p, p] = bends.sum()
    return Curvature(np.append(gradient, slopes.sum()), hessian)


def linear(Z: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """Return the linear predictor of rows, float64 (n,)."""
    return (Z @ beta[:-1].astype(np.float32)).astype(np.float64) + beta[-1]


def _derivatives(eta: np.ndarray, y: np.ndarray, target: str) -> tuple[np.ndarray, np.ndarray]:
    """First and second derivative of each row's loss (half the deviance) by its linear predictor."""
    if target == EVENT.name:
        p = risk_of(eta)
        return p - y, p * (1 - p)
    root = np.exp(eta / 2)
    return root - y / root, (root + y / root) / 2
