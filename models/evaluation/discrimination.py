"""How well risks separate events from the rest, and how far they miss: weighted, equal risks counted half.

Every function takes ``weights`` of shape (n_weightings, n): one call serves the estimate and its bootstrap resamples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Ranking:
    """Rows in ascending order of risk, with equal risks as one group; sorted once, used for every weighting."""

    order: np.ndarray
    starts: np.ndarray

    @classmethod
    def of(cls, risks: np.ndarray) -> Ranking:
        """Rank rows by risk."""
        order = np.argsort(risks, kind="stable")
        starts = np.flatnonzero(np.diff(risks[order], prepend=-np.inf) > 0)
        return cls(order, starts)

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Sum values of shape (..., n) within each group of equal risks, ascending."""
        ordered = np.take(values, self.order, axis=-1)
        if len(self.starts) == len(self.order):  # nobody shares a risk
            return ordered
        return np.asarray(np.add.reduceat(ordered, self.starts, axis=-1))


def auroc(ranking: Ranking, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Probability that an event has a higher risk than a non-event; equal risks count half.

    Parameters
    ----------
    ranking : Ranking
        Of the n risks.
    y : float64 array, shape (n,)
    weights : float64 array, shape (n_weightings, n)

    Returns
    -------
    float64 array, shape (n_weightings,); NaN without both events and non-events.
    """
    events, others = ranking.sums(weights * y), ranking.sums(weights * (1 - y))
    others_below = np.cumsum(others, axis=1) - others / 2
    with np.errstate(invalid="ignore"):
        return (events * others_below).sum(axis=1) / (events.sum(axis=1) * others.sum(axis=1))


def average_precision(ranking: Ranking, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Precision averaged over the events, in descending order of risk (step-wise, as scikit-learn's).

    Parameters and shape of the result as :func:`auroc`; NaN without events.
    """
    events, everyone = ranking.sums(weights * y)[:, ::-1], ranking.sums(weights)[:, ::-1]
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.cumsum(events, axis=1) / np.cumsum(everyone, axis=1)
        return np.nansum(precision * events, axis=1) / events.sum(axis=1)


def brier_score(risks: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean squared distance between risk and what happened; shape (n_weightings,)."""
    return weights @ (risks - y) ** 2 / weights.sum(axis=1)


def scaled_brier_score(risks: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Share of the Brier score of the plain event share that a model takes away, shape (n_weightings,).

    1 is perfect, 0 no better than giving everybody the event share, below 0 worse; NaN without both events and non-events.
    Reference: Steyerberg EW et al. Assessing the performance of prediction models. Epidemiology 2010;21:128.
    """
    share = weights @ y / weights.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where((share > 0) & (share < 1), 1 - brier_score(risks, y, weights) / (share * (1 - share)), np.nan)


def mean_log_loss(log_odds: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean negative log-likelihood, shape (n_weightings,)."""
    return weights @ log_losses(log_odds, y) / weights.sum(axis=1)


def log_losses(log_odds: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Negative log-likelihood of each row, shape (n,), from log-odds so that no risk is rounded to 0 or 1."""
    return np.logaddexp(0.0, log_odds) - y * log_odds
