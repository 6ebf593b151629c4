"""Verb monitor: what has changed since the champions were trained."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.options import (
    HERE,
    PARAMS,
    JsonOption,
    ParamsOption,
    WorkspaceOption,
    day_of,
    outcome_option,
    settings_of,
    show,
)
from pipeline.workspace import Workspace


def monitor(
    workspace: WorkspaceOption = HERE,
    params: ParamsOption = PARAMS,
    outcome: Annotated[
        list[str] | None, outcome_option("Repeat for several; default: all that have a champion in service.")
    ] = None,
    index_date: Annotated[
        str | None,
        typer.Option(
            help="As it was known on this morning; default: today (simulated data: the day after the last record)."
        ),
    ] = None,
    months: Annotated[
        int | None, typer.Option(min=1, max=12, help="Months before the index date to compare; default: params.yaml.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Directory to write to; default: data/monitoring/<date>.")] = None,
    json_: JsonOption = False,
) -> None:
    """Look for changes since training: inputs, scores, arrival, calibration, performance, response. Changes nothing.

    Exit code 0: nothing found; 10: alarm, somebody must look; 4: too few persons. Writes a page, JSON and a Prometheus file.
    """
    from pipeline import monitor as stage

    report = stage.run(Workspace(workspace), settings_of(params), outcome or None, day_of(index_date), months, out)
    try:
        show(report, json_)
    finally:
        if report["alarm"]:
            raise typer.Exit(stage.ALARM)
