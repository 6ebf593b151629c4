"""Boosted trees whose curves do not run against what the catalogue expects of a feature."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

import lightgbm
import numpy as np
from sklearn.base import BaseEstimator, clone

from features.catalogue import POSITIONS, feature
from models.side_by_side import workers
from models.target import DAYS, TWEEDIE_POWER

MANY_ROWS = 150_000
"""Above this, each tree is grown from half of the rows, drawn anew every few trees (stochastic gradient boosting, Friedman
2002): a third less time for the same discrimination. With fewer rows log loss would suffer; see docs/decisions/30."""


@dataclass(frozen=True)
class TreeSize:
    """Size of the boosted trees and threads to grow them."""

    num_leaves: int = 15
    n_estimators: int = 200
    learning_rate: float = 0.04
    min_child_samples: int = 80
    feature_fraction: float = 0.4
    lambda_l2: float = 0.0
    threads: int = 1


class TreesEstimator(BaseEstimator):
    """Boosted trees with fixed seeds and fixed order of summation; missing values take a branch of their own.

    Parameters
    ----------
    size : TreeSize, optional
    feature_names : tuple of str
    seed : int
    target : {"event", "days"}
        Log loss, or Tweedie deviance of power 1.5.
    monotone : bool
        Let no feature of the catalogue with an expected direction move the risk the other way.
    """

    def __init__(
        self,
        size: TreeSize | None = None,
        feature_names: tuple[str, ...] = (),
        seed: int = 0,
        target: str = "event",
        monotone: bool = True,
    ) -> None:
        self.size = size
        self.feature_names = feature_names
        self.seed = seed
        self.target = target
        self.monotone = monotone

    def fit(
        self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray, *, groups: np.ndarray | None = None
    ) -> TreesEstimator:
        """Grow the trees; ``groups`` is not used: nothing is chosen here."""
        return self.keep(_GROW.get()(self.parameters(len(y)), X, y, sample_weight, self.feature_names))

    def parameters(self, n_rows: int) -> dict[str, Any]:
        """Return LightGBM's parameters for so many rows, with ``n_estimators``."""
        monotone = self.feature_names if self.monotone else ()
        return parameters_of(self.size or TreeSize(), self.seed, self.target, monotone) | of_many(n_rows)

    def keep(self, text: str) -> TreesEstimator:
        """Take LightGBM's text model as what was fitted."""
        self.booster_ = lightgbm.Booster(model_str=text)
        self.parts_ = {"kind": "lightgbm", "booster_text": text}
        return self

    def decision_function(self, X: np.ndarray) -> np.ndarray:
        """Return the raw linear predictor, shape (n,)."""
        return np.asarray(self.booster_.predict(X, raw_score=True, num_threads=1))


def grow(
    parameters: dict[str, Any], X: np.ndarray, y: np.ndarray, weight: np.ndarray, feature_names: Sequence[str] = ()
) -> str:
    """Grow boosted trees and return LightGBM's text model, without the extremes of single persons.

    Parameters
    ----------
    parameters : dict
        LightGBM's own, with ``n_estimators``; see :func:`parameters_of`.
    X : float32 array, shape (n, n_features)
    y, weight : float64 arrays, shape (n,)
    feature_names : sequence of str
    """
    return _grown(parameters, lightgbm.Dataset(X, y, weight=weight, feature_name=list(feature_names) or "auto"))


def _grown(parameters: dict[str, Any], data: lightgbm.Dataset) -> str:
    rest = dict(parameters)
    booster = lightgbm.train(rest, data, num_boost_round=rest.pop("n_estimators"))
    return without_extremes(booster.model_to_string())


Grow = Callable[..., str]
_GROW: ContextVar[Grow] = ContextVar("grow", default=grow)


class BinnedRows:
    """Rows whose values are put into bins once, for many fits to some of them: the limits of the bins are of all rows.

    Parameters
    ----------
    estimator : TreesEstimator
        Unfitted; that of the fits.
    X : float32 array, shape (n, n_features)
    """

    def __init__(self, estimator: TreesEstimator, X: np.ndarray) -> None:
        self.estimator = estimator
        settings = estimator.parameters(len(X))
        del settings["n_estimators"]
        names = list(estimator.feature_names) or "auto"
        label = np.zeros(len(X))  # LightGBM asks for one; each fit brings its own
        self.data = lightgbm.Dataset(X, label, feature_name=names, params=settings).construct()

    def fitted(self, rows: np.ndarray, y: np.ndarray, weight: np.ndarray) -> TreesEstimator:
        """Return the estimator fitted to the rows at these positions; y and weight are of them."""
        some = self.data.subset(rows).construct()
        some.set_label(y).set_weight(weight)
        return clone(self.estimator).keep(_grown(self.estimator.parameters(len(rows)), some))


def are_grown_here() -> bool:
    """Say whether trees are grown by this process, not by what :func:`grown_by` was given."""
    return _GROW.get() is grow


@contextmanager
def grown_by(other: Grow) -> Iterator[None]:
    """Let another function of :func:`grow`'s signature grow all trees meanwhile, such as one that uses a cluster.

    Fits then come one after the other: a cluster grows the trees of one fit at a time.
    """
    token = _GROW.set(other)
    try:
        with workers(1):
            yield
    finally:
        _GROW.reset(token)


def without_extremes(booster_text: str) -> str:
    """Take the lowest and highest value of each feature out of LightGBM's text: single persons' values, used by nothing."""
    line = re.compile(r"^feature_infos=.*$", re.MULTILINE)
    return line.sub(lambda found: re.sub(r"\[[^\]]*\]", "[0:1]", found.group()), booster_text)


def sizes(size: TreeSize) -> tuple[TreeSize, ...]:
    """Simplest first: a quarter of the trees for outcomes with few events, the size itself, and twice its leaves."""
    quarter = replace(size, n_estimators=max(1, size.n_estimators // 4))
    return quarter, size, replace(size, num_leaves=2 * size.num_leaves + 1)


def directions(feature_names: Sequence[str]) -> list[int]:
    """Return the expected direction of each feature, 0 where the catalogue has none or does not know the name."""
    return [feature(name).expected_direction if name in POSITIONS else 0 for name in feature_names]


def of_many(n_rows: int) -> dict[str, Any]:
    """Return what is added to LightGBM's parameters where there are many rows."""
    return {"bagging_fraction": 0.5, "bagging_freq": 5} if n_rows > MANY_ROWS else {}


def parameters_of(size: TreeSize, seed: int, target: str, monotone_features: Sequence[str]) -> dict[str, Any]:
    """Return LightGBM's parameters.

    Parameters
    ----------
    size : TreeSize
    seed : int
    target : {"event", "days"}
    monotone_features : sequence of str
        The columns in order, if trees must keep to the expected directions; else empty.
    """
    days = {"objective": "tweedie", "tweedie_variance_power": TWEEDIE_POWER}
    constraints = directions(monotone_features)
    held = {"monotone_constraints": constraints, "monotone_constraints_method": "basic"} if any(constraints) else {}
    return {
        **(days if target == DAYS.name else {"objective": "binary"}),
        **held,
        "n_estimators": size.n_estimators,
        "num_leaves": size.num_leaves,
        "learning_rate": size.learning_rate,
        "min_child_samples": size.min_child_samples,
        "feature_fraction": size.feature_fraction,
        "lambda_l2": size.lambda_l2,
        "max_bin": 63,
        "num_threads": size.threads,
        "seed": seed,
        "deterministic": True,
        # Read by columns, only the features drawn for a tree are read; and hardly any of ours exclude each other, so that
        # bundles are looked for in vain. Together 0.6 of the time, and the same bits.
        "force_col_wise": True,
        "enable_bundle": False,
        "verbosity": -1,
    }
