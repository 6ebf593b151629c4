"""Held-out rows of made-up persons whose true risks are known, for tests of what judges models by group."""

from __future__ import annotations

import numpy as np

from features.catalogue import FEATURE_NAMES
from models.evaluation.held_out import HeldOut
from models.risk_model import risk_of


def rows_by_group(
    n_persons: int = 3000, seed: int = 1, rows_each: int = 2, too_low: dict[str, float] | None = None
) -> HeldOut:
    """Persons with random features and an honest model, but that of a feature's ones it says too little.

    Parameters
    ----------
    n_persons, seed, rows_each : int
    too_low : dict of feature to float, optional
        How much log-odds the truth lies above the model for persons whose feature is 1.
    """
    random = np.random.default_rng(seed)
    person = np.repeat(np.arange(n_persons), rows_each)
    X = np.full((n_persons, len(FEATURE_NAMES)), np.nan, dtype=np.float32)
    _set(X, "is_female", random.random(n_persons) < 0.5)
    _set(X, "age_years", random.integers(20, 68, n_persons))
    _set(X, "education", random.integers(1, 5, n_persons))
    _set(X, "position_percent", random.choice([100, 100, 80, 50], n_persons))
    for name in FEATURE_NAMES:
        if name.startswith(("industry_", "occupation_")):
            _set(X, name, 0)
    _set(X, "industry_office", random.random(n_persons) < 0.5)
    _set(X, "survey_days_730", random.choice([0, 1, np.nan], n_persons))
    _set(X, "days_since_survey", np.where(X[:, FEATURE_NAMES.index("survey_days_730")] == 1, 100, np.nan))
    _set(X, "analytes_measured_730", random.choice([0, 12, np.nan], n_persons))
    _set(X, "days_doctor_365", random.gamma(0.3, 30, n_persons))
    linear = random.normal(-1.6, 0.9, n_persons)
    truth = linear.copy()
    for name, shift in (too_low or {}).items():
        truth += shift * (X[:, FEATURE_NAMES.index(name)] == 1)
    y = (random.random(n_persons * rows_each) < risk_of(truth)[person]).astype(np.float64)
    t = np.tile(20_000 + 91 * np.arange(rows_each, dtype=np.int32), n_persons)
    company = (person % 150).astype(np.int32)
    return HeldOut("long_sick_leave", "m", FEATURE_NAMES, X[person], y, random.uniform(1, 1.2, len(y)), person, company, t,
                   np.full(len(y), 365, np.int32), {"m": linear[person]})  # fmt: skip


def _set(X: np.ndarray, name: str, values: object) -> None:
    X[:, FEATURE_NAMES.index(name)] = values
