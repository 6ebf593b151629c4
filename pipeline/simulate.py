"""Stage simulate: a synthetic cohort as CSV source files."""

from __future__ import annotations

from typing import Any

from pipeline.console import progress
from pipeline.settings import SimulateSettings
from pipeline.workspace import Workspace


def run(workspace: Workspace, settings: SimulateSettings) -> dict[str, Any]:
    """Simulate the cohort into the source directory; return counts and rates."""
    from pipeline.simulation.cohort import simulate

    with progress("simulate firms, persons and five years of events", settings.persons) as advance:
        report = simulate(
            workspace.source, settings.persons, settings.seed, settings.start, settings.end, progress=advance
        )
    summary = f"simulate: {settings.persons} SYNTHETIC persons, seed {settings.seed}, written to {workspace.source}"
    return {**report, "summary": summary}
