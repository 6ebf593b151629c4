"""What measured sizes say of others, in docs/scale.md: nothing below three sizes, nothing far beyond the largest."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.scale.fit import FEWEST, Line
from benchmarks.scale.projection import MEMORY_GB, NORWAY, PARTITIONED, REACH, Stage, breaking_points
from benchmarks.sections.markdown import table
from data_contracts.partitions import PARTITION_PERSONS

Found = dict[str, Any]

_LINE = """A straight line `time = a + b · persons` by least squares of relative errors, over the sizes that a stage
came through. The interval of b has n - 2 degrees of freedom: with three or four sizes it is wide, and it knows nothing of
other machines. *Worst* is the largest distance of a point from its line. The exponent is that between the two largest sizes:
1 is in proportion, above it the stage grows faster than its data.
"""
_TOO_FEW = f"""## Other sizes

Fewer than {FEWEST} sizes were measured: no line is drawn through them, and nothing is said of sizes that were not measured.
"""


GROWN = 1.1
"""How many times the memory of the second largest size is more than the chance of one run."""


def other_sizes(stages: Sequence[Stage], champions: Sequence[str] = ()) -> Iterator[str]:
    """Yield how time and memory grow, of the stages that came through sizes enough; else that nothing can be said.

    ``champions`` are the models that won, from the smallest size to the largest.
    """
    enough = [stage for stage in stages if len(stage.sizes) >= FEWEST]
    if not enough:
        yield _TOO_FEW
        return
    yield "## How time grows"
    yield ""
    yield _LINE
    head = ["stage", "sizes", "a, s", "b, s per 1,000 persons (95 %)", "worst", "exponent", "CPU s per 1,000",
            "disk MB per 1,000"]  # fmt: skip
    yield from table(head, [_grows(stage) for stage in enough if stage.seconds])
    if len(champions) > 1:
        yield (
            f"Different models won at different sizes ({', '.join(champions)}; which at which, in the table): the lines of "
            "`train`, `evaluate` and what comes after them join different champions, in time and in memory, so slope and "
            "exponent would hold only for like champions."
        )
        yield ""
    yield from _memory(enough)


def _grows(stage: Stage) -> list[str]:
    seconds = stage.seconds
    assert seconds is not None, "only fitted stages are shown"
    per_1000 = " to ".join(two(1000 * end) for end in (seconds.low, seconds.high))
    others = [_per_1000(one) for one in (stage.cpu, stage.disk_mb)]
    fixed, exponent = two(seconds.fixed), two(seconds.exponent)
    return [stage.name, str(len(stage.sizes)), fixed, f"{two(1000 * seconds.per_person)} ({per_1000})",
            f"{seconds.worst:.0%}", exponent, *others]  # fmt: skip


def _memory(stages: Sequence[Stage]) -> Iterator[str]:
    parted = [stage for stage in stages if stage.name in PARTITIONED]
    early = [stage for stage in parted if not _is_beyond_a_partition(stage)]
    steady = [stage for stage in parted if stage not in early and not _has_grown(stage)]
    growing = [stage for stage in parted if stage not in early and _has_grown(stage)]
    yield "## What runs out of memory first"
    yield ""
    yield (
        "How many persons fit, by the line through the two largest sizes of a stage; the smallest number comes first. No line "
        f"is followed beyond {REACH} times the largest size."
    )
    if parted:
        yield f"{_named(parted)} go through partitions of {PARTITION_PERSONS:,} persons."
    if growing:
        yield f"All the same memory grew between the two largest sizes of {_with_memory(growing)}: a line is drawn."
    if steady:
        yield f"Memory did not grow by more than {GROWN - 1:.0%} of {_with_memory(steady)}: no line is drawn."
    if early:
        yield f"No line is drawn of {_named(early)}: fewer than two sizes are larger than a partition."
    yield ""
    head = ["stage", "MB per 1,000 persons", *(f"persons in {gb} GB" for gb in MEMORY_GB)]
    rows = [
        [stage.name, _per_1000(stage.memory_mb), *(_persons(n, stage) for n in fits.values())]
        for stage, fits in breaking_points([stage for stage in stages if stage not in (*early, *steady)])
    ]
    yield from table(head, rows)


def _is_beyond_a_partition(stage: Stage) -> bool:
    """Whether the line of memory begins where small sizes no longer fill their first partition."""
    return stage.memory_mb is not None and stage.sizes[-2] > PARTITION_PERSONS


def _ends(stage: Stage) -> tuple[float, float]:
    """Return the GB of the two largest sizes, which the line of memory goes through."""
    assert stage.memory_mb is not None, "only of stages with a line"
    before, last = (stage.memory_mb.at(size) / 1000 for size in stage.sizes[-2:])
    return before, last


def _has_grown(stage: Stage) -> bool:
    before, last = _ends(stage)
    return last > GROWN * before


def _named(stages: Sequence[Stage]) -> str:
    return ", ".join(f"`{stage.name}`" for stage in stages)


def _with_memory(stages: Sequence[Stage]) -> str:
    told = []
    for stage in stages:
        before, last = _ends(stage)
        told.append(
            f"`{stage.name}` ({two(before)} to {two(last)} GB from {stage.sizes[-2]:,} to {stage.sizes[-1]:,} persons)"
        )
    return ", ".join(told)


def _per_1000(one: Line | None) -> str:
    return two(1000 * one.per_person) if one else ""


def _persons(n: float, stage: Stage) -> str:
    most = REACH * max(stage.sizes)
    return two(max(0.0, n)) if n <= most else f"more than {most:,}"


def undivided(stages: Sequence[Stage]) -> Iterator[str]:
    """Yield how long all employees would take what no cluster divides, where the measured sizes reach so far."""
    found = [
        f"`{stage.name}` {two(stage.seconds.at(NORWAY) / 3600)} h"
        for stage in stages
        if stage.name not in PARTITIONED and stage.seconds and len(stage.sizes) >= FEWEST and reaches(stage)
    ]
    if found:
        yield f"What is not divided, by the lines above and had it the memory, for {NORWAY:,} persons: {', '.join(found)}."
    else:
        yield f"What the stages that are not divided would take of {NORWAY:,} persons is not told: no line reaches so far."


def reaches(stage: Stage) -> bool:
    """Whether all employees are within what the largest measured size of a stage can speak of."""
    return bool(stage.sizes) and max(stage.sizes) * REACH >= NORWAY


def two(value: float) -> str:
    """Return a number with two significant digits."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    decimals = 1 - math.floor(math.log10(abs(value)))
    rounded = round(value, decimals)
    decimals = max(0, 1 - math.floor(math.log10(abs(rounded))))
    return f"{rounded:,.{decimals}f}"
