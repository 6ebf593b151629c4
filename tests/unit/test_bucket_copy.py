"""The copy of MLflow's bucket, by the script of docs/deploy/mlflow.md: whoever may write there chooses the names of files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lib import documented
from tests.lib.deployment import PROJECT

PAGE = PROJECT / "docs" / "deploy" / "mlflow.md"
BOTO3 = """
import pathlib, types
class Bucket:
    objects = types.SimpleNamespace(all=lambda: [types.SimpleNamespace(key=key) for key in {keys!r}])
    def download_file(self, key, place): pathlib.Path(place).write_text(key)
def resource(*_, **__): return types.SimpleNamespace(Bucket=lambda name: Bucket())
"""
"""A store that has files of these names."""


def copied(root: Path, *keys: str) -> subprocess.CompletedProcess[str]:
    (text,) = (one.text for one in documented.commands(PAGE) if "download_file" in one.text)
    (root / "boto3.py").write_text(BOTO3.format(keys=keys))
    variables = os.environ | {"PYTHONPATH": str(root), "MLFLOW_S3_ENDPOINT_URL": "http://127.0.0.1:1"}
    script = text.replace("python -", f"{sys.executable} -", 1)
    return subprocess.run(["sh", "-c", script], cwd=root, env=variables, capture_output=True, text=True, check=False)


def test_files_are_copied_by_their_names(tmp_path):
    assert copied(tmp_path, "1/model/weights", "1/x..y").returncode == 0
    assert (tmp_path / "backup" / "bucket" / "1" / "model" / "weights").read_text() == "1/model/weights"


@pytest.mark.parametrize("key", ["../../x", "1/../../../x", "/{root}/x"])
def test_a_name_that_leads_out_of_the_copy_is_refused(key, tmp_path):
    done = copied(tmp_path, key.format(root=tmp_path))
    assert done.returncode == 1
    assert "would be written outside of backup/bucket" in done.stderr
    assert not list(tmp_path.rglob("x"))
