"""How a model does in one cluster (a company, an industry), with standard errors for pooling clusters.

AUROC and slope come with their influence functions, summed within persons: the rows of one person are not independent.
References: Obuchowski NA. Nonparametric analysis of clustered ROC curve data. Biometrics 1997;53:567 (AUROC);
Huber PJ. Proc 5th Berkeley Symp 1967;1:221 (slope); scales of pooling after Debray TPA et al. BMJ 2017;356:i6460.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from models.calibration import fit_lines
from models.evaluation.discrimination import Ranking
from models.risk_model import risk_of


@dataclass(frozen=True)
class Scale:
    """The scale on which a number is pooled, and the way back."""

    name: str
    back: Callable[[float], float]


SCALES = (
    Scale("auroc", lambda value: float(risk_of(np.array(value)))),
    Scale("observed_to_expected", lambda value: float(np.exp(value))),
    Scale("calibration_slope", float),
)
"""Logit, logarithm and the number itself."""


def design_effect(log_odds: np.ndarray, y: np.ndarray, weight: np.ndarray, person: np.ndarray) -> float:
    """How many rows tell as much as one independent row, 1 or more: the rows of a person have overlapping horizons.

    The variance of observed less expected events over persons, by that of as many independent rows. Parameters as
    :func:`performance`, of all clusters together.
    """
    risks = risk_of(log_odds)
    sums = np.bincount(np.unique(person, return_inverse=True)[1], weight * (y - risks))
    return max(1.0, float((sums**2).sum() / (weight**2 @ (risks * (1 - risks)))))


def performance(
    log_odds: np.ndarray, y: np.ndarray, weight: np.ndarray, person: np.ndarray, effect: float
) -> dict[str, tuple[float, float]]:
    """Return each number of :data:`SCALES` on its scale, with its standard error; without those that do not exist.

    Parameters
    ----------
    log_odds, y, weight : float64 arrays, shape (n,)
        Rows of one cluster.
    person : int array, shape (n,)
    effect : float
        :func:`design_effect`.
    """
    numbers = {"observed_to_expected": _observed_to_expected(log_odds, y, weight, effect)}
    if 0 < y.sum() < len(y):
        for name, (value, influence) in (
            ("auroc", _auroc(log_odds, y, weight)),
            ("calibration_slope", _slope(log_odds, y, weight)),
        ):
            numbers[name] = (value, _standard_error(influence, person))
    return {name: number for name, number in numbers.items() if np.isfinite(number).all() and number[1] > 0}


def _standard_error(influence: np.ndarray, person: np.ndarray) -> float:
    sums = np.bincount(np.unique(person, return_inverse=True)[1], influence)
    n = len(sums)
    return float(np.sqrt(n / max(n - 1, 1) * (sums**2).sum()))


def _auroc(log_odds: np.ndarray, y: np.ndarray, weight: np.ndarray) -> tuple[float, np.ndarray]:
    """Logit of the AUROC, and what each row adds to its error."""
    order = np.argsort(log_odds, kind="stable")
    ranking = Ranking.of(log_odds)
    group = np.empty(len(y), dtype=np.int64)
    group[order] = np.searchsorted(ranking.starts, np.arange(len(y)), side="right") - 1
    below = _share_below(ranking.sums(weight * (1 - y)))[group]
    above = 1 - _share_below(ranking.sums(weight * y))[group]
    events, others = weight * y, weight * (1 - y)
    area = float(events @ below / events.sum())
    influence = events / events.sum() * (below - area) + others / others.sum() * (above - area)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.log(area) - np.log1p(-area)), influence / (area * (1 - area))


def _share_below(sums: np.ndarray) -> np.ndarray:
    """Share that lies below each group of equal risks, the group itself counted half."""
    return np.asarray((np.cumsum(sums) - sums / 2) / sums.sum())


def _observed_to_expected(
    log_odds: np.ndarray, y: np.ndarray, weight: np.ndarray, effect: float
) -> tuple[float, float]:
    """Logarithm of the ratio and its standard error, from the risks alone.

    Were the error taken from the events that happened, clusters would count for more, or less, by chance alone, and the
    average would be off.
    """
    risks = risk_of(log_odds)
    expected = weight @ risks
    with np.errstate(divide="ignore"):
        ratio = np.log(weight @ y / expected)
    return float(ratio), float(np.sqrt(effect * (weight**2 @ (risks * (1 - risks)))) / expected)


def _slope(log_odds: np.ndarray, y: np.ndarray, weight: np.ndarray) -> tuple[float, np.ndarray]:
    """Calibration slope, and what each row adds to its error."""
    intercept, slope = (float(number[0]) for number in fit_lines(log_odds, y, weight[None]))
    fitted = risk_of(intercept + slope * log_odds)
    information = weight * fitted * (1 - fitted)
    centred = log_odds - np.average(log_odds, weights=information)
    spread = information @ centred**2
    if not spread > 0:
        return np.nan, np.zeros_like(y)
    return slope, weight * (y - fitted) * centred / spread
