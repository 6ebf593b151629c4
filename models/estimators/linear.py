"""The candidates: unfitted scikit-learn style estimators of raw log-odds, which become parts of a ``RiskModel``.

Each is fitted on the columns it names, with sample weights, and is then only numbers or LightGBM text (``parts_``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import lightgbm
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression

from models.outcomes.outcome import Outcome
from models.published_models import ROELEN_COEFFICIENTS, ROELEN_FEATURES, ROELEN_INTERCEPT
from models.risk_model import LINEAR_PARTS

PRIOR_ABSENCE = ("days_doctor_365", "starts_doctor_365", "days_doctor_730", "days_self_365", "starts_self_365")
SHORT = ("age_years", "is_female", "srh_self_rated_health", "days_doctor_365", "starts_doctor_365")

EXTREMES_NOT_KEPT = 5
"""The range of a feature in training leaves out this many rows at either end: an extreme value is one person's."""

NO_LIMIT = 1e9
"""Range of the published formula's columns: it was fitted elsewhere, and holds as printed."""

MILD_PENALTY = 1.0
"""Inverse strength for baselines with a handful of columns: keeps them finite, changes nothing else."""

PENALTIES = (0.0001, 0.001, 0.01)
"""Inverse strengths tried for the logistic model on all features, strongest penalty first."""


@dataclass(frozen=True)
class TreeSize:
    """Size of the boosted trees and threads to grow them."""

    num_leaves: int = 15
    n_estimators: int = 200
    learning_rate: float = 0.04
    min_child_samples: int = 80
    feature_fraction: float = 0.4
    threads: int = 1


class LinearEstimator(BaseEstimator):
    """L2-penalised logistic regression on median-imputed, standardised columns held within their range in training.

    Parameters
    ----------
    inverse_penalty : float
        scikit-learn's ``C``.
    """

    def __init__(self, inverse_penalty: float = MILD_PENALTY) -> None:
        self.inverse_penalty = inverse_penalty

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray) -> LinearEstimator:
        """Fit on X, shape (n, n_columns), NaN for missing; a column without any value counts as 0.

        A column that is the same in all rows says nothing and gets the coefficient 0: it is left out of the fit, which takes
        time with the third power of the number of columns.
        """
        impute, low, high = _ranges(X)
        varies = low < high
        # The solver wants a column even where none varies; one of zeros gets the coefficient 0.
        fitted = varies.nonzero()[0] if varies.any() else np.array([0])
        filled = _filled(X[:, fitted], impute[fitted], low[fitted], high[fitted])
        mean, scale, coefficients = low.copy(), np.ones(len(low)), np.zeros(len(low))
        mean[fitted] = np.average(filled, axis=0, weights=sample_weight)
        filled -= mean[fitted]
        spread = np.sqrt(np.average(filled**2, axis=0, weights=sample_weight))
        scale[fitted] = np.where(spread > 1e-9, spread, 1.0)
        filled /= scale[fitted]
        model = LogisticRegression(C=self.inverse_penalty, solver="newton-cholesky")
        model.fit(filled, y, sample_weight=sample_weight)
        coefficients[fitted] = model.coef_[0]
        columns = (impute, low, high, mean, scale, coefficients)
        self.parts_ = _linear_parts(columns, float(model.intercept_[0]))
        return self

    def decision_function(self, X: np.ndarray) -> np.ndarray:
        """Return raw log-odds, shape (n,)."""
        return _linear_raw(self.parts_, X)


class RoelenEstimator(BaseEstimator):
    """The published formula: only medians for missing values are learned. Takes the columns of ``ROELEN_FEATURES``."""

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray) -> RoelenEstimator:
        """Learn what to put in for missing values."""
        impute, *_ = _ranges(X)
        mean = np.average(np.where(np.isnan(X), impute, X.astype(np.float64)), axis=0, weights=sample_weight)
        coefficients = np.array(ROELEN_COEFFICIENTS)
        columns = (impute, np.full(3, -NO_LIMIT), np.full(3, NO_LIMIT), mean, np.ones(3), coefficients)
        self.parts_ = _linear_parts(columns, ROELEN_INTERCEPT + float(coefficients @ mean))
        return self

    def decision_function(self, X: np.ndarray) -> np.ndarray:
        """Return raw log-odds, shape (n,)."""
        return _linear_raw(self.parts_, X)


class TreesEstimator(BaseEstimator):
    """Boosted trees with fixed seeds and fixed order of summation; missing values take a branch of their own."""

    def __init__(self, size: TreeSize | None = None, feature_names: tuple[str, ...] = (), seed: int = 0) -> None:
        self.size = size
        self.feature_names = feature_names
        self.seed = seed

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray) -> TreesEstimator:
        """Grow the trees."""
        size = self.size or TreeSize()
        data = lightgbm.Dataset(X, y, weight=sample_weight, feature_name=list(self.feature_names) or "auto")
        self.booster_ = lightgbm.train(_tree_parameters(size, self.seed), data, num_boost_round=size.n_estimators)
        self.parts_ = {"kind": "lightgbm", "booster_text": _without_extremes(self.booster_.model_to_string())}
        return self

    def decision_function(self, X: np.ndarray) -> np.ndarray:
        """Return raw log-odds, shape (n,)."""
        return np.asarray(self.booster_.predict(X, raw_score=True, num_threads=1))


def _without_extremes(booster_text: str) -> str:
    """Take the lowest and highest value of each feature out of LightGBM's text: single persons' values, used by nothing."""
    line = re.compile(r"^feature_infos=.*$", re.MULTILINE)
    return line.sub(lambda found: re.sub(r"\[[^\]]*\]", "[0:1]", found.group()), booster_text)


def _sizes(size: TreeSize) -> tuple[TreeSize, ...]:
    """Simplest first: a quarter of the trees for outcomes with few events, the size itself, and twice its leaves."""
    quarter = replace(size, n_estimators=max(1, size.n_estimators // 4))
    return quarter, size, replace(size, num_leaves=2 * size.num_leaves + 1)


def _tree_parameters(size: TreeSize, seed: int) -> dict[str, Any]:
    return {
        "objective": "binary",
        "num_leaves": size.num_leaves,
        "learning_rate": size.learning_rate,
        "min_child_samples": size.min_child_samples,
        "feature_fraction": size.feature_fraction,
        "max_bin": 63,
        "num_threads": size.threads,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }


def _ranges(X: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Per column the median (0 where nothing is known), lowest and highest value."""
    impute, low, high = np.array([_range(column) for column in X.T]).T
    return impute, low, high


def _filled(X: np.ndarray, impute: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return X as float64 with the median for what is missing, held within the range."""
    return np.clip(np.where(np.isnan(X), impute, X.astype(np.float64)), low, high)


def _range(column: np.ndarray) -> tuple[float, float, float]:
    """Median (0 of nothing), and lowest and highest value without the extremes, single persons', or else the median."""
    known = np.sort(column[np.isfinite(column)]).astype(np.float64)
    if not len(known):
        return 0.0, 0.0, 0.0
    median = float(np.median(known))
    if len(known) <= 2 * EXTREMES_NOT_KEPT:
        return median, median, median
    return median, float(known[EXTREMES_NOT_KEPT]), float(known[-EXTREMES_NOT_KEPT - 1])


def _linear_parts(columns: tuple[np.ndarray, ...], intercept: float) -> dict[str, Any]:
    return {"kind": "linear", "intercept": intercept, **dict(zip(LINEAR_PARTS, columns, strict=True))}


def _linear_raw(parts: dict[str, Any], X: np.ndarray) -> np.ndarray:
    filled = _filled(X, parts["impute"], parts["low"], parts["high"])
    return parts["intercept"] + (filled - parts["mean"]) / parts["scale"] @ parts["coefficients"]


@dataclass(frozen=True)
class Candidate:
    """One model to compare: its name, its columns, its estimators (simplest first; that within one SE of the best is taken)."""

    name: str
    feature_names: tuple[str, ...]
    estimators: tuple[Any, ...]


def candidates(outcome: Outcome, usable: tuple[str, ...], trees: TreeSize, seed: int) -> tuple[Candidate, ...]:
    """Every model that is always compared, simplest first.

    Parameters
    ----------
    outcome : Outcome
    usable : tuple of str
        Features that vary in the training rows, in catalogue order.
    trees : TreeSize
        A quarter of its trees and twice its leaves are tried too.
    seed : int
    """
    short = SHORT + outcome.extra_short_features
    return (
        Candidate("roelen", ROELEN_FEATURES, (RoelenEstimator(),)),
        Candidate("prior_absence", PRIOR_ABSENCE, (LinearEstimator(),)),
        Candidate("short", short, (LinearEstimator(),)),
        Candidate("logistic", usable, tuple(LinearEstimator(penalty) for penalty in PENALTIES)),
        Candidate("lightgbm", usable, tuple(TreesEstimator(size, usable, seed) for size in _sizes(trees))),
    )
