"""Puts the trained champion of a workspace into service without the policy, so that any size can be scored: not for use.

``promote`` refuses a model of a thousand persons, rightly; what is timed here is scoring with it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.scale.stages import OUTCOME
from models.bundle import export_bundle, move_current
from models.signing import create_keys
from pipeline.workspace import Workspace


def main() -> None:
    """Export the bundle and point at it."""
    workspace = Workspace(Path(sys.argv[1]))
    private_key, _ = create_keys(workspace.keys)
    bundle = export_bundle(workspace.model(OUTCOME) / "champion", workspace.bundles, OUTCOME, "1", private_key)
    move_current(workspace.bundles, OUTCOME, bundle)


if __name__ == "__main__":
    main()
