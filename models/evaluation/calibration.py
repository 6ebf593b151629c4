"""Whether risks mean what they say: in the large, weak (slope) and moderate (smooth curve).

Reference: Van Calster B et al. A calibration hierarchy for risk models was defined. J Clin Epidemiol 2016;74:167.
ICI: Austin PC, Steyerberg EW. The Integrated Calibration Index. Stat Med 2019;38:4051. The smooth curve is R's
``loess`` (span 0.75, degree 2, interpolation), from the same Fortran.
"""

from __future__ import annotations

import numpy as np
from skmisc.loess import loess

from models.calibration import fit_intercepts, fit_lines
from models.evaluation.discrimination import Ranking

MOST_LOESS_POINTS = 5000
"""Above this many distinct risks, neighbours are averaged into this many points before smoothing."""

FEWEST_LOESS_POINTS = 20
"""Below this many distinct risks nothing is smoothed: the curve is the observed share at each."""


def observed_to_expected(risks: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Events observed per event predicted, shape (n_weightings,)."""
    return (weights @ y) / (weights @ risks)


def calibration_in_the_large(log_odds: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Intercept given the log-odds as offset, shape (n_weightings,); 0 is ideal, above 0: risks are too low."""
    return fit_intercepts(log_odds, y, weights)


def calibration_slope(log_odds: np.ndarray, y: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Intercept and slope of observed on predicted log-odds, each (n_weightings,); slope under 1: risks too extreme."""
    return fit_lines(log_odds, y, weights)


def smooth_curve(ranking: Ranking, risks: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Observed share of events as a smooth function of risk, for one weighting.

    Parameters
    ----------
    ranking : Ranking
        Of the n risks.
    risks, y, weights : float64 arrays, shape (n,)

    Returns
    -------
    float64 array, shape (3, n_points): risk ascending, smoothed observed share within 0..1, weight.
    """
    weight = ranking.sums(weights)
    seen = weight > 0
    weight = weight[seen]
    points = np.stack([ranking.sums(weights * risks)[seen] / weight, ranking.sums(weights * y)[seen] / weight, weight])
    points = _average_neighbours(points)
    if points.shape[1] < FEWEST_LOESS_POINTS:
        return points
    smoother = loess(points[0], points[1], weights=points[2])
    smoother.fit()
    points[1] = np.clip(smoother.outputs.fitted_values, 0.0, 1.0)
    return points


def integrated_calibration_index(ranking: Ranking, risks: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean distance between risk and smoothed observed share, shape (n_weightings,); weights (n_weightings, n)."""
    curves = (smooth_curve(ranking, risks, y, row) for row in weights)
    return np.array([np.average(np.abs(curve[1] - curve[0]), weights=curve[2]) for curve in curves])


def _average_neighbours(points: np.ndarray) -> np.ndarray:
    """Average runs of neighbouring points so that at most MOST_LOESS_POINTS are left."""
    n = points.shape[1]
    if n <= MOST_LOESS_POINTS:
        return points
    starts = np.arange(MOST_LOESS_POINTS) * n // MOST_LOESS_POINTS
    weight = np.add.reduceat(points[2], starts)
    sums = np.add.reduceat(points[:2] * points[2], starts, axis=1)
    return np.concatenate([sums / weight, weight[None]])
