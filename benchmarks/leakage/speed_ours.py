"""Our own part of the comparison of speed: checked tables in memory to the feature matrix.

    python -m benchmarks.leakage.speed_ours {full | alike}     (request on standard input)

``full`` numbers the whole catalogue; ``alike`` only runs the groups of features that hold what the rivals are asked for. Both
start from tables: gathering rows into histories (versions, duplicates, consent, scoring of answers) is counted.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from benchmarks.leakage.rivals.timing import Columns, measured
from benchmarks.leakage.speed_population import LATEST, T, tables
from features.as_of import as_of
from features.build import CHUNK, build_features
from features.catalogue import COLUMNS, FEATURE_NAMES
from features.histories import Histories
from features.workplace_context import workplace_context

ALIKE = {
    **{f"doctor_count_{window}": f"starts_doctor_{window}" for window in (90, 365, 730)},
    **{f"doctor_sum_{window}": f"days_doctor_{window}" for window in (90, 365, 730)},
    **{f"doctor_max_{window}": f"longest_doctor_{window}" for window in (365, 730)},
    **{f"self_count_{window}": f"starts_self_{window}" for window in (90, 365, 730)},
    **{f"self_sum_{window}": f"days_self_{window}" for window in (90, 365, 730)},
    "self_max_365": "longest_self_365",
    **{f"guidance_count_{window}": f"guidance_sessions_{window}" for window in (90, 365)},
    **{name: name for name in (*LATEST, "who5_wellbeing")},
}
"""Name that all tools share -> our feature."""

POSITIONS = {shared: FEATURE_NAMES.index(name) for shared, name in ALIKE.items()}
GROUPS = [
    (group, columns)
    for group, columns in COLUMNS
    if any(columns.start <= position < columns.stop for position in POSITIONS.values())
]


def full(found: dict[str, Any]) -> Columns:
    """Number the whole catalogue."""
    everybody = histories(found)
    matrix = build_features(everybody, T, workplace_context(everybody, T))
    return dict(zip(matrix.names, matrix.values.T, strict=True))


def alike(found: dict[str, Any]) -> Columns:
    """Run only the groups that hold what the rivals are asked for, in the same chunks."""
    everybody = histories(found)
    values = np.full((len(everybody), len(FEATURE_NAMES)), np.nan, dtype=np.float32)
    for first in range(0, len(everybody), CHUNK):
        chunk = everybody.between(first, min(first + CHUNK, len(everybody)))
        known = as_of(chunk, np.full(len(chunk), T, dtype=np.int32))
        for group, columns in GROUPS:
            values[first : first + len(chunk), columns] = group.compute(known)
    return {shared: values[:, position] for shared, position in POSITIONS.items()}


def histories(found: dict[str, Any]) -> Histories:
    """Gather."""
    return Histories.from_tables(found, purpose="risk_scoring", consent_on=T)


if __name__ == "__main__":
    measured(tables, {"full": full, "alike": alike}[sys.argv[1]])
