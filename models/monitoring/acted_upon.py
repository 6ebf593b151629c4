"""How good a model is when what it says has been acted upon.

Where a contact prevents an event, a high risk was right and looks wrong: AUROC and observed over expected are biased
downwards. Three answers are given: of everybody as observed; of persons not contacted, weighted to the risks of everybody (what
would have been seen without contact, if persons of like risk are alike, within the risks where some were not contacted); and
the bound that nothing in the data excludes, that every contact without an event prevented one.
References: Lenert MC, Matheny ME, Walsh CG. J Am Med Inform Assoc 2019;26:1645. Sperrin M, Jenkins D, Martin GP, Peek N.
J Am Med Inform Assoc 2019;26:1675. van Geloven N et al. Eur J Epidemiol 2020;35:619.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from models.evaluation.calibration import observed_to_expected
from models.evaluation.discrimination import Ranking, auroc, brier_score
from models.evaluation.intervals import Statistic, with_intervals
from models.evaluation.suppression import FEWEST, TOO_SMALL, Size

STRATA = 10
"""Equally large strata of risk within which persons count as alike."""

FEWEST_NOT_CONTACTED = 5
"""Rows not contacted that a stratum needs: fewer cannot stand for those contacted."""


def acted_upon(
    risks: np.ndarray,
    y: np.ndarray,
    contacted: np.ndarray,
    person: np.ndarray,
    *,
    repeats: int = 200,
    seed: int = 17,
) -> dict[str, Any]:
    """Judge risks some of which led to a contact.

    Parameters
    ----------
    risks : float64 array, shape (n,)
        Calibrated.
    y : float64 array, shape (n,)
        1 event, 0 no event.
    contacted : bool array, shape (n,)
        Whether a decision after the score led to a contact before the event or the end of the horizon.
    person : int array, shape (n,)
    repeats, seed : int
        Resamples of persons behind each interval.

    Returns
    -------
    dict with ``contacted`` (rows and persons), ``overlap`` (share of rows whose risk was also seen without contact) and three
    sets of ``auroc``, ``observed_to_expected``, ``brier`` with intervals: ``everybody``, ``not_contacted`` (weighted) and
    ``if_every_contact_prevented``; a set is None, and ``why_not`` says why, where groups are too small.
    """
    weights, comparable = _weights_of_not_contacted(risks, contacted)
    prevented = np.where(contacted, 1.0, y)
    sets = {
        "everybody": (y, np.ones(len(y))),
        "not_contacted": (y, weights),
        "if_every_contact_prevented": (prevented, np.ones(len(y))),
    }
    found: dict[str, Any] = {
        "contacted": {"rows": int(contacted.sum()), "persons": len(np.unique(person[contacted]))},
        "overlap": float(comparable.mean()) if len(comparable) else None,
        "why_not": {},
    }
    for name, (outcome, weight) in sets.items():
        used = weight > 0
        if Size.of(outcome, person, used).least < FEWEST:
            found[name], found["why_not"][name] = None, TOO_SMALL
            continue
        statistic = _statistic(risks[used], outcome[used])
        found[name] = with_intervals(statistic, person[used], weight[used], repeats, seed)
    return found


def _weights_of_not_contacted(risks: np.ndarray, contacted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weigh each row not contacted by one over its stratum's share of them; say which rows have such neighbours."""
    strata = np.minimum(np.argsort(np.argsort(risks, kind="stable")) * STRATA // max(len(risks), 1), STRATA - 1)
    rows = np.bincount(strata, minlength=STRATA)
    left = np.bincount(strata, weights=~contacted, minlength=STRATA)
    usable = left >= FEWEST_NOT_CONTACTED
    factor = np.divide(rows, left, out=np.zeros(STRATA), where=usable)
    return np.where(contacted, 0.0, factor[strata]), usable[strata]


def _statistic(risks: np.ndarray, y: np.ndarray) -> Statistic:
    ranking = Ranking.of(risks)

    def metrics(weights: np.ndarray) -> dict[str, np.ndarray]:
        return {
            "auroc": auroc(ranking, y, weights),
            "observed_to_expected": observed_to_expected(risks, y, weights),
            "brier": brier_score(risks, y, weights),
        }

    return metrics
