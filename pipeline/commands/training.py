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

# No environment variable: BALANCE_RISK_ENGINE is for files that are the same, byte for byte, with either engine.
GrowingOption = Annotated[
    Engine, typer.Option("--engine", help="Where boosted trees are grown. local: in this process; dask: on a cluster.")
]
GrowersOption = Annotated[
    str | None,
    typer.Option(
        "--scheduler",
        help="Address of a Dask cluster, tls://host:port; default: a process per processor of this machine.",
    ),
]


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


def sample_size(
    outcome: OutcomeOption = None,
    events_share: Annotated[
        float | None,
        typer.Option(min=0.001, max=0.999, help="Share of persons with the event; default: what is usual."),
    ] = None,
    c_statistic: Annotated[
        float | None,
        typer.Option(min=0.51, max=0.99, help="What a model is expected to reach; default: what is published."),
    ] = None,
    parameters: Annotated[
        int | None, typer.Option(min=1, help="Plan one model of so many parameters instead of the candidates.")
    ] = None,
    json_: JsonOption = False,
) -> None:
    """Plan a study: persons that each model takes, and persons that judge one. Needs no data and no workspace.

    These are Riley's criteria: predictions at most a tenth too extreme, an optimism in R2 of at most 0.05, the overall risk
    to within 0.05. train holds every candidate to them and leaves out those that lack persons.
    """
    from pipeline import sample_size as stage

    chosen = outcomes_of(outcome)
    if outcome is None and (events_share is not None or c_statistic is not None):
        from models.outcomes import OUTCOMES

        chosen = [name for name in chosen if OUTCOMES[name].target == "event"]
    report = stage.run(chosen, events_share=events_share, c_statistic=c_statistic, parameters=parameters)
    show(report, json_)


def train(
    workspace: WorkspaceOption = HERE,
    params: ParamsOption = PARAMS,
    outcome: OutcomeOption = None,
    engine: GrowingOption = Engine.LOCAL,
    scheduler: GrowersOption = None,
    json_: JsonOption = False,
) -> None:
    """Compare the candidates that the data can carry out of fold, keep the simplest within one standard error, recalibrate it.

    With --engine dask, boosted trees are grown by LightGBM on a cluster; everything else is done here. They are as good, but
    not the same split by split, so no environment variable chooses it.
    """
    if engine is Engine.DASK:
        from pipeline.distributed_training import meet_dask

        meet_dask()
    from pipeline import train as stage

    report = stage.run(Workspace(workspace), settings_of(params), outcomes_of(outcome), engine.value, scheduler)
    show(report, json_)


def evaluate(
    workspace: WorkspaceOption = HERE,
    params: ParamsOption = PARAMS,
    outcome: OutcomeOption = None,
    json_: JsonOption = False,
) -> None:
    """Judge the champion and every other candidate on later dates and unseen persons: numbers, pictures, model card."""
    from pipeline import evaluate as stage

    show(stage.run(Workspace(workspace), settings_of(params), outcomes_of(outcome)), json_)
