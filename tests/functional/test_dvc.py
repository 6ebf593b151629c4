"""dvc repro: a second run does nothing, and a changed parameter reruns only what depends on it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
OUTCOMES = ("long_sick_leave", "burnout")
"""For time. So few persons answer two surveys that burnout lacks data: that stops nothing."""

STAGES = ["simulate", "ingest", "validate"] + [
    f"{stage}@{outcome}" for stage in ("build-training-set", "train", "evaluate") for outcome in OUTCOMES
]


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("dvc")
    for name in ("data_contracts", "features", "models", "pipeline"):
        shutil.copytree(ROOT / name, home / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".dvcignore", home / ".dvcignore")
    shutil.copy(ROOT / "dvc.yaml", home / "dvc.yaml")
    before, rest = (ROOT / "params.yaml").read_text().split("  long_sick_leave_mental:")
    params = before + "  burnout: {}\n\npromotion:" + rest.split("\npromotion:")[1]  # dvc repeats stages by outcomes
    smaller = {"persons: 10000": "persons: 1600", "refits: 20": "refits: 2", "bootstrap: 200": "bootstrap: 20",
               "folds: 5": "folds: 2", "n_estimators: 200": "n_estimators: 20"}  # fmt: skip
    for big, small in smaller.items():
        assert big in params
        params = params.replace(big, small)
    (home / "params.yaml").write_text(params)
    dvc(home, "init", "--no-scm", "--quiet")
    assert reran(dvc(home, "repro")) == STAGES
    return home


def dvc(home: Path, *arguments: str) -> str:
    beside_python = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": f"{beside_python}{os.pathsep}{os.environ['PATH']}", "DVC_NO_ANALYTICS": "1"}
    command = [sys.executable, "-m", "dvc", *arguments]
    done = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout + done.stderr


def reran(output: str) -> list[str]:
    return [line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage")]


def change(home: Path, old: str, new: str, times: int = -1) -> None:
    params = (home / "params.yaml").read_text()
    assert old in params
    (home / "params.yaml").write_text(params.replace(old, new, times))


def test_evaluate_depends_on_the_code_that_it_runs():
    """Except what every verb needs, and what the files before it were made with."""
    common = {"pipeline/console.py", "pipeline/settings.py", "pipeline/workspace.py", "pipeline/build_training_set.py"}
    imported = re.findall(
        r"^from (pipeline\.\w+|pipeline import \w+)", (ROOT / "pipeline/evaluate.py").read_text(), re.M
    )
    files = {f"{re.sub('[.]| import ', '/', name)}.py" for name in imported}
    listed = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]["evaluate"]["do"]["deps"]
    assert "pipeline/train.py" in files
    assert files - common <= set(listed)


def test_an_outcome_that_lacks_data_has_a_card_that_says_so(project):
    assert (project / "data" / "models" / "burnout" / "not_enough_data.json").exists()
    card = (project / "data" / "evaluation" / "burnout" / "model_card.md").read_text()
    assert "not enough data for burnout" in card.lower()


def test_the_second_run_does_nothing(project):
    assert reran(dvc(project, "repro")) == []


def test_a_parameter_of_the_evaluation_reruns_the_evaluation_only(project):
    change(project, "bootstrap: 20", "bootstrap: 21")
    assert reran(dvc(project, "repro")) == [f"evaluate@{outcome}" for outcome in OUTCOMES]


def test_a_parameter_of_one_outcome_reruns_that_outcome_only(project):
    change(project, "min_days: 16", "min_days: 20", times=1)
    dependent = [f"{stage}@long_sick_leave" for stage in ("build-training-set", "train", "evaluate")]
    assert reran(dvc(project, "repro")) == dependent
