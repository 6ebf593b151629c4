"""A workspace that has been in service for two years, small enough to be monitored in seconds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from data_contracts.readers.parquet_files import write_tables
from models.risk_model import RiskModel
from pipeline.workspace import Workspace
from tests.lib.cohorts import consents
from tests.lib.models import FACTS, random_rows
from tests.lib.nights import OUTCOME, promote
from tests.lib.records import Row, Rows, answers, job, person, rows_of, spell, tables

ON = "2026-03-01"
"""Index date; the reference is at 2022-03-01 and 2023-03-01, as the model was trained at 2022-01-01 to 2024-01-01."""

YEARS = tuple(map(str, range(2018, 2027)))
"""Every year is as the one before, so that counts over two years are the same at every anniversary."""


def wellbeing(person_id: str, number: int, year: str, worse: int = 0) -> list[Row]:
    """Answers of one January, another for a person each year, all six values equally often; lowered by ``worse``."""
    return answers(
        "who5", [max((number + int(year)) % 6 - worse, 0)] * 5, f"{year}-01-{10 + number % 9}", person_id=person_id
    )


def staff(
    n: int, *, worse_now: int = 0, answering: int | None = None, answering_now: int | None = None,
    absent: Sequence[int] = (), **of_spells: str,
) -> Rows:  # fmt: skip
    """Persons of whom the first ``answering`` answer each January, and those in ``absent`` are away every April."""
    ids = [f"SYNTHETIC-{i}" for i in range(n)]
    last = YEARS[-1]
    asked = [
        row
        for year in YEARS
        for i, one in enumerate(ids[: answering_now if year == last and answering_now is not None else answering])
        for row in wellbeing(one, i, year, worse_now if year == last else 0)
    ]
    return rows_of(
        persons=[person(one, birth_year=1970 + i % 20, sex="female" if i % 2 else "male") for i, one in enumerate(ids)],
        consents=[row for one in ids for row in consents(one)],
        employments=[job(person_id=one) for one in ids],
        survey_answers=asked,
        absence_spells=[
            spell(f"{year}-04-01", f"{year}-04-28", f"{year}-04-04", f"{year}-{i}", person_id=ids[i], **of_spells)
            for i in absent
            for year in YEARS[:-1]
        ],
    )


FEATURES = ("age_years", "is_female", "days_doctor_365", "who5_wellbeing")


def small_model() -> RiskModel:
    """A model of four features that says about a third of everybody; one of all features would watch every course and gap."""
    k = len(FEATURES)
    model = RiskModel(
        outcome=OUTCOME, name="penalised_logistic", kind="linear", feature_names=FEATURES, impute=np.full(k, 40.0),
        low=np.zeros(k), high=np.full(k, 500.0), mean=np.full(k, 40.0), scale=np.full(k, 10.0),
        coefficients=np.array([0.0, 0.0, 0.05, -0.01]), intercept=np.log(0.5), reference_risk=1 / 3, facts=FACTS,
    )  # fmt: skip
    return model.with_golden(random_rows(5)[:, :k])


def in_service(root: Path, rows: Rows) -> Workspace:
    """Tables of simulated persons, and a champion."""
    workspace = Workspace(root)
    write_tables(workspace.tables, tables(rows), 3)
    promote(workspace, small_model())
    (workspace.tables / "ingest.json").write_text(json.dumps({"synthetic": True, "received_on": ON}))
    return workspace
