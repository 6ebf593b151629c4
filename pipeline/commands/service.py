"""Verbs about the service: register, promote, score, serve, demo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from data_contracts.errors import SettingsError
from pipeline.commands.options import (
    HERE,
    PARAMS,
    Engine,
    JsonOption,
    OutcomeOption,
    ParamsOption,
    WorkspaceOption,
    day_of,
    outcomes_of,
    settings_of,
    show,
)
from pipeline.workspace import Workspace

ScoringOption = Annotated[
    Engine, typer.Option("--engine", help="local: processes of this machine; dask: a partition of persons per worker.")
]
ScorersOption = Annotated[
    str | None,
    typer.Option(
        "--scheduler",
        help="Address of a Dask cluster, tls://host:port; default: a process per processor of this machine.",
    ),
]


def register(workspace: WorkspaceOption = HERE, outcome: OutcomeOption = None, json_: JsonOption = False) -> None:
    """Log the run in MLflow and register the model as balance-risk.<outcome>."""
    from pipeline import register as stage

    show(stage.run(Workspace(workspace), outcomes_of(outcome)), json_)


def promote(
    workspace: WorkspaceOption = HERE,
    params: ParamsOption = PARAMS,
    outcome: OutcomeOption = None,
    version: Annotated[str | None, typer.Option(help="Registered version; default: the newest.")] = None,
    approver: Annotated[str, typer.Option(help="Who approves it; recorded.")] = "",
    reason: Annotated[str, typer.Option(help="Why; recorded.")] = "",
    check: Annotated[bool, typer.Option("--check", help="Only show what the policy says; nothing is moved.")] = False,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Go back to the champion before the one in service.")
    ] = False,
    json_: JsonOption = False,
) -> None:
    """Put a registered version into service if it satisfies the policy (docs/promotion.md), or go back to the one before."""
    from pipeline import promote as stage
    from pipeline import rollback as back
    from pipeline.approval import Approval

    place = Workspace(workspace)
    if rollback:
        return show(back.run(place, _only(outcome, version, check), Approval(approver, reason)), json_)
    policy = settings_of(params).promotion.policy()
    if check:
        approval = Approval(approver, reason) if approver or reason else None
        report = stage.check(place, outcomes_of(outcome), version, policy, approval)
    else:
        report = stage.run(place, outcomes_of(outcome), version, policy, Approval(approver, reason))
    show(report, json_)
    return stage.refuse_failed(report)


def _only(outcome: list[str] | None, version: str | None, check: bool) -> str:
    if outcome is None or len(outcome) != 1 or version is not None or check:
        raise SettingsError(
            "--rollback takes one outcome, neither --version nor --check: --rollback --outcome burnout."
        )
    return outcome[0]


def score(
    workspace: WorkspaceOption = HERE,
    index_date: Annotated[str | None, typer.Option(help="Morning of the prediction; default: today.")] = None,
    outcome: OutcomeOption = None,
    person: Annotated[str | None, typer.Option(help="Explain this one person instead of scoring everybody.")] = None,
    again: Annotated[
        str | None, typer.Option("--rebuild", help="Compute this past morning again and compare, bit for bit.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, max=64, help="Processes; default: one per processor.")] = None,
    engine: ScoringOption = Engine.LOCAL,
    scheduler: ScorersOption = None,
    json_: JsonOption = False,
) -> None:
    """Score everybody in the tables (store and CSV of risks), or explain one person, with the promoted champions."""
    from pipeline import rebuild
    from pipeline import score as stage
    from pipeline.nightly import bundles_of

    place = Workspace(workspace)
    if again is not None:
        if outcome or person or index_date or engine is not Engine.LOCAL or scheduler:
            raise SettingsError(
                "--rebuild takes neither --outcome nor --person nor --index-date, which the night names, nor a cluster."
            )
        report = rebuild.run(place, day_of(again), workers)
        show(report, json_)
        return rebuild.refuse_differences(report)
    outcomes = outcomes_of(outcome) if outcome else stage.promoted(bundles_of(place))
    return show(stage.run(place, day_of(index_date), outcomes, person, workers, engine.value, scheduler), json_)


def serve(
    workspace: WorkspaceOption = HERE,
    host: Annotated[
        str, typer.Option(help="Address to listen on; the default is reachable from this machine only.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 3000,
) -> None:
    """Run the scoring service (BentoML) with the promoted champions."""
    from pipeline import serve as stage

    stage.run(Workspace(workspace), host, port)


def demo(
    workspace: WorkspaceOption = Path("demo"),
    params: Annotated[
        Path | None, typer.Option("--params", help="File with the numbers of every stage; default: built in.")
    ] = None,
    persons: Annotated[int | None, typer.Option(min=100, max=1_000_000, help="Number of simulated persons.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of the cohort.")] = None,
    json_: JsonOption = False,
) -> None:
    """Go the whole way on simulated firms: data, training set, models, registry, running service, one explained risk."""
    from pipeline import demo as stage
    from pipeline.settings import Settings

    settings = settings_of(params) if params else Settings()
    changes = {"persons": persons, "seed": seed}
    simulated = settings.simulate.model_copy(update={k: v for k, v in changes.items() if v is not None})
    stage.run(Workspace(workspace), settings.model_copy(update={"simulate": simulated}), as_json=json_)
