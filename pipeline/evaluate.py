"""Stage evaluate: champion and baselines on later dates and other persons, as numbers with intervals and as pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from data_contracts.errors import ContractViolation
from models import artifact
from models.evaluation.figures import draw
from models.evaluation.report import evaluate
from models.outcomes.long_sick_leave import LongSickLeave
from models.risk_model import RiskModel
from models.shap_summary import draw_summary
from models.splits import Split
from models.training_set import TrainingSet
from pipeline.against_truth import TestRows, against_truth
from pipeline.against_truth import lines as truth_lines
from pipeline.console import progress, read_json, sha256, write_json
from pipeline.settings import Settings
from pipeline.train import split_of
from pipeline.workspace import Workspace, require

SHOWN = ("auroc", "average_precision", "brier", "observed_to_expected", "calibration_slope", "ici")


def run(workspace: Workspace, settings: Settings, outcomes: list[str]) -> dict[str, Any]:
    """Judge each outcome's models on the held-out rows; store and return the reports."""
    report: dict[str, Any] = {"outcomes": {}}
    lines = ["evaluate, on later index dates and other persons (95 % intervals)"]
    for name in outcomes:
        found = _evaluate_one(workspace, settings, name)
        report["outcomes"][name] = found
        lines += _lines(name, found)
    report["summary"] = "\n".join(lines)
    return report


def _evaluate_one(workspace: Workspace, settings: Settings, name: str) -> dict[str, Any]:
    home = require(workspace.model(name), f"train --outcome {name}")
    lineage = current_lineage(workspace, name)
    training_set = TrainingSet.load(workspace.training_set(name) / "rows")
    champion = artifact.load(home / "champion")
    candidates = {path.name: artifact.load(path) for path in sorted((home / "candidates").iterdir())}
    split = split_of(training_set, settings.training)
    with progress(f"evaluate {name}: metrics, intervals, pictures"):
        found = evaluate(
            champion, candidates, training_set, split, repeats=settings.evaluate.bootstrap, seed=settings.evaluate.seed
        )
        if training_set.facts["synthetic"]:
            rows = _test_rows(training_set, split, candidates | {champion.name: champion})
            found["against_truth"] = against_truth(_truth_of(workspace), _true_outcome(settings, name), rows)
        destination = workspace.evaluation(name)
        write_json(destination / "metrics.json", found | lineage)
        draw(found, destination / "calibration.png")
        columns = [training_set.feature_names.tolist().index(feature) for feature in champion.feature_names]
        draw_summary(champion, training_set.X[split.test][:, columns], destination / "contributions.png")
    return found


def _test_rows(training_set: TrainingSet, split: Split, models: dict[str, RiskModel]) -> TestRows:
    rows = split.test[training_set.observed[split.test]]
    position = {feature: column for column, feature in enumerate(training_set.feature_names.tolist())}
    log_odds = {
        name: model.log_odds(training_set.X[np.ix_(rows, [position[feature] for feature in model.feature_names])])
        for name, model in models.items()
    }
    return TestRows(
        training_set.person_ids, training_set.person[rows], training_set.t[rows], training_set.y[rows],
        training_set.weight[rows], log_odds,
    )  # fmt: skip


def _truth_of(workspace: Workspace) -> Path:
    """The simulator's own directory is beside the source files that were ingested."""
    report = workspace.tables / "ingest.json"
    location = read_json(report)["location"] if report.exists() else str(workspace.source)
    return Path(location) / "truth"


def _true_outcome(settings: Settings, name: str) -> str:
    """The simulator names the longer absences by their days."""
    days = getattr(getattr(settings.outcomes, name), "min_days", None)
    return name if days in (None, LongSickLeave.min_days) else f"{name}_{days}"


def current_lineage(workspace: Workspace, name: str) -> dict[str, str]:
    """Return the hashes of the training set and of the champion learnt from it; raises ContractViolation if they differ."""
    home, rows = workspace.model(name), workspace.training_set(name) / "rows.npz"
    if read_json(home / "lineage.json")["training_set_sha256"] != sha256(rows):
        raise ContractViolation(f"{home} was trained on other rows than {rows} holds now. Run: balance-risk train")
    return {"training_set_sha256": sha256(rows), "champion_sha256": sha256(home / "champion" / "model.json")}


def _lines(name: str, found: dict[str, Any]) -> list[str]:
    test = found["test"]
    champion = found["models"][found["champion"]]
    lines = [
        f"  {name}: {test['rows']} rows of {test['persons']} persons, {test['events']} events, "
        f"{test['first_index_date']} to {test['last_index_date']}"
    ]
    lines += [f"    {metric:<22} {_interval(champion[metric])}" for metric in SHOWN]
    lines += [f"    AUROC of {model:<13} {_interval(metrics['auroc'])}{' ← champion' if model == found['champion'] else ''}"
              for model, metrics in found["models"].items()]  # fmt: skip
    lines += truth_lines(found["against_truth"], found["champion"]) if "against_truth" in found else []
    return lines + [f"    note: {note}" for note in found["notes"]]


def _interval(number: dict[str, float]) -> str:
    return f"{number['value']:.3f} ({number['low']:.3f} to {number['high']:.3f})"
