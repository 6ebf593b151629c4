"""Verbs that write reports for people who do not work with the tables: report workplace, report governance."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.options import HERE, JsonOption, WorkspaceOption, show
from pipeline.workspace import Workspace

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Reports for people outside the service: what a workplace is told (docs/workplace_report.md), and what those ask "
    "who answer for the system (docs/governance.md).",
)


class Languages(StrEnum):
    """In which language a report is written."""

    NB = "nb"
    EN = "en"
    BOTH = "both"


class ReportFormat(StrEnum):
    """What a report is written as."""

    HTML = "html"
    PDF = "pdf"
    JSON = "json"


@app.command()
def workplace(
    company: Annotated[str, typer.Option(help="Identifier of the company, as in the tables.")],
    workspace: WorkspaceOption = HERE,
    language: Annotated[Languages, typer.Option(help="Norwegian bokmål, English or both.")] = Languages.BOTH,
    format_: Annotated[
        list[ReportFormat] | None, typer.Option("--format", help="Repeat for several; default: all.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Directory to write to; default: data/workplace_reports/COMPANY/MONTH.")
    ] = None,
    json_: JsonOption = False,
) -> None:
    """Write what a company is told of its newest month: groups of ten or more, rounded; that you did is logged."""
    from pipeline import workplace_report as stage

    languages = stage.LANGUAGES if language == Languages.BOTH else (language.value,)
    formats = [one.value for one in format_ or list(ReportFormat)]
    show(stage.run(Workspace(workspace), company, languages, formats, out), json_)


@app.command()
def governance(
    workspace: WorkspaceOption = HERE,
    out: Annotated[Path | None, typer.Option(help="Directory to write to; default: data/governance.")] = None,
    json_: JsonOption = False,
) -> None:
    """Write the governance pack: model cards, data sheet, DPIA and risk file begun, accesses, fairness, incidents."""
    from pipeline import governance_pack as stage

    show(stage.run(Workspace(workspace), out), json_)
