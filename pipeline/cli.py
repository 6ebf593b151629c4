"""The command line: one verb per stage. Heavy libraries are imported only by the verb that needs them."""

from __future__ import annotations

import json
import os
import sys
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from data_contracts.errors import BalanceRiskError, SettingsError
from pipeline.workspace import Workspace

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Explained, calibrated risks of burnout and sick leave. Start with: balance-risk demo",
    epilog="Stages in order: simulate (or your own data), ingest, validate, build-training-set, train, evaluate, "
    "register, promote, then score or serve. Every verb has --help.",
)


class Outcome(StrEnum):
    """The outcomes that can be trained."""

    LONG_SICK_LEAVE = "long_sick_leave"
    BURNOUT = "burnout"


WorkspaceOption = Annotated[
    Path, typer.Option("--workspace", "-w", help="Directory that holds data/, bundles/ and mlflow.db.")
]
ParamsOption = Annotated[Path, typer.Option("--params", help="File with the numbers of every stage.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout instead of text.")]
OutcomeOption = Annotated[list[Outcome] | None, typer.Option("--outcome", help="Repeat for several; default: all.")]

SourceOption = Annotated[
    str | None,
    typer.Option(help="Directory of CSV, Parquet or FHIR files, one such file, or a database URL (SQLAlchemy)."),
]
MappingOption = Annotated[
    Path | None,
    typer.Option(help="YAML file that maps the source's own names and codes; default: mapping.yaml beside it."),
]

HERE = Path()
PARAMS = Path("params.yaml")
UNEXPECTED = """balance-risk: unexpected {}; this is a fault of ours: please report, with the command but without data. \
(BALANCE_RISK_TRACEBACK=1 shows where it happened; what it shows may hold data.)"""


def main() -> None:
    """Run the command line; errors a user can mend are printed without a traceback."""
    # Nothing that we call may call home. Set here so that it also holds outside the Makefile.
    for name, value in {"BENTOML_DO_NOT_TRACK": "True", "DVC_NO_ANALYTICS": "1", "GX_ANALYTICS_ENABLED": "False",
                        "MLFLOW_DISABLE_TELEMETRY": "true"}.items():  # fmt: skip
        os.environ.setdefault(name, value)
    try:
        app()
    except BalanceRiskError as error:
        typer.echo(f"balance-risk: {error}", err=True)
        sys.exit(error.exit_code)
    except Exception as error:  # the last net: its text may hold a person's data
        if os.environ.get("BALANCE_RISK_TRACEBACK") == "1":
            raise
        typer.echo(UNEXPECTED.format(type(error).__name__), err=True)
        sys.exit(70)


def _show(report: dict[str, Any], as_json: bool) -> None:
    typer.echo(json.dumps(report, indent=2, sort_keys=True, ensure_ascii=False) if as_json else report["summary"])


def _settings(path: Path, **changes: dict[str, Any]) -> Any:
    """Read the params file and replace what the command line overrides (values of None are left alone)."""
    from pipeline.settings import read_settings

    settings = read_settings(path)
    for section, values in changes.items():
        chosen = {name: value for name, value in values.items() if value is not None}
        settings = settings.model_copy(update={section: getattr(settings, section).model_copy(update=chosen)})
    return settings


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"{text!r} is not a date. Write it as 2026-03-01.") from None


def _outcomes(chosen: list[Outcome] | None) -> list[str]:
    return [outcome.value for outcome in chosen or list(Outcome)]


@app.command()
def simulate(
    workspace: WorkspaceOption = HERE,
    params: ParamsOption = PARAMS,
    persons: Annotated[int | None, typer.Option(min=100, max=1_000_000, help="Number of persons.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of the cohort.")] = None,
    json_: JsonOption = False,
) -> None:
    """Simulate firms and their employees; write CSV source files stamped SYNTHETIC."""
    from pipeline import simulate as stage

    settings = _settings(params, simulate={"persons": persons, "seed": seed})
    _show(stage.run(Workspace(workspace), settings.simulate), json_)


@app.command()
def ingest(
    workspace: WorkspaceOption = HERE,
    params: ParamsOption = PARAMS,
    source: SourceOption = None,
    mapping: MappingOption = None,
    json_: JsonOption = False,
) -> None:
    """Check a source (default: data/source) row by row; keep what the contract allows, quarantine the rest with reasons."""
    from pipeline import ingest as stage

    _show(stage.run(Workspace(workspace), _settings(params).ingest, source, mapping), json_)


@app.command()
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

    settings = _settings(params).ingest if source else None
    _show(stage.run(Workspace(workspace), settings, source, mapping), json_)


@app.command()
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
        _show(retention.run(Workspace(workspace)), json_)
    else:
        from data_contracts.pseudonyms import VARIABLE, Pseudonymiser

        keys = Pseudonymiser.from_environment() if VARIABLE in os.environ else None
        _show(stage.run(Workspace(workspace), person, reason=reason, pseudonymiser=keys), json_)


@app.command("build-training-set")
def build_training_set(
    workspace: WorkspaceOption = HERE,
    params: ParamsOption = PARAMS,
    outcome: OutcomeOption = None,
    data_as_of: Annotated[
        str | None, typer.Option(help="Rebuild the set as the store was on the morning of this day (YYYY-MM-DD).")
    ] = None,
    json_: JsonOption = False,
) -> None:
    """Cut the histories at every index date and label what followed; say who was left out and why."""
    from pipeline import build_training_set as stage

    settings = _settings(params, training={"data_as_of": _day(data_as_of)})
    _show(stage.run(Workspace(workspace), settings, _outcomes(outcome)), json_)


@app.command()
def train(
    workspace: WorkspaceOption = HERE,
    params: ParamsOption = PARAMS,
    outcome: OutcomeOption = None,
    json_: JsonOption = False,
) -> None:
    """Compare the baselines and LightGBM out of fold, keep the simplest within one standard error, recalibrate it."""
    from pipeline import train as stage

    _show(stage.run(Workspace(workspace), _settings(params), _outcomes(outcome)), json_)


@app.command()
def evaluate(
    workspace: WorkspaceOption = HERE,
    params: ParamsOption = PARAMS,
    outcome: OutcomeOption = None,
    json_: JsonOption = False,
) -> None:
    """Judge the champion and every baseline on later dates and unseen persons, with intervals and pictures."""
    from pipeline import evaluate as stage

    _show(stage.run(Workspace(workspace), _settings(params), _outcomes(outcome)), json_)


@app.command()
def register(workspace: WorkspaceOption = HERE, outcome: OutcomeOption = None, json_: JsonOption = False) -> None:
    """Log the run in MLflow and register the model as balance-risk.<outcome>."""
    from pipeline import register as stage

    _show(stage.run(Workspace(workspace), _outcomes(outcome)), json_)


@app.command()
def promote(
    workspace: WorkspaceOption = HERE,
    outcome: OutcomeOption = None,
    version: Annotated[str | None, typer.Option(help="Registered version; default: the newest.")] = None,
    json_: JsonOption = False,
) -> None:
    """Move the alias champion, export it as a signed bundle, and point serving at it by one atomic rename."""
    from pipeline import promote as stage

    _show(stage.run(Workspace(workspace), _outcomes(outcome), version), json_)


@app.command()
def score(
    workspace: WorkspaceOption = HERE,
    index_date: Annotated[str | None, typer.Option(help="Morning of the prediction; default: today.")] = None,
    outcome: OutcomeOption = None,
    person: Annotated[str | None, typer.Option(help="Explain this one person instead of scoring everybody.")] = None,
    json_: JsonOption = False,
) -> None:
    """Score everybody in the tables (CSV of risks), or explain one person, with the promoted champions."""
    from pipeline import score as stage

    _show(stage.run(Workspace(workspace), _day(index_date), _outcomes(outcome), person), json_)


@app.command()
def features(json_: JsonOption = False) -> None:
    """List every feature: name, unit, meaning, domain, direction, whether it can be changed."""
    from pipeline import documentation

    _show(documentation.feature_report(), json_)


@app.command()
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


@app.command()
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

    settings = _settings(params) if params else Settings()
    changes = {"persons": persons, "seed": seed}
    simulated = settings.simulate.model_copy(update={k: v for k, v in changes.items() if v is not None})
    stage.run(Workspace(workspace), settings.model_copy(update={"simulate": simulated}), as_json=json_)


if __name__ == "__main__":
    main()
