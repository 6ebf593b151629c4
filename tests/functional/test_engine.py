"""Training sets from a real Dask cluster of processes: the bytes of one process, also when a worker is killed at work."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import psutil
import pytest

from data_contracts.errors import EngineError
from data_contracts.readers.parquet_files import read_tables, write_tables
from pipeline import build_training_set, engine, ingest, simulate
from pipeline.settings import Settings, SimulateSettings, TrainingSettings
from pipeline.workspace import Workspace

ROOT = Path(__file__).parents[2]
BOTH = ["long_sick_leave", "burnout"]
SETTINGS = Settings(
    simulate=SimulateSettings(persons=1000, seed=7, end=date(2025, 4, 1)), training=TrainingSettings(months_between=6)
)
PATIENCE = 180
"""Seconds until something is stuck; far more than it takes on a busy machine."""


def digests(workspace: Workspace) -> dict[str, str]:
    """SHA-256 of every file under data/training, by path."""
    files = [path for path in workspace.training.rglob("*") if path.is_file()]
    return {str(path.relative_to(workspace.training)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def expected(tmp_path_factory) -> tuple[Workspace, dict[str, str]]:
    """A workspace, and the digests of its training sets by one process and in one partition."""
    workspace = Workspace(tmp_path_factory.mktemp("engine"))
    simulate.run(workspace, SETTINGS.simulate)
    ingest.run(workspace, SETTINGS.ingest)
    build_training_set.run(workspace, SETTINGS, BOTH)
    found = digests(workspace)
    names = ("rows.npz", "rows.json", "workplace_context.json")
    assert sorted(found) == sorted(f"{outcome}/{name}" for outcome in BOTH for name in names)
    return workspace, found


def in_partitions(workspace: Workspace, n: int) -> None:
    """Store the tables in so many partitions, and forget the training sets."""
    write_tables(workspace.tables, read_tables(workspace.tables), n)
    shutil.rmtree(workspace.training, ignore_errors=True)


@contextmanager
def started(log: Path, *command: str, **environment: str) -> Iterator[subprocess.Popen]:
    """Run one of Dask's commands in this tree until the block ends."""
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=ROOT, stdout=sink, stderr=sink,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def scheduler(home: Path) -> Iterator[str]:
    """Run a scheduler; yields its address."""
    file = home / "scheduler.json"
    command = ("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    with started(home / "scheduler.log", *command, "--scheduler-file", str(file)):
        wait_for(lambda: file.exists() and file.read_text().rstrip().endswith("}"))
        yield json.loads(file.read_text())["address"]


@contextmanager
def worker(home: Path, address: str, name: str, fault: str = "") -> Iterator[subprocess.Popen]:
    """Run a worker, and nothing that starts it again."""
    preload = ("--preload", "tests.lib.faulty_worker") if fault else ()
    options = ("--name", name, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(home / name))
    command = ("distributed.cli.dask_worker", address, *options, *preload)
    with started(home / f"{name}.log", *command, FAULT=fault, BEGUN=str(home / "begun")) as process:
        log = home / f"{name}.log"
        wait_for(lambda: b"Registered to" in log.read_bytes() or process.poll() is not None)
        assert process.poll() is None, log.read_text()
        yield process


def wait_for(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory) -> Iterator[str]:
    """Address of a scheduler with two workers."""
    home = tmp_path_factory.mktemp("cluster")
    with scheduler(home) as address, worker(home, address, "one"), worker(home, address, "two"):
        yield address


def command(workspace: Workspace, *options: str) -> list[str]:
    params = workspace.root / "params.yaml"
    params.write_text("training: {months_between: 6}\n")
    verb = [sys.executable, "-m", "pipeline.cli", "build-training-set", "-w", str(workspace.root)]
    outcomes = [part for outcome in BOTH for part in ("--outcome", outcome)]
    return [*verb, "--params", str(params), "--json", *outcomes, *options]


@pytest.mark.parametrize("n", [1, 3, 7])
def test_two_workers_give_the_bytes_of_one_process_for_any_number_of_partitions(n, expected, cluster):
    workspace, bytes_of_one = expected
    in_partitions(workspace, n)
    build_training_set.run(workspace, SETTINGS, BOTH, "dask", cluster)
    assert digests(workspace) == bytes_of_one


@pytest.mark.parametrize("n", [3, 7])
def test_one_process_gives_the_same_bytes_for_any_number_of_partitions(n, expected):
    workspace, bytes_of_one = expected
    in_partitions(workspace, n)
    build_training_set.run(workspace, SETTINGS, BOTH)
    assert digests(workspace) == bytes_of_one


def test_without_an_address_the_cluster_is_this_machine(expected):
    workspace, bytes_of_one = expected
    in_partitions(workspace, 3)
    done = subprocess.run(
        command(workspace, "--engine", "dask"), cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(json.loads(done.stdout)["outcomes"]) == sorted(BOTH)
    assert digests(workspace) == bytes_of_one


def test_a_worker_killed_at_work_loses_nothing(expected, tmp_path):
    workspace, bytes_of_one = expected
    in_partitions(workspace, 7)
    begun = tmp_path / "begun"
    with (
        scheduler(tmp_path) as address,
        worker(tmp_path, address, "healthy"),
        worker(tmp_path, address, "doomed", "stalls") as doomed,
        subprocess.Popen(
            command(workspace, "--engine", "dask", "--scheduler", address), cwd=ROOT, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        ) as run,
    ):  # fmt: skip
        wait_for(lambda: begun.exists() or run.poll() is not None)
        assert run.poll() is None, run.communicate()
        assert list(workspace.training.rglob(f"{begun.read_text()}.f4.0.partial")), "it is in the middle of a partition"
        doomed.send_signal(signal.SIGKILL)
        output, errors = run.communicate(timeout=PATIENCE)
    assert doomed.returncode == -signal.SIGKILL
    assert run.returncode == 0, errors
    assert sorted(json.loads(output)["outcomes"]) == sorted(BOTH)
    assert digests(workspace) == bytes_of_one, "nothing is lost, and nothing is left over"


def test_a_scheduler_out_of_reach_is_said_and_leaves_what_was_there(expected):
    workspace, _ = expected
    in_partitions(workspace, 1)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
    done = subprocess.run(
        command(workspace, "--engine", "dask", "--scheduler", address), cwd=ROOT, capture_output=True, text=True,
        check=False, timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == EngineError.exit_code == 7
    assert f"No Dask scheduler answers at {address}" in done.stderr
    assert "Traceback" not in done.stderr
    assert digests(workspace) == {}


def test_a_scheduler_without_workers_is_said(expected, tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "CONNECT_SECONDS", 2)
    workspace, _ = expected
    with scheduler(tmp_path) as address, pytest.raises(EngineError, match=f"dask worker {address}"):
        build_training_set.run(workspace, SETTINGS, BOTH, "dask", address)


def test_a_worker_with_other_code_is_refused_before_any_work(expected, tmp_path):
    workspace, _ = expected
    in_partitions(workspace, 3)
    refusal = pytest.raises(EngineError, match=r"does not fit: the code is another there, [0-9a-f]{12} here")
    with scheduler(tmp_path) as address, worker(tmp_path, address, "other", "runs other code"), refusal:
        build_training_set.run(workspace, SETTINGS, BOTH, "dask", address)
    assert digests(workspace) == {}


def test_a_failure_in_a_worker_is_told_as_if_it_were_here_and_leaves_no_half_training_set(expected, cluster):
    workspace, _ = expected
    in_partitions(workspace, 3)
    path = workspace.tables / "lab_results.parquet"
    whole = path.read_bytes()
    path.write_bytes(whole[:4] + bytes(1000) + whole[1004:])  # the end, which says what is where, is sound
    try:
        with pytest.raises(Exception, match=r"lab_results\.parquet is not a readable Parquet file"):
            build_training_set.run(workspace, SETTINGS, BOTH, "dask", cluster)
    finally:
        path.write_bytes(whole)
    assert list(workspace.training.rglob("*/*")) == []


def listening(process: subprocess.Popen) -> list[int]:
    """Ports on which a process or a child of it listens."""
    main = psutil.Process(process.pid)
    found = [one for child in (main, *main.children(recursive=True)) for one in child.net_connections("inet")]
    return sorted({one.laddr.port for one in found if one.status == psutil.CONN_LISTEN})


def asked_in_clear(port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"GET /health HTTP/1.0\r\n\r\n")
        try:
            return connection.recv(100)
        except ConnectionResetError:
            return b""


def test_the_cluster_of_this_machine_answers_nothing_in_clear_and_spills_where_it_is_told(tmp_path):
    with started(tmp_path / "log", "tests.lib.holds_a_cluster", str(tmp_path)) as process:
        wait_for(lambda: (tmp_path / "begun").exists() or process.poll() is not None)
        assert process.poll() is None, (tmp_path / "log").read_text()
        answers = {port: asked_in_clear(port) for port in listening(process)}
        homes = sorted((tmp_path / "spill" / "dask-scratch-space").glob("worker-*/storage"))
        (tmp_path / "stop").touch()
        process.wait(timeout=PATIENCE)
    assert process.returncode == 0, (tmp_path / "log").read_text()
    assert len(answers) >= 3, "a scheduler and two workers"
    assert not [port for port, answer in answers.items() if answer.startswith(b"HTTP")]
    assert 8787 not in answers
    assert len(homes) == min(2, os.cpu_count() or 1)
