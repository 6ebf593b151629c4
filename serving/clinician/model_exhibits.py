"""All exhibits of one model together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from serving.clinician.language import Words
from serving.clinician.model_figures import Exhibit, Table, calibration, capacity, importance, largest_features
from serving.clinician.model_groups import subgroups


@dataclass(frozen=True)
class Exhibits:
    """All of one model; None or empty where the numbers did not come along, or are of too few persons."""

    importance: Exhibit | None
    features: Table | None
    calibration: Exhibit | None
    subgroups: tuple[Exhibit, ...]
    capacity: tuple[Table, ...]

    @classmethod
    def of(cls, facts: Mapping[str, Any], found: Mapping[str, Any], say: Words) -> Exhibits:
        """Draw what the facts of a model and its evaluation tell."""
        weights = facts.get("importance")
        return cls(
            importance=importance(weights, say),
            features=largest_features(weights, say),
            calibration=calibration(found, say),
            subgroups=subgroups(found, say),
            capacity=capacity(found, say),
        )
