"""Which verb comes next in a workspace, told by what the stages have left."""

from __future__ import annotations

from models.bundle import current_bundle
from models.outcomes import OUTCOMES
from pipeline.workspace import Workspace


def next_step(workspace: Workspace) -> str:
    """Return the command that comes next, with why."""
    if not (workspace.tables / "ingest.json").exists():
        if any(workspace.source.glob("*.*")):
            return f"balance-risk validate --source {workspace.source}   (checks every row, changes nothing)"
        return "balance-risk demo   (simulated firms), or bring your own data: docs/own_data.md"
    made = {
        "validate": workspace.validation.exists(),
        "build-training-set": any(workspace.training_set(name).exists() for name in OUTCOMES),
        "train": any(workspace.model(name).exists() for name in OUTCOMES),
        "evaluate": any(workspace.evaluation(name).exists() for name in OUTCOMES),
        "promote --check   (after register)": any(current_bundle(workspace.bundles, name) for name in OUTCOMES),
    }
    missing = next((verb for verb, is_there in made.items() if not is_there), None)
    return f"balance-risk {missing}" if missing else "balance-risk score, or balance-risk serve"
