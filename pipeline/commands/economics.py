"""Verb economics: what prevention costs and gains."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.options import HERE, JsonOption, OutcomeOption, WorkspaceOption, outcomes_of, show
from pipeline.workspace import Workspace


def economics(
    workspace: WorkspaceOption = HERE,
    outcome: OutcomeOption = None,
    inputs: Annotated[
        Path | None,
        typer.Option(help="YAML file with your own numbers (docs/economics.md); default: the documented ones."),
    ] = None,
    alerts_per_100: Annotated[
        float,
        typer.Option(help="Capacity of the tornado: persons contacted of 100 scored, as in the evaluation's table."),
    ] = 10,
    json_: JsonOption = False,
) -> None:
    """Reckon cost and gain: the concept report's model to the krone, then your own numbers and model-based targeting."""
    from pipeline import economics as stage

    show(stage.run(Workspace(workspace), outcomes_of(outcome), inputs, alerts_per_100), json_)
