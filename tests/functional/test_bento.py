"""What `bentoml build` packs: the service and what it needs, no person's data, no key, no test; and it starts from there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from serving.endpoints import ENDPOINTS
from serving.openapi import document
from tests.lib.deployment import PROJECT, Deployment, wait_for

PACKAGES = ("data_contracts", "features", "models", "serving")
# What a working directory may hold beside the code. Names of packages inside them must not bring them in.
DECOYS = (
    "data/source/survey.parquet", "demo/data/models/burnout/champion/model.json", "demo/keys/signing.key", "keys/audit.key",
    "keys/development.key", "store/store.db", "store/audit.db", "bundles/burnout/1/booster.txt",
    "mlartifacts/models/m-1/MLmodel", "tests/serving/data.json", ".env", "erasures/one.json", "pipeline/serving/x.py",
    ".git/serving/config",
    ".venv/serving/x.py", "mlflow.db", "benchmarks/features/x.sql",
)  # fmt: skip

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def bento(tmp_path_factory) -> Path:
    """The directory of a bento built in a copy of the project, beside everything that must stay out."""
    root = tmp_path_factory.mktemp("bento")
    copy = root / "project"
    for package in PACKAGES:
        shutil.copytree(PROJECT / package, copy / package)
    for name in ("bentofile.yaml", "requirements-serving.lock", "pyproject.toml"):
        shutil.copy(PROJECT / name, copy / name)
    for decoy in DECOYS:
        (copy / decoy).parent.mkdir(parents=True, exist_ok=True)
        (copy / decoy).write_text("SECRET-OF-A-PERSON")
    environment = {
        **os.environ,
        "BENTOML_HOME": str(root / "home"),
        "BENTOML_DO_NOT_TRACK": "True",
        "PYTHONPATH": str(copy),
    }
    command = [sys.executable, "-m", "bentoml", "build", "--output", "tag"]
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (built,) = [path for path in (root / "home" / "bentos" / "balance_risk").iterdir() if path.is_dir()]
    return built


def test_it_holds_the_code_of_the_service_and_no_more(bento):
    packed = {str(path.relative_to(bento / "src")) for path in (bento / "src").rglob("*") if path.is_file()}
    needed = {
        str(path.relative_to(PROJECT))
        for package in PACKAGES
        for path in (PROJECT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name for name in packed if name.split("/")[0] in PACKAGES} == needed
    assert packed - needed <= {"bentofile.yaml", "pyproject.toml"}
    for path in bento.rglob("*"):
        assert path.is_dir() or b"SECRET-OF-A-PERSON" not in path.read_bytes(), path
        assert path.suffix not in {".key", ".pem", ".db", ".pkl", ".pickle", ".joblib", ".parquet"}, path


def test_it_installs_what_is_locked_with_hashes_and_no_training_stack(bento):
    requirements = (bento / "env" / "python" / "requirements.txt").read_text()
    locked = (PROJECT / "requirements-serving.lock").read_text()
    assert requirements.count("--hash=sha256:") == locked.count("--hash=sha256:")
    for package in ("pandas", "mlflow", "scikit-learn", "shap", "pytest", "joblib"):
        assert f"\n{package}==" not in f"\n{requirements}"


def test_its_description_sends_nothing_away_and_keeps_no_secret(bento):
    described = yaml.safe_load((bento / "bento.yaml").read_text())
    assert [(one["name"], one["value"]) for one in described["envs"]] == [("BENTOML_DO_NOT_TRACK", "True")]
    assert described["models"] == []
    service = described["services"][0]["config"]
    assert service["logging"]["access"]["enabled"] is False


class _FromBento(Deployment):
    """The deployment of the other tests, but started from a bento, in another directory than the project's."""

    def __init__(self, root: Path, bento: Path) -> None:
        super().__init__(
            root, PYTHONPATH=str(PROJECT / "tests" / "lib" / "audit_hook"), AUDIT_HOOK_LOG=str(root / "events")
        )
        self.bento = bento

    def start(self, until_ready: bool = False) -> None:
        command = [
            sys.executable,
            "-m",
            "bentoml",
            "serve",
            str(self.bento),
            "--host",
            "127.0.0.1",
            "--port",
            str(self.port),
        ]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=self.root, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        wait_for(lambda: self.status("/livez") == 200)


@pytest.fixture(scope="module")
def service(bento, tmp_path_factory) -> Iterator[_FromBento]:
    service = _FromBento(tmp_path_factory.mktemp("served"), bento)
    try:
        service.start()
        yield service
    finally:
        service.stop()


def test_it_serves_what_the_project_serves(service):
    assert service.status("/livez") == 200
    assert service.status("/readyz") == 503
    assert service.client.get("/readyz").headers["content-type"] == "application/problem+json"
    assert service.client.get("/openapi.json").content == document(ENDPOINTS)
    assert service.status("/metrics") == 200


def test_its_code_comes_out_of_the_bento(bento, service):
    """The project is installed in this environment too: the test would prove nothing if that copy had answered."""
    opened = [
        json.loads(line)["told"][0] for line in (service.root / "events").read_text().splitlines() if '"open"' in line
    ]
    own = [path for path in opened if path.endswith((".py", ".pyc")) and "/serving/" in path]
    assert own
    assert [path for path in own if not path.startswith((str(bento), "<"))] == []
