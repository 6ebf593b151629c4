"""Verbs about models: features, build-training-set, train, evaluate."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.commands.options import (
    HERE,
    PARAMS,
    Engine,
    EngineOption,
    JsonOption,
    OutcomeOption,
    ParamsOption,
    SchedulerOption,
    WorkspaceOption,
    day_of,
    outcomes_of,
    settings_of,
    show,
)
from pipeline.workspace import Workspace


def features(
    list_: Annotated[
        bool, typer.Option("--list", help="Every feature, not only how many there are of each kind.")
    ] = False,
    json_: JsonOption = False,
) -> None:
    """Show the catalogue of features: how many by domain, or each with formula, unit, range, labels, direction and source."""
    from pipeline import documentation

    show(documentation.feature_report(every=list_), json_)


def build_training_set(
    workspace: WorkspaceOption = HERE,
    params: ParamsOption = PARAMS,
    outcome: OutcomeOption = None,
    data_as_of: Annotated[
        str | None, typer.Option(help="Rebuild the set as the store was on the morning of this day (YYYY-MM-DD).")
    ] = None,
    engine: EngineOption = Engine.LOCAL,
    scheduler: SchedulerOption = None,
    json_: JsonOption = False,
) -> None:
    """Cut the histories at every index date and label what followed; say who was left out and why.

    With --engine dask, partitions of persons are worked on side by side, on this machine or a cluster; the files are the
    same, byte for byte.
    """
    from pipeline import build_training_set as stage

    settings = settings_of(params, training={"data_as_of": day_of(data_as_of)})
    show(stage.run(Workspace(workspace), settings, outcomes_of(outcome), engine.value, scheduler), json_)


def train(
    workspace: WorkspaceOption = HERE,
    params: ParamsOption = PARAMS,
    outcome: OutcomeOption = None,
    json_: JsonOption = False,
) -> None:
    """Compare the baselines and LightGBM out of fold, keep the simplest within one standard error, recalibrate it."""
    from pipeline import train as stage

    show(stage.run(Workspace(workspace), settings_of(params), outcomes_of(outcome)), json_)


def evaluate(
    workspace: WorkspaceOption = HERE,
    params: ParamsOption = PARAMS,
    outcome: OutcomeOption = None,
    json_: JsonOption = False,
) -> None:
    """Judge the champion and every baseline on later dates and unseen persons, with intervals and pictures."""
    from pipeline import evaluate as stage

    show(stage.run(Workspace(workspace), settings_of(params), outcomes_of(outcome)), json_)
