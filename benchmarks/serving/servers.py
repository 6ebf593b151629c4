"""A server under test: started, waited for, measured with all its processes, ended."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

LONGEST_START = 120.0


class NotStartedError(Exception):
    """A server ended, or was not ready in time; the message names its log."""


@dataclass
class Server:
    """One way to serve: how it is started, where it is asked, and when it is ready."""

    name: str
    command: list[str]
    folder: Path
    variables: Mapping[str, str]
    port: int
    path: str
    ready_path: str
    token: str = ""
    wraps: bool = False
    """Whether the body goes into a frame of records, as mlflow takes it."""

    @property
    def url(self) -> str:
        """Where it is asked."""
        return f"http://127.0.0.1:{self.port}{self.path}"

    def start(self, log: Path) -> float:
        """Start it, and return the seconds until it was ready."""
        began = time.perf_counter()
        with log.open("ab") as lines:
            self.process = subprocess.Popen(
                self.command, cwd=self.folder, env=dict(self.variables), stdout=lines, stderr=lines,
                start_new_session=True,
            )  # fmt: skip
        while not self._is_ready():
            if self.process.poll() is not None or time.perf_counter() - began > LONGEST_START:
                self.stop()
                raise NotStartedError(f"{self.name} was not ready; see {log}")
            time.sleep(0.02)
        return time.perf_counter() - began

    def _is_ready(self) -> bool:
        with suppress(httpx.TransportError):
            return httpx.get(f"http://127.0.0.1:{self.port}{self.ready_path}", timeout=5).status_code == 200
        return False

    def stop(self) -> None:
        """End it and what it has started."""
        processes = self._processes()
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        _, alive = psutil.wait_procs(processes, timeout=15)
        for one in alive:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        self.process.wait()

    def cpu_seconds(self) -> float:
        """Processor time of all its processes so far."""
        return sum(self._of_each(lambda one: sum(one.cpu_times()[:2])))

    def memory_mb(self) -> float:
        """Resident memory of all its processes; pages that they share are counted in each of them."""
        return sum(self._of_each(lambda one: one.memory_info().rss)) / 2**20

    def open_files(self) -> int:
        """File descriptors of all its processes."""
        return int(sum(self._of_each(lambda one: one.num_fds())))

    def _processes(self) -> list[psutil.Process]:
        with suppress(psutil.NoSuchProcess):
            first = psutil.Process(self.process.pid)
            return [first, *first.children(recursive=True)]
        return []

    def _of_each(self, number: Callable[[psutil.Process], float]) -> list[float]:
        found = []
        for one in self._processes():
            with suppress(psutil.NoSuchProcess):
                found.append(number(one))
        return found


def free_port() -> int:
    """Return a port of this machine that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
