"""Stage validate: what came, what was refused and why, and the Great Expectations suites over what was accepted.

Without a source it looks at the tables that ingest stored; with one it checks the source as ingest would, and stores
nothing but the report. The report holds counts, row numbers, columns and rules: never the value of a cell.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from math import fsum
from pathlib import Path
from typing import Any

import numpy as np

from data_contracts.absence_percentage import absence_percentage
from data_contracts.errors import ContractViolation, SourceFileError
from data_contracts.fingerprints import fingerprint
from data_contracts.national_identity_number import mask
from data_contracts.readers.sources import shown_location
from data_contracts.records import TABLES
from data_contracts.safety import SafetyFlag
from data_contracts.table_parts import TableParts
from data_contracts.tables import n_rows
from data_contracts.time_windows import today
from data_contracts.violations import Violation
from pipeline.console import progress, read_json, write_json
from pipeline.erasures import Tombstones
from pipeline.settings import IngestSettings
from pipeline.source_check import SourceCheck, check_source
from pipeline.stored_flags import flags_in_parts
from pipeline.validation_report import ACCEPTED, COUNTS, REFUSED, WITH_QUARANTINE, grouped, html, sentence
from pipeline.workspace import Workspace, require

FEWEST_PERSONS = 10
"""An aggregate over fewer persons is about persons."""


def run(
    workspace: Workspace,
    settings: IngestSettings | None = None,
    source: str | None = None,
    mapping: Path | None = None,
) -> dict[str, Any]:
    """Validate and write report.json and report.html; raises ContractViolation when the delivery is refused.

    ``source`` (a directory, a file or a database URL) and ``mapping`` as in ingest. A source that is unusable as a whole
    is reported too, and its SourceFileError goes on.
    """
    settings = settings or IngestSettings()
    try:
        found, tables = _stored(workspace) if source is None else _arriving(workspace, settings, source, mapping)
    except SourceFileError as error:
        _write(workspace, _unusable(source or "", error, settings.received_on or today()))
        raise
    # What ingest has stored it has already measured against the limit of its own settings.
    problems = [] if source is None else _too_much_quarantined(found, settings.max_quarantined_share)
    with progress("validate with Great Expectations"):
        from data_contracts.expectations import run_in_parts

        expectations = run_in_parts(tables, found.received_on)
    problems += _failed(expectations)
    report = _report(found, tables, expectations, problems)
    _write(workspace, report)
    if problems:
        raise ContractViolation("\n".join([report["summary"], *problems, f"The whole report: {_page(workspace)}"]))
    return report


def _arriving(
    workspace: Workspace, settings: IngestSettings, source: str, mapping: Path | None
) -> tuple[SourceCheck, TableParts]:
    found = check_source(source, mapping or settings.mapping, settings, Tombstones.load(workspace))
    return found, TableParts.of(found.tables)


def _stored(workspace: Workspace) -> tuple[SourceCheck, TableParts]:
    """Return what ingest found, and the tables, which stay on the disk; of quarantined rows the values stay behind."""
    tables = TableParts.stored(require(workspace.tables / "persons.parquet", "ingest").parent)
    return _found_before(workspace, flags_in_parts(workspace, tables)), tables


def _found_before(workspace: Workspace, flags: list[SafetyFlag]) -> SourceCheck:
    with _undamaged(workspace.tables / "ingest.json") as path:
        known = read_json(require(path, "ingest"))
        return SourceCheck(
            tables={},
            row_numbers={},
            violations=_read_violations(workspace.tables / "quarantine.csv"),
            warnings=_read_violations(workspace.tables / "warnings.csv"),
            safety_flags=flags,
            reports={name: known["tables"][name] | _counts(known["tables"][name]) for name in TABLES},
            notes=known["notes"],
            received_on=date.fromisoformat(known["received_on"]),
            location=known["location"],
            synthetic=known["synthetic"],
            assumptions=known["known_from_assumptions"],
            worked_out=known.get("worked_out", {}),
        )


def _counts(report: dict[str, Any]) -> dict[str, int]:
    return {key: int(report[key]) for key in COUNTS}


@contextmanager
def _undamaged(path: Path) -> Iterator[Path]:
    try:
        yield path
    except (ValueError, KeyError, TypeError, AttributeError, csv.Error, RecursionError, OSError):
        # The faults' own texts may quote the file.
        raise SourceFileError(f"{path} is damaged or cannot be read. Run `balance-risk ingest` again.") from None


def _read_violations(path: Path) -> list[Violation]:
    with _undamaged(path), require(path, "ingest").open(newline="", encoding="utf-8") as file:
        return [
            Violation(row["file"], int(row["row"]), row["column"], row["rule"], None, "")
            for row in csv.DictReader(file)
        ]


def _too_much_quarantined(found: SourceCheck, most: float) -> list[str]:
    return [
        f"{name}: {counts['quarantined']} of {counts['rows']} rows were quarantined; the limit is {most:.0%} of a table."
        for name, counts in found.reports.items()
        if counts["quarantined"] > most * counts["rows"]
    ]


def _failed(expectations: dict[str, dict[str, Any]]) -> list[str]:
    return [
        f"{table}.{one['column']}: {one['rule']} ({one['unexpected_count']} accepted rows; {one['type']})"
        for table, result in expectations.items()
        for one in result["expectations"]
        if not one["success"]
    ]


def _report(
    found: SourceCheck, tables: TableParts, expectations: dict[str, dict[str, Any]], problems: list[str]
) -> dict[str, Any]:
    quarantined = any(counts["quarantined"] for counts in found.reports.values())
    counted = {
        name: {key: counts[key] for key in COUNTS}
        | {"notes": [mask(note) for note in counts["notes"]], "sha256": counts["sha256"],
           "contract": fingerprint(TABLES[name])}
        for name, counts in found.reports.items()
    }  # fmt: skip
    report = {
        "verdict": REFUSED if problems else WITH_QUARANTINE if quarantined or found.violations else ACCEPTED,
        "problems": problems,
        "location": found.location,
        "received_on": found.received_on.isoformat(),
        "synthetic": found.synthetic,
        "notes": [mask(note) for note in found.notes],
        "assumptions": found.assumptions,
        "worked_out": found.worked_out,
        "tables": counted,
        "rules": grouped(found.violations),
        "warnings": grouped(found.warnings),
        "safety_flags": len(found.safety_flags),
        "absence": _absence(tables),
        "expectations": expectations,
    }
    return report | {"summary": sentence(report)}


def _absence(tables: TableParts) -> dict[str, Any] | None:
    """Absence per cent of the last twelve months of the data, by which a sender sees missing or repeated rows at once."""
    known = [part["absence_spells"]["known_from"] for part in tables.each("absence_spells")]
    latest = [days.max().item() for days in known if len(days)]
    persons = sum(n_rows(part["persons"]) for part in tables.each("persons"))
    if not latest or persons < FEWEST_PERSONS:
        return None
    last_day = max(latest) - timedelta(days=1)
    first_day = last_day - timedelta(days=364)
    agreed, by_doctor, by_self = _days(tables, first_day, last_day)
    if not agreed:
        return None
    doctor, self_certified = 100 * by_doctor / agreed, 100 * by_self / agreed
    return {
        "first_day": first_day.isoformat(),
        "last_day": last_day.isoformat(),
        "percent": round(doctor + self_certified, 1),
        "percent_doctor_certified": round(doctor, 1),
    }


def _days(tables: TableParts, first_day: date, last_day: date) -> tuple[float, float, float]:
    """Agreed days, and those lost with a doctor's certificate and without."""
    found = [absence_percentage(part, first_day, last_day) for part in tables.each("employments", "absence_spells")]
    days = [(one.agreed_days, one.lost_days_doctor_certified, one.lost_days_self_certified) for one in found]
    # Their exact sum does not depend on how persons are divided.
    agreed, by_doctor, by_self = (fsum(np.concatenate(one)) for one in zip(*days, strict=True))
    return agreed, by_doctor, by_self


def _unusable(location: str, error: SourceFileError, received_on: date) -> dict[str, Any]:
    report = {
        "verdict": REFUSED,
        "problems": [mask(line) for line in str(error).splitlines()],
        "location": shown_location(location),
        "received_on": received_on.isoformat(),
        "synthetic": False,
        "notes": [],
        "assumptions": {},
        "worked_out": {},
        "tables": {},
        "rules": [],
        "warnings": [],
        "safety_flags": 0,
        "absence": None,
        "expectations": {},
    }
    return report | {"summary": sentence(report)}


def _write(workspace: Workspace, report: dict[str, Any]) -> None:
    write_json(workspace.validation, report)
    _page(workspace).write_text(html(report), encoding="utf-8")


def _page(workspace: Workspace) -> Path:
    return workspace.validation.with_suffix(".html")
