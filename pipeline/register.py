"""Verb register: the run and the model go into MLflow. Never part of `dvc repro`: a cached run would skip it."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path
from typing import Any

from data_contracts.errors import ContractViolation
from data_contracts.fingerprints import fingerprint
from data_contracts.records import RECORDS
from models import artifact, registry
from pipeline.console import progress, read_json
from pipeline.evaluate import current_lineage
from pipeline.workspace import Workspace, require


def run(workspace: Workspace, outcomes: list[str]) -> dict[str, Any]:
    """Register the trained and evaluated champion of each outcome as a new version; return the versions."""
    versions = {}
    for name in outcomes:
        directory = require(workspace.model(name), f"train --outcome {name}") / "champion"
        metrics = read_json(require(workspace.evaluation(name), f"evaluate --outcome {name}") / "metrics.json")
        with progress(f"register {name} in MLflow"):
            registered = registry.register(
                artifact.load(directory),
                directory,
                metrics=registry.flat_metrics(metrics),
                tags=_lineage(workspace, name, metrics),
                tracking_uri=workspace.tracking_uri,
            )
        versions[name] = {"name": registered.name, "version": registered.version, "run_id": registered.run_id}
    lines = [f"  {found['name']} version {found['version']} (run {found['run_id']})" for found in versions.values()]
    return {"outcomes": versions, "summary": "\n".join([f"register in {workspace.tracking_uri}", *lines])}


def _lineage(workspace: Workspace, outcome: str, metrics: dict[str, Any]) -> dict[str, str]:
    lineage = current_lineage(workspace, outcome)
    if any(metrics[name] != value for name, value in lineage.items()):
        raise ContractViolation(
            f"The metrics of {outcome} belong to another model or training set. Run: balance-risk evaluate --outcome {outcome}"
        )
    return lineage | {"contract_sha256": _contract(), "code_revision": _code_revision()}


def _contract() -> str:
    return hashlib.sha256("".join(fingerprint(record) for record in RECORDS).encode()).hexdigest()


def _code_revision() -> str:
    """The commit of this code, or "unknown" where it does not run from a checkout."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"
