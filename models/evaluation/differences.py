"""The champion against every other model on the same rows: paired differences, so that what both share cancels out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from models.evaluation.discrimination import Ranking, auroc, brier_score, mean_log_loss
from models.evaluation.held_out import HeldOut
from models.evaluation.intervals import Statistic, with_intervals
from models.evaluation.net_benefit import WORKING_THRESHOLDS, net_benefit
from models.evaluation.thresholds import key_at
from models.risk_model import risk_of
from models.target import EVENT, Target


def differences(
    held_out: HeldOut,
    *,
    target: Target = EVENT,
    thresholds: tuple[float, ...] = WORKING_THRESHOLDS,
    repeats: int = 200,
    seed: int = 17,
) -> dict[str, dict[str, dict[str, Any]]]:
    """Return what the champion has more than each other model; every resample is drawn for both.

    Parameters
    ----------
    held_out : HeldOut
    target : Target
        For days the only number is ``loss`` (mean Tweedie deviance).
    thresholds : tuple of float
        Where net benefit is compared.
    repeats, seed : int
        Resamples of clusters behind each interval.

    Returns
    -------
    other -> metric (``auroc``, ``brier``, ``log_loss``, ``net_benefit_at_0.20``) -> value, low, high, champion minus other:
    above 0 is better for AUROC and net benefit, below 0 for Brier score and losses.
    """
    statistic = _of_event if target is EVENT else _of_days(target)
    own = {name: statistic(linear, held_out.y, thresholds) for name, linear in held_out.linear.items()}
    champion = own.pop(held_out.champion)

    def minus(weights: np.ndarray) -> dict[str, np.ndarray]:
        ours = champion(weights)
        found: dict[str, np.ndarray] = {}
        for name, other in own.items():
            found |= {f"{metric} {name}": ours[metric] - theirs for metric, theirs in other(weights).items()}
        return found

    numbers = with_intervals(minus, held_out.cluster, held_out.weight, repeats, seed)
    result: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in own}
    for key, number in numbers.items():
        metric, name = key.split(" ", 1)
        result[name][metric] = number
    return result


_Make = Callable[[np.ndarray, np.ndarray, tuple[float, ...]], Statistic]


def _of_event(log_odds: np.ndarray, y: np.ndarray, thresholds: tuple[float, ...]) -> Statistic:
    risks, ranking, cuts = risk_of(log_odds), Ranking.of(log_odds), np.array(thresholds)

    def metrics(weights: np.ndarray) -> dict[str, np.ndarray]:
        benefits = net_benefit(risks, y, weights, cuts).T
        return {
            "auroc": auroc(ranking, y, weights),
            "brier": brier_score(risks, y, weights),
            "log_loss": mean_log_loss(log_odds, y, weights),
            **{key_at(cut): benefit for cut, benefit in zip(thresholds, benefits, strict=True)},
        }

    return metrics


def _of_days(target: Target) -> _Make:
    def make(linear: np.ndarray, y: np.ndarray, thresholds: tuple[float, ...]) -> Statistic:
        losses = target.losses(linear, y)
        return lambda weights: {"loss": weights @ losses / weights.sum(axis=1)}

    return make
