"""Whether risks mean what they say: in the large, weak (slope) and moderate (smooth curve).

Reference: Van Calster B et al. A calibration hierarchy for risk models was defined. J Clin Epidemiol 2016;74:167.
ICI, E50, E90, Emax: Austin PC, Steyerberg EW. The Integrated Calibration Index. Stat Med 2019;38:4051. The smooth curve is R's
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


def calibration_errors(
    ranking: Ranking, risks: np.ndarray, y: np.ndarray, weights: np.ndarray
) -> dict[str, np.ndarray]:
    """How far risks are from the smoothed observed share: one curve per weighting serves all four numbers.

    Parameters
    ----------
    ranking : Ranking
        Of the n risks.
    risks, y : float64 arrays, shape (n,)
    weights : float64 array, shape (n_weightings, n)

    Returns
    -------
    ``ici`` (mean distance), ``e50`` and ``e90`` (quantiles of the distance) and ``emax``, each (n_weightings,).
    """
    curves = (smooth_curve(ranking, risks, y, row) for row in weights)
    errors = np.array([_errors(np.abs(curve[1] - curve[0]), curve[2]) for curve in curves])
    return dict(zip(("ici", "e50", "e90", "emax"), errors.T, strict=True))


def _errors(distance: np.ndarray, weight: np.ndarray) -> tuple[float, float, float, float]:
    order = np.argsort(distance)
    distance, weight = distance[order], weight[order]
    e50, e90 = _quantiles(distance, weight, (0.5, 0.9))
    return float(np.average(distance, weights=weight)), e50, e90, float(distance[-1])


def _quantiles(ascending: np.ndarray, weight: np.ndarray, shares: tuple[float, ...]) -> list[float]:
    """Weighted quantiles; where weights count rows, those of NumPy and R (type 7) over the single rows."""
    one_row = weight.min()
    first = np.cumsum(weight) - weight
    places = np.column_stack([first, first + weight - one_row]).ravel()
    return [float(np.interp(share * places[-1], places, np.repeat(ascending, 2))) for share in shares]


def _average_neighbours(points: np.ndarray) -> np.ndarray:
    """Average runs of neighbouring points so that at most MOST_LOESS_POINTS are left."""
    n = points.shape[1]
    if n <= MOST_LOESS_POINTS:
        return points
    starts = np.arange(MOST_LOESS_POINTS) * n // MOST_LOESS_POINTS
    weight = np.add.reduceat(points[2], starts)
    sums = np.add.reduceat(points[:2] * points[2], starts, axis=1)
    return np.concatenate([sums / weight, weight[None]])
