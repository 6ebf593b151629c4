"""Everybody's record through the process that scores: ``python -m serving.nightly``, one line each way per person.

Where a cluster scores (:mod:`pipeline.nightly_cluster`) the process is sent results and writes them.

Pipeline and service never import each other; they speak JSON. What is scored here is scored by the predictor that answers
requests, so a number in a file, in the store and in an answer is one number.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any

import orjson

from data_contracts.errors import BalanceRiskError, EngineError
from data_contracts.records import TABLES
from data_contracts.time_windows import today
from pipeline.console import read_json, sha256
from pipeline.serve import PROJECT, environment
from pipeline.workspace import Workspace

NIGHTLY = "serving.nightly"
END = b'{"end":true}\n'
STORE_VARIABLE = "BALANCE_RISK_STORE"
BUNDLES_VARIABLE = "BALANCE_RISK_BUNDLES"


class NightFailed(BalanceRiskError):
    """The process that scores refused or died; its own words and exit code."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.exit_code = code  # type: ignore[misc]  # each failure has the code of the process


def data_version(tables: Path) -> str:
    """Return the SHA-256 of all tables: the same rows in the same order give the same."""
    stated = "".join(f"{name} {sha256(tables / f'{name}.parquet')}\n" for name in TABLES)
    return hashlib.sha256(stated.encode()).hexdigest()


def received_on(tables: Path, index_date: date) -> date:
    """Return when the tables came in; of tables without a report that is not known: today at the latest."""
    report = tables / "ingest.json"
    stated = read_json(report).get("received_on") if report.is_file() else None
    return date.fromisoformat(stated) if stated else max(index_date, today())


def asked_of(mode: str, tables: Path, index_date: date, outcomes: list[str], workers: int | None) -> dict[str, Any]:
    """Return the first line that the process is sent; without ``workers``, one per processor; with 0, others score."""
    return {
        "mode": mode,
        "index_date": index_date,
        "received_on": received_on(tables, index_date),
        "data_version": data_version(tables),
        "outcomes": outcomes,
        "workers": processors() if workers is None else workers,
    }


def processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def store_url(workspace: Workspace) -> str:
    """Return the URL of the store: the service's, or the file in the workspace."""
    return environment(workspace)[STORE_VARIABLE]


def bundles_of(workspace: Workspace) -> Path:
    """Return where the process that scores looks for champions: the service's directory, or the workspace's."""
    return PROJECT / environment(workspace)[BUNDLES_VARIABLE]  # which it takes from there, if it is relative


Records = Iterable[tuple[str, dict[str, Any]]]
Results = Callable[[dict[str, Any]], Iterable[bytes]]
"""Given what the process says first, the lines of everybody's results."""


@contextmanager
def night(
    workspace: Workspace, asked: dict[str, Any], records: Records | Results
) -> Iterator[Iterator[dict[str, Any]]]:
    """Yield what the process tells, line by line, while a thread sends it the records, or results of others.

    Raises
    ------
    NightFailed
        The process refused; nothing was written.
    EngineError
        It died.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", NIGHTLY], cwd=PROJECT, env=environment(workspace),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None, "it is a pipe"
    sender = _Sender(process.stdin, asked, records)
    complaint = _Reader(process.stderr)
    try:
        sender.start()
        complaint.start()
        yield _told(process, sender, complaint)
    finally:
        # Without the line that ends the records nothing is written, so that killing it is safe at any time.
        process.kill()
        sender.hear(None)
        for thread in (sender, complaint):
            thread.join()
        process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def _told(process: subprocess.Popen[bytes], sender: _Sender, complaint: _Reader) -> Iterator[dict[str, Any]]:
    assert process.stdout is not None, "it is a pipe"
    for line in process.stdout:
        told = orjson.loads(line)
        sender.hear(told)
        yield told
    code = process.wait()
    sender.hear(None)
    sender.join()
    complaint.join()
    if sender.error is not None and not isinstance(sender.error, OSError):
        raise sender.error
    if code > 0:
        raise NightFailed(complaint.text() or "The process that scores failed.", code)
    if code < 0:
        raise EngineError("The process that scores was killed, so nothing of this night was written. Run it again.")


class _Sender(threading.Thread):
    """Sends the records; an error of reading them is kept for the one who waits."""

    def __init__(self, sink: IO[bytes], asked: dict[str, Any], records: Records | Results) -> None:
        super().__init__(name="records", daemon=True)
        self.error: Exception | None = None
        self._first: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        self._has_heard = False
        self._sink, self._asked, self._records = sink, asked, records

    def run(self) -> None:
        """Send all, then the line that says that this was all."""
        try:
            self._sink.write(orjson.dumps(self._asked) + b"\n")
            self._sink.flush()  # results come only after it has answered
            for line in self._lines():
                self._sink.write(line)
            self._sink.write(END)
        except Exception as error:  # raised again by the thread that reads the answers
            self.error = error
        finally:
            self._close()

    def hear(self, told: dict[str, Any] | None) -> None:
        """Take in what the process says, None if it will say nothing more; only the first counts."""
        if not self._has_heard:
            self._has_heard = True
            self._first.put(told)

    def _lines(self) -> Iterator[bytes]:
        if not callable(self._records):
            for person_id, record in self._records:
                yield orjson.dumps({"person_id": person_id, "record": record}) + b"\n"
            return
        first = self._first.get()
        if first is None:
            raise BrokenPipeError  # it refused, and says why itself
        yield from self._records(first)

    def _close(self) -> None:
        with suppress(OSError):  # the process is gone; its exit code says why
            self._sink.close()


class _Reader(threading.Thread):
    """Reads what the process complains of, so that it never waits for a full pipe."""

    def __init__(self, source: IO[bytes] | None) -> None:
        super().__init__(name="complaints", daemon=True)
        assert source is not None, "it is a pipe"
        self._source = source
        self._found = b""

    def run(self) -> None:
        """Read all; of very much, the end."""
        for line in self._source:
            self._found = (self._found + line)[-10_000:]

    def text(self) -> str:
        """Return what was said."""
        return self._found.decode("utf-8", "replace").strip()
