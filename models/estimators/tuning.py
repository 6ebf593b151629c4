"""Boosted trees whose size Optuna chooses within a time budget, on persons the trees have not learnt from.

The search is part of ``fit``, so that in a comparison it runs anew inside every training fold: no held-out person takes part
in it. Each trial stops growing when the inner validation persons no longer gain. The seed is fixed, but how many trials fit
into the time depends on the machine.

Reference: Akiba T et al. Optuna. KDD 2019. Bergstra J et al. NIPS 2011 (tree-structured Parzen estimator).
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import lightgbm
import numpy as np
from sklearn.base import BaseEstimator

from models.estimators.columns import person_folds_of
from models.estimators.trees import TreesEstimator, TreeSize, parameters_of
from models.target import TARGETS

if TYPE_CHECKING:
    import optuna

INNER_FOLDS = 4
"""One quarter of the persons validates."""

MOST_TREES = 1500
PATIENCE = 50
MOST_TRIALS = 200


class TunedTreesEstimator(BaseEstimator):
    """Boosted trees of a size found by Optuna.

    Parameters
    ----------
    start : TreeSize, optional
        The first size that is tried.
    seconds : float
        No new trial starts after so long.
    feature_names, seed, target, monotone
        As of :class:`~models.estimators.trees.TreesEstimator`.
    """

    def __init__(
        self,
        start: TreeSize | None = None,
        seconds: float = 60.0,
        feature_names: tuple[str, ...] = (),
        seed: int = 0,
        target: str = "event",
        monotone: bool = True,
    ) -> None:
        self.start = start
        self.seconds = seconds
        self.feature_names = feature_names
        self.seed = seed
        self.target = target
        self.monotone = monotone

    def fit(
        self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray, *, groups: np.ndarray | None = None
    ) -> TunedTreesEstimator:
        """Search a size on persons (groups) apart, then grow trees of that size on all rows."""
        validates = person_folds_of(groups, len(X), INNER_FOLDS, self.seed) == 0
        self.size_ = self._searched(X, y, sample_weight, validates)
        self.trees_ = self.decided().fit(X, y, sample_weight)
        self.parts_ = self.trees_.parts_
        return self

    def decided(self) -> TreesEstimator:
        """Return unfitted trees of the size that :meth:`fit` has found."""
        return TreesEstimator(self.size_, self.feature_names, self.seed, self.target, self.monotone)

    def decision_function(self, X: np.ndarray) -> np.ndarray:
        """Return the raw linear predictor, shape (n,)."""
        return self.trees_.decision_function(X)

    def _searched(self, X: np.ndarray, y: np.ndarray, weight: np.ndarray, validates: np.ndarray) -> TreeSize:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=self.seed))
        start = self.start or TreeSize()
        study.enqueue_trial({name: getattr(start, name) for name in _SEARCHED})
        learn = lightgbm.Dataset(X[~validates], y[~validates], weight=weight[~validates], free_raw_data=False)
        begun = time.monotonic()

        def loss(trial: optuna.Trial) -> float:
            size = replace(start, n_estimators=MOST_TREES, **_suggested(trial))
            found, trees = self._validated(size, learn, X[validates], y[validates], weight[validates], begun)
            trial.set_user_attr("size", replace(size, n_estimators=trees))
            return found

        study.optimize(loss, n_trials=MOST_TRIALS, timeout=self.seconds, n_jobs=1)
        return study.best_trial.user_attrs["size"]

    def _validated(
        self, size: TreeSize, learn: lightgbm.Dataset, X: np.ndarray, y: np.ndarray, weight: np.ndarray, begun: float
    ) -> tuple[float, int]:
        """Mean loss of the validation rows, and how many trees it took."""
        names = self.feature_names if self.monotone else ()
        parameters = parameters_of(size, self.seed, self.target, names) | {"feature_pre_filter": False}
        trees = parameters.pop("n_estimators")
        judge = lightgbm.Dataset(X, y, weight=weight, reference=learn)
        stop = [lightgbm.early_stopping(PATIENCE, verbose=False), _out_of_time(begun + self.seconds)]
        booster = lightgbm.train(parameters, learn, trees, valid_sets=[judge], callbacks=stop)
        best = booster.best_iteration or booster.current_iteration()
        linear = np.asarray(booster.predict(X, raw_score=True, num_iteration=best, num_threads=1))
        return float(np.average(TARGETS[self.target].losses(linear, y), weights=weight)), best


_SEARCHED = ("num_leaves", "learning_rate", "min_child_samples", "feature_fraction", "lambda_l2")


def _suggested(trial: Any) -> dict[str, Any]:
    """Sizes around what is known to do well on such rows: small trees, few features at a time."""
    return {
        "num_leaves": trial.suggest_int("num_leaves", 3, 63, log=True),
        "learning_rate": trial.suggest_float("learning_rate", 0.01, 0.2, log=True),
        "min_child_samples": trial.suggest_int("min_child_samples", 10, 1000, log=True),
        "feature_fraction": trial.suggest_float("feature_fraction", 0.1, 1.0),
        "lambda_l2": trial.suggest_float("lambda_l2", 0.0, 100.0),
    }


def _out_of_time(until: float) -> Any:
    """Stop a trial at the budget's end, once it has grown trees enough to be judged: one large trial cannot take all night."""

    def check(env: Any) -> None:
        if time.monotonic() > until and env.iteration >= PATIENCE:
            raise lightgbm.callback.EarlyStopException(env.iteration, env.evaluation_result_list)

    return check
