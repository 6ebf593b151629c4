"""Stage ingest: source files → checked tables, with every refused row in quarantine.csv and every number in ingest.json."""

from __future__ import annotations

import csv
import shutil
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from data_contracts.errors import ContractViolation, SourceFileError
from data_contracts.readers.csv_files import read_source_file
from data_contracts.readers.parquet_files import write_tables
from data_contracts.records import RECORDS, Record
from data_contracts.tables import Table, take
from data_contracts.time_windows import today
from data_contracts.validation import Checked, Violation, check, orphans
from pipeline.console import progress, read_json, sha256, write_json
from pipeline.settings import IngestSettings
from pipeline.workspace import Workspace, require

REQUIRED_TABLES = ("persons", "employments", "consents")
SHOWN_PER_RULE = 1


def run(workspace: Workspace, settings: IngestSettings) -> dict[str, Any]:
    """Read, check and store all tables; raises when a file is unusable or too much had to be quarantined."""
    require(workspace.source, "simulate (or put your own CSV files there)")
    received_on = settings.received_on or today()
    shutil.rmtree(workspace.tables, ignore_errors=True)  # no table of an earlier run outlives a refused one
    checked, reports = _check_files(workspace.source, settings, received_on)
    tables = {name: found.table for name, found in checked.items()}
    violations = [violation for found in checked.values() for violation in found.violations]
    violations += _drop_orphans(tables, {name: found.row_numbers for name, found in checked.items()}, reports)
    workspace.tables.mkdir(parents=True)
    _write_quarantine(workspace.tables / "quarantine.csv", violations)
    report: dict[str, Any] = {
        "tables": reports,
        "received_on": received_on.isoformat(),
        "known_from_assumptions": settings.known_from_assumptions,
        "synthetic": _is_synthetic(workspace.source),
        "rules": dict(Counter(f"{v.origin}: {v.column}: {v.rule}" for v in violations)),
    }
    report["summary"] = _summary(report, violations, workspace)
    write_json(workspace.tables / "ingest.json", report)
    _refuse_if_too_much(reports, settings.max_quarantined_share, report["summary"])
    write_tables(workspace.tables, tables)
    return report


def _check_files(
    directory: Path, settings: IngestSettings, received_on: date
) -> tuple[dict[str, Checked], dict[str, Any]]:
    checked: dict[str, Checked] = {}
    reports: dict[str, Any] = {}
    faults: list[str] = []
    with progress("ingest source files", len(RECORDS)) as advance:
        for record in RECORDS:
            try:
                checked[record.table], reports[record.table] = _check_file(directory, record, settings, received_on)
            except SourceFileError as fault:
                faults.append(str(fault))
            advance(1)
    if faults:
        raise SourceFileError("\n".join(faults))
    return checked, reports


def _check_file(
    directory: Path, record: type[Record], settings: IngestSettings, received_on: date
) -> tuple[Checked, dict[str, Any]]:
    path = directory / f"{record.table}.csv"
    if not path.exists():
        if record.table in REQUIRED_TABLES:
            raise SourceFileError(f"{path}: no such file; every source needs persons, employments and consents.")
        checked = check(record, {}, received_on=received_on, origin=path.name)
        return checked, {**_counts(checked), "sha256": None, "notes": ["no such file: the table is empty"]}
    raw, notes = read_source_file(path, record, settings.known_from_assumptions.get(record.table))
    checked = check(record, raw, received_on=received_on, origin=path.name, first_row=2)
    return checked, {**_counts(checked), "sha256": sha256(path), "notes": notes}


def _counts(checked: Checked) -> dict[str, int]:
    return {
        "rows": checked.n_rows,
        "accepted": checked.n_accepted,
        "quarantined": checked.n_quarantined,
        "duplicates": checked.n_duplicates,
    }


def _drop_orphans(
    tables: dict[str, Table], row_numbers: dict[str, np.ndarray], reports: dict[str, Any]
) -> list[Violation]:
    """Take rows of unknown persons out of the tables; the persons table may itself have lost rows to quarantine."""
    violations = []
    for name, lost in orphans(tables).items():
        tables[name] = take(tables[name], ~lost)
        reports[name]["accepted"] -= int(lost.sum())
        reports[name]["quarantined"] += int(lost.sum())
        # The row number is enough to find the person; the identifier need not be repeated.
        violations += [
            Violation(
                f"{name}.csv", row, "person_id", "person not in persons", None, "no accepted row of persons.csv has it"
            )
            for row in row_numbers[name][lost].tolist()
        ]
    return violations


def _write_quarantine(path: Path, violations: list[Violation]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "row", "column", "rule", "value", "reason"])
        writer.writerows((v.origin, v.row, v.column, v.rule, v.value, v.reason) for v in violations)


def _summary(report: dict[str, Any], violations: list[Violation], workspace: Workspace) -> str:
    totals = Counter[str]()
    for counts in report["tables"].values():
        totals.update({key: counts[key] for key in ("rows", "accepted", "quarantined", "duplicates")})
    lines = [
        f"ingest: {totals['rows']} rows read, {totals['accepted']} accepted, {totals['quarantined']} quarantined, "
        f"{totals['duplicates']} identical duplicates counted once"
    ]
    shown: Counter[tuple[str, str, str]] = Counter()
    for violation in violations:
        kind = (violation.origin, violation.column, violation.rule)
        shown[kind] += 1
        if shown[kind] <= SHOWN_PER_RULE:
            lines.append(
                f"  {violation.origin} row {violation.row}, column {violation.column}: {violation.rule}"
                f" (value {violation.value!r}; {violation.reason})"
            )
    lines += [f"  … and {n - SHOWN_PER_RULE} more: {file}, {column}: {rule}"
              for (file, column, rule), n in shown.items() if n > SHOWN_PER_RULE]  # fmt: skip
    lines += [f"  {name}: {note}" for name, counts in report["tables"].items() for note in counts["notes"]]
    if violations:
        lines.append(f"  every case: {workspace.tables / 'quarantine.csv'}")
    return "\n".join(lines)


def _refuse_if_too_much(reports: dict[str, Any], most: float, summary: str) -> None:
    over = [f"{name} ({counts['quarantined']} of {counts['rows']} rows)" for name, counts in reports.items()
            if counts["quarantined"] > most * counts["rows"]]  # fmt: skip
    if over:
        raise ContractViolation(
            f"{summary}\nToo much was quarantined: {', '.join(over)}; the limit is {most:.0%} of a table. Mend the source "
            "files, or raise ingest.max_quarantined_share in params.yaml if you know why."
        )


def _is_synthetic(directory: Path) -> bool:
    stamp = directory / "source.json"
    return bool(stamp.exists() and read_json(stamp).get("synthetic"))
