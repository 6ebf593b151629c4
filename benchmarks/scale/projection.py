"""What the measured lines say of sizes that were not measured: when memory runs out, and what a cluster would take."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from benchmarks.scale.fit import Line, line
from data_contracts.partitions import partitions_for

Found = dict[str, Any]
NORWAY = 2_900_000
"""Employees."""

WORKERS = (1, 8, 32, 145)
MEMORY_GB = (16, 64, 256)
PARTITIONED = ("validate", "build-training-set", "score")
"""Stages that go through partitions; the others hold what they read."""

REACH = 10
"""How many times the largest measured size a line is followed."""


class Stage(NamedTuple):
    """The lines of one stage over the sizes that it came through; None where there are fewer than two."""

    name: str
    sizes: tuple[int, ...]
    seconds: Line | None
    cpu: Line | None
    memory_mb: Line | None
    disk_mb: Line | None


class Cluster(NamedTuple):
    """What a stage would take of all employees with so many workers, in seconds, if nothing else waits."""

    workers: int
    side_by_side: float
    alone: float


def fitted(runs: Sequence[Found]) -> list[Stage]:
    """Fit every stage, in the order in which they run."""
    names = list(dict.fromkeys(run["stage"] for run in sorted(runs, key=lambda run: run["persons"])))
    return [_fitted(name, [run for run in runs if run["stage"] == name and not run["problem"]]) for name in names]


def _fitted(name: str, runs: list[Found]) -> Stage:
    runs = sorted(runs, key=lambda run: run["persons"])
    sizes = [run["persons"] for run in runs]
    seconds, cpu, disk = (line(sizes, [run[key] for run in runs]) for key in ("seconds", "cpu_seconds", "disk_mb"))
    # Start-up and the first partition bend the line of memory: what is added between the largest sizes is what goes on.
    memory = line(sizes[-2:], [run["peak_mb"] for run in runs[-2:]])
    return Stage(name, tuple(sizes), seconds, cpu, memory, disk)


def breaking_points(stages: Sequence[Stage]) -> list[tuple[Stage, dict[int, float]]]:
    """Return, for each stage that grows with the persons, how many fit into so much memory; what breaks first comes first."""
    found = [
        (stage, {gb: stage.memory_mb.persons_at(1000 * gb) for gb in MEMORY_GB})
        for stage in stages
        if stage.memory_mb is not None
    ]
    return sorted(found, key=lambda one: one[1][MEMORY_GB[0]])


def on_a_cluster(measured: Found, partitions_measured: int) -> list[Cluster]:
    """Project one stage to all employees: whole rounds of partitions on the workers, and what the one who asks does alone."""
    partitions = partitions_for(NORWAY)
    worker = measured["worker"]["cpu_seconds"] / partitions_measured
    asking = measured["asking"]["cpu_seconds"] / partitions_measured
    return [Cluster(n, math.ceil(partitions / n) * worker, partitions * asking) for n in WORKERS]
