"""Verb doctor: is my data enough, what is missing, what will fail, and which verb comes next. Reads, never writes.

It asks the same functions as the stages: eligibility and labels of every index date, the features of the morning after the
newest row, the sample-size criteria that train holds candidates to.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from data_contracts.readers.parquet_files import day_span
from data_contracts.records import TABLES
from data_contracts.time_windows import today
from pipeline.checkup import coverage, outlook, place, tables
from pipeline.checkup.finding import Finding
from pipeline.checkup.next_step import next_step
from pipeline.console import read_json
from pipeline.settings import Settings
from pipeline.training_dates import first_day, short_history_note
from pipeline.workspace import Workspace


def run(workspace: Workspace, settings: Settings, outcomes: list[str]) -> dict[str, Any]:
    """Look at a workspace; return what was found by section, and the next step."""
    sections: dict[str, list[Finding]] = {"place": [*place.findings(workspace)]}
    if (workspace.tables / "ingest.json").exists():
        sections |= _of_tables(workspace, settings, outcomes)
    step = next_step(workspace)
    lines = ["doctor"]
    for name, found in sections.items():
        lines += [f"{name}", *(one.line() for one in found)]
    counted = _counted(one for found in sections.values() for one in found)
    lines += [f"{counted['problem']} problem(s), {counted['note']} note(s). Next: {step}"]
    told = {name: [one.to_json() for one in found] for name, found in sections.items()}
    return {"findings": told, "counts": counted, "next": step, "summary": "\n".join(lines)}


def _of_tables(workspace: Workspace, settings: Settings, outcomes: list[str]) -> dict[str, list[Finding]]:
    home = workspace.tables
    n_persons = read_json(home / "ingest.json")["tables"]["persons"]["accepted"]
    spans = [day_span(home, name, "known_from") for name in TABLES]
    known = [span[1] for span in spans if span is not None]
    sections = {"tables": [*tables.findings(home, today())]}
    if not n_persons:
        return sections
    day = coverage.morning_after(max(known))
    sections["what is known"] = [*coverage.findings(coverage.coverage(home, day), day, n_persons)]
    looked = outlook.outlooks(home, settings, outcomes)
    sections["outcomes"] = [one for each in looked for one in outlook.findings(each, settings)]
    dates = sorted({day for each in looked for day in each.dates})
    note = short_history_note(first_day(home, "absence_spells", "first_day"), dates)
    if note and dates:
        sections["outcomes"].append(Finding("note", "history", note))
    return sections


def _counted(found: Iterable[Finding]) -> dict[str, int]:
    levels = [one.level for one in found]
    return {level: levels.count(level) for level in ("problem", "note", "good")}
