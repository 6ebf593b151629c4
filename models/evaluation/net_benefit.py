"""What acting on a risk is worth: events found, less those contacted in vain at the price the threshold names.

Whoever acts from a risk of 20 % on says that one person found is worth four contacted in vain. Reference: Vickers AJ,
Elkin EB. Decision curve analysis. Med Decis Making 2006;26:565. A person is acted on when the risk is at the threshold
or above, as in the packages dcurves of R and Python; at a threshold of exactly 0, which no curve here reaches, they
leave out risks of exactly 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from models.evaluation.held_out import HeldOut
from models.evaluation.intervals import with_intervals
from models.risk_model import risk_of

THRESHOLDS = tuple(percent / 100 for percent in range(5, 31))
"""Stated before any result: the risks from which a talk with the occupational health service can be meant."""

WORKING_THRESHOLDS = (0.10, 0.20, 0.30)
"""Where single numbers are wanted; :data:`models.evaluation.subgroups.WORKING_THRESHOLD` is one of them."""

RULE = "acted on when the risk is at the threshold or above; one event found is worth (1 - t) / t contacts in vain"


def positives(
    risks: np.ndarray, y: np.ndarray, weights: np.ndarray, thresholds: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return true and false positives at each threshold, sums of weights, each (n_weightings, n_thresholds).

    Parameters
    ----------
    risks, y : float64 arrays, shape (n,)
        ``y`` may be a probability: the result is then the expectation.
    weights : float64 array, shape (n_weightings, n)
    thresholds : float64 array, shape (n_thresholds,)
    """
    acted_on = risks[:, None] >= thresholds
    return weights @ (acted_on * y[:, None]), weights @ (acted_on * (1 - y)[:, None])


def net_benefit(risks: np.ndarray, y: np.ndarray, weights: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Return TP/n - FP/n x t/(1-t), shape (n_weightings, n_thresholds); parameters as :func:`positives`.

    Treating everybody is a risk of 1 for each, treating nobody has a net benefit of 0.
    """
    true, false = positives(risks, y, weights, thresholds)
    return (true - false * thresholds / (1 - thresholds)) / weights.sum(axis=1, keepdims=True)


def interventions_avoided(benefit: np.ndarray, benefit_of_all: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Return the share of persons who are spared a contact at no loss of events found, as against contacting all."""
    return (benefit - benefit_of_all) * (1 - thresholds) / thresholds


def decision_curve(
    held_out: HeldOut, *, threshold: float | None = None, repeats: int = 200, seed: int = 17
) -> dict[str, Any]:
    """Compare acting on each model with acting on everybody and on nobody.

    Parameters
    ----------
    held_out : HeldOut
        Of an outcome that is an event.
    threshold : float, optional
        The working threshold, which the curve then has beside :data:`THRESHOLDS`.
    repeats, seed : int
        Resamples of clusters behind each interval; all models on the same ones.

    Returns
    -------
    dict of JSON values. ``net_benefit``: model, ``treat_all`` or ``treat_none`` -> ``value``, ``low``, ``high``, each a list
    along ``thresholds``; ``interventions_avoided_per_100``: the same of each model; ``gain_over_defaults``: net benefit of
    the champion less the better of treating all and none, paired; ``useful_at``: thresholds at which that is above 0 with
    its whole interval.
    """
    at = sorted({*THRESHOLDS} if threshold is None else {*THRESHOLDS, threshold})
    cuts, y = np.array(at), held_out.y
    risks = {name: risk_of(linear) for name, linear in held_out.linear.items()}

    def curves(weights: np.ndarray) -> dict[str, np.ndarray]:
        everybody = net_benefit(np.ones_like(y), y, weights, cuts)
        of_model = {name: net_benefit(values, y, weights, cuts) for name, values in risks.items()}
        avoided = {name: 100 * interventions_avoided(own, everybody, cuts) for name, own in of_model.items()}
        found = {"treat_all": everybody, "treat_none": np.zeros_like(everybody)} | of_model
        gain = of_model[held_out.champion] - np.maximum(everybody, 0.0)
        return {"gain": gain, **_named("benefit", found), **_named("avoided", avoided)}

    numbers = with_intervals(curves, held_out.cluster, held_out.weight, repeats, seed)
    return {
        "thresholds": at,
        "rule": RULE,
        "net_benefit": _part("benefit", numbers),
        "interventions_avoided_per_100": _part("avoided", numbers),
        "gain_over_defaults": numbers["gain"],
        "useful_at": [cut for cut, low in zip(at, numbers["gain"]["low"], strict=True) if (low or 0.0) > 0],
    }


def _named(part: str, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {f"{part} {name}": value for name, value in values.items()}


def _part(part: str, numbers: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name.removeprefix(f"{part} "): number for name, number in numbers.items() if name.startswith(f"{part} ")}
