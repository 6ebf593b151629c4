"""Every benchmark that needs no download still runs, with tiny sizes: two were once broken unseen, until they were needed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchmarks.catalogue import BENCHES
from benchmarks.serving.load import has_wrk
from tests.lib.deployment import PROJECT

BESIDE_OTHERS = {"features", "leakage", "feature-tools", "explaining", "training-rivals", "disclosure", "drift-tools"}
"""They install other tools into environments of their own; make bench-quick tries them too."""
BY_WRK = {"service", "soak"}
NAMES = [bench.name for bench in BENCHES]


def test_those_that_are_left_out_are_there():
    assert set(NAMES) >= BESIDE_OTHERS | BY_WRK


@pytest.mark.long
def test_they_run():
    left_out = BESIDE_OTHERS if has_wrk() else BESIDE_OTHERS | BY_WRK
    command = ["-m", "benchmarks.run", "--quick", "--only", *(name for name in NAMES if name not in left_out)]
    done = subprocess.run([sys.executable, *command], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
