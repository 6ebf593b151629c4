"""How good a model is when what it says has been acted upon.

Where a contact prevents an event, a high risk was right and looks wrong: AUROC and observed over expected are biased
downwards. Told are everybody as observed; persons not contacted, weighted to the risks of everybody (what would have been seen
without contact, if persons of like risk are alike, within the risks where some were not contacted); and, of observed over
expected alone, the upper bound that every contact without an event prevented one.
Who must stay well in order to be contacted is not compared with who had the event first (immortal time): contacts count within
:data:`LANDMARK_DAYS` of the index date, rows with the event inside them are left out, and what follows is judged, of everybody
too, so that there is like to compare with. Contacts before the index date or after the landmark are not undone.
References: Anderson JR, Cain KC, Gelber RD. J Clin Oncol 1983;1:710 (landmark). Lenert MC, Matheny ME, Walsh CG. J Am Med
Inform Assoc 2019;26:1645. Sperrin M, Jenkins D, Martin GP, Peek N. J Am Med Inform Assoc 2019;26:1675. van Geloven N et al.
Eur J Epidemiol 2020;35:619.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from models.evaluation.calibration import observed_to_expected
from models.evaluation.discrimination import Ranking, auroc, brier_score
from models.evaluation.intervals import Statistic, with_intervals
from models.evaluation.suppression import FEWEST, TOO_SMALL, Size

LANDMARK_DAYS = 28
"""Contacts so soon after the index date make the groups that are compared; from then on events count."""

STRATA = 10
"""Equally large strata of risk within which persons count as alike."""

FEWEST_NOT_CONTACTED = 5
"""Rows not contacted that a stratum needs: fewer cannot stand for those contacted."""


def acted_upon(
    risks: np.ndarray,
    y: np.ndarray,
    contact_after: np.ndarray,
    followed_days: np.ndarray,
    person: np.ndarray,
    *,
    weight: np.ndarray | None = None,
    horizon_days: int | None = None,
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
    contact_after : float64 array, shape (n,)
        Days from the index date to the first contact on or after it, infinite where there was none.
    followed_days : int array, shape (n,)
        Days from the index date to the event, or to the end of the horizon.
    person : int array, shape (n,)
    weight : float64 array, shape (n,), optional
        How many rows each stands for; 1 where not given.
    horizon_days : int, optional
        Days that the risks look ahead: from the landmark on they are those of what is left of them, at a constant rate.
        None: the event has no day of its own, and the risks stay as they are.
    repeats, seed : int
        Resamples of persons behind each interval.

    Returns
    -------
    dict with ``contacted`` (rows and persons, before the event or the end of the horizon), ``overlap`` (share of rows at the
    landmark whose risk was also seen without contact) and sets of ``auroc``, ``observed_to_expected``, ``brier`` with
    intervals: ``everybody``, and from the landmark on ``everybody_from_landmark`` and ``not_contacted`` (weighted); and
    ``if_every_contact_prevented`` with ``observed_to_expected`` alone. A set is None, and ``why_not`` says why, where groups
    are too small.
    """
    weight = np.ones(len(y)) if weight is None else weight
    contacted, at = contact_after < followed_days, followed_days >= LANDMARK_DAYS
    later, early = _risks_from_landmark(risks, horizon_days), contact_after < LANDMARK_DAYS
    like, comparable = _weights_of_not_contacted(later[at], early[at])
    alone = np.zeros(len(y))
    alone[at] = like
    sets = {
        "everybody": (risks, y, weight),
        "everybody_from_landmark": (later, y, weight * at),
        "not_contacted": (later, y, weight * alone),
        "if_every_contact_prevented": (risks, np.where(contacted, 1.0, y), weight),
    }
    found: dict[str, Any] = {
        "contacted": {"rows": int(contacted.sum()), "persons": len(np.unique(person[contacted]))},
        "overlap": float(comparable.mean()) if len(comparable) else None,
        "why_not": {},
    }
    for name, (told, outcome, counts) in sets.items():
        used = counts > 0
        if Size.of(outcome, person, used).least < FEWEST:
            found[name], found["why_not"][name] = None, TOO_SMALL
            continue
        statistic = _statistic(told[used], outcome[used])
        found[name] = with_intervals(statistic, person[used], counts[used], repeats, seed)
    bound = found["if_every_contact_prevented"]
    if bound is not None:  # who else would have had the event bounds how many have it, not how they rank
        found["if_every_contact_prevented"] = {"observed_to_expected": bound["observed_to_expected"]}
    return found


def _risks_from_landmark(risks: np.ndarray, horizon_days: int | None) -> np.ndarray:
    """Return the risks of the rest of the horizon for who has not had the event by the landmark."""
    if horizon_days is None:
        return risks
    return np.asarray(1.0 - (1.0 - risks) ** ((horizon_days - LANDMARK_DAYS) / horizon_days))


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
