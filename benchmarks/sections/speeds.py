"""Sections about our own speed: the simulator, checks, one record, engines, training, pages, the demo."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.sections.markdown import table

Found = dict[str, Any]


def simulation(found: Found) -> Iterator[str]:
    """Yield the table of simulated cohorts."""
    yield f"Five years with all tables, {found['workers']} processes; memory of all of them, shared pages counted for each."
    yield ""
    rows = [
        [one["format"], f"{one['persons']:,}", f"{one['rows']:,}", f"{one['seconds']:.1f}",
         f"{1000 * one['seconds'] / one['persons']:.3f}", f"{one['peak_mb']:,.0f}", f"{one['files_mb']:,.0f}"]
        for one in found["lines"]
    ]  # fmt: skip
    yield from table(["format", "persons", "rows", "s", "s per 1,000", "peak MB", "files MB"], rows)


def validation(found: Found) -> Iterator[str]:
    """Yield what reading and checking takes, of many answers and of one record."""
    yield f"{found['answers']:,} survey answers as CSV, one process; memory is the most that it held so far."
    yield ""
    files, records = ([one for one in found["lines"] if name in one] for name in ("seconds", "p50_ms"))
    rows = [[one["what"], f"{one['seconds']:.2f}", f"{one['peak_gb']:.2f}"] for one in files]
    yield from table(["step", "s", "peak GB"], rows)
    rows = [[one["what"], f"{one['p50_ms']:.2f}", f"{one['p99_ms']:.2f}"] for one in records]
    yield from table(["record", "p50 ms", "p99 ms"], rows)


def latency(found: Found) -> Iterator[str]:
    """Yield what one record takes from JSON to an explained risk."""
    yield f"The record of `examples/request.json`, {found['calls']:,} calls, one thread, without the web around it."
    yield ""
    rows = [
        [one["what"], *(f"{one[name]:.2f}" for name in ("fastest_ms", "p50_ms", "p95_ms"))] for one in found["lines"]
    ]
    yield from table(["models: call", "fastest ms", "p50 ms", "p95 ms"], rows)


def engines(found: Found) -> Iterator[str]:
    """Yield what the engines of build-training-set cost beside each other."""
    same = "the same bytes from all" if found["same_bytes"] else "**the bytes differ**"
    yield f"`build-training-set` of {found['outcome']}, {found['persons']:,} SYNTHETIC persons: {same}."
    yield ""
    local = found["lines"][0]["asking"]["cpu_seconds"]
    rows = [_engine(one, local) for one in found["lines"]]
    yield from table(["engine", "s", "CPU s", "× local", "peak MB, asking", "peak MB, busiest worker"], rows)


def _engine(one: Found, local: float) -> list[str]:
    cpu = one["asking"]["cpu_seconds"] + sum(worker["cpu_seconds"] for worker in one["workers"])
    worker = max((each["peak_mb"] for each in one["workers"]), default=None)
    held = "" if worker is None else f"{worker:,.0f}"
    return [
        one["engine"],
        f"{one['seconds']:.1f}",
        f"{cpu:.1f}",
        f"{cpu / local:.2f}",
        f"{one['asking']['peak_mb']:,.0f}",
        held,
    ]


def memory(found: Found) -> Iterator[str]:
    """Yield how memory grows with partitions of the same size."""
    yield f"`build-training-set` with more and more partitions of {found['persons']:,} SYNTHETIC persons, in one process."
    yield ""
    first = found["lines"][0]["peak_mb"]
    rows = [
        [str(one["partitions"]), f"{one['partitions'] * found['persons']:,}", f"{one['training_set_mb']:,.0f}",
         f"{one['peak_mb']:,.0f}", f"{one['peak_mb'] / first:.2f}"]
        for one in found["lines"]
    ]  # fmt: skip
    yield from table(["partitions", "persons", "training set MB", "peak MB", "× first"], rows)


def training(found: Found) -> Iterator[str]:
    """Yield the seconds of training and evaluation."""
    yield (
        "One outcome, no tuning: candidates compared out of fold, all fitted, 20 refits of the champion; then every part of "
        "the evaluation with intervals. SYNTHETIC persons. Load: at the start and the end of each run."
    )
    yield ""
    rows = [
        [f"{one['persons']:,}", f"{one['training_rows']:,}", one["champion"], *_twice(one["all"]), *_twice(one["evaluation"]),
         *_twice(one["champion_fit_alone"]), " and ".join(f"{load:g}" for load in one["load"])]
        for one in found["runs"]
    ]  # fmt: skip
    head = ["persons", "training rows", "champion", "all, s", "CPU s", "evaluation, s", "CPU s"]
    head += ["champion's fit, s", "CPU s", "load"]
    yield from table(head, rows, 0)


def _twice(seconds: dict[str, float]) -> list[str]:
    return [f"{seconds['wall']:.1f}", f"{seconds['cpu']:.1f}"]


def pages(found: Found) -> Iterator[str]:
    """Yield how long pages take and how large they are."""
    yield (
        f"In one process, {found['persons']:,} SYNTHETIC persons in the store; with token, policy and audit on the disk, "
        "without the network. Promised: under 300 ms and 150 kB."
    )
    yield ""
    rows = [
        [
            f"`{one['page']}`",
            str(one.get("companies", "")),
            f"{one['median_ms']:.0f}",
            f"{one['most_ms']:.0f}",
            f"{one['kb']:.0f}",
        ]
        for one in found["lines"]
    ]
    yield from table(["page", "companies", "median ms", "most ms", "kB"], rows)


def demo(found: Found) -> Iterator[str]:
    """Yield what the demo takes."""
    yield "`balance-risk demo` in a fresh directory, after installation."
    yield ""
    row = [
        f"{found['persons']:,}",
        f"{found['seconds']:.0f}",
        f"{found['cpu_seconds']:.0f}",
        f"{found['peak_mb']:,.0f}",
    ]
    yield from table(["persons", "s", "CPU s", "peak MB, all processes"], [row], 0)


def night(found: Found) -> Iterator[str]:
    """Yield what a night costs per person."""
    yield f"{found['persons']:,} SYNTHETIC persons, {', '.join(found['outcomes'])}; the verb with the start of its processes."
    yield ""
    row = [f"{found[way]:.2f}" for way in ("alone_ms", "a_hundred_ms", "verb_ms")]
    yield from table(["one at a time, CPU ms", "a hundred together", "`score`, all persons"], [row], 0)
