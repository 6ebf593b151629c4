"""Elastic-net regression with broken lines for the few leading features: a sum of curves.

The penalty's strength is chosen by cross-validation that keeps persons together, inside the rows it is given. For the
choice, each fold's likelihood is replaced by its quadratic approximation, whose whole path costs no further pass over the
rows; the final coefficients are glum's, exact for the chosen strength.

References: Zou H, Hastie T. J R Stat Soc B 2005;67:301 (elastic net). Wang H, Leng C. J Am Stat Assoc 2007;102:1039
(least squares approximation). https://glum.readthedocs.io.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.linear_model import enet_path
from threadpoolctl import threadpool_limits

from models.estimators.columns import person_folds_of
from models.estimators.generalised_linear import Curvature, curvature, linear, null_model, ridge
from models.estimators.splines import Design
from models.side_by_side import without_expected_warnings
from models.target import DAYS, TARGETS, TWEEDIE_POWER

L1_RATIO = 0.5
INNER_FOLDS = 3
N_STRENGTHS = 20
WEAKEST = 1e-3
"""The weakest strength tried, as a share of the one that lets no column in."""

_MILD = 1.0
_FLATTEST = 1e-6
_GRADIENT_TOLERANCE = 1e-5


class ElasticNetEstimator(BaseEstimator):
    """Elastic net over lines, hinges and flags.

    Parameters
    ----------
    feature_names : tuple of str
        The columns of X.
    curved : tuple of str
        Features that get hinges.
    flagged : tuple of str
        Features whose being missing gets a coefficient of its own; the others count as their median.
    strength : float, optional
        glum's ``alpha``; None: chosen by cross-validation.
    seed : int
        Of the inner folds.
    target : {"event", "days"}
    """

    def __init__(
        self,
        feature_names: tuple[str, ...] = (),
        curved: tuple[str, ...] = (),
        flagged: tuple[str, ...] = (),
        strength: float | None = None,
        seed: int = 0,
        target: str = "event",
    ) -> None:
        self.feature_names = feature_names
        self.curved = curved
        self.flagged = flagged
        self.strength = strength
        self.seed = seed
        self.target = target

    def fit(
        self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray, *, groups: np.ndarray | None = None
    ) -> ElasticNetEstimator:
        """Fit on X, shape (n, n_columns), NaN for missing; rows of a group share the inner fold."""
        names = self.feature_names or tuple(map(str, range(X.shape[1])))
        design = Design.of(X, np.isin(names, self.curved), np.isin(names, self.flagged), groups)
        Z, mean, scale = design.matrix(X, sample_weight)
        folds = person_folds_of(groups, len(X), INNER_FOLDS, self.seed)
        self.strength_ = self.strength or chosen_strength(Z, y, sample_weight, folds, self.target)
        beta = _exact(Z, y, sample_weight, self.strength_, self.target)
        terms = design.terms(beta[:-1] / scale, mean)
        self.parts_: dict[str, Any] = {"kind": "additive", "intercept": float(beta[-1]), "terms": terms}
        return self

    def decided(self) -> ElasticNetEstimator:
        """Return this estimator unfitted, with the strength that :meth:`fit` has chosen."""
        return ElasticNetEstimator(**(self.get_params() | {"strength": self.strength_}))

    def decision_function(self, X: np.ndarray) -> np.ndarray:
        """Return the raw linear predictor, shape (n,)."""
        return np.asarray(self.parts_["intercept"] + self.parts_["terms"].of(X).sum(axis=1))


def chosen_strength(Z: np.ndarray, y: np.ndarray, weight: np.ndarray, folds: np.ndarray, target: str) -> float:
    """Return the strength with the smallest held-out loss.

    Parameters
    ----------
    Z : float32 array, shape (n, p)
    y, weight : float64 arrays, shape (n,)
    folds : int array, shape (n,)
    target : {"event", "days"}
    """
    strengths = _grid(Z, y, weight, target)
    losses = np.zeros(len(strengths))
    for held_out in np.unique(folds):
        rest = folds != held_out
        path = _path(Z[rest], y[rest], weight[rest], strengths, target)
        for position, beta in enumerate(path):
            losses[position] += weight[~rest] @ TARGETS[target].losses(linear(Z[~rest], beta), y[~rest])
    return float(strengths[losses.argmin()])


def _grid(Z: np.ndarray, y: np.ndarray, weight: np.ndarray, target: str) -> np.ndarray:
    """Strengths from the one that lets nothing in, falling."""
    start = null_model(Z.shape[1], y, weight, target)
    most = np.abs(curvature(Z, y, weight, start, target).gradient[:-1]).max(initial=1e-6) / L1_RATIO
    return most * np.geomspace(1.0, WEAKEST, N_STRENGTHS)


def _path(Z: np.ndarray, y: np.ndarray, weight: np.ndarray, strengths: np.ndarray, target: str) -> np.ndarray:
    """Coefficients of each strength on the quadratic approximation, float64 (n_strengths, p + 1)."""
    centre = ridge(Z, y, weight, _MILD, target)
    return _quadratic_path(curvature(Z, y, weight, centre, target), centre, strengths)


def _quadratic_path(around: Curvature, centre: np.ndarray, strengths: np.ndarray) -> np.ndarray:
    p = len(centre) - 1
    level = around.hessian[p, :p] / around.hessian[p, p]
    # The intercept takes its best value for any coefficients, so that it drops out.
    hessian = around.hessian[:p, :p] - np.outer(level, around.hessian[p, :p])
    gradient = around.gradient[:p] - level * around.gradient[p]
    # A root of the Hessian turns the approximation into least squares of p rows; rounding must leave no direction negative.
    values, vectors = np.linalg.eigh(hessian)
    values = np.sqrt(np.maximum(values, _FLATTEST * values.max(initial=1e-9)))
    root, aim = values[:, None] * vectors.T, vectors.T @ (hessian @ centre[:p] - gradient) / values
    with without_expected_warnings():
        _, coefficients, _ = enet_path(
            np.sqrt(p) * root, np.sqrt(p) * aim, l1_ratio=L1_RATIO, alphas=strengths, tol=1e-5
        )
    moved = coefficients.T - centre[:p]
    intercepts = centre[p] - around.gradient[p] / around.hessian[p, p] - moved @ level
    return np.column_stack([coefficients.T, intercepts])


def _exact(Z: np.ndarray, y: np.ndarray, weight: np.ndarray, strength: float, target: str) -> np.ndarray:
    """Coefficients of the elastic net, the intercept last, float64 (p + 1,)."""
    from glum import GeneralizedLinearRegressor, TweedieDistribution

    start = _path(Z, y, weight, np.array([strength]), target)[0]
    model = GeneralizedLinearRegressor(
        family=TweedieDistribution(TWEEDIE_POWER) if target == DAYS.name else "binomial",
        link="log" if target == DAYS.name else "logit",
        alpha=strength,
        l1_ratio=L1_RATIO,
        start_params=np.append(start[-1], start[:-1]),
        gradient_tol=_GRADIENT_TOLERANCE,
        check_input=False,
        copy_X=False,
    )
    # glum sums in as many parts as OpenMP has threads, so the last bits would depend on the machine. A limit reaches only what
    # is imported already: one around the whole training does not know of glum yet.
    with threadpool_limits(1):
        # In float32 the line search cannot see the last steps.
        model.fit(Z.astype(np.float64), y, sample_weight=weight)
    return np.append(model.coef_, model.intercept_)
