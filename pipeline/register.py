"""Verb register: the run and the model go into MLflow. Never part of `dvc repro`: a cached run would skip it."""

from __future__ import annotations

from typing import Any

from data_contracts.errors import ContractViolation
from models import artifact, registry_runs
from models.registry_address import is_server
from models.registry_runs import DataUsed, Evidence
from models.risk_model import RiskModel
from pipeline.console import progress, read_json, sha256, write_json
from pipeline.lacking import lines as lacking_lines
from pipeline.lacking import refuse_if_lacking, told, with_data
from pipeline.lineage import about_code, current_lineage
from pipeline.workspace import Workspace, require

CARDS = ("model_card.html", "model_card.md")


def run(workspace: Workspace, outcomes: list[str]) -> dict[str, Any]:
    """Register the trained and evaluated champion of each outcome as a new version; return the versions.

    An outcome that lacks data has no champion, stops no other and is told.
    """
    address = workspace.tracking_uri
    versions, lacking = with_data(outcomes, lambda name: _registered(workspace, name, address))
    lines = [f"  {found['name']} version {found['version']} (run {found['run_id']})" for found in versions.values()]
    summary = "\n".join([f"register in {address}", *lines, *lacking_lines(lacking)])
    return {"outcomes": versions, "not_enough_data": told(lacking), "registry": address, "summary": summary}


def _registered(workspace: Workspace, name: str, address: str) -> dict[str, str]:
    # What an earlier run has left is of other rows than are there now.
    for home in (workspace.training_set(name), workspace.model(name), workspace.evaluation(name)):
        refuse_if_lacking(home)
    directory = require(workspace.model(name), f"train --outcome {name}") / "champion"
    report = read_json(require(workspace.evaluation(name) / "metrics.json", f"evaluate --outcome {name}"))
    with progress(f"register {name} in {address}"):
        model = artifact.load(directory)
        evidence = _evidence(workspace, name, model, report)
        found = registry_runs.register(model, directory, evidence, tracking_uri=address)
    if is_server(address) and not workspace.registry_pin.exists():
        write_json(workspace.registry_pin, {"address": address})
    return {"name": found.name, "version": found.version, "run_id": found.run_id}


def _evidence(workspace: Workspace, outcome: str, model: RiskModel, report: dict[str, Any]) -> Evidence:
    home, judged = workspace.model(outcome), workspace.evaluation(outcome)
    settings = home / "settings.json"
    return Evidence(
        report=report,
        tags=_lineage(workspace, outcome, report),
        parameters=(read_json(settings) if settings.exists() else {}) | report.get("settings", {}),
        flow=model.facts.get("flow", {}),
        data=_data(workspace, outcome, model, report),
        files={
            "evaluation": tuple(sorted(judged.glob("*.png"))),
            "model_card": tuple(judged / name for name in CARDS if (judged / name).exists()),
            "training": tuple(path for path in (home / "comparison.json",) if path.exists()),
        },
    )


def _lineage(workspace: Workspace, outcome: str, report: dict[str, Any]) -> dict[str, str]:
    lineage = current_lineage(workspace, outcome)
    if any(report[name] != value for name, value in lineage.items()):
        raise ContractViolation(
            f"The metrics of {outcome} belong to another model or training set. Run: balance-risk evaluate --outcome {outcome}"
        )
    lock = workspace.root / "dvc.lock"
    stages = {"dvc_lock_sha256": sha256(lock)} if lock.exists() else {}
    return lineage | about_code() | stages


def _data(workspace: Workspace, outcome: str, model: RiskModel, report: dict[str, Any]) -> tuple[DataUsed, ...]:
    """Training and test rows are parts of one file; each is told by its dates and counts."""
    path = workspace.training_set(outcome) / "rows.npz"
    source, digest = path.relative_to(workspace.root).as_posix(), sha256(path)
    facts = model.facts
    learnt = {name: facts[name] for name in ("n", "persons", "events", "data_as_of", "synthetic") if name in facts}
    known = {name: value for name, value in report["test"].items() if not isinstance(value, dict | list)}
    return (
        DataUsed(f"{outcome}.training", "training", source, digest, learnt | facts.get("trained_on", {})),
        DataUsed(f"{outcome}.test", "test", source, digest, known),
    )
