"""The random histories reach every feature: a property that never sees a feature move says nothing about it."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings

from data_contracts.time_windows import day_number
from features.build import build_features
from features.catalogue import FEATURES
from features.workplace_context import FEATURES as CONTEXT_FEATURES
from tests.lib.random_histories import PERSONS, T, any_rows
from tests.lib.records import Rows, histories

REACHED = [position for position, one in enumerate(FEATURES) if one not in CONTEXT_FEATURES]
"""All but the context of the workplace, which needs ten others: tests/property/test_workplace_context.py."""


def seen_values() -> list[set[float]]:
    """The distinct values of every feature over a fixed sample of random histories."""
    seen: list[set[float]] = [set() for _ in FEATURES]

    @settings(max_examples=300, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(any_rows())
    def look(rows: Rows) -> None:
        matrix = build_features(histories(rows, T, person_ids=PERSONS), day_number(T) + np.array([0, -1, 30]))
        for values, known in zip(matrix.values.T, seen, strict=True):
            known.update(values[~np.isnan(values)].tolist())

    look()
    return seen


def test_every_feature_takes_more_than_one_value_within_its_range():
    seen = seen_values()
    unmoved = [FEATURES[position].name for position in REACHED if len(seen[position]) < 2]
    assert not unmoved, ", ".join(unmoved)
    for one, known in zip(FEATURES, seen, strict=True):
        slack = 1e-5 * max((abs(end) for end in (one.low, one.high) if np.isfinite(end)), default=0.0)
        outside = [value for value in known if not one.low - slack <= value <= one.high + slack]
        assert outside == [], f"{one.name} outside {one.low}..{one.high}"
