"""Stage evaluate: champion and baselines on later dates and other persons, as numbers with intervals and as pictures."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from data_contracts.errors import NotEnoughDataError
from models import artifact
from models.evaluation.decision_figures import draw_decision_curve
from models.evaluation.figures import draw
from models.evaluation.group_figures import draw_forest, draw_subgroups
from models.evaluation.report import CURRENT, evaluate
from models.risk_model import RiskModel
from models.row_files import rows_of
from models.shap_summary import draw_summary
from models.splits import Split
from models.training_set import TrainingSet
from pipeline import model_card
from pipeline.against_truth import TestRows, against_truth, truth_column
from pipeline.against_truth import lines as truth_lines
from pipeline.build_training_set import configured_outcome
from pipeline.console import progress, read_json, write_json
from pipeline.in_service import champion_in_service
from pipeline.lacking import forget, refuse_if_lacking, remember, told, with_data
from pipeline.lacking import lines as lacking_lines
from pipeline.lineage import about_code, current_lineage
from pipeline.settings import Settings
from pipeline.train import split_of
from pipeline.workspace import Workspace, require

SHOWN = {
    "event": ("auroc", "average_precision", "scaled_brier", "observed_to_expected", "calibration_slope", "ici"),
    "days": ("d2", "mae", "observed_to_expected", "calibration_slope", "spearman", "top_tenth_share"),
}
"""Numbers of the champion that are told; the first of them also of every other model."""


def run(workspace: Workspace, settings: Settings, outcomes: list[str]) -> dict[str, Any]:
    """Judge each outcome's models on the held-out rows; store and return the reports.

    An outcome that lacks data stops no other, and has a model card that says what is missing.
    """
    found, lacking = with_data(outcomes, lambda name: _evaluated_or_word(workspace, settings, name))
    lines = ["evaluate, on later index dates and other persons (95 % intervals)"]
    lines += [line for name, report in found.items() for line in _lines(name, report)] + lacking_lines(lacking)
    return {"outcomes": found, "not_enough_data": told(lacking), "summary": "\n".join(lines)}


def _evaluated_or_word(workspace: Workspace, settings: Settings, name: str) -> dict[str, Any]:
    try:
        refuse_if_lacking(workspace.training_set(name))
        refuse_if_lacking(workspace.model(name))
        found = _evaluate_one(workspace, settings, name)
    except NotEnoughDataError as error:
        shutil.rmtree(workspace.evaluation(name), ignore_errors=True)  # an older report is not of these rows
        remember(workspace.evaluation(name), error)
        model_card.write(workspace, name, {}, not_enough_data=str(error))
        raise
    forget(workspace.evaluation(name))
    return found


def _evaluate_one(workspace: Workspace, settings: Settings, name: str) -> dict[str, Any]:
    home = require(workspace.model(name), f"train --outcome {name}")
    lineage = current_lineage(workspace, name) | about_code()
    training_set = TrainingSet.load(workspace.training_set(name) / "rows")
    champion = artifact.load(home / "champion")
    candidates = {path.name: artifact.load(path) for path in sorted((home / "candidates").iterdir())}
    outcome = configured_outcome(name, settings)
    split, current = split_of(training_set, settings.training), champion_in_service(workspace, name)
    with progress(f"evaluate {name}: metrics, intervals, groups, refits, pictures"):
        found = evaluate(
            champion, candidates, training_set, split, outcome,
            current=current.model if current else None, repeats=settings.evaluate.bootstrap, seed=settings.evaluate.seed,
        )  # fmt: skip
        found[CURRENT] = asdict(current.about) if current else None
        found["settings"] = {"evaluate": settings.evaluate.model_dump(mode="json")}
        if training_set.facts["synthetic"]:
            rows = _test_rows(training_set, split, candidates | {champion.name: champion})
            found["against_truth"] = against_truth(_truth_of(workspace), truth_column(outcome), rows)
        destination = workspace.evaluation(name)
        write_json(destination / "metrics.json", found | lineage)
        _draw(found, champion, training_set, split, destination)
        model_card.write(workspace, name, lineage)
    return found


def _draw(
    found: dict[str, Any], champion: RiskModel, training_set: TrainingSet, split: Split, destination: Path
) -> None:
    columns = [training_set.feature_names.tolist().index(feature) for feature in champion.feature_names]
    draw_summary(champion, rows_of(training_set.X, split.test)[:, columns], destination / "contributions.png")
    draw_subgroups(found, destination / "subgroups.png")
    if found["target"] == "event":
        draw(found, destination / "calibration.png")
        draw_decision_curve(found, destination / "decision_curve.png")
        draw_forest(found, destination / "companies.png")


def _test_rows(training_set: TrainingSet, split: Split, models: dict[str, RiskModel]) -> TestRows:
    rows = split.test[training_set.observed[split.test]]
    position = {feature: column for column, feature in enumerate(training_set.feature_names.tolist())}
    X = rows_of(training_set.X, rows)
    log_odds = {
        name: model.log_odds(np.ascontiguousarray(X[:, [position[feature] for feature in model.feature_names]]))
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


def _lines(name: str, found: dict[str, Any]) -> list[str]:
    test = found["test"]
    champion = found["models"][found["champion"]]
    lines = [
        f"  {name}: {test['rows']} rows of {test['persons']} persons, {test['events']} events of "
        f"{test['persons_with_event']} persons, "
        f"{test['first_index_date']} to {test['last_index_date']}"
    ]
    first, *_ = shown = SHOWN[found["target"]]
    lines += [f"    {metric:<22} {_interval(champion[metric])}" for metric in shown]
    lines += [f"    {first} of {model:<22} {_interval(metrics[first])}{' ← champion' if model == found['champion'] else ''}"
              for model, metrics in found["models"].items()]  # fmt: skip
    lines += truth_lines(found["against_truth"], found["champion"]) if "against_truth" in found else []
    return lines + [f"    note: {note}" for note in found["notes"]]


def _interval(number: dict[str, float | None]) -> str:
    value, low, high = ("?" if number[part] is None else f"{number[part]:.3f}" for part in ("value", "low", "high"))
    return f"{value} ({low} to {high})"
