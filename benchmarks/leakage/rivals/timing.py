"""How a tool is timed: ready data in memory to finished numbers, in a process of its own. Standard library and NumPy only."""

from __future__ import annotations

import json
import resource
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Columns = dict[str, np.ndarray]
"""One number per person, by a name that all tools share, such as ``doctor_sum_365``."""

LONGEST = 60.0
REPEATS = 3


def peak_mb() -> float:
    """Return the most memory this process has held; on Linux ru_maxrss would include its parent's, from before the exec."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def measured(ready: Callable[[dict[str, np.ndarray]], Any], compute: Callable[[Any], Columns]) -> None:
    """Time ``compute(ready(arrays))``, ``ready`` not counted, as standard input says; the reply is the last line written.

    Least of three runs, or of as many as fit into a minute.
    """
    warnings.simplefilter("ignore")
    request = json.load(sys.stdin)
    with np.load(request["data"]) as arrays:
        data = ready(dict(arrays))
    timings: list[tuple[float, float]] = []
    columns: Columns = {}
    while len(timings) < REPEATS and sum(wall for wall, _ in timings) < LONGEST:
        wall, cpu = time.perf_counter(), time.process_time()
        columns = compute(data)
        timings.append((time.perf_counter() - wall, time.process_time() - cpu))
    np.savez(request["out"], **columns)
    best = min(timings)
    reply = {"seconds": best[0], "cpu_seconds": best[1], "repeats": len(timings), "peak_mb": peak_mb()}
    print(json.dumps(reply | {"features": len(columns)}))
