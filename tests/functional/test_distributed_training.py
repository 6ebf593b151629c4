"""Trees grown by two workers of a real Dask cluster are as good as those of one process; the verb alone speaks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import lightgbm
import numpy as np
import pytest

from models.estimators.trees import TreeSize, grow, parameters_of
from models.evaluation.discrimination import Ranking, auroc
from pipeline import build_training_set, ingest, simulate
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


def test_the_verb_trains_on_a_cluster_of_this_machine_and_speaks_for_itself(tmp_path):
    """What it leaves is compared with the models of one process in test_deploy_dask."""
    workspace, params = Workspace(tmp_path / "workspace"), tmp_path / "params.yaml"
    params.write_text(PARAMS)
    settings = read_settings(params)
    simulate.run(workspace, SimulateSettings(persons=1200, seed=7, format="parquet", workers=1))
    ingest.run(workspace, settings.ingest)
    build_training_set.run(workspace, settings, [OUTCOME])
    verb = ["train", "--engine", "dask", "--outcome", OUTCOME, "-w", str(workspace.root), "--params", str(params)]
    command = [sys.executable, "-m", "tests.lib.trains_on_two_workers", *verb]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert f"{OUTCOME}: champion " in done.stdout
    assert "LightGBM" not in done.stdout + done.stderr, "what the verb says is its own"
    home = workspace.model(OUTCOME)
    assert json.loads((home / "settings.json").read_text(encoding="utf-8"))["engine"] == "dask"
    assert not list(workspace.root.rglob("dask-scratch-space")), "the workers' spill holds pseudonyms"
