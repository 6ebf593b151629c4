"""Verbs about data: simulate, ingest, validate, erase."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import Annotated

import typer

from data_contracts.errors import SettingsError
from pipeline.commands.options import (
    HERE,
    PARAMS,
    JsonOption,
    MappingOption,
    ParamsOption,
    SourceOption,
    WorkspaceOption,
    settings_of,
    show,
)
from pipeline.workspace import Workspace


class Format(StrEnum):
    """How simulated source files are written."""

    CSV = "csv"
    PARQUET = "parquet"
    FHIR = "fhir"


def simulate(
    workspace: WorkspaceOption = HERE,
    params: ParamsOption = PARAMS,
    persons: Annotated[int | None, typer.Option(min=100, max=1_000_000, help="Number of persons.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, max=2**32 - 1, help="Seed of the cohort.")] = None,
    scenario: Annotated[
        list[str] | None, typer.Option(help="Scenario laid over the parameters; repeat to combine several.")
    ] = None,
    format_: Annotated[Format | None, typer.Option("--format", help="How the source files are written.")] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; the files are the same for any number.")
    ] = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Hold the cohort against published figures and goals; exit code 1 below 95 % passed."
        ),
    ] = False,
    attainable: Annotated[
        bool, typer.Option("--attainable", help="Also estimate the best risk that a model could give (some minutes).")
    ] = False,
    list_scenarios: Annotated[
        bool, typer.Option("--list-scenarios", help="Say what scenarios there are; no more.")
    ] = False,
    json_: JsonOption = False,
) -> None:
    """Simulate firms and their employees; write source files stamped SYNTHETIC, and the true risks behind them.

    A scenario changes some parameters on purpose: a trap, a shock, a trial with a known effect. --check writes a table and
    pictures, simulated against published, to data/source/check.
    """
    from pipeline import simulate as stage

    if list_scenarios:
        show(stage.scenarios(), json_)
        return
    changes = {"persons": persons, "seed": seed, "scenarios": tuple(scenario or ()) or None, "workers": workers,
               "format": format_ and format_.value}  # fmt: skip
    settings = stage.with_scenarios(settings_of(params, simulate=changes).simulate, changes)
    report = stage.run(Workspace(workspace), settings, check=check, attainable=attainable or settings.attainable)
    show(report, json_)
    if check and (report["check"]["share_passed"] or 0.0) < stage.LEAST_SHARE_PASSED:
        raise typer.Exit(1)


def ingest(
    workspace: WorkspaceOption = HERE,
    params: ParamsOption = PARAMS,
    source: SourceOption = None,
    mapping: MappingOption = None,
    json_: JsonOption = False,
) -> None:
    """Check a source (default: data/source) row by row; keep what the contract allows, quarantine the rest with reasons."""
    from pipeline import ingest as stage

    show(stage.run(Workspace(workspace), settings_of(params).ingest, source, mapping), json_)


def validate(
    workspace: WorkspaceOption = HERE,
    params: ParamsOption = PARAMS,
    source: SourceOption = None,
    mapping: MappingOption = None,
    json_: JsonOption = False,
) -> None:
    """Judge the ingested tables, or a source before it is ingested; write a report for whoever has sent the data.

    Without --source: the Great Expectations suites, generated from the contract, over the accepted tables. With --source:
    the same checks as ingest and then the suites, over data that stay where they are. Writes data/validation/report.html.
    """
    from pipeline import validate as stage

    settings = settings_of(params).ingest if source else None
    show(stage.run(Workspace(workspace), settings, source, mapping), json_)


def erase(
    person: Annotated[
        str | None, typer.Argument(help="Pseudonym or, where pseudonym keys are configured, the customer's identifier.")
    ] = None,
    workspace: WorkspaceOption = HERE,
    expired: Annotated[bool, typer.Option("--expired", help="Apply the retention periods instead.")] = False,
    reason: Annotated[str, typer.Option(help="What the certificate gives as the reason.")] = "request",
    json_: JsonOption = False,
) -> None:
    """Remove a person from everything in the workspace and DVC's cache, prove it by search, leave a certificate.

    Models trained on the person are marked as due for retraining. Later deliveries cannot bring the person back.
    With --expired instead of a person: rows older than their table's retention period go.
    """
    from pipeline import erase as stage
    from pipeline import retention

    if (person is None) != expired:
        raise SettingsError("Name one person to erase, or give --expired to apply the retention periods.")
    if person is None:
        show(retention.run(Workspace(workspace)), json_)
    else:
        from data_contracts.pseudonyms import VARIABLE, Pseudonymiser

        keys = Pseudonymiser.from_environment() if VARIABLE in os.environ else None
        show(stage.run(Workspace(workspace), person, reason=reason, pseudonymiser=keys), json_)
