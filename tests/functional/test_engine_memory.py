"""Memory is bounded by the partition: four times the persons in partitions of the same size need hardly more of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of one process is read from /proc")
def test_peak_memory_grows_with_the_partition_not_with_the_population(tmp_path):
    command = [sys.executable, "-m", "benchmarks.engine_memory", "--persons", "2000"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "BENCH_RESULTS": str(tmp_path)}
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True, timeout=600)
    two, eight = ([float(cell) for cell in line.split()] for line in done.stdout.splitlines()[1:])
    assert (two[0], eight[0]) == (2, 8)
    assert eight[2] > 3.5 * two[2], "four times the features"
    assert eight[2] - two[2] > 0.25 * two[3], "which would show, were they held"
    assert eight[3] < 1.25 * two[3]
