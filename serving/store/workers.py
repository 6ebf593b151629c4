"""Processes that score beside each other: ``python -m serving.store.workers``, tasks and records in, results out, as lines.

Each is started afresh (a process that is forked after LightGBM has run hangs) and speaks JSON over its pipes. A first line
is the task; then come batches: a line with their number, and so many records. A batch is read whole before it is answered,
so neither side waits for the other with a full pipe. A process whose parent is gone reads the end of its input and ends.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any, Protocol

import orjson

from data_contracts.batches import batched
from data_contracts.errors import ArtifactError, BalanceRiskError, EngineError
from data_contracts.time_limit import killed_after
from serving.store.scoring import Scorer, Task

BATCH = 100
"""Records that are scored together: more gain next to nothing, and each process holds a few batches at a time."""
PROJECT = Path(__file__).resolve().parents[2]
LONGEST_BATCH_SECONDS = 300.0
"""Seconds are usual, also to open the models."""
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class Scores(Protocol):
    """Who scores: this process or another."""

    @property
    def models(self) -> dict[str, dict[str, str]]:
        """By outcome, directory, version and SHA-256 of the bundle."""

    def lines(self, lines: Sequence[bytes]) -> list[bytes]:
        """Return the result of each line."""


class Worker:
    """Another process that scores; ``models`` are what it has verified and opened."""

    def __init__(self, task: Task) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=PROJECT,
            env={**os.environ, **_ONE_THREAD},
        )  # fmt: skip
        self._task = task
        self.models: dict[str, dict[str, str]] = {}

    def start(self) -> None:
        """Hand over the task and wait until the models are open."""
        hello = orjson.loads(self._exchange([self._task.to_json()], 1)[0])
        if "error" in hello:
            raise ArtifactError(hello["error"])
        self.models = hello["models"]

    def lines(self, lines: Sequence[bytes]) -> list[bytes]:
        """Return the result of each line; raises EngineError if the process has died."""
        return self._exchange([str(len(lines)).encode(), *lines], len(lines))

    def stop(self) -> None:
        """End the process; it has nothing to lose."""
        self._process.kill()
        self._process.communicate()

    def _exchange(self, lines: Iterable[bytes], n_answers: int) -> list[bytes]:
        into, out = self._process.stdin, self._process.stdout
        assert into is not None, "it is a pipe"
        assert out is not None, "it is a pipe"
        with killed_after(self._process, LONGEST_BATCH_SECONDS):
            try:
                into.write(b"".join(line.rstrip(b"\n") + b"\n" for line in lines))
                into.flush()
            except OSError:
                raise EngineError(_DIED) from None
            found = [line for line in islice(out, n_answers) if line.endswith(b"\n")]
        if len(found) < n_answers:
            raise EngineError(_DIED)
        return found


_DIED = "A process that scores has died, or hung for five minutes, so nothing of this night was written. Run it again."


@contextmanager
def scorers(task: Task, n_workers: int) -> Iterator[list[Scores]]:
    """Yield who scores: this process for one worker (or none, to open the models), else as many others, all with the same."""
    if n_workers <= 1:
        yield [Scorer(task)]
        return
    with ExitStack() as stack:
        workers = [Worker(task) for _ in range(n_workers)]
        for worker in workers:
            stack.callback(worker.stop)
        with ThreadPoolExecutor(n_workers) as pool:
            list(pool.map(Worker.start, workers))
        yield [*workers]


def in_order(lines: Iterable[bytes], scorers: Sequence[Scores]) -> Iterator[bytes]:
    """Yield the result of each line in the order of the lines; only a few batches are held at a time."""
    batches = batched(lines, BATCH)
    if len(scorers) == 1:
        for batch in batches:
            yield from scorers[0].lines(batch)
        return
    idle: SimpleQueue[Scores] = SimpleQueue()
    for scorer in scorers:
        idle.put(scorer)

    def work(batch: list[bytes]) -> list[bytes]:
        scorer = idle.get()
        try:
            return scorer.lines(batch)
        finally:
            idle.put(scorer)

    under_way: deque[Future[list[bytes]]] = deque()
    with ThreadPoolExecutor(len(scorers)) as pool:
        for batch in batches:
            under_way.append(pool.submit(work, batch))
            if len(under_way) > 2 * len(scorers):
                yield from under_way.popleft().result()
        while under_way:
            yield from under_way.popleft().result()


def serve(source: IO[bytes], sink: IO[bytes]) -> None:
    """Be a worker: read the task, then batch after batch until the input ends."""
    try:
        scorer = Scorer(Task.from_json(source.readline()))
    except BalanceRiskError as error:
        _tell(sink, [orjson.dumps({"error": str(error)})])
        return
    _tell(sink, [orjson.dumps({"models": scorer.models})])
    while count := source.readline():
        batch = [source.readline() for _ in range(int(count))]
        if not batch[-1].endswith(b"\n"):
            return  # the parent died while it wrote
        _tell(sink, scorer.lines(batch))


def _tell(sink: IO[bytes], lines: Iterable[bytes]) -> None:
    sink.write(b"".join(line + b"\n" for line in lines))
    sink.flush()


def main() -> int:
    """Run as a process; whatever goes wrong is told without values."""
    try:
        serve(sys.stdin.buffer, sys.stdout.buffer)
    except BrokenPipeError:
        return 0
    except Exception as error:
        sys.stderr.write(f"scoring failed: {_kind(error)}\n")
        return 70
    return 0


def _kind(error: Any) -> str:
    return type(error).__name__


if __name__ == "__main__":
    sys.exit(main())
