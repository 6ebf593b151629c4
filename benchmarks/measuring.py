"""One run of one program in a process of its own: wall and CPU seconds, and the most memory that it and its children held."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

_PAGE = os.sysconf("SC_PAGE_SIZE")
MEMORY = os.sysconf("SC_PHYS_PAGES") * _PAGE
"""Of this machine, in bytes."""


class Run(NamedTuple):
    """What a run took. ``problem`` is empty if it came to its end."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    printed: str
    problem: str


def measured(
    command: Sequence[Any],
    *,
    environment: Mapping[str, str],
    minutes: float,
    cores: int | None = None,
    most_memory: float = 0.8,
    every: float = 0.1,
) -> Run:
    """Run a command once, on so many cores; one that takes longer, or more than a share of the memory, is ended.

    Memory is looked at ``every`` so many seconds: of a single process the most that it has held, of several what they hold
    together at that moment, shared pages once (PSS).
    """
    start = time.perf_counter()
    process = subprocess.Popen(
        [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(environment),
        start_new_session=True,
    )  # fmt: skip
    if cores is not None:
        os.sched_setaffinity(process.pid, set(sorted(os.sched_getaffinity(0))[:cores]))
    with _Watch(process.pid, start + 60 * minutes, most_memory * MEMORY, every) as watch:
        streams = _Streams(process)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - start
    printed, complaints = streams.texts()
    problem = watch.problem or ("" if process.returncode == 0 else _last_line(complaints, process.returncode))
    return Run(seconds, usage.ru_utime + usage.ru_stime, watch.peak / 1e6, printed, problem)


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

    def __init__(self, pid: int, until: float, most: float, every: float) -> None:
        self.peak, self.problem = 0, ""
        self._pid, self._until, self._most, self._every = pid, until, most, every
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> _Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(self._every):
            self.peak = max(self.peak, held(list(family(self._pid))))
            if time.perf_counter() > self._until:
                self._end("took too long")
            elif self.peak > self._most:
                self._end(f"needed more than {self.peak / 1e9:.0f} GB of memory")

    def _end(self, problem: str) -> None:
        self.problem = self.problem or problem
        os.killpg(self._pid, signal.SIGKILL)


def family(pid: int) -> Iterator[int]:
    """Yield a process and all that it has started; Linux only, elsewhere nothing but the process."""
    yield pid
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [child for task in tasks for child in (task / "children").read_text(encoding="ascii").split()]
    except OSError:  # it has ended meanwhile
        return
    for child in children:
        yield from family(int(child))


def held(pids: list[int]) -> int:
    """Return bytes: of a single process the most it has held, of several what they hold now, shared pages once."""
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
    lines = [line for line in complaints.strip().splitlines() if line.strip()]
    if code < 0:
        return f"killed by signal {-code}" + (" (out of memory?)" if code == -signal.SIGKILL else "")
    return lines[-1] if lines else f"ended with {code}"
