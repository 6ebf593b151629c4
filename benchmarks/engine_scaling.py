"""How the time and memory of build-training-set change with the engine: one process, one Dask worker, two Dask workers.

    python -m benchmarks.engine_scaling [--persons 100000] [--workers 1 2] [--outcome long_sick_leave]

SYNTHETIC persons, simulated and ingested once. Each engine builds the same training set; the bytes are compared. Seconds
are of the whole command in a fresh process against a scheduler and workers that are running already. CPU and memory are
of the process that asks, and of the busiest worker; memory is the most that one process ever held. Ratios are to the local
engine. On a machine with as many processors as workers, the process that asks and the scheduler compete with them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import meta
from pipeline import build_training_set, ingest, simulate
from pipeline.settings import Settings, SimulateSettings
from pipeline.workspace import Workspace

ROOT = Path(__file__).parents[1]
RESULTS = meta.RESULTS / "engine_scaling.json"
LONGEST_START_SECONDS = 120


class Cost(NamedTuple):
    """Of one process, until now."""

    cpu_seconds: float
    peak_mb: float


class Run(NamedTuple):
    """What one engine took: wall-clock seconds, the costs, and the digest of what it made."""

    seconds: float
    main: Cost
    workers: list[Cost]
    digest: str


def cost(process: int) -> Cost:
    """Read what a process has taken; all threads count."""
    (kilobytes,) = re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return Cost((int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), int(kilobytes) / 1024)


@contextmanager
def started(*command: str) -> Iterator[int]:
    process = subprocess.Popen(
        [sys.executable, "-m", *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


@contextmanager
def cluster(n_workers: int, home: Path) -> Iterator[tuple[str, list[int]]]:
    """Run a scheduler and workers of one thread; yields the address and the processes of the workers."""
    file = home / "scheduler.json"
    options = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file))
    with ExitStack() as stack:
        stack.enter_context(started("distributed.cli.dask_scheduler", *options))
        deadline = time.monotonic() + LONGEST_START_SECONDS
        while not file.exists() or not file.read_text().rstrip().endswith("}"):
            if time.monotonic() > deadline:
                raise TimeoutError("the scheduler did not start")
            time.sleep(0.1)
        address = json.loads(file.read_text())["address"]
        command = ("distributed.cli.dask_worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard",
                   "--local-directory", str(home))  # fmt: skip
        workers = [stack.enter_context(started(*command)) for _ in range(n_workers)]
        _wait_for_workers(address, n_workers)
        yield address, workers


def _wait_for_workers(address: str, n_workers: int) -> None:
    from distributed import Client

    with Client(address) as client:
        client.wait_for_workers(n_workers, timeout=LONGEST_START_SECONDS)


def asked(workspace: Workspace, outcome: str, *engine: str) -> tuple[float, Cost, str]:
    """Build a training set in a fresh process; returns seconds, what the process took and the digest of the file."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "benchmarks.engine_scaling", "--build", str(workspace.root), outcome, *engine]
    done = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    seconds = time.perf_counter() - began
    with (workspace.training_set(outcome) / "rows.npz").open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return seconds, Cost(*json.loads(done.stdout.splitlines()[-1])), digest


def build(root: str, outcome: str, engine: str, scheduler: str | None = None) -> None:
    """What the fresh process does."""
    build_training_set.run(Workspace(Path(root)), Settings(), [outcome], engine, scheduler)
    print(json.dumps(cost(os.getpid())))


def measured(workspace: Workspace, outcome: str, workers: list[int]) -> dict[str, Run]:
    """Costs by engine."""
    seconds, main, digest = asked(workspace, outcome, "local")
    found = {"local": Run(seconds, main, [], digest)}
    for n in workers:
        with tempfile.TemporaryDirectory() as home, cluster(n, Path(home)) as (address, processes):
            seconds, main, digest = asked(workspace, outcome, "dask", address)
            found[f"dask, {n} worker(s)"] = Run(seconds, main, [cost(process) for process in processes], digest)
    return found


def show(found: dict[str, Run]) -> None:
    local = found["local"]
    print(f"{'engine':<18} {'seconds':>8} {'ratio':>6} {'CPU s':>7} {'ratio':>6} {'peak MB, asking':>16} {'worker':>7}")
    for name, run in found.items():
        cpu = run.main.cpu_seconds + sum(worker.cpu_seconds for worker in run.workers)
        most = max((worker.peak_mb for worker in run.workers), default=float("nan"))
        print(f"{name:<18} {run.seconds:>8.1f} {run.seconds / local.seconds:>6.2f} {cpu:>7.1f} "
              f"{cpu / local.main.cpu_seconds:>6.2f} {run.main.peak_mb:>16.0f} {most:>7.0f}")  # fmt: skip
    print("the same bytes" if len({run.digest for run in found.values()}) == 1 else "THE BYTES DIFFER")


def told(name: str, run: Run) -> dict[str, Any]:
    """Return what is kept of a run."""
    workers = [worker._asdict() for worker in run.workers]
    return {"engine": name, "seconds": run.seconds, "asking": run.main._asdict(), "workers": workers}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int, default=100_000)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--outcome", default="long_sick_leave")
    parser.add_argument("--build", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.build:
        build(*arguments.build)
        return
    with tempfile.TemporaryDirectory() as scratch:
        workspace = Workspace(Path(scratch))
        settings = Settings(simulate=SimulateSettings(persons=arguments.persons, seed=7, format="parquet"))
        simulate.run(workspace, settings.simulate)
        ingest.run(workspace, settings.ingest)
        print(f"{arguments.persons} persons, {os.cpu_count()} processors")
        found = measured(workspace, arguments.outcome, arguments.workers)
    show(found)
    is_same = len({run.digest for run in found.values()}) == 1
    lines = [told(name, run) for name, run in found.items()]
    document = {"synthetic": True, "persons": arguments.persons, "outcome": arguments.outcome}
    document |= {"same_bytes": is_same, "lines": lines}
    meta.save(RESULTS, document, packages=("numpy", "pyarrow", "dask", "distributed"))


if __name__ == "__main__":
    main()
