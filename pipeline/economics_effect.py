"""The programme's own measured effect, where ``balance-risk effect --design did`` has written one, as an input of economics."""

from __future__ import annotations

from models.economics.inputs import EconomicInputs, Estimate, described
from pipeline.console import read_json
from pipeline.effect_panel import ABSENCE
from pipeline.workspace import Workspace

REDUCTION = "relative_reduction_percent"


def with_measured_effect(workspace: Workspace, inputs: EconomicInputs) -> tuple[EconomicInputs, str | None]:
    """Return the inputs with the reduction that difference in differences measured, and the sentence that says so.

    Percentage points of absence (less absence is negative) become per cent of ``absence_percent``, cut at the input's limits.
    The inputs come back as they are, with None, if the user's file states the reduction, or there is no estimate of absence.
    """
    path, level = workspace.root / "data" / "effect" / "did.json", inputs.absence_percent.value
    if REDUCTION in inputs.model_fields_set or level == 0 or not path.exists():
        return inputs, None
    found = read_json(path)
    points = [found["estimate"][name] for name in ("low", "effect", "high")]
    if found["measure"] != ABSENCE or None in points:
        return inputs, None
    limits = described()[REDUCTION]
    high, value, low = (min(max(-100 * one / level, limits["lowest"]), limits["highest"]) for one in points)
    told = (
        f"data/effect/did.json{', SYNTHETIC' if found['synthetic'] else ''}: {points[1]:+.2f} points of absence "
        f"({points[0]:+.2f} to {points[2]:+.2f}) of {level:g} %; the same share is taken of long spells, and of those contacted"
    )
    return inputs.model_copy(update={REDUCTION: Estimate(value=value, low=low, high=high)}), told
