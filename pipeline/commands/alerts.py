"""Verbs about alerts to teams: alerts deliver, list, status.

They run as a process of their own, because the pipeline does not import the service.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands import of_service
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
    of_service.run("serving.alerts", workspace, "deliver", *(["--once"] if once else []), as_json=json_)


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
    of_service.run("serving.alerts", workspace, "list", "--out", str(path), as_json=json_)


@app.command()
def status(workspace: WorkspaceOption = HERE, json_: JsonOption = False) -> None:
    """Say in numbers what each team was told in its newest night, and what became of the messages."""
    of_service.run("serving.alerts", workspace, "status", as_json=json_)
