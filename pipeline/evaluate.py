"""Stage evaluate: champion and baselines on later dates and other persons, as numbers with intervals and as pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from data_contracts.errors import ArtifactError, ContractViolation, NotEnoughDataError
from models import artifact
from models.bundle import current_bundle, open_bundle
from models.evaluation.decision_figures import draw_decision_curve
from models.evaluation.figures import draw
from models.evaluation.group_figures import draw_forest, draw_subgroups
from models.evaluation.report import CURRENT, evaluate
from models.outcomes.long_sick_leave import LongSickLeave
from models.risk_model import RiskModel
from models.shap_summary import draw_summary
from models.signing import create_keys
from models.splits import Split
from models.training_set import TrainingSet
from pipeline import model_card
from pipeline.against_truth import TestRows, against_truth
from pipeline.against_truth import lines as truth_lines
from pipeline.build_training_set import configured_outcome
from pipeline.console import progress, read_json, sha256, write_json
from pipeline.lacking import lines as lacking_lines
from pipeline.lacking import refuse_if_lacking, told, with_data
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
        return _evaluate_one(workspace, settings, name)
    except NotEnoughDataError as error:
        model_card.write(workspace, name, {}, not_enough_data=str(error))
        raise


def _evaluate_one(workspace: Workspace, settings: Settings, name: str) -> dict[str, Any]:
    home = require(workspace.model(name), f"train --outcome {name}")
    lineage = current_lineage(workspace, name)
    training_set = TrainingSet.load(workspace.training_set(name) / "rows")
    champion = artifact.load(home / "champion")
    candidates = {path.name: artifact.load(path) for path in sorted((home / "candidates").iterdir())}
    split, (current, serves) = split_of(training_set, settings.training), _in_service(workspace, name)
    with progress(f"evaluate {name}: metrics, intervals, groups, refits, pictures"):
        found = evaluate(
            champion, candidates, training_set, split, configured_outcome(name, settings), current=current,
            repeats=settings.evaluate.bootstrap, seed=settings.evaluate.seed,
        )  # fmt: skip
        found[CURRENT] = serves
        if training_set.facts["synthetic"] and found["target"] == "event":
            rows = _test_rows(training_set, split, candidates | {champion.name: champion})
            found["against_truth"] = against_truth(_truth_of(workspace), _true_outcome(settings, name), rows)
        destination = workspace.evaluation(name)
        write_json(destination / "metrics.json", found | lineage)
        _draw(found, champion, training_set, split, destination)
        model_card.write(workspace, name, lineage)
    return found


def _in_service(workspace: Workspace, name: str) -> tuple[RiskModel | None, dict[str, str] | None]:
    """Return the model that serves now and which it is; no model where its features are no longer those of the catalogue."""
    bundle = current_bundle(workspace.bundles, name)
    if bundle is None:
        return None, None
    try:
        model = open_bundle(bundle, create_keys(workspace.keys)[1])
    except ArtifactError as error:
        return None, {"not_compared": str(error)}
    return model, {"version": model.version, "artifact_sha256": model.artifact_sha256}


def _draw(
    found: dict[str, Any], champion: RiskModel, training_set: TrainingSet, split: Split, destination: Path
) -> None:
    columns = [training_set.feature_names.tolist().index(feature) for feature in champion.feature_names]
    draw_summary(champion, training_set.X[split.test][:, columns], destination / "contributions.png")
    draw_subgroups(found, destination / "subgroups.png")
    if found["target"] == "event":
        draw(found, destination / "calibration.png")
        draw_decision_curve(found, destination / "decision_curve.png")
        draw_forest(found, destination / "companies.png")


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
    first, *_ = shown = SHOWN[found["target"]]
    lines += [f"    {metric:<22} {_interval(champion[metric])}" for metric in shown]
    lines += [f"    {first} of {model:<22} {_interval(metrics[first])}{' ← champion' if model == found['champion'] else ''}"
              for model, metrics in found["models"].items()]  # fmt: skip
    lines += truth_lines(found["against_truth"], found["champion"]) if "against_truth" in found else []
    return lines + [f"    note: {note}" for note in found["notes"]]


def _interval(number: dict[str, float | None]) -> str:
    value, low, high = ("?" if number[part] is None else f"{number[part]:.3f}" for part in ("value", "low", "high"))
    return f"{value} ({low} to {high})"
