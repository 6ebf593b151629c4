"""Whether the model's numbers have moved for some persons and not for others: by sex, age and education, before any label."""

from __future__ import annotations

import numpy as np

from features.catalogue import FEATURE_NAMES
from models.evaluation.attributes import ATTRIBUTES
from models.evaluation.held_out import HeldOut
from models.evaluation.subgroups import PERSONAL
from models.monitoring.comparison import Sample, Shift, shifts
from pipeline.monitoring.inputs import samples
from pipeline.monitoring.windows import Window

SCORE_BY = "score by "
"""Begins the groups of these shifts; what follows is the attribute."""


def group_names(window: Window) -> dict[str, np.ndarray]:
    """Return the group of each row in sex, age and education, "" where it is not known, str (n,)."""
    nothing, each = np.zeros(len(window)), np.arange(len(window))
    rows = HeldOut(
        "", "", FEATURE_NAMES, window.X, nothing, nothing, each, each, window.t, window.followed_days, {}
    )  # fmt: skip
    found = {}
    for attribute in ATTRIBUTES:
        if attribute.name in PERSONAL:
            words = np.array([*(group.name for group in attribute.groups), ""], dtype=np.str_)
            found[attribute.name] = words[attribute.of(rows)]
    return found


def subgroup_score_shifts(reference: Window, current: Window, scores: tuple[np.ndarray, np.ndarray]) -> list[Shift]:
    """Compare the model's numbers within each group; ``scores`` are (n,) of the reference and the current rows."""
    first, second = samples(reference, current, (scores[0][:, None], scores[1][:, None]), ("",))
    before, after = group_names(reference), group_names(current)
    found: list[Shift] = []
    for attribute, groups in before.items():
        for group in sorted({*groups.tolist(), *after[attribute].tolist()} - {""}):
            name = f"{attribute}: {group}"
            sides = _of(first, groups == group, name), _of(second, after[attribute] == group, name)
            found += [one for one in shifts(*sides, [f"{SCORE_BY}{attribute}"]) if one.kind == "level"]
    return found


def _of(sample: Sample, chosen: np.ndarray, name: str) -> Sample:
    return Sample(sample.values[chosen], sample.person[chosen], (name,))
