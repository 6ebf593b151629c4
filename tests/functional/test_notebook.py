"""The example notebook on a small workspace, in real processes: as a script and as an exported page."""

from __future__ import annotations

import base64
import html
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from models.model_card.numbers import count
from models.training_set import TrainingSet
from pipeline import build_training_set, evaluate, ingest, register, simulate, train
from pipeline.settings import EvaluateSettings, IngestSettings, Settings, SimulateSettings
from pipeline.workspace import Workspace
from tests.lib import documented

pytest.importorskip("marimo", reason="no notebook is installed (marimo)")

PROJECT = Path(__file__).parents[2]
PAGE = PROJECT / "docs" / "exploring.md"
OUTCOME = "long_sick_leave"
PICTURES = {"over_time", "missing", "importance", "candidates", "calibration"}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Workspace:
    found = Workspace(tmp_path_factory.mktemp("explored"))
    settings = Settings(evaluate=EvaluateSettings(bootstrap=20))
    simulate.run(found, SimulateSettings(persons=1500, seed=7, workers=1))
    ingest.run(found, IngestSettings())
    for stage in (build_training_set, train, evaluate):
        stage.run(found, settings, [OUTCOME])
    register.run(found, [OUTCOME])
    return found


def run(start: str, workspace: Path) -> str:
    """Run the page's command that starts so on a workspace; return what it prints."""
    (command,) = [one.text for one in documented.commands(PAGE) if one.text.startswith(start)]
    words = command.replace("--workspace demo", f"--workspace {workspace}").replace("demo/", f"{workspace}/")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-c", words], env={**os.environ, "PATH": path, "PYTHONPATH": str(PROJECT)}, cwd=PROJECT,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def pseudonyms(workspace: Workspace) -> set[str]:
    found = set(TrainingSet.load(workspace.training_set(OUTCOME) / "rows").person_ids.tolist())
    assert len(found) > 300
    return found


def test_as_a_script_it_prints_the_tables_and_draws_the_pictures(workspace):
    told = run("python examples/explore.py", workspace.root)
    flow = TrainingSet.load(workspace.training_set(OUTCOME) / "rows").flow
    assert count(flow["event"]) in told
    for reason in flow:
        assert reason in told
    assert "stress_and_work_environment" in told
    assert re.search(r"version\s+champion\s+started .*auroc\.low", told)
    home = workspace.root / "data" / "exploration"
    assert {path.stem for path in home.iterdir()} == PICTURES
    assert all(path.read_bytes().startswith(b"\x89PNG") and path.stat().st_size > 5000 for path in home.iterdir())
    assert not [person for person in pseudonyms(workspace) if person in told]


def test_the_exported_page_has_the_pictures_says_synthetic_and_names_nobody(workspace):
    run("marimo export", workspace.root)
    page = html.unescape((workspace.root / "exploration.html").read_text(encoding="utf-8"))
    pictures = set(re.findall(r"data:image/png;base64,([A-Za-z0-9+/=]+)", page))
    assert len(pictures) == len(PICTURES)
    assert all(base64.b64decode(one).startswith(b"\x89PNG") for one in pictures)
    assert "SYNTHETIC persons." in page
    assert "Traceback" not in page
    assert not [person for person in pseudonyms(workspace) if person in page]
    assert str(workspace.root / "mlflow.db") not in page


def test_where_there_is_nothing_yet_it_says_what_to_do(tmp_path):
    done = subprocess.run(
        [sys.executable, "examples/explore.py", "--workspace", str(tmp_path)], cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)}, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.endswith("Run: balance-risk build-training-set, or balance-risk demo.\n")
    assert "Traceback" not in done.stderr
