"""Stage ingest: a source → checked tables, with every refused row in quarantine.csv and every number in ingest.json.

Texts of refused cells stand in quarantine.csv alone: a name may have been typed where an identifier belongs.
"""

from __future__ import annotations

import csv
import re
import shutil
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from data_contracts.errors import ContractViolation
from data_contracts.readers.parquet_files import write_tables
from data_contracts.records import RECORDS, columns
from data_contracts.safety import SafetyFlag
from data_contracts.validation import Violation
from pipeline.console import write_json
from pipeline.erasures import Tombstones
from pipeline.locks import alone
from pipeline.settings import IngestSettings
from pipeline.source_check import SourceCheck, check_source
from pipeline.workspace import Workspace, require

SHOWN_PER_RULE = 1

_FIGURE = re.compile(r"(?=.*\d)[-+<>=\d.,:/'% TZeE]+", re.ASCII)
_RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "'")


@alone
def run(
    workspace: Workspace, settings: IngestSettings, source: str | None = None, mapping: Path | None = None
) -> dict[str, Any]:
    """Read, check and store all tables; raises when a file is unusable or too much had to be quarantined.

    ``source`` (a directory, a file or a database URL) and ``mapping`` go before those of the settings.
    """
    location = source or settings.source
    if location is None:
        location = str(require(workspace.source, "simulate (or put your own CSV files there)"))
    shutil.rmtree(workspace.tables, ignore_errors=True)  # no table of an earlier run outlives a refused one
    found = check_source(location, mapping or settings.mapping, settings, Tombstones.load(workspace))
    workspace.tables.mkdir(parents=True)
    _write_violations(workspace.tables / "quarantine.csv", found.violations)
    _write_violations(workspace.tables / "warnings.csv", found.warnings)
    _write_rows(workspace.tables / "safety_flags.csv", SafetyFlag._fields, found.safety_flags)
    report: dict[str, Any] = {
        "tables": found.reports,
        "received_on": found.received_on.isoformat(),
        "location": found.location,
        "known_from_assumptions": found.assumptions,
        "worked_out": found.worked_out,
        "synthetic": found.synthetic,
        "notes": found.notes,
        "rules": _counts(found.violations),
        "warnings": _counts(found.warnings),
        "safety_flags": dict(Counter(f"{flag.instrument}.{flag.item}" for flag in found.safety_flags)),
    }
    report["summary"] = _summary(found, workspace)
    write_json(workspace.tables / "ingest.json", report)
    _refuse_if_too_much(found.reports, settings.max_quarantined_share, report["summary"])
    write_tables(workspace.tables, found.tables)
    return report


def _counts(violations: list[Violation]) -> dict[str, int]:
    return dict(Counter(f"{v.origin}: {v.column}: {v.rule}" for v in violations))


def _write_violations(path: Path, violations: list[Violation]) -> None:
    _write_rows(path, ("file", "row", "column", "rule", "value", "reason"), violations)


def _write_rows(path: Path, header: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(map(_without_formulas, rows))


def _without_formulas(row: tuple[Any, ...]) -> list[Any]:
    """Return the cells with an apostrophe before text that a spreadsheet would run, or that begins with one itself.

    Taking one leading apostrophe away gives every cell back as it was.
    """
    return [f"'{cell}" if isinstance(cell, str) and cell.startswith(_RISKY) else cell for cell in row]


def _may_be_shown(violation: Violation) -> bool:
    """True for what looks like a number or a date in a column that is not for text; anything else may be a name."""
    is_figure = violation.value is not None and _FIGURE.fullmatch(violation.value) is not None
    kinds = {column.kind for record in RECORDS for column in columns(record) if column.name == violation.column}
    return is_figure and bool(kinds) and "text" not in kinds


def _summary(found: SourceCheck, workspace: Workspace) -> str:
    totals = Counter[str]()
    for counts in found.reports.values():
        totals.update({key: counts[key] for key in ("rows", "accepted", "quarantined", "duplicates")})
    lines = [
        f"ingest: {totals['rows']} rows read, {totals['accepted']} accepted, {totals['quarantined']} quarantined, "
        f"{totals['duplicates']} identical duplicates counted once"
    ]
    shown: Counter[tuple[str, str, str]] = Counter()
    for violation in found.violations:
        kind = (violation.origin, violation.column, violation.rule)
        shown[kind] += 1
        if shown[kind] <= SHOWN_PER_RULE:
            value = f"value {violation.value!r}; " if _may_be_shown(violation) else ""
            lines.append(
                f"  {violation.origin} row {violation.row}, column {violation.column}: {violation.rule}"
                f" ({value}{violation.reason})"
            )
    lines += [f"  … and {n - SHOWN_PER_RULE} more: {file}, {column}: {rule}"
              for (file, column, rule), n in shown.items() if n > SHOWN_PER_RULE]  # fmt: skip
    lines += [f"  {note}" for note in found.notes]
    lines += [f"  {name}: {note}" for name, counts in found.reports.items() for note in counts["notes"]]
    if found.violations:
        lines.append(f"  every case: {workspace.tables / 'quarantine.csv'}")
    if found.warnings:
        lines.append(f"  {len(found.warnings)} warnings about accepted rows: {workspace.tables / 'warnings.csv'}")
    return "\n".join(lines + _safety_lines(found, workspace))


def _safety_lines(found: SourceCheck, workspace: Workspace) -> list[str]:
    persons: dict[str, set[str]] = {}
    for number, flag in enumerate(found.safety_flags):
        who = flag.person_id or f"{number}, unknown"
        persons.setdefault(f"{flag.instrument} {flag.item}", set()).add(who)
    where = workspace.tables / "safety_flags.csv"
    return [
        f"  SAFETY: {len(names)} person(s) answered {item} above its limit: a clinician must look today, see {where}"
        for item, names in persons.items()
    ]


def _refuse_if_too_much(reports: dict[str, Any], most: float, summary: str) -> None:
    over = [f"{name} ({counts['quarantined']} of {counts['rows']} rows)" for name, counts in reports.items()
            if counts["quarantined"] > most * counts["rows"]]  # fmt: skip
    if over:
        raise ContractViolation(
            f"{summary}\nToo much was quarantined: {', '.join(over)}; the limit is {most:.0%} of a table. Mend the source "
            "files, or raise ingest.max_quarantined_share in params.yaml if you know why."
        )
