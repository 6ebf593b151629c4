"""The validation report as a page that the sender of the data reads in a minute: one file, no script, nothing remote.

It is made from the report that ``validate`` stores, which holds counts, row numbers, columns and rules but no cell, and
never from Great Expectations' own data docs, which quote values and load assets from the network.
"""

from __future__ import annotations

import base64
import hashlib
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from data_contracts.absence_warnings import WARNINGS
from data_contracts.rules import RULES
from data_contracts.violations import Violation, shown

ACCEPTED, WITH_QUARANTINE, REFUSED = "accepted", "accepted with quarantined rows", "refused"
COUNTS = ("rows", "accepted", "quarantined", "duplicates")
ROWS_SHOWN = 3
_TEMPLATES = Path(__file__).parent / "templates"
_ASK_WHETHER_RIGHT = "The rows were accepted. Look at them, and send a correction if they are wrong."
_NEXT_STEP = {
    ACCEPTED: "Nothing needs to be done.",
    WITH_QUARANTINE: "The sound rows are in use. Please mend the rows named below and send them again.",
    REFUSED: "Nothing of this delivery is in use. Please mend what is named below and send everything again.",
}


def grouped(violations: Iterable[Violation]) -> list[dict[str, Any]]:
    """Count findings by source, column and rule, most frequent first, with the first row numbers and no value."""
    rows: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for found in violations:
        rows[found.origin, shown(found.column), found.rule].append(found.row)
    ordered = sorted(rows.items(), key=lambda entry: (-len(entry[1]), entry[0]))
    return [
        {
            "table": table,
            "column": column,
            "rule": rule,
            "count": len(numbers),
            "first_rows": sorted(numbers)[:ROWS_SHOWN],
        }
        for (table, column, rule), numbers in ordered
    ]


def sentence(report: dict[str, Any]) -> str:
    """Say in one line what came of a delivery."""
    if not report["tables"]:
        return f"validate: {report['verdict']}; the source cannot be used as a whole"
    sums = {key: sum(counts[key] for counts in report["tables"].values()) for key in COUNTS}
    warnings = sum(one["count"] for one in report["warnings"])
    results = [one for result in report["expectations"].values() for one in result["expectations"]]
    failed = sum(not one["success"] for one in results)
    return (
        f"validate: {report['verdict']}; {sums['rows']} rows, {sums['accepted']} accepted, {sums['quarantined']} "
        f"quarantined, {sums['duplicates']} repeated, {warnings} warnings, {report['safety_flags']} safety flags; "
        f"{len(results)} expectations over {len(report['expectations'])} tables, {failed} failed"
    )


def html(report: dict[str, Any]) -> str:
    """Return the report as one HTML page."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["spaced"] = lambda count: f"{count:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
    style = (_TEMPLATES / "validation_report.css").read_text(encoding="utf-8")
    return environment.get_template("validation_report.html").render(
        report=report,
        next_step=_NEXT_STEP[report["verdict"]],
        refused=_by_rule(report["rules"]),
        warned=_by_rule(report["warnings"]),
        # The file is ours, and the page allows no style but the one with this hash.
        style=Markup(style),
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
    )


def _by_rule(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Gather the groups of each rule under what it means and what to ask for, most frequent rule first."""
    places: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for group in groups:
        places[group["rule"]].append(group)
    rules = [
        {"rule": rule, "meaning": meaning(rule), "advice": advice(rule), "places": found,
         "count": sum(group["count"] for group in found)}
        for rule, found in places.items()
    ]  # fmt: skip
    return sorted(rules, key=lambda entry: -entry["count"])


def advice(rule: str) -> str:
    """Return what to ask the sender to do."""
    return RULES[rule].advice if rule in RULES else _ASK_WHETHER_RIGHT


def meaning(rule: str) -> str:
    """Return what a rule or a warning means."""
    return RULES[rule].meaning if rule in RULES else WARNINGS[rule]
