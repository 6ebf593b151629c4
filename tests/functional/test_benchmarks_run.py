"""Every benchmark that needs no download still runs, with tiny sizes: two were once broken unseen, until they were needed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchmarks.catalogue import BENCHES
from benchmarks.serving.load import HOW_TO_GET_WRK, has_wrk
from tests.lib.deployment import PROJECT

BESIDE_OTHERS = {"features", "leakage", "feature-tools", "explaining", "training-rivals", "disclosure", "drift-tools"}
"""They install other tools into environments of their own; make bench-quick tries them too."""
AFTER = {"night": ("scale", "night")}
"""Needs what another leaves."""
BY_WRK = {"service", "soak"}
NAMES = [bench.name for bench in BENCHES]


def test_those_that_are_left_out_are_there():
    assert set(NAMES) >= BESIDE_OTHERS | BY_WRK


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in NAMES if name not in BESIDE_OTHERS])
def test_it_runs(name):
    if name in BY_WRK and not has_wrk():
        pytest.skip(HOW_TO_GET_WRK)
    command = ["-m", "benchmarks.run", "--quick", "--only", *AFTER.get(name, (name,))]
    done = subprocess.run(
        [sys.executable, *command], cwd=PROJECT, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr
