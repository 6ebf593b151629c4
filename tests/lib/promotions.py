"""A workspace whose model has been trained and judged, without the hours that takes: the reports are written by hand."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

from models import artifact
from models.bundle import current_bundle
from models.risk_model import RiskModel
from pipeline import register
from pipeline.console import sha256
from pipeline.in_service import champion_in_service
from pipeline.workspace import Workspace
from tests.lib.models import linear_model

OUTCOME = "long_sick_leave"


def number(value: float, spread: float = 0.01) -> dict[str, float]:
    """An estimate with its interval."""
    return {"value": value, "low": value - spread, "high": value + spread}


def difference() -> dict[str, dict[str, float]]:
    """A model that is clearly better than another."""
    return {
        "auroc": number(0.05),
        "net_benefit_at_0.10": number(0.004, 0.003),
        "net_benefit_at_0.20": number(0.0, 0.004),
    }


SOUND: dict[str, Any] = {
    "outcome": OUTCOME,
    "target": "event",
    "champion": "logistic",
    "synthetic": True,
    "threshold": 0.10,
    "test": {"rows": 4000, "persons": 2000, "events": 400, "persons_with_event": 210},
    "settings": {"evaluate": {"bootstrap": 200, "seed": 17}},
    "horizons": {"days": {"30": {"observed_to_expected": number(0.95, 0.2), "calibration_slope": number(0.78, 0.1)},
                          "365": {"observed_to_expected": number(1.02, 0.05), "calibration_slope": number(0.97)}}},
    "decision_curve": {"thresholds": [0.05, 0.1], "gain_over_defaults": {
        "value": [-0.001, 0.02], "low": [-0.002, 0.01], "high": [0.001, 0.03]}},
    "subgroups": {"detectable": {"sex": 1.4, "age": 1.912, "education": 1.6, "labs": None}},
    "models": {
        "logistic": {"auroc": number(0.72), "observed_to_expected": number(1.02, 0.05), "calibration_slope": number(0.97)},
        "prior_absence": {"auroc": number(0.67)},
        "roelen": {"auroc": number(0.66)},
    },
    "differences": {"prior_absence": difference(), "roelen": difference()},
    "harm": [],
    "refits": 20,
    "leakage": {"alarms": []},
    "sample_size": {"enough": True, "persons": 2000, "required_persons": 1500},
}  # fmt: skip
"""An evaluation that satisfies every line of the policy where nothing is in service."""


def sound_report(**changes: Any) -> dict[str, Any]:
    """A copy of the sound report with parts replaced."""
    return deepcopy(SOUND) | changes


def prepare(root: Path) -> Workspace:
    """A workspace of simulated persons with a training set, as far as promotion looks at it."""
    workspace = Workspace(root)
    for place in (workspace.tables, workspace.training_set(OUTCOME)):
        place.mkdir(parents=True)
    (workspace.tables / "ingest.json").write_text('{"synthetic": true}')
    (workspace.training_set(OUTCOME) / "rows.npz").write_bytes(b"SYNTHETIC-person-17 and her rows")
    return workspace


def train_and_judge(workspace: Workspace, report: dict[str, Any], model: RiskModel | None = None) -> None:
    """Leave in the workspace what train and evaluate leave."""
    home, judged = workspace.model(OUTCOME), workspace.evaluation(OUTCOME)
    facts = {"flow": {"no event": 3600, "event": 400}, "estimator": {"name": "logistic", "settings": {"penalty": 0.5}}}
    model = model or linear_model(OUTCOME)
    artifact.save(replace(model, facts=dict(model.facts) | facts), home / "champion")
    rows = sha256(workspace.training_set(OUTCOME) / "rows.npz")
    (home / "lineage.json").write_text(json.dumps({"training_set_sha256": rows}))
    (home / "comparison.json").write_text("{}")
    (home / "settings.json").write_text('{"train": {"seed": 17, "folds": 5}}')
    judged.mkdir(parents=True, exist_ok=True)
    lineage = {"training_set_sha256": rows, "champion_sha256": sha256(home / "champion" / "model.json")}
    (judged / "metrics.json").write_text(json.dumps(report | lineage))
    for name in ("calibration.png", "model_card.html", "not_ours.csv"):
        (judged / name).write_text("a picture")


def registered(workspace: Workspace, report: dict[str, Any] | None = None, seed: int = 2) -> str:
    """Register one more version, return its number."""
    train_and_judge(workspace, report or sound_report(), linear_model(OUTCOME, seed, n_refits=2))
    return str(register.run(workspace, [OUTCOME])["outcomes"][OUTCOME]["version"])


def against(workspace: Workspace) -> dict[str, Any]:
    """A sound report that compares with what is in service."""
    champion = champion_in_service(workspace, OUTCOME).about
    report = sound_report(current_champion={"version": champion.version, "artifact_sha256": champion.artifact_sha256})
    report["differences"]["current_champion"] = difference() | {"auroc": number(0.0, 0.009)}
    return report


def serving(workspace: Workspace) -> str:
    """Return the version that is in service."""
    return current_bundle(workspace.bundles, OUTCOME).name.split("-")[0]
