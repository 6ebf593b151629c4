"""What a rival is given and what it hands back: files of arrays, and a line of JSON. NumPy and the standard library only."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

Fit = Callable[[dict[str, np.ndarray], float, int], tuple[np.ndarray, str]]
"""Takes the arrays, the seconds allowed and a seed; returns the risks of the test rows and which model was chosen."""


def answer(fit: Fit) -> None:
    """Read the request from standard input, fit, and write risks and time."""
    request = json.load(sys.stdin)
    with np.load(request["rows"]) as stored:
        arrays = {name: stored[name] for name in stored.files}
    began, cpu = time.perf_counter(), _cpu_seconds()
    risks, chosen = fit(arrays, request["seconds"], request["seed"])
    took: dict[str, Any] = {"seconds": time.perf_counter() - began, "cpu_seconds": _cpu_seconds() - cpu}
    np.save(request["risks"], np.asarray(risks, dtype=np.float64))
    print(json.dumps(took | {"chosen": chosen}))


def _cpu_seconds() -> float:
    """Of this process and of its children that have ended: some tools fit in processes of their own."""
    return sum(os.times()[:4])
