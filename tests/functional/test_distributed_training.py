"""Trees grown by two workers of a real Dask cluster are as good as those of one process; the verb changes nothing else."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import lightgbm
import numpy as np
import pytest

from models import artifact
from models.estimators.trees import TreeSize, grow, parameters_of
from models.evaluation.discrimination import Ranking, auroc
from pipeline import build_training_set, ingest, simulate, train
from pipeline.settings import SimulateSettings, read_settings
from pipeline.workspace import Workspace

ROOT = Path(__file__).parents[2]
NAMES = ("age_years", "days_doctor_365", "was_work_ability", "hscl10", "tenure_years", "is_female")
SIZE = TreeSize(num_leaves=7, n_estimators=60, learning_rate=0.1, feature_fraction=1.0)


def rows(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Random rows whose risk bends in one column and multiplies two; a tenth is missing."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, len(NAMES))).astype(np.float32)
    log_odds = -1.5 + 0.8 * X[:, 1] - 0.7 * X[:, 2] + 0.5 * X[:, 3] * X[:, 5]
    y = (random.random(n) < 1 / (1 + np.exp(-log_odds))).astype(np.float64)
    X[random.random(X.shape) < 0.1] = np.nan
    return X, y, random.uniform(0.8, 1.4, n)


@pytest.fixture(scope="module")
def both(tmp_path_factory) -> tuple[str, str]:
    """The text models of one process and of two workers, from the same rows."""
    home = tmp_path_factory.mktemp("cluster")
    X, y, weight = rows(40_000, 1)
    np.savez(home / "rows.npz", X=X, y=y, weight=weight)
    parameters = parameters_of(SIZE, 17, "event", NAMES)
    (home / "request.json").write_text(json.dumps({"parameters": parameters, "feature_names": NAMES}))
    command = [sys.executable, "-m", "tests.lib.grows_on_a_cluster", str(home)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return grow(parameters, X, y, weight, NAMES), (home / "booster.txt").read_text(encoding="utf-8")


def test_two_workers_discriminate_as_one_process_does(both):
    X, y, weight = rows(40_000, 2)
    found = []
    for text in both:
        raw = lightgbm.Booster(model_str=text).predict(X, raw_score=True, num_threads=1)
        found.append(float(auroc(Ranking.of(raw), y, weight[None])[0]))
    assert found[0] > 0.7
    assert found[1] == pytest.approx(found[0], abs=0.002)


def test_both_models_name_the_same_columns_and_neither_holds_a_persons_extremes(both):
    names, infos = (
        [next(line for line in text.splitlines() if line.startswith(key)) for text in both]
        for key in ("feature_names=", "feature_infos=")
    )
    assert names[0] == names[1] == "feature_names=" + " ".join(NAMES)
    assert all(set(line.removeprefix("feature_infos=").split()) == {"[0:1]"} for line in infos)


OUTCOME = "long_sick_leave"
PARAMS = """
training: {months_between: 6}
train: {insufficient: report, folds: 2, refits: 2, lightgbm: {n_estimators: 20}}
"""
"""So that trees are grown for so few persons: every candidate is fitted, and what takes more persons only reported."""


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> tuple[Workspace, Workspace]:
    """Two workspaces with the same SYNTHETIC training set: trained in this process, and by the verb on two workers."""
    home = tmp_path_factory.mktemp("verb")
    here, there = Workspace(home / "here"), Workspace(home / "there")
    params = home / "params.yaml"
    params.write_text(PARAMS)
    settings = read_settings(params)
    simulate.run(here, SimulateSettings(persons=1200, seed=7, format="parquet", workers=1))
    ingest.run(here, settings.ingest)
    build_training_set.run(here, settings, [OUTCOME])
    shutil.copytree(here.root, there.root)
    train.run(here, settings, [OUTCOME])
    verb = ["train", "--engine", "dask", "--outcome", OUTCOME, "--workspace", str(there.root), "--params", str(params)]
    command = [sys.executable, "-m", "tests.lib.trains_on_two_workers", *verb]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert f"{OUTCOME}: champion " in done.stdout
    assert "LightGBM" not in done.stdout + done.stderr, "what the verb says is its own"
    return here, there


def compared(workspace: Workspace) -> dict[str, dict[str, float]]:
    """The lines of the comparison by candidate."""
    found = json.loads((workspace.model(OUTCOME) / "comparison.json").read_text(encoding="utf-8"))
    return {line["name"]: line for line in found["candidates"]}


def test_the_verb_compares_the_same_candidates_and_only_trees_differ(trained):
    here, there = map(compared, trained)
    assert list(here) == list(there)
    assert there["lightgbm"]["auroc"] == pytest.approx(here["lightgbm"]["auroc"], abs=0.03)
    assert there["lightgbm"]["log_loss"] == pytest.approx(here["lightgbm"]["log_loss"], abs=0.01)
    assert there["lightgbm"] != here["lightgbm"], "the trees of one process: the cluster grew none"
    for name in here.keys() - {"lightgbm"}:
        for number in ("auroc", "log_loss", "recalibration_slope"):
            assert there[name][number] == pytest.approx(here[name][number], abs=1e-9), name


def test_the_verb_leaves_models_that_load_and_says_which_engine_grew_them(trained):
    for workspace, engine in zip(trained, ("local", "dask"), strict=True):
        home = workspace.model(OUTCOME)
        assert json.loads((home / "settings.json").read_text(encoding="utf-8"))["engine"] == engine
        assert artifact.load(home / "champion").name == "core"
        assert artifact.load(home / "candidates" / "lightgbm").kind == "lightgbm"
    assert not list(trained[1].root.rglob("dask-scratch-space")), "the workers' spill holds pseudonyms"
