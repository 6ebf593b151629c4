"""Stage train: candidates compared out of fold, the simplest within one standard error kept and recalibrated."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from features.workplace_context import NAMES
from models import artifact
from models.comparison import Comparison
from models.estimators import TreeSize
from models.risk_model import RiskModel
from models.splits import Split, temporal_split
from models.training import train
from models.training_set import TrainingSet
from pipeline.build_training_set import configured_outcome
from pipeline.console import progress, sha256, write_json
from pipeline.settings import Settings, TrainingSettings
from pipeline.workplace_snapshot import stored_snapshot
from pipeline.workspace import Workspace


def run(workspace: Workspace, settings: Settings, outcomes: list[str]) -> dict[str, Any]:
    """Train and store the champion of each outcome beside every candidate; return the comparisons."""
    report: dict[str, Any] = {"outcomes": {}}
    lines = ["train"]
    for name in outcomes:
        training_set = TrainingSet.load(workspace.training_set(name) / "rows")
        with progress(f"train {name}: candidates, champion, refits"):
            trained = train(
                training_set,
                split_of(training_set, settings.training),
                configured_outcome(name, settings),
                folds=settings.train.folds,
                refits=settings.train.refits,
                trees=TreeSize(**settings.train.lightgbm.model_dump()),
                seed=settings.train.seed,
            )
        home = workspace.model(name)
        artifact.save(with_snapshot(trained.champion, workspace), home / "champion")
        for candidate, model in trained.candidates.items():
            artifact.save(model, home / "candidates" / candidate)
        comparison = trained.comparison.to_json()
        write_json(home / "comparison.json", comparison)
        write_json(home / "lineage.json", {"training_set_sha256": sha256(workspace.training_set(name) / "rows.npz")})
        report["outcomes"][name] = {"champion": trained.champion.name, "comparison": comparison}
        lines.append(f"  {name}: champion {trained.champion.name}, {_why(trained.comparison)}")
    report["summary"] = "\n".join(lines)
    return report


def with_snapshot(model: RiskModel, workspace: Workspace) -> RiskModel:
    """Return the model with the workplaces of its training set; one that does not ask for others carries nothing of them."""
    if NAMES.isdisjoint(model.feature_names):
        return model
    return replace(model, workplace_context=stored_snapshot(workspace, model.outcome))


def _why(comparison: Comparison) -> str:
    near = [candidate.name for candidate in comparison.candidates if candidate.within_one_standard_error]
    best = min(comparison.candidates, key=lambda candidate: candidate.log_loss).name
    notes = "".join(f"\n    note: {note}" for note in comparison.notes)
    return f"the simplest within one standard error of {best} (also: {', '.join(near)}){notes}"


def split_of(training_set: TrainingSet, settings: TrainingSettings) -> Split:
    """Hold out later dates and other persons, as training and evaluation both need it."""
    return temporal_split(
        training_set.t,
        training_set.person,
        training_set.person_ids.tolist(),
        embargo_days=training_set.facts["embargo_days"],
        test_months=settings.test_months,
        test_share=settings.test_share,
    )
