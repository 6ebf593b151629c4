"""Writes docs/scale.md and its picture from the measured stages: ``python -m benchmarks.scale.report [--check]``."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.meta import KEPT, ROOT, told
from benchmarks.scale.fit import FEWEST, Line
from benchmarks.scale.picture import draw
from benchmarks.scale.projection import DIVIDED, MEMORY_GB, NORWAY, Stage, breaking_points, fitted, on_a_cluster
from benchmarks.scale.section import measured_table, partition_section
from benchmarks.sections.markdown import table
from data_contracts.partitions import PARTITION_PERSONS, partitions_for

Found = dict[str, Any]
PAGE, PICTURE = ROOT / "docs" / "scale.md", Path("images") / "scale.png"
MEASURED, PARTITION = "scale.json", "scale_partition.json"

HEAD = """# From a thousand persons to a country

The whole pipeline as a user runs it, stage by stage, one outcome, SYNTHETIC persons with five years of all tables (about 160
rows each). Written by `python -m benchmarks.scale.report` from what was measured by

```
python -m benchmarks.scale.run                     # 1 000, 10 000, 100 000 and 1 000 000 persons; --persons for others
python -m benchmarks.scale.partition               # what one partition costs a worker of a Dask cluster
```

A run that is broken off goes on where it was. A stage that needs more time or memory than there is, is ended, and stands here
as failed. Seconds are of the clock; CPU seconds of all processors; memory is the most that the process held, or it and its
children together with shared pages once; disk is what the stage has left. `promote` is not among the stages: its policy
refuses, rightly, what a thousand persons teach, so the champion is put into service without it.
"""
_LINE = f"""A straight line `time = a + b · persons` by least squares of relative errors, over the sizes that a stage
came through. The interval of b has n - 2 degrees of freedom: with three or four sizes it is wide, and it knows nothing of
other machines. *Worst* is the largest distance of a point from its line. The exponent is that between the two largest sizes:
1 is in proportion, above it the stage grows faster than its data. Fewer than {FEWEST} sizes have no interval.
"""
_BREAKS = f"""Memory of a stage by the line through its two largest sizes, and how many persons fit: the smallest number breaks
first. `build-training-set` and `score` go through partitions of {PARTITION_PERSONS:,} persons, so that lines of smaller sizes
say too much of them; the others hold all rows in one process.
"""
_CLUSTER = f"""{NORWAY:,} employees are {partitions_for(NORWAY)} partitions of {PARTITION_PERSONS:,}. A worker's CPU seconds per
partition, in whole rounds; beside it what the process that asks does alone, which no worker shortens. No network and no slow
disk are in these numbers, so they are the least that it takes.
"""


def page(measured: Found | None, partition: Found | None) -> str:
    """Return the page."""
    lines = [HEAD]
    lines += list(_of_stages(measured)) if measured else ["Not measured yet.", ""]
    lines += ["## On a Dask cluster", "", *_of_partitions(partition, measured)]
    return "\n".join(lines).rstrip() + "\n"


def _of_stages(measured: Found) -> Iterator[str]:
    stages = fitted(measured["runs"])
    yield "## Measured"
    yield ""
    yield told(measured["meta"], f"{MEASURED}, the last stage measured.")
    yield ""
    yield f"![seconds of every stage by persons]({PICTURE.as_posix()})"
    yield ""
    yield from measured_table(measured["runs"])
    yield "## Time grows how?"
    yield ""
    yield _LINE
    head = [
        "stage",
        "sizes",
        "a, s",
        "b, s per 1,000 persons (95 %)",
        "worst",
        "exponent",
        "CPU s per 1,000",
        "disk MB per 1,000",
    ]
    yield from table(head, [_line(stage) for stage in stages if stage.seconds])
    yield "## What breaks first"
    yield ""
    yield _BREAKS
    yield from _breaks(stages, measured["runs"])


def _line(stage: Stage) -> list[str]:
    seconds = stage.seconds
    assert seconds is not None, "only fitted stages are shown"
    per_1000 = f"{1000 * seconds.per_person:.3g}"
    if not math.isnan(seconds.low):
        per_1000 += f" ({1000 * seconds.low:.3g} to {1000 * seconds.high:.3g})"
    others = [_per_1000(one) for one in (stage.cpu, stage.disk_mb)]
    worst = f"{seconds.worst:.0%}" if len(stage.sizes) >= FEWEST else ""
    fixed, exponent = f"{seconds.fixed:.1f}", f"{seconds.exponent:.2f}"
    return [stage.name, str(len(stage.sizes)), fixed, per_1000, worst, exponent, *others]


def _per_1000(one: Line | None) -> str:
    return f"{1000 * one.per_person:.3g}" if one else ""


def _breaks(stages: list[Stage], runs: list[Found]) -> Iterator[str]:
    head = ["stage", "MB per 1,000 persons", *(f"persons in {gb} GB" for gb in MEMORY_GB), f"GB for {NORWAY:,}"]
    rows = [
        [stage.name, _per_1000(stage.memory_mb), *(_persons(n) for n in fits.values()),
         f"{stage.memory_mb.at(NORWAY) / 1000:,.0f}" if stage.memory_mb else ""]
        for stage, fits in breaking_points(stages)
    ]  # fmt: skip
    yield from table(head, rows)
    for run in runs:
        if run["problem"]:
            yield f"* Measured: `{run['stage']}` of {run['persons']:,} persons failed: {run['problem']}."
    score = next((stage.disk_mb for stage in stages if stage.name == "score" and stage.disk_mb), None)
    if score:
        yield (
            f"* A night of {NORWAY:,} persons leaves {score.at(NORWAY) / 1000:,.0f} GB in store and list, by its line. "
            "SQLite takes that much, but one writer at a time, and every night adds as much: PostgreSQL by then "
            "([store](store.md))."
        )
    yield ""


def _persons(n: float) -> str:
    return f"{max(0, n):,.0f}" if n < 1e9 else "any"


def _of_partitions(partition: Found | None, measured: Found | None) -> Iterator[str]:
    if partition is None:
        yield "Not measured yet: `python -m benchmarks.scale.partition`."
        return
    yield told(partition["meta"], f"{PARTITION}.")
    yield ""
    yield from partition_section(partition)
    yield _CLUSTER
    head = ["stage", "workers", "side by side, minutes", "alone, minutes", "together, minutes"]
    rows = [
        [line["stage"], str(one.workers), *(f"{seconds / 60:,.0f}" for seconds in (one.side_by_side, one.alone, sum(one[1:])))]
        for line in partition["lines"] if not line["problem"]
        for one in on_a_cluster(line, partition["partitions"])
    ]  # fmt: skip
    yield from table(head, rows)
    yield from _undivided(measured)


def _undivided(measured: Found | None) -> Iterator[str]:
    stages = [stage for stage in fitted(measured["runs"] if measured else []) if stage.name not in DIVIDED]
    named = [f"`{stage.name}` {stage.seconds.at(NORWAY) / 3600:,.1f} h" for stage in stages if stage.seconds]
    if named:
        yield (
            f"What is not divided, by the lines above and had it the memory, for {NORWAY:,} persons: {', '.join(named)} "
            f"({', '.join(f'{size:,}' for size in stages[0].sizes)} persons measured; all beyond is extrapolated)."
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the page is not current")
    is_check = parser.parse_args().check
    measured, partition = (_read(KEPT / name) for name in (MEASURED, PARTITION))
    text = page(measured, partition)
    if is_check and PAGE.read_text(encoding="utf-8") != text:
        print(
            "docs/scale.md is not what benchmarks/results say. Run: python -m benchmarks.scale.report", file=sys.stderr
        )
        return 1
    if not is_check:
        PAGE.write_text(text, encoding="utf-8")
        if measured:
            draw(measured["runs"], ROOT / "docs" / PICTURE)
    return 0


def _read(path: Path) -> Found | None:
    return {**json.loads(path.read_text(encoding="utf-8"))} if path.exists() else None


if __name__ == "__main__":
    sys.exit(main())
