"""Stage simulate: a synthetic cohort as CSV source files."""

from __future__ import annotations

from typing import Any

from data_contracts.errors import ContractViolation
from pipeline.console import progress, read_json
from pipeline.settings import SimulateSettings
from pipeline.workspace import Workspace


def run(workspace: Workspace, settings: SimulateSettings) -> dict[str, Any]:
    """Simulate the cohort into the source directory; return counts and rates. Never replaces files that are not synthetic."""
    stamp = workspace.source / "source.json"
    is_synthetic = stamp.exists() and read_json(stamp).get("synthetic") is True
    if any(workspace.source.glob("*.csv")) and not is_synthetic:
        raise ContractViolation(
            f"{workspace.source} holds files that simulate did not write; they are left alone. Use another --workspace, "
            "or with DVC: dvc freeze simulate"
        )
    from pipeline.simulation.cohort import simulate

    with progress("simulate firms, persons and five years of events", settings.persons) as advance:
        report = simulate(
            workspace.source, settings.persons, settings.seed, settings.start, settings.end, progress=advance
        )
    summary = f"simulate: {settings.persons} SYNTHETIC persons, seed {settings.seed}, written to {workspace.source}"
    return {**report, "summary": summary}
