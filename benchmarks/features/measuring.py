"""One run of one tool: the seconds of its process, the most memory it held, and the seconds of repeated calls."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NamedTuple

from environments import Environment

from benchmarks.measuring import measured

_THREAD_LIMITS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "ARROW_NUM_THREADS",
)


class Run(NamedTuple):
    """What a run took. ``problem`` is empty if it came to its end; ``calls`` are the seconds of repeated calls."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    calls: tuple[float, ...]
    problem: str


def run(tool: Environment, data: Path, output: Path, threads: int, repeat: int, minutes: float) -> Run:
    """Run a tool once, on so many cores; a run that takes longer, or nearly all memory, is ended."""
    command = [tool.python, tool.script, data, output, "--threads", threads, "--repeat", repeat]
    environment = os.environ | dict.fromkeys(_THREAD_LIMITS, str(threads))
    found = measured(command, environment=environment, minutes=minutes, cores=threads)
    calls = () if found.problem else tuple(json.loads(found.printed.splitlines()[-1])["seconds"])
    return Run(found.seconds, found.cpu_seconds, found.peak_mb, calls, found.problem)
