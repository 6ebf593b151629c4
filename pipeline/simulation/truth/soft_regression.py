"""Regression of probabilities on features: a penalised logistic model, and boosted trees on what it leaves.

Labels are true probabilities instead of events, so that the noise of the event itself is not in them. Both models
minimise cross-entropy, whose expectation has its minimum at E[p | x]: with enough rows and trees the fit tends to that.
"""

from __future__ import annotations

from dataclasses import dataclass

import lightgbm
import numpy as np

from models.estimators import LinearEstimator
from models.evaluation.discrimination import Ranking, auroc, log_losses
from models.risk_model import risk_of

INVERSE_PENALTY = 0.003
MOST_ROUNDS, PATIENCE = 600, 20
_SHARE_HELD_OUT = 5
_TREES = {
    "objective": "cross_entropy", "num_leaves": 15, "learning_rate": 0.07, "min_child_samples": 200,
    "feature_fraction_bynode": 0.3, "lambda_l2": 20.0, "max_bin": 63, "seed": 17, "deterministic": True,
    "force_row_wise": True, "num_threads": 1, "verbosity": -1,
}  # fmt: skip


@dataclass(frozen=True)
class SoftRegression:
    """A fitted model of probabilities; without trees it is the linear model alone."""

    linear: LinearEstimator
    trees: lightgbm.Booster | None

    def log_odds(self, X: np.ndarray) -> np.ndarray:
        """Return log-odds, shape (n,)."""
        found = self.linear.decision_function(X)
        if self.trees is not None:
            found = found + np.asarray(self.trees.predict(X, raw_score=True))
        return found


def fit(X: np.ndarray, p: np.ndarray, person: np.ndarray) -> SoftRegression:
    """Fit to probabilities; the number of trees is that with the least cross-entropy on a fifth of the persons."""
    held_out = person % _SHARE_HELD_OUT == 0
    linear = fit_linear(X, p)
    start = linear.decision_function(X)
    training, test = (lightgbm.Dataset(X[rows], p[rows], init_score=start[rows]) for rows in (~held_out, held_out))
    stop = lightgbm.early_stopping(PATIENCE, verbose=False)
    trees = lightgbm.train(_TREES, training, MOST_ROUNDS, valid_sets=[test], callbacks=[stop])
    return SoftRegression(linear, trees if trees.best_iteration > 1 else None)


def fit_linear(X: np.ndarray, p: np.ndarray) -> LinearEstimator:
    """Fit the logistic model: a probability is an event and a non-event that share one row's weight."""
    y = np.repeat([1.0, 0.0], len(p))
    return LinearEstimator(INVERSE_PENALTY).fit(np.concatenate([X, X]), y, np.concatenate([p, 1 - p]))


def cross_entropy(log_odds: np.ndarray, p: np.ndarray) -> float:
    """Mean expected negative log-likelihood of events that happen with probability p."""
    return float(log_losses(log_odds, p).mean())


def expected_auroc(risks: np.ndarray, p: np.ndarray) -> float:
    """Probability that an event ranks above a non-event when each row is an event with probability p."""
    return float(auroc(Ranking.of(risks), p, np.ones((1, len(p))))[0])


def probabilities(model: SoftRegression, X: np.ndarray) -> np.ndarray:
    """Return E[p | x] as the model has it."""
    return risk_of(model.log_odds(X))
