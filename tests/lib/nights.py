"""A workspace with tables and a promoted model, small enough to be scored in seconds by the real processes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from data_contracts.readers.parquet_files import write_tables
from features.catalogue import FEATURE_NAMES
from models import artifact
from models.bundle import export_bundle, move_current
from models.risk_model import RiskModel
from models.signing import create_keys
from pipeline.workspace import Workspace
from tests.lib.models import linear_model
from tests.lib.records import Rows, answers, job, person, rows_of, tables

OUTCOME = "long_sick_leave"
NIGHT = "2026-03-01"


def promote(workspace: Workspace, model: RiskModel, version: str = "1") -> Path:
    """Seal a model and point the service at it."""
    home = workspace.root / "models" / version
    artifact.save(model, home)
    private_key = workspace.keys / "signing.key"
    if not workspace.keys.exists():
        private_key, _ = create_keys(workspace.keys)
    bundle = export_bundle(home, workspace.bundles, model.outcome, version, private_key)
    move_current(workspace.bundles, model.outcome, bundle)
    return bundle


def steady_model(seed: int = 2, n_refits: int = 1) -> RiskModel:
    """A model whose numbers are never held back as too uncertain."""
    model = linear_model(OUTCOME, seed, n_refits)
    return replace(model, low=model.low * 0, high=model.high * 0 + 500.0, feature_names=FEATURE_NAMES)


def staff(n: int) -> Rows:
    """Persons p0, p1, ... at company c, each with another survey."""
    ids = [f"SYNTHETIC-{i}" for i in range(n)]
    return rows_of(
        persons=[person(one, birth_year=1960 + i % 40) for i, one in enumerate(ids)],
        employments=[job(person_id=one) for one in ids],
        survey_answers=[
            row for i, one in enumerate(ids) for row in answers("who5", [i % 6] * 5, "2026-01-10", person_id=one)
        ],
    )


def prepare(root: Path, n: int = 12, rows: Rows | None = None) -> Workspace:
    """Tables of some persons, and a champion."""
    workspace = Workspace(root)
    write_tables(workspace.tables, tables(rows or staff(n)), 3)
    promote(workspace, steady_model())
    return workspace
