"""SYNTHETIC persons, models of three outcomes and three nights, made by the verbs: ``python -m tests.browser.workspace DIR``.

Long sick leave goes the whole way and has a model card; the two others are too small for the policy and are sealed without
a word about how good they are, as old bundles were. One person has answered that she has thoughts of self-harm.
"""

from __future__ import annotations

import csv
import shutil
import sys
from collections import Counter
from datetime import date
from pathlib import Path

import numpy as np

from data_contracts.readers.parquet_files import read_tables, write_tables
from data_contracts.tables import take
from models.bundle import export_bundle, move_current
from pipeline import build_training_set, evaluate, ingest, promote, register, score, simulate, train
from pipeline.approval import Approval
from pipeline.settings import Settings
from pipeline.workspace import Workspace

NIGHTS = (date(2025, 11, 20), date(2025, 12, 18), date(2026, 1, 1))
N_COMPANIES = 4
LATELY, ANSWERED = "2025-06-01", "2025-12-20"
JUDGED, UNJUDGED = ["long_sick_leave"], ["burnout", "absence_days"]
LENIENT = {
    "fewest_test_events": 10, "fewest_refits": 2, "net_benefit_margin": 0.9, "observed_to_expected": [0.2, 5],
    "good_calibration": [0.2, 5], "calibration_slope": [0.1, 5], "good_slope": [0.1, 5],
    "widest_observed_to_expected": 10, "largest_detectable_ratio": 100,
}  # fmt: skip
"""A policy for a cohort so small that intervals are wide."""
SETTINGS = {"simulate": {"persons": 2000, "end": NIGHTS[-1]}, "promotion": LENIENT, "train": {"refits": 10}}
REPORTED = SETTINGS | {"train": {"refits": 5, "folds": 2, "insufficient": "report"}}


def build(root: Path) -> None:
    """Simulate, train, promote and score three nights."""
    workspace, settings = Workspace(root), Settings.model_validate(SETTINGS)
    simulate.run(workspace, settings.simulate)
    _answer_phq9(workspace.source)
    ingest.run(workspace, settings.ingest)
    _judged(workspace, settings)
    _unjudged(workspace, Settings.model_validate(REPORTED))
    _keep_largest(workspace)
    for night in NIGHTS:
        score.run(workspace, night, JUDGED + UNJUDGED, None)
    for made in (workspace.source, workspace.training, root / "mlartifacts"):
        shutil.rmtree(made, ignore_errors=True)


def _judged(workspace: Workspace, settings: Settings) -> None:
    build_training_set.run(workspace, settings, JUDGED)
    train.run(workspace, settings, JUDGED)
    evaluate.run(workspace, settings, JUDGED)
    register.run(workspace, JUDGED)
    approval = Approval("browser tests", "SYNTHETIC persons")
    promote.refuse_failed(promote.run(workspace, JUDGED, None, settings.promotion.policy(), approval))


def _unjudged(workspace: Workspace, settings: Settings) -> None:
    build_training_set.run(workspace, settings, UNJUDGED)
    train.run(workspace, settings, UNJUDGED)
    for name in UNJUDGED:
        champion = workspace.model(name) / "champion"
        move_current(
            workspace.bundles,
            name,
            export_bundle(champion, workspace.bundles, name, "1", workspace.keys / "signing.key"),
        )


def _keep_largest(workspace: Workspace) -> None:
    """Leave only who has worked in one of the largest companies: models need many persons, pages few."""
    tables = read_tables(workspace.tables)
    sizes = Counter(tables["employments"]["company_id"].texts())
    kept = {company for company, _ in sizes.most_common(N_COMPANIES)}
    jobs = zip(tables["employments"]["person_id"].texts(), tables["employments"]["company_id"].texts(), strict=True)
    persons = {person for person, company in jobs if company in kept}
    few = {
        name: take(table, np.array([person in persons for person in table["person_id"].texts()], dtype=bool))
        if "person_id" in table
        else table
        for name, table in tables.items()
    }
    write_tables(workspace.tables, few)


def _answer_phq9(source: Path) -> None:
    """Let somebody of the largest company, who answers surveys, answer PHQ-9 shortly before the last night."""
    works_at = {row["person_id"]: row["company_id"] for row in _rows(source, "employments") if not row["end_date"]}
    for row in _rows(source, "employments"):
        if row["end_date"]:
            works_at.pop(row["person_id"], None)
    ((largest, _),) = Counter(works_at.values()).most_common(1)
    answered = [row["person_id"] for row in _rows(source, "survey_answers") if row["answered_on"] > LATELY]
    somebody = min(person for person in answered if works_at.get(person) == largest)
    with (source / "survey_answers.csv").open("a") as file:
        for item in range(1, 10):
            file.write(f"{somebody},phq9,item_{item},1,{ANSWERED},{ANSWERED},false\n")


def _rows(source: Path, table: str) -> list[dict[str, str]]:
    with (source / f"{table}.csv").open() as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    build(Path(sys.argv[1]))
