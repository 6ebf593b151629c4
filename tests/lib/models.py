"""Small models of every kind, fitted on random rows of the real catalogue, for tests that need one."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from data_contracts.time_windows import day_number
from features.catalogue import FEATURE_NAMES, FINGERPRINT
from features.consents import Terms
from features.workplace_context import WorkplaceContext
from features.workplace_totals import COLUMNS, FIXED_POINT
from models.additive import AdditiveTerms
from models.booster import lightgbm
from models.risk_model import RiskModel

N_FEATURES = len(FEATURE_NAMES)
FACTS: dict[str, Any] = {
    "fingerprint": FINGERPRINT,
    "synthetic": True,
    "trained_on": {"first_index_date": "2022-01-01", "last_index_date": "2024-01-01"},
}


def random_rows(n: int, seed: int = 1) -> np.ndarray:
    """Rows like a feature matrix: float32, one in five values missing."""
    rng = np.random.default_rng(seed)
    rows = rng.gamma(2.0, 20.0, size=(n, N_FEATURES)).astype(np.float32)
    rows[rng.random(rows.shape) < 0.2] = np.nan
    return rows


def linear_model(outcome: str = "long_sick_leave", seed: int = 2, n_refits: int = 3) -> RiskModel:
    """A linear model of all features, with golden rows and refits."""
    model = _linear(outcome, seed, ())
    rng = np.random.default_rng(seed + 1)
    # Near the model, as refits are; far ones would be too uncertain to be served.
    drawn = [model.coefficients + rng.normal(0, 0.002, N_FEATURES) for _ in range(n_refits)]
    refits = tuple(replace(model, coefficients=coefficients, facts={}) for coefficients in drawn)
    return replace(model, refits=refits).with_golden(random_rows(25, seed=9))


def _linear(outcome: str, seed: int, refits: tuple[RiskModel, ...]) -> RiskModel:
    rng = np.random.default_rng(seed)
    return RiskModel(
        outcome=outcome,
        name="penalised_logistic",
        kind="linear",
        feature_names=FEATURE_NAMES,
        impute=rng.gamma(2.0, 20.0, N_FEATURES),
        low=np.zeros(N_FEATURES),
        high=np.full(N_FEATURES, 500.0),
        mean=rng.gamma(2.0, 20.0, N_FEATURES),
        scale=rng.gamma(4.0, 8.0, N_FEATURES),
        coefficients=rng.normal(0, 0.1, N_FEATURES),
        intercept=-1.3,
        recalibration_intercept=-0.1,
        recalibration_slope=0.9,
        reference_risk=0.12,
        refits=refits,
        facts=FACTS,
    )


def snapshot(day: str = "2025-06-01", company: str = "SYNTHETIC-c1", persons: int = 40) -> WorkplaceContext:
    """A company and its unit u2, in which everybody has been away ten days and has scored five on every scale."""
    counts = [persons, *[persons // 2] * 4, persons]
    totals = [*counts, persons * 10, *[persons // 2 * 5 * FIXED_POINT] * 4]
    assert len(totals) == len(COLUMNS)
    terms = Terms("risk_scoring", day_number(day), day_number(day))
    places = ((company, None), (company, "SYNTHETIC-u2"))
    return WorkplaceContext(day_number(day), terms, places, np.array([totals, totals], dtype=np.int64))


@cache
def boosted_model(outcome: str = "burnout", trees: int = 20, n_refits: int = 3) -> RiskModel:
    """Boosted trees on all features, with golden rows and refits."""
    refits = tuple(_boosted(outcome, 11 + i, trees, ()) for i in range(n_refits))
    return _boosted(outcome, 10, trees, refits).with_golden(random_rows(25, seed=9))


def _boosted(outcome: str, seed: int, trees: int, refits: tuple[RiskModel, ...]) -> RiskModel:
    rows = random_rows(600, seed)
    rng = np.random.default_rng(seed)
    events = (np.nan_to_num(rows[:, 0]) - np.nan_to_num(rows[:, 7]) + rng.normal(0, 20, len(rows)) > 30).astype(float)
    settings = {"objective": "binary", "num_leaves": 15, "min_data_in_leaf": 10, "feature_fraction": 0.5, "seed": seed,
                "num_threads": 1, "deterministic": True, "force_col_wise": True, "verbosity": -1}  # fmt: skip
    trained = lightgbm.train(settings, lightgbm.Dataset(rows, events, feature_name=list(FEATURE_NAMES)), trees)
    return RiskModel(
        outcome=outcome,
        name="lightgbm",
        kind="lightgbm",
        feature_names=FEATURE_NAMES,
        booster_text=trained.model_to_string(),
        recalibration_intercept=-0.2,
        recalibration_slope=0.85,
        reference_risk=0.2,
        refits=refits,
        facts=FACTS,
    )


def additive_model(outcome: str = "long_sick_leave", seed: int = 4, n_refits: int = 3) -> RiskModel:
    """An additive model of all features, every other curve a step function, with golden rows and refits."""
    refits = tuple(_additive(outcome, seed + 1 + i, ()) for i in range(n_refits))
    return _additive(outcome, seed, refits).with_golden(random_rows(25, seed=9))


def _additive(outcome: str, seed: int, refits: tuple[RiskModel, ...]) -> RiskModel:
    rng = np.random.default_rng(seed)
    curves = []
    for feature in range(N_FEATURES):
        knots = np.unique(rng.gamma(2.0, 20.0, rng.integers(0, 9)))
        n_values = len(knots) + 1 if feature % 2 or not len(knots) else len(knots)
        curves.append((knots, rng.normal(0, 0.05, n_values), float(rng.normal(0, 0.05))))
    return RiskModel(
        outcome=outcome,
        name="core",
        kind="additive",
        feature_names=FEATURE_NAMES,
        terms=AdditiveTerms.from_curves(curves),
        intercept=-1.3,
        recalibration_intercept=-0.1,
        recalibration_slope=0.9,
        reference_risk=0.12,
        refits=refits,
        facts=FACTS,
    )
