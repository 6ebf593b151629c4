"""What is served: the same boosted trees as signed bundles for us and as LightGBM text for the rivals."""

from __future__ import annotations

import json
import shutil
import sys
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.environments import ROOT
from features.catalogue import FINGERPRINT
from models.artifact import save
from models.booster import lightgbm
from models.bundle import create_keys, export_bundle, move_current
from models.estimators.literature import CORE
from models.risk_model import RiskModel
from pipeline.workspace import Workspace

sys.path.insert(0, str(ROOT / "benchmarks" / "features"))
from declarations import write_declarations

REQUEST = json.loads((ROOT / "examples" / "request.json").read_text(encoding="utf-8"))
OUTCOMES: list[str] = REQUEST["outcomes"]
TREES, LEAVES, REFITS, ROWS = 200, 15, 20, 4000
PERSONS = 500
"""Other ones in turn: a service that scores some requests at once, or remembers answers, is not flattered by equal ones."""
_RANGES = {
    "age_years": (20, 66), "is_female": (0, 1), "education": (1, 4), "days_doctor_365": (0, 90), "starts_doctor_730": (0, 5),
    "starts_self_365": (0, 4), "srh_self_rated_health": (1, 5), "was_work_ability": (0, 10), "hscl10_distress": (1, 4),
    "cbi_personal": (0, 100), "cbi_work": (0, 100), "pain_sites_count": (0, 10), "bis_insomnia": (0, 42), "bmi": (18, 40),
    "shift_work": (0, 1),
}  # fmt: skip


def random_rows(n: int, seed: int) -> np.ndarray:
    """Rows of the core predictors, one in ten values missing."""
    random = np.random.default_rng(seed)
    low, high = np.array([_RANGES[name] for name in CORE], dtype=np.float64).T
    rows = random.uniform(low, high, size=(n, len(CORE))).astype(np.float32)
    rows[random.random(rows.shape) < 0.1] = np.nan
    return rows


def model_of(outcome: str, seed: int) -> RiskModel:
    """Boosted trees on the core predictors, with refits that cost what a model costs and lie near it."""
    rows = random_rows(ROWS, seed)
    chance = (
        np.nan_to_num(rows[:, CORE.index("days_doctor_365")]) / 60 + np.nan_to_num(rows[:, CORE.index("cbi_work")]) / 50
    )
    events = (chance + np.random.default_rng(seed + 1).normal(0, 1, ROWS) > 3).astype(float)
    settings = {"objective": "binary", "num_leaves": LEAVES, "learning_rate": 0.05, "num_threads": 1, "verbosity": -1,
                "seed": seed, "deterministic": True}  # fmt: skip
    text = lightgbm.train(settings, lightgbm.Dataset(rows, events), TREES).model_to_string()
    model = RiskModel(
        outcome=outcome, name="lightgbm", kind="lightgbm", feature_names=CORE, booster_text=text,
        recalibration_intercept=-0.1, recalibration_slope=0.9, reference_risk=float(events.mean()),
        facts={"fingerprint": FINGERPRINT, "synthetic": True, "trained_on": None},
    )  # fmt: skip
    refits = [replace(model, recalibration_intercept=0.01 * turn - 0.2, facts={}) for turn in range(REFITS)]
    return replace(model, refits=tuple(refits)).with_golden(random_rows(25, seed + 2))


def make(home: Path) -> tuple[Workspace, Path, Path]:
    """Return a workspace with both models in service, the rivals' folder, and the file of requests, one a line."""
    shutil.rmtree(home, ignore_errors=True)
    workspace, folder = Workspace(home / "workspace"), home / "rivals"
    folder.mkdir(parents=True)
    (workspace.root / "store").mkdir(parents=True)
    signing, _ = create_keys(workspace.keys)
    told: dict[str, Any] = {}
    for seed, outcome in enumerate(OUTCOMES, start=1):
        model = model_of(outcome, seed)
        save(model, home / "artifacts" / outcome)
        bundle = export_bundle(home / "artifacts" / outcome, workspace.bundles, outcome, "1", signing)
        move_current(workspace.bundles, outcome, bundle)
        (folder / f"{outcome}.txt").write_text(model.booster_text, encoding="utf-8")
        told[outcome] = {"trees": f"{outcome}.txt", "slope": 0.9, "intercept": -0.1}
    write_declarations(folder)
    (folder / "facts.json").write_text(json.dumps({"features": CORE, "models": told}), encoding="utf-8")
    body = home / "request.json"
    bodies = [REQUEST, *map(another, range(1, PERSONS))]
    body.write_text("\n".join(map(json.dumps, bodies)), encoding="utf-8")
    framed = (json.dumps({"dataframe_records": [one]}) for one in bodies)
    (home / "request_in_a_frame.json").write_text("\n".join(framed), encoding="utf-8")
    return workspace, folder, body


def another(number: int) -> dict[str, Any]:
    """Return the request about another person at one of forty companies: older or younger, other values, fewer answers."""
    random, record = np.random.default_rng(number), deepcopy(REQUEST["record"])
    record["person"] |= {"person_id": f"SYNTHETIC-{number}", "birth_year": 1960 + number % 40}
    for row in (*record["employments"], *record["workplace_events"]):
        row["company_id"] = f"SYNTHETIC-c{number % 40}"
    for row in record["lab_results"]:
        row["value"] = round(row["value"] * random.uniform(0.9, 1.1), 3)
    record["survey_answers"] = [row for row in record["survey_answers"] if random.random() > 0.05]
    return REQUEST | {"record": record}
