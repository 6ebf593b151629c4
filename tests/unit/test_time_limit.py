"""A process that scores and does not answer is given up: one that hangs would hold the night for ever."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from data_contracts.errors import EngineError
from pipeline import nightly_cluster
from serving.store import workers

LIMIT = 0.3
LONG = 20


@pytest.mark.parametrize("code", ["", "print('{', end='')", "import time; time.sleep(60)"])
def test_a_process_of_a_cluster_that_dies_or_hangs_is_given_up(code, monkeypatch):
    monkeypatch.setattr(nightly_cluster, "LONGEST_BATCH_SECONDS", LIMIT if "sleep" in code else LONG)
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    begun = time.monotonic()
    try:
        with pytest.raises(EngineError, match="has died on a worker, or hung"):
            nightly_cluster._answers(process, [b"task\n"], 1)
    finally:
        process.kill()
        process.communicate()
    assert time.monotonic() - begun < LONG


def test_who_answers_in_time_is_not_killed_later(monkeypatch):
    monkeypatch.setattr(nightly_cluster, "LONGEST_BATCH_SECONDS", 2.0)
    process = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert nightly_cluster._answers(process, [b"a\n", b"b\n"], 2) == [b"a\n", b"b\n"]
        time.sleep(2.2)
        assert process.poll() is None
    finally:
        process.kill()
        process.communicate()


def test_a_process_of_this_machine_that_hangs_is_given_up(monkeypatch):
    monkeypatch.setattr(workers, "LONGEST_BATCH_SECONDS", LIMIT)
    worker = workers.Worker(SimpleNamespace(to_json=lambda: b"{}"))
    os.kill(worker._process.pid, signal.SIGSTOP)
    try:
        with pytest.raises(EngineError, match="has died, or hung"):
            worker.start()
    finally:
        worker.stop()
