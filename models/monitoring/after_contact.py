"""Whether those who were contacted fare worse afterwards than persons of like risk who were not: the harm monitor.

An observational comparison: clinicians contact those whom they worry about for reasons that no score holds, so that a ratio
above 1 is a reason to look, and one below 1 no proof of benefit. The ratio of events is that of a Poisson regression with
robust errors, adjusted for the log-odds of the risk and the index date, clustered by person.
Reference: Zou G. Am J Epidemiol 2004;159:702 (risk ratios). Landmark: Anderson JR, Cain KC, Gelber RD. J Clin Oncol 1983;1:710.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from models.evaluation.suppression import FEWEST

TOO_FEW = f"fewer than {FEWEST} persons contacted or not contacted, with the event or without it"
TOO_FEW_ANSWERS = f"fewer than {FEWEST} persons contacted or not contacted with an answer before and after"


def event_ratio(
    contacted: np.ndarray, event: np.ndarray, log_odds: np.ndarray, t: np.ndarray, person: np.ndarray
) -> dict[str, Any]:
    """Compare how often an event came after a landmark.

    Parameters
    ----------
    contacted, event : bool arrays, shape (n,)
        Contact before the landmark, event after it.
    log_odds : float64 array, shape (n,)
        The risk told before the contact.
    t, person : int arrays, shape (n,)
        Index date, and whose row it is.

    Returns
    -------
    dict with ``contacted`` and ``others`` (persons), ``value``, ``low``, ``high`` (ratio, 95 %) and ``p``; or ``why_not``.
    """
    sides = [_persons(person, contacted == group, event == came) for group in (True, False) for came in (True, False)]
    if min(sides) < FEWEST:
        return {"why_not": TOO_FEW}
    import statsmodels.api as sm

    model = sm.GLM(event.astype(float), _design(contacted, log_odds, t), family=sm.families.Poisson())
    fitted = model.fit(cov_type="cluster", cov_kwds={"groups": person})
    low, high = np.exp(fitted.conf_int()[1])
    return _counts(contacted, person) | {
        "value": float(np.exp(fitted.params[1])), "low": float(low), "high": float(high), "p": float(fitted.pvalues[1]),
    }  # fmt: skip


def score_difference(
    contacted: np.ndarray,
    before: np.ndarray,
    after: np.ndarray,
    log_odds: np.ndarray,
    t: np.ndarray,
    person: np.ndarray,
) -> dict[str, Any]:
    """Compare a score after the landmark among persons who had it before: least squares given the score before.

    Parameters
    ----------
    before, after : float arrays, shape (n,)
        NaN where not answered.
    contacted, log_odds, t, person
        As for :func:`event_ratio`.

    Returns
    -------
    As :func:`event_ratio`, with the difference in points.
    """
    known = ~(np.isnan(before) | np.isnan(after))
    contacted, before, after = contacted[known], before[known], after[known]
    log_odds, t, person = log_odds[known], t[known], person[known]
    everybody = np.ones(len(person), dtype=bool)
    if min(_persons(person, contacted, everybody), _persons(person, ~contacted, everybody)) < FEWEST:
        return {"why_not": TOO_FEW_ANSWERS}
    import statsmodels.api as sm

    design = np.column_stack([_design(contacted, log_odds, t), before])
    fitted = sm.OLS(after, design).fit(cov_type="cluster", cov_kwds={"groups": person})
    low, high = fitted.conf_int()[1]
    return _counts(contacted, person) | {
        "value": float(fitted.params[1]), "low": float(low), "high": float(high), "p": float(fitted.pvalues[1]),
    }  # fmt: skip


def _design(contacted: np.ndarray, log_odds: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Constant, contact, risk, and one column for each index date but the first."""
    dates = np.unique(t)[1:]
    return np.column_stack([np.ones(len(t)), contacted, log_odds, *(t == date for date in dates)]).astype(float)


def _persons(person: np.ndarray, *chosen: np.ndarray) -> int:
    return len(np.unique(person[np.logical_and.reduce(chosen)]))


def _counts(contacted: np.ndarray, person: np.ndarray) -> dict[str, int]:
    return {"contacted": _persons(person, contacted), "others": _persons(person, ~contacted)}
