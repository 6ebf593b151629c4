"""The tables: what came, what was refused, what is empty and what that costs, and how old everything is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from data_contracts.readers.parquet_files import day_span
from features.catalogue import FEATURES
from models.outcomes import OUTCOMES
from pipeline.checkup.finding import Finding
from pipeline.console import read_json
from pipeline.training_dates import LABEL_TABLES

STALE = timedelta(days=62)
"""A delivery a month is usual; after two months something has stopped."""

MUCH_REFUSED = 0.01

NEEDED = ("persons", "employments", "consents")
"""Without any of these nobody can be learnt from or scored."""


def findings(home: Path, today: date) -> Iterator[Finding]:
    """Look at what ingest left.

    Parameters
    ----------
    home : Path
        The directory of the tables.
    today : date
    """
    report = read_json(home / "ingest.json")
    if report["synthetic"]:
        yield Finding("note", "tables", "of SYNTHETIC persons: what a model reaches here says nothing about anybody")
    for name, counts in report["tables"].items():
        yield from _of_table(home, name, counts, today, is_simulated=report["synthetic"])
    for name, assumption in report["known_from_assumptions"].items():
        yield Finding(
            "note", name, f"known_from is an assumption ({assumption})",
            "Wrong by a week, it lets the future leak into the past: have the source deliver it.",
        )  # fmt: skip
    for name, assumed in report.get("worked_out", {}).items():  # an ingest of an older version says nothing
        yield Finding(
            "note", name, f"not in the source, but assumed by the mapping: {'; '.join(assumed)}",
            "Windows and horizons no longer than an error named here mean nothing.",
        )  # fmt: skip


def _of_table(home: Path, name: str, counts: dict[str, Any], today: date, *, is_simulated: bool) -> Iterator[Finding]:
    if not counts["accepted"]:
        yield Finding(
            "problem" if name in NEEDED else "note",
            name,
            f"no rows. {_cost(name)}",
            f"Columns: docs/data_dictionary.md, {name}.",
        )
        return
    share = counts["quarantined"] / counts["rows"]
    span = day_span(home, name, "known_from")
    newest = f", the newest known from {span[1]}" if span else ""
    said = f"{counts['accepted']} rows{newest}, {share:.1%} refused"
    if share > MUCH_REFUSED:
        yield Finding("note", name, said, f"Why, cell by cell: {home / 'quarantine.csv'}")
    elif span and not is_simulated and today - span[1] > STALE:
        yield Finding("note", name, said, f"Nothing new for {(today - span[1]).days} days: has a delivery stopped?")
    else:
        yield Finding("good", name, said)


def _cost(table: str) -> str:
    """Return what cannot be done without a table."""
    features = Counter(feature.table for feature in FEATURES)[table]
    unlabelled = [name for name, outcome in OUTCOMES.items() if LABEL_TABLES[outcome.label_source] == table]
    said = [f"{features} of {len(FEATURES)} features are unknown for everybody"] if features else []
    if unlabelled:
        said.append(f"no label of {', '.join(unlabelled)} can be known")
    if table in NEEDED:
        said.append("nobody is eligible")
    return "; ".join(said) + "." if said else ""
