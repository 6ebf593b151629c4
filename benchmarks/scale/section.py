"""The sections of ``docs/benchmarks.md`` about scale: what was measured; what it means is in docs/scale.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from benchmarks.meta import NOT_RECORDED
from benchmarks.sections.markdown import table

Found = dict[str, Any]
LAST_STAGE = ", the last stage measured; of the others below the table."
"""What a line of command and commit above the table is of: every stage has its own."""


def scale_section(found: Found) -> Iterator[str]:
    """Yield every stage at every size."""
    yield "The whole pipeline as a user runs it, SYNTHETIC persons. What it says of other sizes: [scale](scale.md)."
    yield ""
    yield from measured_table(found["runs"])
    yield from whence(found["runs"])


def measured_table(runs: list[Found]) -> Iterator[str]:
    """Yield one row for each stage and size, in the order in which they ran."""
    rows = [
        [run["stage"], f"{run['persons']:,}", f"{run['seconds']:,.1f}", f"{run['cpu_seconds']:,.1f}",
         f"{run['peak_mb'] / 1000:.2f}", f"{run['disk_mb']:,.1f}", _said(run)]
        for run in sorted(runs, key=lambda one: one["persons"])
    ]  # fmt: skip
    yield from table(["stage", "persons", "s", "CPU s", "peak GB", "disk MB", ""], rows)


def whence(runs: list[Found]) -> Iterator[str]:
    """Say by what command and of which commit each row is, and what else ran; and which stages a size does not have yet."""
    stages: dict[tuple[int, str, str, str], list[str]] = {}
    for run in sorted(runs, key=lambda one: one["persons"]):
        told_of = run.get("meta", {})
        command, commit, note = (told_of.get(name, NOT_RECORDED) for name in ("command", "commit", "note"))
        stages.setdefault((run["persons"], command, commit, note), []).append(run["stage"])
    for (persons, command, commit, note), names in stages.items():
        ran = f"`{_without_note(command)}`" if command != NOT_RECORDED else f"command {command}"
        yield f"* {persons:,} persons, {', '.join(names)}: {ran}; commit {commit}; what else ran: {note}."
    every = dict.fromkeys(run["stage"] for run in runs)
    for persons in sorted({run["persons"] for run in runs}):
        missing = [name for name in every if not any((run["stage"], run["persons"]) == (name, persons) for run in runs)]
        if missing:
            yield f"* {persons:,} persons, {', '.join(missing)}: **not measured to the end yet**."
    yield ""


def _without_note(command: str) -> str:
    return re.sub(r' --note ("[^"]*"|\S+)', "", command)


def _said(run: Found) -> str:
    if run["problem"]:
        return f"**failed**: {run['problem']}"
    if "rows" in run:
        return f"{run['rows']:,} rows"
    return f"champion {run['champion']}" if "champion" in run else ""


def partition_section(found: Found) -> Iterator[str]:
    """Yield what a partition costs a worker and the process that asks."""
    n = found["partitions"]
    yield (
        f"{found['persons']:,} SYNTHETIC persons in {n} partitions, `--engine dask`, one worker of one thread. Divided by "
        "the partitions."
    )
    yield ""
    rows = [_partition(line, n) for line in found["lines"]]
    head = [
        "stage",
        "worker, CPU s per partition",
        "worker, peak MB",
        "asking, CPU s per partition",
        "asking, peak MB",
        "",
    ]
    yield from table(head, rows)


def _partition(line: Found, n: int) -> list[str]:
    if line["problem"]:
        return [line["stage"], "", "", "", "", f"**failed**: {line['problem']}"]
    parts = [f(line[who]) for who in ("worker", "asking") for f in (lambda one: f"{one['cpu_seconds'] / n:.1f}", _peak)]
    return [line["stage"], *parts, ""]


def _peak(one: Found) -> str:
    return f"{one['peak_mb']:,.0f}"
