"""A Dask cluster as docs/deploy/dask.md says: its own commands, real processes, TLS; a worker is killed during each verb."""

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
from contextlib import ExitStack, contextmanager, suppress
from datetime import date
from pathlib import Path

import psutil
import pytest

from data_contracts.readers.parquet_files import read_tables, write_tables
from models import artifact
from models.bundle import export_bundle, move_current
from models.signing import create_keys
from pipeline import build_training_set, ingest, score, simulate, train
from pipeline.nightly import store_url
from pipeline.settings import SimulateSettings, read_settings
from pipeline.workspace import Workspace
from serving.store import open_store
from serving.store.tables import NIGHTS
from tests.lib import documented
from tests.lib.stores import rows

pytest.importorskip("distributed")
pytestmark = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="openssl is not installed: it makes certificates"
)

PAGE = Path(__file__).parents[2] / "docs" / "deploy" / "dask.md"
ROOT = PAGE.parents[2]
OUTCOME = "long_sick_leave"
DAY = date(2025, 3, 1)
PARTITIONS = 4
PATIENCE = 180
PARAMS = """
training: {months_between: 6}
train: {insufficient: report, folds: 2, refits: 2, lightgbm: {n_estimators: 20}}
"""
"""So that trees are grown for so few persons: every candidate is fitted, and what takes more persons only reported."""


class Site:
    """A directory with certificates, a workspace and a cluster, and the commands of the page with its own addresses."""

    def __init__(self, home: Path) -> None:
        self.home = home
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.places = {
            "tls://host:8786": f"tls://127.0.0.1:{port}", "--host host": "--host 127.0.0.1", "--port 8786": f"--port {port}",
            "/etc/dask": str(home / "certificates"), "/encrypted": str(home / "spill"),
            "/srv/balance-risk": str(home / "workspace"),
        }  # fmt: skip
        (home / "certificates").mkdir()
        (home / "params.yaml").write_text(PARAMS)
        self.environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
                            "PYTHONPATH": str(ROOT)}  # fmt: skip

    def shell(self, *first: str) -> list[str]:
        """The commands of the page that begin with some words, with the addresses and directories of this test."""
        texts = [one.text for one in documented.commands(PAGE) if one.words[: len(first)] == first]
        assert texts, f"{PAGE} has no command {' '.join(first)}"
        for written, here in self.places.items():
            texts = [text.replace(written, here) for text in texts]
        return texts

    @contextmanager
    def started(self, name: str, *first: str) -> Iterator[subprocess.Popen]:
        """Run a command of the page until the block ends, with all that it started."""
        (text,) = self.shell(*first)
        with (self.home / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(text.split(), cwd=self.home, env=self.environment, stdout=log, stderr=log)
        try:
            yield process
        finally:
            everything = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
            for one in everything:
                one.kill()
            process.wait()

    def log(self, name: str) -> str:
        """What a process has said so far."""
        return (self.home / f"{name}.log").read_text()

    def verb(self, name: str, *options: str) -> subprocess.Popen:
        """Start a verb as the page does, for one outcome or day."""
        (text,) = self.shell("balance-risk", name)
        return subprocess.Popen([*text.split(), *options, "--json"], cwd=self.home, env=self.environment,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip


def wait_for(is_so: Callable[[], bool], run: subprocess.Popen | None = None) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline
        assert run is None or run.poll() is None, run.communicate()
        time.sleep(0.02)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Site]:
    """A cluster of a scheduler and two workers, started as the page says."""
    found = Site(tmp_path_factory.mktemp("dask"))
    for text in found.shell("openssl"):
        subprocess.run(["sh", "-ec", text], check=True, capture_output=True, cwd=found.home)
    for text in found.shell("export"):
        name, _, value = text.removeprefix("export ").partition("=")
        found.environment[name] = value
    with ExitStack() as stack:
        stack.enter_context(found.started("scheduler", "dask", "scheduler"))
        for name in ("one", "two"):
            stack.enter_context(found.started(name, "dask", "worker"))
        for name in ("one", "two"):
            wait_for(lambda name=name: "Registered to" in found.log(name))
        yield found


@pytest.fixture(scope="module")
def local(site) -> tuple[Workspace, Workspace]:
    """A workspace whose SYNTHETIC training set, models and night are of one process, and one that has tables only."""
    here, there = Workspace(site.home / "here"), Workspace(site.home / "workspace")
    settings = read_settings(site.home / "params.yaml")
    simulate.run(here, SimulateSettings(persons=1200, seed=7, format="parquet", workers=1))
    ingest.run(here, settings.ingest)
    write_tables(here.tables, read_tables(here.tables), PARTITIONS)
    shutil.copytree(here.root, there.root)
    build_training_set.run(here, settings, [OUTCOME])
    train.run(here, settings, [OUTCOME])
    private_key, _ = create_keys(there.keys)
    bundle = export_bundle(here.model(OUTCOME) / "champion", there.bundles, OUTCOME, "1", private_key)
    move_current(there.bundles, OUTCOME, bundle)
    for directory in (there.keys, there.bundles):
        shutil.copytree(directory, here.root / directory.relative_to(there.root), symlinks=True)
    return here, there


def workers_of(site: Site) -> list[psutil.Process]:
    """The processes that do the work, which their nannies start again."""
    nannies = [one for one in psutil.process_iter(["cmdline"]) if "worker" in (one.info["cmdline"] or [])
               and site.places["tls://host:8786"] in one.info["cmdline"]]  # fmt: skip
    return [child for nanny in nannies for child in nanny.children() if _runs(child, "spawn_main")]


def _runs(process: psutil.Process, word: str) -> bool:
    try:
        return word in " ".join(process.cmdline())
    except psutil.Error:  # it has ended meanwhile
        return False


def busy_with(site: Site, module: str) -> psutil.Process | None:
    """A worker that has started a process of a module."""
    for worker in workers_of(site):
        if any(_runs(child, module) for child in worker.children()):
            return worker
    return None


def killed(worker: psutil.Process, run: subprocess.Popen) -> None:
    assert run.poll() is None, "it must be killed at work"
    worker.send_signal(signal.SIGKILL)


def ended(run: subprocess.Popen) -> dict:
    output, errors = run.communicate(timeout=PATIENCE)
    assert run.returncode == 0, errors[-3000:]
    assert "LightGBM" not in output + errors, "what the verb says is its own"
    return json.loads(output)


def test_nothing_of_the_cluster_answers_without_a_certificate(site):
    """``--no-dashboard`` alone leaves a plain HTTP server at all addresses."""
    ours = [one for one in psutil.process_iter(["cmdline"]) if site.places["tls://host:8786"] in (one.info["cmdline"] or [])
            or {"scheduler", site.places["--port 8786"].split()[1]} <= {*(one.info["cmdline"] or [])}]  # fmt: skip
    ours += workers_of(site)
    listening = [
        (connection.laddr.ip, connection.laddr.port)
        for one in ours
        for connection in one.net_connections("tcp4")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) == len(ours) == 5, "a scheduler, two workers and who starts them anew: one port each"
    for address, port in listening:
        asked = ("127.0.0.1" if address == "0.0.0.0" else address, port)
        with socket.create_connection(asked, 5) as connection:
            connection.sendall(b"GET /info/main/workers.html HTTP/1.0\r\n\r\n")
            with suppress(ConnectionError):
                assert b"HTTP" not in connection.recv(100)


def test_training_sets_have_the_bytes_of_one_process_although_a_worker_is_killed(site, local):
    _, there = local
    with site.verb("build-training-set", "--outcome", OUTCOME) as run:
        wait_for(lambda: any(there.training.rglob("parts-*/*.f4*")), run)
        killed(workers_of(site)[0], run)
        ended(run)
    digests = [{path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in one.training.rglob("*.*")
                if path.is_file()} for one in local]  # fmt: skip
    assert digests[0] == digests[1]
    assert {"rows.npz", "rows.json", "workplace_context.json"} <= digests[0].keys()


def compared(workspace: Workspace) -> dict[str, dict[str, float]]:
    """The lines of the comparison by candidate."""
    found = json.loads((workspace.model(OUTCOME) / "comparison.json").read_text(encoding="utf-8"))
    return {line["name"]: line for line in found["candidates"]}


def test_only_trees_differ_and_are_as_good_although_a_worker_is_killed(site, local):
    """How good trees of a cluster are on other rows: test_distributed_training. The workers have built training sets before."""
    with site.verb("train", "--outcome", OUTCOME) as run:
        wait_for(lambda: "[LightGBM]" in site.log("one"), run)
        killed(workers_of(site)[0], run)
        ended(run)
    here, there = map(compared, local)
    assert list(here) == list(there)
    assert there["lightgbm"]["auroc"] == pytest.approx(here["lightgbm"]["auroc"], abs=0.03)
    assert there["lightgbm"]["log_loss"] == pytest.approx(here["lightgbm"]["log_loss"], abs=0.01)
    assert there["lightgbm"] != here["lightgbm"], "the trees of one process: the cluster grew none"
    for name in here.keys() - {"lightgbm"}:
        for number in ("auroc", "log_loss", "recalibration_slope"):
            assert there[name][number] == pytest.approx(here[name][number], abs=1e-9), name
    for workspace, engine in zip(local, ("local", "dask"), strict=True):
        home = workspace.model(OUTCOME)
        assert json.loads((home / "settings.json").read_text(encoding="utf-8"))["engine"] == engine
        assert artifact.load(home / "champion").name == "core"
        assert artifact.load(home / "candidates" / "lightgbm").kind == "lightgbm"


def stored(workspace: Workspace) -> dict[str, list]:
    """Every row of a workspace's store, but for the moment at which it was written."""
    store = open_store(store_url(workspace))
    try:
        found = rows(store)
    finally:
        store.close()
    moment = [column.name for column in NIGHTS.columns].index("written_at")
    return found | {"nights": [row[:moment] + row[moment + 1 :] for row in found["nights"]]}


def test_a_night_has_the_answers_of_one_process_although_a_worker_is_killed(site, local):
    here, there = local
    alone = score.run(here, DAY, [OUTCOME], None, 1)
    with site.verb("score", "--index-date", str(DAY)) as run:
        busy: list[psutil.Process | None] = []
        wait_for(lambda: busy.append(busy_with(site, "serving.store.workers")) or busy[-1] is not None, run)
        killed(busy[-1], run)
        found = ended(run)
    assert found["night"]["digest"] == alone["night"]["digest"]
    assert found["night"]["run_id"] == alone["night"]["run_id"]
    assert found["night"]["is_new"] is True
    assert stored(there) == stored(here)
    assert Path(found["path"]).read_bytes() == Path(alone["path"]).read_bytes()
    assert found["scored"] == alone["scored"] != {OUTCOME: 0}
    assert not list(there.scores.glob("parts-*"))
