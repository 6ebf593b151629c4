"""Everybody scored on a Dask cluster, a partition of persons at a time.

A worker reads its partition, starts the process that scores (``python -m serving.store.workers``) with the task that
``serving.nightly`` has set, and hands back lines of JSON. The process that asked writes them all as one night. Service and
Dask never meet: what travels as pickle is made and read by the pipeline alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np
import orjson

from data_contracts.batches import batched
from data_contracts.errors import EngineError
from data_contracts.readers.parquet_files import n_partitions
from data_contracts.safety import SafetyFlag
from data_contracts.time_limit import killed_after
from pipeline.engine import in_turn, open_cluster
from pipeline.everyone import Everyone, people
from pipeline.scratch import made, new_scratch
from pipeline.workspace import Workspace

SCORES = "serving.store.workers"
BATCH = 100
PROJECT = Path(__file__).parents[1]
"""Not from ``pipeline.serve``, with which every worker would load LightGBM and all that comes with it."""
LONGEST_BATCH_SECONDS = 300.0
"""Seconds are usual, also to open the models; without a limit one process that hangs would hold the whole night."""
_DIED = "A process that scores has died on a worker, or hung for five minutes."

Lines = Callable[[dict[str, Any]], Iterator[bytes]]
"""Given what ``serving.nightly`` says first, with the task in it, yields the result of every person, in order."""


@dataclass(frozen=True)
class Scored:
    """What a worker hands back of a partition: who is in it, who is flagged, and a line of JSON per person who was known."""

    persons: list[str]
    not_known: list[str]
    flags: list[SafetyFlag]
    lines: list[bytes]


@contextmanager
def scored_elsewhere(workspace: Workspace, everyone: Everyone, scheduler: str | None) -> Iterator[Lines]:
    """Yield what scores everybody on a cluster; parameters and errors are those of :func:`pipeline.engine.open_engine`."""
    tables = everyone.tables.resolve()
    count, spill = n_partitions(tables), new_scratch(workspace.scores.resolve())
    with made(spill), open_cluster(scheduler, count, tables / "persons.parquet", None, spill) as cluster:
        yield partial(_lines, cluster, everyone, tables, count)


def _lines(cluster: Any, everyone: Everyone, tables: Path, count: int, told: dict[str, Any]) -> Iterator[bytes]:
    work = partial(score_partition, tables, everyone.index_day, told["task"], told["models"])
    client, describe, expected = cluster
    for _, found in in_turn(client, describe, expected, work, count):
        everyone.see(found.flags, found.persons, found.not_known)
        yield from found.lines
    everyone.refuse_changed()


def score_partition(
    tables: Path, index_day: np.datetime64, task: str, models: dict[str, Any], partition: int
) -> Scored:
    """Score the persons of a partition, in a process of their own; this is what a worker does.

    Raises
    ------
    EngineError
        The process opened other models than those that the night names, refused, or died.
    """
    flags, found = people(tables, partition, index_day)
    persons: list[str] = []
    not_known: list[str] = []

    def known() -> Iterator[bytes]:
        for person_id, record in found:
            persons.append(person_id)
            if record is None:
                not_known.append(person_id)
            else:
                yield orjson.dumps({"person_id": person_id, "record": record}) + b"\n"

    with _process(task, models) as process:
        lines = [line for batch in batched(known(), BATCH) for line in _exchange(process, batch)]
    return Scored(persons, not_known, flags, lines)


@contextmanager
def _process(task: str, models: dict[str, Any]) -> Iterator[subprocess.Popen[bytes]]:
    # One thread, as there is a worker for every processor.
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", SCORES], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=PROJECT, env=environment
    )
    try:
        (hello,) = _answers(process, [task.encode() + b"\n"], 1)
        _refuse_other_models(hello, models)
        yield process
    finally:
        process.kill()
        process.communicate()


def _refuse_other_models(hello: bytes, models: dict[str, Any]) -> None:
    told = orjson.loads(hello)
    if "error" in told:
        raise EngineError(f"A worker cannot score: {told['error']} Bundles and key must be at the same path there.")
    if told["models"] != models:
        raise EngineError("A worker opened other models than the process that asks. Mount the same bundles there.")


def _exchange(process: subprocess.Popen[bytes], batch: list[bytes]) -> list[bytes]:
    return _answers(process, [f"{len(batch)}\n".encode(), *batch], len(batch))


def _answers(process: subprocess.Popen[bytes], lines: list[bytes], count: int) -> list[bytes]:
    assert process.stdin is not None, "it is a pipe"
    assert process.stdout is not None, "it is a pipe"
    with killed_after(process, LONGEST_BATCH_SECONDS):
        _write(process.stdin, lines)
        found = [line for line in islice(process.stdout, count) if line.endswith(b"\n")]
    if len(found) < count:
        raise EngineError(_DIED)
    return found


def _write(into: IO[bytes], lines: Iterable[bytes]) -> None:
    try:
        into.write(b"".join(lines))
        into.flush()
    except OSError:
        raise EngineError(_DIED) from None
