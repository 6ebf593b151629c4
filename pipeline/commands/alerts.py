"""Verbs about alerts to teams: alerts deliver, list, status.

They run as a process of their own, because the pipeline does not import the service.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.options import HERE, JsonOption, WorkspaceOption

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Alerts to teams: send their messages, list them, say what each team was told (docs/alerts.md).",
)


@app.command()
def deliver(
    workspace: WorkspaceOption = HERE,
    once: Annotated[bool, typer.Option("--once", help="Send what is due now, and end.")] = False,
    json_: JsonOption = False,
) -> None:
    """Send the messages about alerts to the teams' webhooks: at least once, signed, tried again for three days."""
    _run(workspace, "deliver", *(["--once"] if once else []), *_json(json_))


@app.command(name="list")
def list_(
    workspace: WorkspaceOption = HERE,
    out: Annotated[
        Path | None, typer.Option(resolve_path=True, help="CSV file to write; default: data/alerts.csv.")
    ] = None,
    json_: JsonOption = False,
) -> None:
    """Write every alert that is kept, and what became of it, to a CSV file."""
    path = out or (workspace / "data" / "alerts.csv").resolve()
    _run(workspace, "list", "--out", str(path), *_json(json_))


@app.command()
def status(workspace: WorkspaceOption = HERE, json_: JsonOption = False) -> None:
    """Say in numbers what each team was told in its newest night, and what became of the messages."""
    _run(workspace, "status", *_json(json_))


def _json(as_json: bool) -> list[str]:
    return ["--json"] if as_json else []


def _run(workspace: Path, *words: str) -> None:
    """Run a command of the service's package with the service's own variables; they win over the workspace."""
    from pipeline.serve import PROJECT, environment
    from pipeline.workspace import Workspace

    variables = environment(Workspace(workspace))
    done = subprocess.run([sys.executable, "-m", "serving.alerts", *words], cwd=PROJECT, env=variables, check=False)
    if done.returncode:
        raise typer.Exit(done.returncode if done.returncode > 0 else 128 - done.returncode)
