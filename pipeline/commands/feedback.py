"""Verb decisions: what clinicians have said about scores, as data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.options import HERE, JsonOption, WorkspaceOption, show
from pipeline.workspace import Workspace


def decisions(
    workspace: WorkspaceOption = HERE,
    out: Annotated[Path | None, typer.Option(help="CSV file to write; default: data/decisions.csv.")] = None,
    json_: JsonOption = False,
) -> None:
    """Write what clinicians have said about stored scores (agree, disagree, not relevant, why) to a CSV file."""
    from pipeline import feedback as stage

    show(stage.run(Workspace(workspace), out), json_)
