"""How well a model serves each group of persons: every number with its interval, small groups hidden, harm named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from models.calibration import fit_lines
from models.evaluation.attributes import ATTRIBUTES, NOT_EXAMINED, Attribute, Group, group_rows
from models.evaluation.discrimination import Ranking, auroc
from models.evaluation.group_sums import WEIGHT, at_threshold, false_negative_rate, observed_to_expected, terms
from models.evaluation.harm import RULE, Question, detectable_ratio, harmed, questions_of
from models.evaluation.held_out import HeldOut
from models.evaluation.intervals import with_intervals
from models.evaluation.suppression import Size
from models.risk_model import risk_of
from models.target import EVENT, Target

WORKING_THRESHOLD = 0.20
"""From this risk on a person is offered a talk. Nyberg 2023 reports at 5 and 20 %."""

PERSONAL = ("sex", "age", "education")
"""The attributes for which ``detectable`` says whether harm could have been found at all."""

HARM_REPEATS = 500
"""Resamples behind the standard errors of the verdict: sums over clusters, so that many cost little."""


def subgroups(
    held_out: HeldOut,
    *,
    threshold: float = WORKING_THRESHOLD,
    target: Target = EVENT,
    attributes: Sequence[Attribute] = ATTRIBUTES,
    repeats: int = 200,
    seed: int = 17,
) -> dict[str, Any]:
    """Judge the champion for each group of each attribute.

    Parameters
    ----------
    held_out : HeldOut
        What the numbers are of.
    threshold : float
        The risk from which something is offered.
    target : Target
        For days there is no threshold: observed over expected days is all that is judged.
    attributes : sequence of Attribute
    repeats, seed : int
        Resamples of clusters behind each interval.

    Returns
    -------
    dict with ``subgroups`` (threshold, rule, questions, not_examined, attributes with their groups, and
    ``detectable``: see :func:`_weakest`) and ``harm`` (what :func:`models.evaluation.harm.harmed` names).
    """
    asked = questions_of(held_out, attributes, threshold, target, HARM_REPEATS, seed)
    tables = [_table(attribute, held_out, threshold, target, repeats, seed, asked) for attribute in attributes]
    about = {
        "threshold": threshold,
        "rule": RULE,
        "questions": len(asked),
        "not_examined": list(NOT_EXAMINED),
        "attributes": tables,
        "detectable": {table["name"]: _weakest(table["groups"]) for table in tables if table["name"] in PERSONAL},
    }
    return {"subgroups": about, "harm": harmed(asked)}


def _table(
    attribute: Attribute,
    held_out: HeldOut,
    threshold: float,
    target: Target,
    repeats: int,
    seed: int,
    asked: Sequence[Question],
) -> dict[str, Any]:
    members, hidden = group_rows(attribute, held_out)
    shown = [
        _Member.of(group, chosen, held_out) for place, (group, chosen) in enumerate(members) if place not in hidden
    ]
    columns = terms(held_out.linear[held_out.champion], held_out.y, threshold, target)

    def numbers(weights: np.ndarray) -> dict[str, np.ndarray]:
        whole = weights @ columns
        found: dict[str, np.ndarray] = {}
        for one in shown:
            of_group = _numbers(one, weights[:, one.chosen], columns[one.chosen], whole, threshold, target)
            found |= {f"{one.group.name} {metric}": values for metric, values in of_group.items()}
        return found

    with np.errstate(divide="ignore", invalid="ignore"):
        measured = with_intervals(numbers, held_out.cluster, held_out.weight, repeats, seed)
    groups = []
    for place, (group, chosen) in enumerate(members):
        line: dict[str, Any] = {"name": group.name, "label_nb": group.label_nb, "label_en": group.label_en,
                                "suppressed": hidden.get(place)}  # fmt: skip
        if place not in hidden:
            line |= _counts(held_out, chosen) | _of(group.name, measured)
            line |= _detectable(attribute.name, group.name, asked)
        groups.append(line)
    return {"name": attribute.name, "label_nb": attribute.label_nb, "label_en": attribute.label_en, "groups": groups}


@dataclass(frozen=True, eq=False)
class _Member:
    """A group that is shown; its rows are sorted by risk, and its calibration line is fitted, once for all weightings.

    ``newton`` (n, 5) holds each row's part in the gradient and the information of that line, so that a resample's slope is
    one Newton step from ``slope``. Reference: Moulton LH, Zeger SL. Comput Stat Data Anal 1991;11:53 (one-step bootstrap).
    """

    group: Group
    chosen: np.ndarray
    y: np.ndarray
    ranking: Ranking
    slope: float
    newton: np.ndarray

    @classmethod
    def of(cls, group: Group, chosen: np.ndarray, held_out: HeldOut) -> _Member:
        linear, y = held_out.linear[held_out.champion][chosen], (held_out.y[chosen] > 0).astype(float)
        intercept, slope = (float(found[0]) for found in fit_lines(linear, y, held_out.weight[None, chosen]))
        p = risk_of(intercept + slope * linear)
        spread, x = p * (1 - p), linear - linear.mean()
        newton = np.stack([y - p, (y - p) * x, spread, spread * x, spread * x * x], axis=1)
        return cls(group, chosen, y, Ranking.of(linear), slope, newton)

    def slopes(self, weights: np.ndarray) -> np.ndarray:
        """Return the slope of the calibration line for each weighting of the group's rows, (n_weightings,)."""
        g0, g1, h00, h01, h11 = (weights @ self.newton).T
        return np.asarray(self.slope + (h00 * g1 - h01 * g0) / (h00 * h11 - h01 * h01))


def _numbers(
    member: _Member, weights: np.ndarray, columns: np.ndarray, whole: np.ndarray, threshold: float, target: Target
) -> dict[str, np.ndarray]:
    sums = weights @ columns
    # Sums of floats: what is left where the group is everybody is not exactly 0.
    rest = np.where((whole - sums)[:, [WEIGHT]] > 1e-9 * whole[:, [WEIGHT]], whole - sums, np.nan)
    own = observed_to_expected(sums)
    found = {"observed_to_expected": own, "ratio_to_rest": own / observed_to_expected(rest)}
    if target is not EVENT:
        return found
    return found | at_threshold(sums, threshold) | {
        "auroc": auroc(member.ranking, member.y, weights),
        "calibration_slope": member.slopes(weights),
        "false_negative_rate_minus_rest": false_negative_rate(sums) - false_negative_rate(rest),
    }  # fmt: skip


def _counts(held_out: HeldOut, chosen: np.ndarray) -> dict[str, int]:
    return asdict(Size.of(held_out.y, held_out.person, chosen))


def _of(group: str, measured: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    start = f"{group} "
    return {name.removeprefix(start): number for name, number in measured.items() if name.startswith(start)}


def _detectable(attribute: str, group: str, asked: Sequence[Question]) -> dict[str, float | None]:
    errors = [one.standard_error for one in asked
              if (one.attribute, one.group, one.kind) == (attribute, group, "miscalibrated")]  # fmt: skip
    return {"detectable_ratio": detectable_ratio(errors[0], len(asked)) if errors else None}


def _weakest(groups: Sequence[dict[str, Any]]) -> float | None:
    """Return the largest detectable ratio of the shown groups; None if none is shown, or one of them could not be asked."""
    ratios = [group["detectable_ratio"] for group in groups if not group["suppressed"]]
    return None if None in ratios else max(ratios, default=None)
