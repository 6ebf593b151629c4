"""The safety flags that ingest found, which later stages must not lose: the tables hold none of those of refused rows."""

from __future__ import annotations

import csv
from datetime import date
from itertools import chain

from data_contracts.safety import SafetyFlag, in_order, safety_flags
from data_contracts.table_parts import TableParts
from data_contracts.tables import Table
from pipeline.workspace import Workspace

FILE = "safety_flags.csv"


def stored_flags(workspace: Workspace, tables: dict[str, Table]) -> list[SafetyFlag]:
    """Return the flags of the accepted rows and, where ingest has listed them, those of the refused."""
    return in_order([*safety_flags(tables["survey_answers"]), *_listed(workspace)])


def flags_in_parts(workspace: Workspace, tables: TableParts) -> list[SafetyFlag]:
    """Return what :func:`stored_flags` returns, with the answers of one part in memory."""
    of_parts = (safety_flags(part["survey_answers"]) for part in tables.each("survey_answers"))
    return in_order([*chain.from_iterable(of_parts), *_listed(workspace)])


def _listed(workspace: Workspace) -> list[SafetyFlag]:
    path = workspace.tables / FILE
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [
            SafetyFlag(
                person_id=row["person_id"].removeprefix("'")
                or None,  # ingest puts it before what a spreadsheet would run
                instrument=row["instrument"],
                item=row["item"],
                answered_on=_day(row["answered_on"]),
                known_from=_day(row["known_from"]),
            )
            for row in csv.DictReader(file)
        ]


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
