"""Verb serve: the BentoML service in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from pipeline.workspace import Workspace, require

SERVICE = "serving.service:BalanceRisk"


def command(host: str, port: int) -> list[str]:
    """Return the command that serves; the Python that runs us also runs the service."""
    return [sys.executable, "-m", "bentoml", "serve", SERVICE, "--host", host, "--port", str(port)]


def environment(workspace: Workspace) -> dict[str, str]:
    """Return the environment in which the service finds bundles and verification key."""
    return {
        **os.environ,
        "BENTOML_DO_NOT_TRACK": "True",
        "BALANCE_RISK_BUNDLES": str(workspace.bundles.resolve()),
        "BALANCE_RISK_VERIFY_KEY": str((workspace.keys / "verify.key").resolve()),
    }


def run(workspace: Workspace, host: str, port: int) -> None:
    """Serve until interrupted."""
    require(workspace.bundles, "promote")
    code = subprocess.run(command(host, port), env=environment(workspace), cwd=Path(__file__).parents[1]).returncode
    raise SystemExit(code)
