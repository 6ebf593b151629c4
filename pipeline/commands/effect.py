"""Verb effect."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from data_contracts.errors import SettingsError
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


class Design(StrEnum):
    """How an effect is estimated."""

    DID = "did"
    PRE_POST = "pre-post"
    STEPPED_WEDGE = "stepped-wedge"
    REGRESSION_DISCONTINUITY = "regression-discontinuity"
    EVENT_STUDY = "event-study"


def effect(
    workspace: WorkspaceOption = HERE,
    params: ParamsOption = PARAMS,
    published: Annotated[bool, typer.Option("--published", help="What the published trial says; needs no data.")] = False,
    design: Annotated[Design | None, typer.Option(help="Estimate an effect by this design.")] = None,
    outcome_measure: Annotated[
        str, typer.Option(help="absence_percent, or the name of a scale of a questionnaire.")
    ] = "absence_percent",
    panel: Annotated[
        Path | None,
        typer.Option(help="CSV file instead of the tables: company, period, outcome, start, weight; for a discontinuity "
                          "score, outcome, contacted."),
    ] = None,
    threshold: Annotated[float | None, typer.Option(help="Discontinuity: persons from this number on are alerted.")] = None,
    outcome: Annotated[str, outcome_option("Discontinuity: whose risk decides.")] = "long_sick_leave",
    scored_on: Annotated[
        str | None, typer.Option(help="Discontinuity: night of the scores; default: the first.")
    ] = None,
    power: Annotated[bool, typer.Option("--power", help="What designs can show with so many companies.")] = False,
    companies: Annotated[int, typer.Option(min=1, help="Power: companies in all.")] = 40,
    persons: Annotated[float, typer.Option(help="Power: persons per company and period.")] = 15,
    sd: Annotated[float | None, typer.Option(help="Power: standard deviation of persons, in units of the measure.")] = None,
    icc: Annotated[float | None, typer.Option(help="Power: share of that variance that lies between companies.")] = None,
    periods: Annotated[int, typer.Option(help="Power: periods of the stepped wedge.")] = 5,
    expected: Annotated[float | None, typer.Option(help="Power: also the chance to find this effect.")] = None,
    json_: JsonOption = False,
) -> None:  # fmt: skip
    """Say whether the programme works: by a design with a control, its interval, and what else could explain it."""
    if sum((published, power, design is not None)) != 1:
        raise SettingsError("Choose one of --published, --design and --power.")
    from pipeline import effect as stage

    if published:
        return show(stage.published(), json_)
    if power:
        return show(stage.planned(stage.Clusters(companies, persons, *_variance(sd, icc)), periods, expected), json_)
    assert design is not None
    question = stage.Question(design.value, outcome_measure, panel, threshold, outcome, day_of(scored_on))
    show(stage.run(Workspace(workspace), settings_of(params), question), json_)
    return None


def _variance(sd: float | None, icc: float | None) -> tuple[float, float]:
    """The two numbers that no default could stand for: they depend on the measure."""
    if sd is None or icc is None:
        raise SettingsError("--power needs --sd and --icc; docs/effect.md has values to start from.")
    return sd, icc
