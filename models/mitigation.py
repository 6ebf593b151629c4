"""What recalibrating each group on its own would change: offered to whoever decides, applied by nothing.

Each group's risks are moved by a level of its own on the logit (log) scale. Levels are shrunken towards the level of all
(empirical Bayes), so that a small group is not moved by chance, and judged on clusters from which they were not learned.
References: Hébert-Johnson U et al. ICML 2018;80:1939 (multicalibration); Morris CN. J Am Stat Assoc 1983;78:47 (shrinkage);
Paule RC, Mandel J. J Res Natl Bur Stand 1982;87:377 (the variance between groups).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.evaluation.attributes import ATTRIBUTES, Attribute, group_rows
from models.evaluation.held_out import HeldOut
from models.evaluation.intervals import with_intervals
from models.evaluation.subgroups import WORKING_THRESHOLD
from models.target import EVENT, Target

FOLDS = 5

DECISION = {
    "en": (
        "Nothing has been changed. Before a group is recalibrated someone must decide, with a reason that can be read later: "
        "is the group's outcome measured as in other groups, or does it only look different? Is there a lawful basis for "
        "letting the attribute move a risk (sex, age and the like are protected grounds)? Would better questions or more "
        "data for the group mend the cause? Who in the group would be offered more, and who less?"
    ),
    "nb": (
        "Ingenting er endret. Før en gruppe rekalibreres, må noen avgjøre, med en begrunnelse som kan leses senere: Er "
        "utfallet målt likt i gruppen som i andre grupper, eller ser det bare annerledes ut? Finnes det lovlig grunnlag for at "
        "kjennetegnet flytter en risiko (kjønn, alder og lignende er vernet)? Ville bedre spørsmål eller mer data om gruppen "
        "rette årsaken? Hvem i gruppen ville få tilbud oftere, og hvem sjeldnere?"
    ),
}

_MOST_STEPS = 50
_SMALL_STEP = 1e-9


@dataclass(frozen=True)
class Levels:
    """One level per group, and the variance between groups; ``shrunken`` is what would be added to the linear predictor."""

    own: np.ndarray
    standard_error: np.ndarray
    between: float
    shrunken: np.ndarray


def mitigation(
    held_out: HeldOut,
    harm: Sequence[Mapping[str, Any]],
    *,
    threshold: float = WORKING_THRESHOLD,
    target: Target = EVENT,
    attributes: Sequence[Attribute] = ATTRIBUTES,
    repeats: int = 200,
    seed: int = 17,
) -> list[dict[str, Any]]:
    """Try recalibration by group for each attribute in which harm was found.

    Parameters
    ----------
    held_out : HeldOut
    harm : sequence of dict
        As :func:`models.evaluation.subgroups.subgroups` names it.
    threshold : float
    target : Target
    attributes : sequence of Attribute
    repeats, seed : int
        Resamples of clusters behind each interval.

    Returns
    -------
    list of dict, one per attribute: ``attribute``, ``decision`` (what must be decided, nb and en), ``groups`` that are not
    suppressed: ``level`` (what would be added on the logit scale, from all rows) and, ``before`` and ``after``, observed over
    expected and the false-negative rate at the threshold, cross-fitted over clusters. Empty where nothing was found.
    """
    named = {found["attribute"] for found in harm}
    return [
        _of_attribute(attribute, held_out, threshold, target, repeats, seed)
        for attribute in attributes
        if attribute.name in named
    ]


def _of_attribute(
    attribute: Attribute, held_out: HeldOut, threshold: float, target: Target, repeats: int, seed: int
) -> dict[str, Any]:
    members, hidden = group_rows(attribute, held_out)
    shown = [(group, chosen) for place, (group, chosen) in enumerate(members) if place not in hidden]
    linear = held_out.linear[held_out.champion]
    of_all = group_levels(held_out, [chosen for _, chosen in shown], np.ones(len(held_out), dtype=bool), target)
    moved = cross_fitted(held_out, [chosen for _, chosen in shown], target, seed)
    groups = []
    for (group, chosen), level in zip(shown, of_all.shrunken, strict=True):
        before, after = (
            _judged(held_out, chosen, values, threshold, target, repeats, seed) for values in (linear, moved)
        )
        groups.append({"name": group.name, "label_nb": group.label_nb, "label_en": group.label_en,
                       "level": float(level), "before": before, "after": after})  # fmt: skip
    return {"attribute": attribute.name, "decision": DECISION, "folds": FOLDS, "groups": groups}


def cross_fitted(held_out: HeldOut, members: Sequence[np.ndarray], target: Target, seed: int) -> np.ndarray:
    """Return the linear predictor with each group's level, learned on the other clusters, float64 (n,).

    Parameters
    ----------
    held_out : HeldOut
    members : sequence of bool array, shape (n,)
        Rows of no group keep what they have.
    target : Target
    seed : int
    """
    clusters, place = np.unique(held_out.cluster, return_inverse=True)
    fold = np.random.default_rng(seed).permutation(len(clusters))[place] % FOLDS
    moved = held_out.linear[held_out.champion].copy()
    for held in range(FOLDS):
        levels = group_levels(held_out, members, fold != held, target)
        for chosen, level in zip(members, levels.shrunken, strict=True):
            moved[chosen & (fold == held)] += level
    return moved


def group_levels(held_out: HeldOut, members: Sequence[np.ndarray], learn: np.ndarray, target: Target) -> Levels:
    """Learn one level per group, shrunken towards their mean by how much groups differ beyond chance.

    Parameters
    ----------
    held_out : HeldOut
    members : sequence of bool array, shape (n,)
    learn : bool array, shape (n,)
        The rows to learn from.
    target : Target
    """
    found = np.array([_level(held_out, chosen & learn, target) for chosen in members])
    own, error = found[:, 0], found[:, 1]
    between = _variance_between(own, error)
    share = 1 / (between + error**2)
    mean = float(share @ own / share.sum())
    return Levels(own, error, between, mean + between / (between + error**2) * (own - mean))


def _level(held_out: HeldOut, chosen: np.ndarray, target: Target) -> tuple[float, float]:
    """Level of one group by maximum likelihood given its predictions, and its standard error with clusters."""
    linear, y, w = held_out.linear[held_out.champion][chosen], held_out.y[chosen], held_out.weight[chosen]
    level = 0.0
    for _ in range(_MOST_STEPS):
        expected = target.inverse(level + linear)
        information = w @ (expected * (1 - expected) if target is EVENT else expected)
        step = float(np.clip(w @ (y - expected) / information, -1, 1))
        level += step
        if abs(step) < _SMALL_STEP:
            break
    scores = np.bincount(np.unique(held_out.cluster[chosen], return_inverse=True)[1], w * (y - expected))
    return level, float(np.sqrt((scores**2).sum()) / information)


def _variance_between(own: np.ndarray, error: np.ndarray) -> float:
    """Variance of the groups' true levels, by Paule and Mandel: that which makes the levels as spread as chance says."""

    def excess(between: float) -> float:
        share = 1 / (between + error**2)
        return float(share @ (own - share @ own / share.sum()) ** 2) - (len(own) - 1)

    low, high = 0.0, float(np.ptp(own)) ** 2 + 1e-12
    if len(own) < 2 or excess(low) <= 0:
        return 0.0
    while excess(high) > 0:
        high *= 2
    for _ in range(_MOST_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return high


def _judged(
    held_out: HeldOut, chosen: np.ndarray, linear: np.ndarray, threshold: float, target: Target, repeats: int, seed: int
) -> dict[str, Any]:
    y, predicted = held_out.y[chosen], target.inverse(linear[chosen])
    missed = y * (predicted < threshold)

    def statistic(weights: np.ndarray) -> dict[str, np.ndarray]:
        ours = weights[:, chosen]
        with np.errstate(divide="ignore", invalid="ignore"):
            found = {"observed_to_expected": ours @ y / (ours @ predicted)}
            return found | ({"false_negative_rate": ours @ missed / (ours @ y)} if target is EVENT else {})

    return with_intervals(statistic, held_out.cluster, held_out.weight, repeats, seed)
