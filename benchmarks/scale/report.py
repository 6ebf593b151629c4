"""Writes docs/scale.md and its picture from the measured stages: ``python -m benchmarks.scale.report [--check]``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.meta import KEPT, ROOT, told
from benchmarks.scale.beyond import other_sizes, two, undivided
from benchmarks.scale.picture import draw
from benchmarks.scale.projection import NORWAY, fitted, on_a_cluster
from benchmarks.scale.section import LAST_STAGE, measured_table, partition_section, whence
from benchmarks.sections.markdown import table
from data_contracts.partitions import PARTITION_PERSONS, partitions_for

Found = dict[str, Any]
PAGE, PICTURE = ROOT / "docs" / "scale.md", Path("images") / "scale.png"
MEASURED, PARTITION = "scale.json", "scale_partition.json"

HEAD = """# {title}

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
_CLUSTER = f"""{NORWAY:,} employees are {partitions_for(NORWAY)} partitions of {PARTITION_PERSONS:,}. A worker's CPU seconds per
partition, in whole rounds; beside it what the process that asks does alone, which no worker shortens. No network and no slow
disk are in these numbers, so they are the least that it takes.
"""


def page(measured: Found | None, partition: Found | None) -> str:
    """Return the page."""
    lines = [HEAD.format(title=_title(measured))]
    lines += list(_of_stages(measured)) if measured else ["Not measured yet.", ""]
    lines += ["## On a Dask cluster", "", *_of_partitions(partition, measured)]
    return "\n".join(lines).rstrip() + "\n"


def _title(measured: Found | None) -> str:
    """Name the sizes: who reads the heading alone must not think of more than was measured."""
    sizes = sorted({run["persons"] for run in measured["runs"] if not run["problem"]}) if measured else []
    named = [f"{size:,}".replace(",", " ") for size in sizes]
    if not named:
        return "Time and memory by number of persons"
    return f"Time and memory, measured at {' and '.join(filter(None, [', '.join(named[:-1]), named[-1]]))} persons"


def _of_stages(measured: Found) -> Iterator[str]:
    stages = fitted(measured["runs"])
    yield "## Measured"
    yield ""
    yield told(measured["meta"], f"{MEASURED}{LAST_STAGE}")
    yield ""
    yield f"![seconds of every stage by persons]({PICTURE.as_posix()})"
    yield ""
    yield from measured_table(measured["runs"])
    yield from whence(measured["runs"])
    yield from other_sizes(stages, _champions(measured["runs"]))
    yield from _failed(measured["runs"])
    yield from _night(measured["runs"])


def _champions(runs: list[Found]) -> list[str]:
    """Return who won, from the smallest size to the largest, each once."""
    found = [run for run in sorted(runs, key=lambda one: one["persons"]) if run.get("champion") and not run["problem"]]
    return list(dict.fromkeys(run["champion"] for run in found))


def _failed(runs: list[Found]) -> Iterator[str]:
    found = [run for run in runs if run["problem"]]
    yield from (
        f"* Measured: `{run['stage']}` of {run['persons']:,} persons failed: {run['problem']}." for run in found
    )
    if found:
        yield ""


def _night(runs: list[Found]) -> Iterator[str]:
    nights = [run for run in runs if run["stage"] == "score" and not run["problem"]]
    if nights:
        night = max(nights, key=lambda run: run["persons"])
        yield (
            f"A night of {night['persons']:,} persons left {two(night['disk_mb'])} MB in store and list; every night adds to "
            "the store ([store](store.md))."
        )
        yield ""


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
        [line["stage"], str(one.workers), *(two(seconds / 60) for seconds in (one.side_by_side, one.alone, sum(one[1:])))]
        for line in partition["lines"] if not line["problem"]
        for one in on_a_cluster(line, partition["partitions"])
    ]  # fmt: skip
    yield from table(head, rows)
    yield from undivided(fitted(measured["runs"]) if measured else [])


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
