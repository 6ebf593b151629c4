"""Options that verbs share, the settings they read and how they show a report."""

from __future__ import annotations

import json
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, overload

import typer

from data_contracts.errors import NotEnoughDataError, SettingsError


class Engine(StrEnum):
    """Where partitions of persons are worked on."""

    LOCAL = "local"
    DASK = "dask"


def declared_outcomes() -> list[str]:
    """Return the names of the outcomes that can be trained; a third of a second to import, so not before one is asked for."""
    from models.outcomes import OUTCOMES

    return list(OUTCOMES)


def outcome_name(text: str) -> str:
    """Return the name of an outcome as it was given; raises BadParameter where there is none of that name."""
    known = declared_outcomes()
    if text not in known:
        raise typer.BadParameter(f"{text!r} is not one of: {', '.join(known)}.")
    return text


def outcome_names_beginning(incomplete: str) -> list[str]:
    """Return what the shell may complete a name to."""
    return [name for name in declared_outcomes() if name.startswith(incomplete)]


def outcome_option(help_: str) -> Any:
    """Return an option --outcome, whose value is the name of one."""
    return typer.Option(
        "--outcome", help=help_, metavar="NAME", parser=outcome_name, autocompletion=outcome_names_beginning
    )


WorkspaceOption = Annotated[
    Path, typer.Option("--workspace", "-w", help="Directory that holds data/, bundles/ and mlflow.db.")
]
ParamsOption = Annotated[Path, typer.Option("--params", help="File with the numbers of every stage.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout instead of text.")]
OutcomeOption = Annotated[list[str] | None, outcome_option("Repeat for several; default: all.")]

SourceOption = Annotated[
    str | None,
    typer.Option(help="Directory of CSV, Parquet or FHIR files, one such file, or a database URL (SQLAlchemy)."),
]
MappingOption = Annotated[
    Path | None,
    typer.Option(help="YAML file that maps the source's own names and codes; default: mapping.yaml beside it."),
]

EngineOption = Annotated[
    Engine,
    typer.Option(
        envvar="BALANCE_RISK_ENGINE", help="local: one partition of persons after the other; dask: side by side."
    ),
]
SchedulerOption = Annotated[
    str | None,
    typer.Option(
        envvar="BALANCE_RISK_SCHEDULER",
        help="Address of a Dask cluster, tls://host:port; default: a process per processor of this machine.",
    ),
]

HERE = Path()
PARAMS = Path("params.yaml")


def show(report: dict[str, Any], as_json: bool) -> None:
    """Print a stage's report as text or as one JSON document; the exit code tells if an outcome lacks data."""
    typer.echo(json.dumps(report, indent=2, sort_keys=True, ensure_ascii=False) if as_json else report["summary"])
    if report.get("not_enough_data"):
        raise typer.Exit(NotEnoughDataError.exit_code)


def settings_of(path: Path, **changes: dict[str, Any]) -> Any:
    """Read the params file and replace what the command line overrides (values of None are left alone)."""
    from pipeline.settings import read_settings

    settings = read_settings(path)
    for section, values in changes.items():
        chosen = {name: value for name, value in values.items() if value is not None}
        settings = settings.model_copy(update={section: getattr(settings, section).model_copy(update=chosen)})
    return settings


@overload
def day_of(text: str) -> date: ...
@overload
def day_of(text: None) -> None: ...
def day_of(text: str | None) -> date | None:
    """Return the date that an option gives; raises SettingsError where it is none."""
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"{text!r} is not a date. Write it as 2026-03-01.") from None


def outcomes_of(chosen: list[str] | None) -> list[str]:
    """Return the chosen outcomes, all of them where none was chosen."""
    return chosen or declared_outcomes()
