"""Weights that let observed labels stand for those that could not be observed; reported, never silent.

Censoring: inverse probability of censoring weights by the Kaplan-Meier curve of the censoring time (Graf E et al. Stat
Med 1999;18:2529). Diagnosis: complete cases weighted by the inverse of their share (Seaman SR, White IR. Stat Methods Med
Res 2013;22:278). Response: inverse probability of answering by a logistic model, stabilised and truncated (Cole SR,
Hernán MA. Am J Epidemiol 2008;168:656).
"""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression

TRUNCATION_PERCENTILE = 99.0
FEWEST_PER_CLASS = 20


def censoring_weights(
    followed_days: np.ndarray, event: np.ndarray, censored: np.ndarray, horizon_days: int
) -> np.ndarray:
    """Weight rows by 1 / P(not yet censored).

    Parameters
    ----------
    followed_days : int array, shape (n,)
        Day of the event, of censoring, or ``horizon_days``.
    event, censored : bool arrays, shape (n,)
        Rows that are neither were followed to the end of the horizon. A row whose label was lost on a day for another reason
        than censoring counts as an event here, and is left to the weights of that reason.
    horizon_days : int

    Returns
    -------
    float64 array, shape (n,): 1/G(T-) for events, 1/G(horizon) for completed rows, 0 for censored rows; an event comes
        before censoring on the same day. The weights add up to n as long as one row is followed to the end.
    """
    survival = _not_censored_before(followed_days, event, censored, horizon_days)
    last_day = followed_days[~censored]
    weights = np.zeros(len(followed_days))
    # Never a division by 0: whoever is followed to a day was at risk of censoring on every day before it.
    weights[~censored] = 1.0 / survival[last_day]
    return weights


def _not_censored_before(
    followed_days: np.ndarray, event: np.ndarray, censored: np.ndarray, horizon_days: int
) -> np.ndarray:
    """G(d-) for d = 0..horizon_days: the chance not to be censored before day d."""
    size = horizon_days + 1
    censorings = np.bincount(followed_days[censored], minlength=size)
    events = np.bincount(followed_days[event], minlength=size)
    leaving = np.bincount(followed_days, minlength=size)
    at_risk = leaving[::-1].cumsum()[::-1] - events
    stays = 1.0 - censorings / np.maximum(at_risk, 1)
    return np.concatenate([[1.0], np.cumprod(stays)[:-1]])


def known_diagnosis_weights(weights: np.ndarray, needed: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Let rows whose diagnosis is known stand for those whose is not.

    What is assumed: among persons with a long absence, whether its diagnosis is stated does not depend on which it is. The
    rows of all others, whose label needs no diagnosis, keep their weight: spread over them, the lost rows would make
    events rarer.

    Parameters
    ----------
    weights : float64 array, shape (n,)
        Weights as if every diagnosis were known.
    needed, known : bool arrays, shape (n,)
        Whether the label hangs on a diagnosis, and whether it could be told.

    Returns
    -------
    float64 array, shape (n,): 0 where the label could not be told; the same sum as ``weights`` while one is known.
    """
    told = weights[needed & known].sum()
    factor = weights[needed].sum() / told if told > 0 else 1.0
    return np.where(known, weights * np.where(needed, factor, 1.0), 0.0)


def response_weights(baseline: np.ndarray, responded: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Weight rows by P(response) / P(response | baseline).

    Parameters
    ----------
    baseline : float array, shape (n, k)
        A few features at t; NaN is set to the median.
    responded : bool array, shape (n,)
    fold : int array, shape (n,)
        The model that weights a fold never saw its persons.

    Returns
    -------
    float64 array, shape (n,): 0 without response, else truncated at the 99th percentile. 1 for responders when a fold
    has too few of either kind to learn from.
    """
    if not responded.any():
        return np.zeros(len(responded))
    x, chance = _standardised(baseline), np.full(len(responded), responded.mean())
    for held_out in np.unique(fold):
        rest = fold != held_out
        if min(responded[rest].sum(), (~responded[rest]).sum()) >= FEWEST_PER_CLASS:
            model = LogisticRegression().fit(x[rest], responded[rest])
            chance[~rest] = model.predict_proba(x[~rest])[:, 1]
    weights = responded * responded.mean() / chance
    return np.minimum(weights, np.percentile(weights[responded], TRUNCATION_PERCENTILE))


def _standardised(baseline: np.ndarray) -> np.ndarray:
    x = np.asarray(baseline, dtype=np.float64)
    known = np.isfinite(x).any(axis=0)
    x = x[:, known]
    x = np.where(np.isfinite(x), x, np.nanmedian(x, axis=0))
    spread = x.std(axis=0)
    return (x - x.mean(axis=0)) / np.where(spread > 0, spread, 1.0)


def effective_sample_size(weights: np.ndarray) -> float:
    """Kish's (sum w)^2 / sum w^2: how many equally weighted rows tell as much; 0 when all weights are 0."""
    squares = float((weights**2).sum())
    return float(weights.sum()) ** 2 / squares if squares > 0 else 0.0
