"""Stage train: candidates compared out of fold, the simplest within one standard error kept and recalibrated."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from data_contracts.errors import NotEnoughDataError
from features.workplace_context import NAMES
from models import artifact
from models.comparison import Comparison
from models.estimators import TreeSize
from models.estimators.trees import grown_by
from models.risk_model import RiskModel
from models.splits import Split, temporal_split
from models.training import Trained, TrainingPlan, train
from models.training_set import TrainingSet
from pipeline.build_training_set import configured_outcome
from pipeline.console import progress, sha256, write_json
from pipeline.engine import EngineName, refuse_scheduler
from pipeline.lacking import lines as lacking_lines
from pipeline.lacking import refuse_if_lacking, remember, told, with_data, with_outlook
from pipeline.scratch import made, new_scratch
from pipeline.settings import Settings, TrainingSettings, TrainSettings
from pipeline.workplace_snapshot import stored_snapshot
from pipeline.workspace import Workspace, require


def run(
    workspace: Workspace,
    settings: Settings,
    outcomes: list[str],
    engine: EngineName = "local",
    scheduler: str | None = None,
) -> dict[str, Any]:
    """Train and store the champion of each outcome beside every candidate; return the comparisons.

    An outcome that lacks data stops no other: the report says what it lacks, and so does a file in its place. With the
    engine "dask" boosted trees are grown on a cluster, all else here.
    """
    with _trees_grown(workspace, outcomes, engine, scheduler):
        trained, lacking = with_data(outcomes, lambda name: _train_one(workspace, settings, name, engine))
    found = {
        name: {"champion": one.champion.name, "comparison": one.comparison.to_json()} for name, one in trained.items()
    }
    lines = [f"  {name}: champion {one.champion.name}. {_why(one.comparison)}" for name, one in trained.items()]
    summary = "\n".join(["train", *lines, *lacking_lines(lacking)])
    return {"outcomes": found, "not_enough_data": told(lacking), "summary": summary}


@contextmanager
def _trees_grown(
    workspace: Workspace, outcomes: list[str], engine: EngineName, scheduler: str | None
) -> Iterator[None]:
    if engine == "local":
        refuse_scheduler(scheduler)
        yield
        return
    from pipeline.distributed_training import cluster_that_grows

    sets = [workspace.training_set(name) / "rows.npz" for name in outcomes]
    rows = next((path for path in sets if path.exists()), sets[0]).resolve()
    spill = new_scratch(require(rows.parent, "build-training-set"))
    with made(spill), cluster_that_grows(scheduler, os.cpu_count() or 1, rows, spill) as grow, grown_by(grow):
        yield


def _train_one(workspace: Workspace, settings: Settings, name: str, engine: EngineName) -> Trained:
    home = workspace.model(name)
    try:
        refuse_if_lacking(workspace.training_set(name))
        trained = _trained(TrainingSet.load(workspace.training_set(name) / "rows"), settings, name)
    except NotEnoughDataError as error:
        shutil.rmtree(home, ignore_errors=True)  # an older champion is not of these rows
        remember(home, error)
        raise
    shutil.rmtree(home, ignore_errors=True)  # nor are candidates that are no longer compared
    artifact.save(with_snapshot(trained.champion, workspace), home / "champion")
    for candidate, model in trained.candidates.items():
        artifact.save(model, home / "candidates" / candidate)
    write_json(home / "comparison.json", trained.comparison.to_json())
    write_json(home / "lineage.json", {"training_set_sha256": sha256(workspace.training_set(name) / "rows.npz")})
    held_out = settings.training.model_dump(include={"test_share", "test_months"})
    used = {"train": settings.train.model_dump(mode="json"), "training": held_out, "engine": engine}
    write_json(home / "settings.json", used)
    return trained


def _trained(training_set: TrainingSet, settings: Settings, name: str) -> Trained:
    try:
        with progress(f"train {name}: candidates, champion, refits"):
            return train(
                training_set,
                split_of(training_set, settings.training),
                configured_outcome(name, settings),
                plan_of(settings.train),
            )
    except NotEnoughDataError as error:
        if error.verdict is not None:
            raise
        n_persons = len(np.unique(training_set.person[training_set.observed]))
        raise with_outlook(error, name, n_persons) from None


def plan_of(settings: TrainSettings) -> TrainingPlan:
    """Return the section ``train`` of params.yaml as a plan."""
    numbers = settings.model_dump()
    return TrainingPlan(trees=TreeSize(**numbers.pop("lightgbm")), **numbers)


def with_snapshot(model: RiskModel, workspace: Workspace) -> RiskModel:
    """Return the model with the workplaces of its training set; one that does not ask for others carries nothing of them."""
    if NAMES.isdisjoint(model.feature_names):
        return model
    return replace(model, workplace_context=stored_snapshot(workspace, model.outcome))


def _why(comparison: Comparison) -> str:
    left_out = "".join(f"\n    left out: {one['name']}, {one['reason']}" for one in comparison.left_out)
    notes = "".join(f"\n    note: {note}" for note in comparison.notes)
    return f"{comparison.reason}{left_out}{notes}"


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
