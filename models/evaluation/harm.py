"""When a difference between groups is called harm: the rule, its reason, and its control over many groups.

A group's rate of missed events at one threshold differs from others' wherever risks differ, however fair the model is (men
have fewer events, so more of them lie below the threshold). What is judged is therefore what the risks say against what
happened, within the group and relative to the rest of its attribute.

References: Corbett-Davies S et al. The measure and mismeasure of fairness. J Mach Learn Res 2023;24:312 (why rates of
error at a threshold mislead). Benjamini Y, Hochberg Y. J R Stat Soc B 1995;57:289.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.special import ndtr, ndtri

from models.evaluation.attributes import Attribute, group_rows
from models.evaluation.group_sums import WEIGHT, excess_missed, observed_to_expected, terms
from models.evaluation.held_out import HeldOut
from models.target import EVENT, Target

LEAST_RATIO = 1.10
"""A ratio nearer to 1 than this changes no decision: 20 % is then 18 to 22 %, within what a person's own interval spans."""

LEAST_EXCESS = 0.05
"""One missed event in twenty more than the risks themselves announce."""

FALSE_DISCOVERIES = 0.05
"""Expected share of wrong names on the list; where no group is harmed, the chance that the list is not empty."""

RULE = (
    f"Miscalibrated: observed over expected events, divided by the same of the rest of the attribute, is at least "
    f"{LEAST_RATIO:.2f} or at most its inverse, and the group's own ratio lies on that side of 1. Missed: the false-negative "
    "rate at the working threshold exceeds the rate that the group's own risks announce, by at least "
    f"{LEAST_EXCESS:.2f} and by so much more than in the rest. Either counts only when its two-sided (missed: one-sided) p, "
    f"from the spread over resampled clusters, passes Benjamini-Hochberg at {FALSE_DISCOVERIES:.0%} over all groups and both "
    "questions. Differences in false-negative rates alone are shown and not judged: they follow from different risks. A group "
    "that is not named is not shown to be fair: detectable_ratio says what would have been found."
)

_POWER = 0.8

Kind = Literal["miscalibrated", "missed"]


@dataclass(frozen=True)
class Question:
    """One group against the rest of its attribute.

    Parameters
    ----------
    attribute, group : str
    kind : {"miscalibrated", "missed"}
    value : float
        The logarithm of the ratio to the rest, or the excess of missed events over the rest's.
    standard_error : float
    own : float
        The same of the group alone: its observed over expected events, or its excess of missed events.
    """

    attribute: str
    group: str
    kind: Kind
    value: float
    standard_error: float
    own: float

    @property
    def p(self) -> float:
        """Chance of so much where there is no difference."""
        z = self.value / self.standard_error
        return float(2 * ndtr(-abs(z)) if self.kind == "miscalibrated" else ndtr(-z))

    @property
    def is_material(self) -> bool:
        """Whether it is large enough to change a decision."""
        if self.kind == "missed":
            return min(self.value, self.own) >= LEAST_EXCESS
        return abs(self.value) >= np.log(LEAST_RATIO) and (self.own > 1) == (self.value > 0)

    @property
    def finding(self) -> str:
        """In which direction the group is wronged."""
        if self.kind == "missed":
            return "events_missed"
        return "risks_too_low" if self.value > 0 else "risks_too_high"


def questions_of(
    rows: HeldOut, attributes: Sequence[Attribute], threshold: float, target: Target, repeats: int, seed: int
) -> list[Question]:
    """Ask both questions of every group that is not too small.

    Parameters
    ----------
    rows : HeldOut
    attributes : sequence of Attribute
    threshold : float
    target : Target
        For days only the first question is asked.
    repeats, seed : int
        Resamples of clusters behind each standard error.
    """
    columns = rows.weight[:, None] * terms(rows.linear[rows.champion], rows.y, threshold, target)
    clusters, place = np.unique(rows.cluster, return_inverse=True)
    random = np.random.default_rng(seed)
    share = np.full(len(clusters), 1 / len(clusters))
    times = np.concatenate([np.ones((1, len(clusters))), random.multinomial(len(clusters), share, size=repeats)])
    whole = times @ _by_cluster(columns, place, len(clusters))
    asked = []
    for attribute in attributes:
        members, hidden = group_rows(attribute, rows)
        for position, (group, chosen) in enumerate(members):
            if position in hidden:
                continue
            sums = times @ _by_cluster(columns[chosen], place[chosen], len(clusters))
            asked += _questions(attribute.name, group.name, sums, whole - sums, target)
    return asked


def _by_cluster(columns: np.ndarray, place: np.ndarray, n_clusters: int) -> np.ndarray:
    return np.stack([np.bincount(place, column, n_clusters) for column in columns.T], axis=1)


def _questions(attribute: str, group: str, sums: np.ndarray, rest: np.ndarray, target: Target) -> list[Question]:
    """Values are in the first weighting, the resamples in the others."""
    if rest[0, WEIGHT] < 1e-9 * sums[0, WEIGHT]:
        return []
    with np.errstate(divide="ignore", invalid="ignore"):
        own = observed_to_expected(sums)
        asked: list[tuple[Kind, np.ndarray, np.ndarray]] = [
            ("miscalibrated", np.log(own / observed_to_expected(rest)), own)
        ]
        if target is EVENT:
            excess = excess_missed(sums)
            asked.append(("missed", excess - excess_missed(rest), excess))
    found = []
    for kind, values, alone in asked:
        known = values[1:][np.isfinite(values[1:])]
        if np.isfinite(values[0]) and len(known) > len(values) / 2 and known.std() > 0:
            found.append(Question(attribute, group, kind, float(values[0]), float(known.std()), float(alone[0])))
    return found


def harmed(questions: Sequence[Question]) -> list[dict[str, Any]]:
    """Return the groups that the rule names, the most certain first: attribute, group, finding, size (ratio or excess), p."""
    by_p = sorted(questions, key=lambda question: question.p)
    limits = FALSE_DISCOVERIES * np.arange(1, len(by_p) + 1) / max(len(by_p), 1)
    passed = [place for place, question in enumerate(by_p) if question.p <= limits[place]]
    return [
        {"attribute": one.attribute, "group": one.group, "finding": one.finding, "size": _size(one), "p": one.p}
        for one in by_p[: max(passed, default=-1) + 1]
        if one.is_material
    ]


def _size(question: Question) -> float:
    return question.value if question.kind == "missed" else float(np.exp(question.value))


def detectable_ratio(standard_error: float, questions: int) -> float:
    """Return the ratio to the rest that would be found with a chance of 80 % if it were the only one.

    Parameters
    ----------
    standard_error : float
        Of the logarithm of the ratio.
    questions : int
        How many are asked at once.
    """
    certain = -ndtri(FALSE_DISCOVERIES / (2 * questions))
    return float(np.exp((certain + ndtri(_POWER)) * standard_error))
