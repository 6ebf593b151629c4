"""One run of one tool in a process of its own: wall and CPU seconds, and the most memory it held."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from environments import Environment

_THREAD_LIMITS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "ARROW_NUM_THREADS",
)
_MOST_OF_MEMORY = 0.8
_PAGE = os.sysconf("SC_PAGE_SIZE")
_MEMORY = os.sysconf("SC_PHYS_PAGES") * _PAGE


class Run(NamedTuple):
    """What a run took. ``problem`` is empty if it came to its end; ``calls`` are the seconds of repeated calls."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    calls: tuple[float, ...]
    problem: str


def run(tool: Environment, data: Path, output: Path, threads: int, repeat: int, minutes: float) -> Run:
    """Run a tool once, on so many cores; a run that takes longer, or nearly all memory, is ended."""
    command = [tool.python, tool.script, data, output, "--threads", str(threads), "--repeat", str(repeat)]
    environment = os.environ | dict.fromkeys(_THREAD_LIMITS, str(threads))
    start = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, start_new_session=True
    )
    os.sched_setaffinity(process.pid, set(sorted(os.sched_getaffinity(0))[:threads]))
    watch = _Watch(process.pid, start + 60 * minutes)
    with watch:
        streams = _Streams(process)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - start
    printed, complaints = streams.texts()
    problem = watch.problem or ("" if process.returncode == 0 else _last_line(complaints, process.returncode))
    calls = () if problem else tuple(json.loads(printed.splitlines()[-1])["seconds"])
    return Run(seconds, usage.ru_utime + usage.ru_stime, watch.peak / 1e6, calls, problem)


class _Streams:
    """What a process prints, read as it comes so that it never waits for a reader."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._found: dict[int, bytes] = {}
        self._readers = [
            threading.Thread(target=lambda place=place, stream=stream: self._found.update({place: stream.read()}))
            for place, stream in enumerate((process.stdout, process.stderr))
        ]
        for reader in self._readers:
            reader.start()

    def texts(self) -> list[str]:
        for reader in self._readers:
            reader.join()
        return [self._found[place].decode(errors="replace") for place in range(len(self._readers))]


class _Watch:
    """Samples the memory of a process and its descendants, and ends them when they take too much of anything."""

    def __init__(self, pid: int, until: float) -> None:
        self.peak, self.problem = 0, ""
        self._pid, self._until, self._over = pid, until, threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> _Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.1):
            self.peak = max(self.peak, _held(list(_family(self._pid))))
            if time.perf_counter() > self._until:
                self._end("took too long")
            elif self.peak > _MOST_OF_MEMORY * _MEMORY:
                self._end(f"needed more than {self.peak / 1e9:.0f} GB of memory")

    def _end(self, problem: str) -> None:
        self.problem = self.problem or problem
        os.killpg(self._pid, signal.SIGKILL)


def _family(pid: int) -> Iterator[int]:
    yield pid
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [child for task in tasks for child in (task / "children").read_text(encoding="ascii").split()]
    except OSError:  # it has ended meanwhile
        return
    for child in children:
        yield from _family(int(child))


def _held(pids: list[int]) -> int:
    """Bytes: of a single process the most it has held, of several what they hold now, shared pages once."""
    # Not ru_maxrss, which starts from what the parent held when it made the process.
    if len(pids) == 1:
        return _kilobytes(pids[0], "status", "VmHWM:") * 1024
    return sum(_kilobytes(pid, "smaps_rollup", "Pss:") for pid in pids) * 1024


def _kilobytes(pid: int, file: str, key: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/{file}").read_text(encoding="utf-8").splitlines()
    except OSError:  # it has ended meanwhile
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith(key))


def _last_line(complaints: str, code: int) -> str:
    lines = complaints.strip().splitlines()
    return lines[-1] if lines else f"ended with {code}"
