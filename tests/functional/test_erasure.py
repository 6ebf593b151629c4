"""Erasure against the real DVC and the real registry: no checkout brings a row back, and what is due is said."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from models import artifact, registry, registry_runs, registry_tags
from models.bundle import create_keys, export_bundle, move_current
from pipeline import erase
from pipeline.erasure import cache
from pipeline.erasure.models import retrain_due
from pipeline.workspace import Workspace
from tests.lib.models import linear_model
from tests.lib.planted import HER, grep

ROOT = Path(__file__).parents[2]

STAGES = """
stages:
  receive:
    cmd: {python} stages.py receive
    outs: [data/source]
  ingest:
    cmd: {python} stages.py ingest
    deps: [data/source]
    outs: [data/tables]
  build-training-set:
    cmd: {python} stages.py build
    deps: [data/tables]
    outs: [data/training/long_sick_leave]
"""

SCRIPT = """
import sys
from dataclasses import replace
import numpy as np
from data_contracts.readers.parquet_files import read_tables
from pipeline import ingest
from pipeline.workspace import Workspace
from tests.lib.cohorts import random_training_set
from tests.lib.planted import RECEIVED, source

workspace = Workspace()
if sys.argv[1] == "receive":
    source(workspace.source)
elif sys.argv[1] == "ingest":
    ingest.run(workspace, RECEIVED)
else:
    persons = read_tables(workspace.tables)["persons"]["person_id"].compact().vocabulary
    rows = random_training_set(n_persons=len(persons))
    replace(rows, person_ids=np.array(persons)).save(workspace.training_set("long_sick_leave") / "rows")
"""


def dvc(home: Path, *arguments: str) -> tuple[int, str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "DVC_NO_ANALYTICS": "1"}
    command = [sys.executable, "-m", "dvc", *arguments]
    done = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Workspace:
    """Three stages run by DVC, and a champion in service that was trained on her."""
    home = tmp_path_factory.mktemp("erasure")
    (home / "dvc.yaml").write_text(STAGES.format(python=sys.executable))
    (home / "stages.py").write_text(SCRIPT)
    assert dvc(home, "init", "--no-scm", "--quiet")[0] == 0
    code, output = dvc(home, "repro")
    assert code == 0, output
    workspace = Workspace(home)
    rows = workspace.training_set("long_sick_leave") / "rows.npz"
    champion = linear_model()
    artifact.save(champion, workspace.model("long_sick_leave") / "champion")
    tags = {"training_set_sha256": hashlib.sha256(rows.read_bytes()).hexdigest()}
    place = workspace.model("long_sick_leave") / "champion"
    found = registry_runs.register(
        champion, place, registry_runs.Evidence({}, tags), tracking_uri=workspace.tracking_uri
    )
    signing, _ = create_keys(workspace.keys)
    bundle = export_bundle(place, workspace.bundles, "long_sick_leave", found.version, signing)
    move_current(workspace.bundles, "long_sick_leave", bundle)
    return workspace


def test_nothing_brings_an_erased_person_back(workspace, monkeypatch):
    root = workspace.root
    assert sum(name.startswith(".dvc/cache/files/") for name in grep(root)) > 10

    # Broken off while the registry is being marked: everything is gone by then, and the second run finishes.
    with monkeypatch.context() as broken:
        broken.setattr(registry_tags, "mark_retrain_due", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            erase.run(workspace, HER)
    assert grep(root) == []
    report = erase.run(workspace, HER)

    assert report["stages_to_run_again"] == ["build-training-set", "ingest", "receive"]
    assert report["places"][".dvc/cache"]["before"] > 10
    dvc(root, "checkout", "--force")
    assert grep(root) == []

    version = registry.latest_version("long_sick_leave", tracking_uri=workspace.tracking_uri)
    with registry._connected(workspace.tracking_uri) as mlflow:
        found = mlflow.MlflowClient().get_model_version("balance-risk.long_sick_leave", version)
    assert found.tags["retrain_due"].startswith("a person was erased on ")
    assert "champion of long_sick_leave in service, version 1" in retrain_due(workspace, ["long_sick_leave"])[0]

    # The sender sends the same files again: DVC runs every stage, and ingest keeps her out.
    code, output = dvc(root, "repro")
    assert code == 0, output
    assert all(f"Running stage '{stage}'" in output for stage in ("receive", "ingest", "build-training-set"))
    assert grep(workspace.tables) == []
    assert grep(root / "data" / "training") == []
    assert grep(workspace.source) != []

    erase.run(workspace, HER)
    assert grep(root) == []
    assert list((root / "erasures").glob("*unfinished*")) == []
    assert cache.remotes(root) == []
