"""Writes docs/monitoring_detection.md from the results: ``python -m benchmarks.monitoring.tables``."""

from __future__ import annotations

import argparse
import json
from typing import Any

from benchmarks.meta import ROOT, told
from benchmarks.monitoring import detection, rivals

DOCUMENT = ROOT / "docs/monitoring_detection.md"

PAGE = """# What monitoring sees, and what it calls out for nothing

All persons here are SYNTHETIC. Written by `python -m benchmarks.monitoring.tables` from what `make bench` measured.

## Detection

Programmes of 3 000 persons ({seeds} seeds), and their firms cut to 200 persons, watched month by month with the
settings of `params.yaml`. One thing changes on 1 July 2023 (see [simulation](simulation.md)). A change counts as seen
when an alarm names what changed; delays are in months from that day. The last column asks the same of the same
programme without the change. Labels take a year and two weeks to mature; `more_absence` cannot be called out sooner.

{measured_detection}

{detection}

Where nothing has changed: a coin for each person deals the rows of real features, with their gaps, to reference and
now, so that persons are on both sides and any alarm is a false one. Calibration is watched on the programmes without a
change, from July 2023 to the end, with a model of other persons.

{nulls}

## Beside other tools

The same samples, in which nothing has moved, for every tool: 30 features in six correlated groups, six rows of each
person in the reference and two in the current rows, 80 % of persons in both. A cell is the share of 200 runs in which
anything at all was called drifted, with its 95 % interval, then the share of columns. Each tool with its own defaults,
on rows, as its documentation uses it; ours counts persons. Evidently runs in an environment with pandas 2; both other
packages send usage statistics unless told not to, which the benchmark does. A tool that calls out less is not better
for it alone: that ours sees changes is the first table.

{measured_rivals}

{rivals}
"""


def detection_table(rows: list[dict[str, Any]]) -> list[str]:
    """Return a line for each scenario and size."""
    return [
        "| scenario | persons | runs | stated, months | seen by then | median, months | the same alarm in the base |",
        "|---|---|---|---|---|---|---|",
        *(
            f"| `{one['scenario']}` | {one['persons']} | {one['runs']} | {one['stated_months']} | {one['seen']:.0%} | "
            f"{_number(one['median_months'])} | {one['seen_in_base']:.0%} of {one['base_runs']} |"
            for one in rows
        ),
    ]


def null_table(rows: list[dict[str, Any]]) -> list[str]:
    """Return a line for each section and size where nothing has changed."""
    return [
        "| nothing has changed | persons | runs | promised at most | alarms (95 % interval) |",
        "|---|---|---|---|---|",
        *(
            f"| {one['what']} | {one['persons']} | {one['runs']} | {one['promised']:.0%} | "
            f"{one['alarms']:.1%} ({one['low']:.1%} to {one['high']:.1%}) |"
            for one in rows
        ),
    ]


def rivals_table(rows: list[dict[str, Any]]) -> list[str]:
    """Return a line for each tool, and a column for each size."""
    sizes = sorted({one["persons"] for one in rows})
    tools = list(dict.fromkeys(one["tool"] for one in rows))
    cells = {(one["tool"], one["persons"]): _cell(one) for one in rows}
    return [
        "| tool | " + " | ".join(f"{size} persons" for size in sizes) + " |",
        "|---" * (len(sizes) + 1) + "|",
        *(f"| {tool} | " + " | ".join(cells[tool, size] for size in sizes) + " |" for tool in tools),
    ]


def _cell(one: dict[str, Any]) -> str:
    if "left_out" in one:
        return "did not run"
    return f"{one['runs_with_alarm']:.0%} ({one['low']:.0%} to {one['high']:.0%}); {one['columns_called_drifted']:.1%}"


def _number(value: float | None) -> str:
    return "never" if value is None else f"{value:g}"


def page(found: dict[str, Any], compared: dict[str, Any]) -> str:
    """Return the page from both results."""
    return PAGE.format(
        detection="\n".join(detection_table(found["detection"])), seeds=found["seeds"],
        measured_detection=told(found["meta"], "Detection."), measured_rivals=told(compared["meta"], "Drift tools."),
        nulls="\n".join(null_table(found["nulls"])), rivals="\n".join(rivals_table(compared["rows"])),
    )  # fmt: skip


def main() -> None:
    """Write the page."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    results = (json.loads(path.read_text(encoding="utf-8")) for path in (detection.RESULTS, rivals.RESULTS))
    DOCUMENT.write_text(page(*results), encoding="utf-8")


if __name__ == "__main__":
    main()
