"""Verbs that are a module of the service: they run as a process of their own, because the pipeline does not import it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import typer


def run(module: str, workspace: Path, *words: str, as_json: bool = False) -> None:
    """Run a module of the service with the service's own variables; they win over the workspace. Exits as it exits."""
    from pipeline.serve import PROJECT, environment
    from pipeline.workspace import Workspace

    command = [sys.executable, "-m", module, *words, *(["--json"] if as_json else [])]
    done = subprocess.run(command, cwd=PROJECT, env=environment(Workspace(workspace)), check=False)
    if done.returncode:
        raise typer.Exit(done.returncode if done.returncode > 0 else 128 - done.returncode)
