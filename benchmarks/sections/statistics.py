"""Sections about what is right and not how fast: leakage, disclosure, effects, monitoring."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from benchmarks.effects.coverage import table as coverage_table
from benchmarks.monitoring.null_runs import table as null_runs_table
from benchmarks.monitoring.tables import detection_table, null_table, rivals_table
from benchmarks.sections.markdown import table

Found = dict[str, Any]
VERDICTS = ("right", "leaks", "wrong", "not offered")


def leakage(found: Found) -> Iterator[str]:
    """Yield how many of the leakage cases each tool gets right."""
    n = len(found["cases"])
    yield f"The {n} leakage cases, put to each tool. Case by case: [scoreboard](leakage_scoreboard.md)."
    yield ""
    names = list(found["cases"][0]["columns"])
    counts = {name: Counter(case["columns"][name]["verdict"] for case in found["cases"]) for name in names}
    yield from table(["tool", *VERDICTS], [[name, *(str(counts[name][one]) for one in VERDICTS)] for name in names])


def peers(found: Found) -> Iterator[str]:
    """Yield the time per number of feature tools."""
    yield "What is asked of whom, and what else is compared: [scoreboard](leakage_scoreboard.md)."
    yield ""
    rows = [
        [run["tool"], f"{run['persons']:,}", str(run["features"]), f"{run['seconds']:.3g}", f"{run['cpu_seconds']:.3g}",
         f"{run['peak_mb']:.0f}", f"{run['times_ours_cpu']:.3g}", run["equal"]]
        for run in found["runs"]
    ]  # fmt: skip
    head = [
        "tool",
        "persons",
        "numbers each",
        "s",
        "CPU s",
        "peak MB",
        "CPU per number, × our catalogue",
        "equal to ours",
    ]
    yield from table(head, rows)


def disclosure(found: Found) -> Iterator[str]:
    """Yield what an attacker recovers of what workplaces are told."""
    yield "SYNTHETIC workplaces; who attacks and what is hidden: [store](store.md)."
    yield ""
    ours = found["ours"]
    rows = [
        ["these rules", str(found["worlds"]), f"{ours['tables']:,}", f"{ours['hidden']:,}", f"{ours['recovered']:,}"]
    ]
    if "acro" in found:
        acro = found["acro"]
        rows.append(["acro, suppressed automatically", str(found["acro_worlds"]),
                     *(f"{acro[name]:,}" for name in ("tables", "hidden", "recovered"))])  # fmt: skip
    yield from table(["rules", "worlds", "tables", "hidden cells", "recovered"], rows)


def effects(found: Found) -> Iterator[str]:
    """Yield how often intervals hold the known effect."""
    yield "SYNTHETIC trials with a known effect: how often the 95 % interval of a design holds it ([effect](effect.md))."
    yield ""
    yield from coverage_table(found["designs"]).splitlines()
    yield ""


def null_runs(found: Found) -> Iterator[str]:
    """Yield the share of false alarms of every test."""
    yield "SYNTHETIC samples in which nothing has moved: how often each test says otherwise ([monitoring](monitoring.md))."
    yield ""
    yield from null_runs_table(found["lines"]).splitlines()
    yield ""


def detection(found: Found) -> Iterator[str]:
    """Yield what monitoring sees of a change that has a date."""
    yield "SYNTHETIC programmes in which one thing changes ([what is asked](monitoring_detection.md))."
    yield ""
    yield from [*detection_table(found["detection"]), "", *null_table(found["nulls"]), ""]


def drift_tools(found: Found) -> Iterator[str]:
    """Yield the false alarms of other tools on the same samples."""
    yield "The same samples in which nothing has moved, for every tool ([how they are used](monitoring_detection.md))."
    yield ""
    yield from [*rivals_table(found["rows"]), ""]
