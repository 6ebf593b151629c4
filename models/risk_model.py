"""A fitted, calibrated model: rows of features in; log-odds, contributions and an interval out.

``log-odds = recalibration_intercept + recalibration_slope * raw``, where raw is the margin of the boosted trees, the
linear predictor or a sum of curves. Because that step is linear, contributions scaled by the slope still add up to the
log-odds served. A model of days (``link="log"``) is the same with log days for log-odds and expected days for risks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from data_contracts.errors import ArtifactError
from models import booster
from models.additive import AdditiveTerms, Pieces, stacked
from models.packed_trees import PackedTrees, packed
from models.row_arithmetic import linear_terms, quantiles, row_sums

if TYPE_CHECKING:
    from features.build import FeatureMatrix
    from features.workplace_context import WorkplaceContext

INTERVAL = (0.05, 0.95)
"""Quantiles of the refits' risks that are served as the interval."""

LINEAR_PARTS = ("impute", "low", "high", "mean", "scale", "coefficients")
"""The arrays of a linear model, one number per feature each."""

Kind = Literal["linear", "additive", "lightgbm"]
Link = Literal["logit", "log"]

_ROWS_AT_ONCE = 1000
"""Refits that are no trees are numbered together; this bounds the memory of their terms (rows x refits x features)."""


@dataclass(frozen=True, eq=False, kw_only=True)
class RiskModel:
    """One calibrated model of one outcome.

    Parameters
    ----------
    outcome : str
    name : str
        The estimator, for example ``lightgbm`` or ``penalised_logistic``.
    kind : {"linear", "additive", "lightgbm"}
    feature_names : tuple of str
        The model's columns, in order; names of the feature catalogue.
    impute, low, high, mean, scale, coefficients : float64 array, shape (n_features,)
        Linear models only: ``raw = intercept + sum(coefficients * (clipped x - mean) / scale)``, where a missing x is
        ``impute`` and x is held within ``low..high``, the range it was fitted to.
    terms : AdditiveTerms
        Additive models only: ``raw = intercept + sum(curve of x)``, every curve centred on the training rows.
    intercept : float
        Linear and additive models only.
    booster_text : str
        Boosted trees only: LightGBM's text model.
    link : {"logit", "log"}
        What the calibrated linear predictor is: the log-odds of an event, or the logarithm of expected days.
    recalibration_intercept, recalibration_slope : float
    reference_risk : float
        Observed (weighted) share of events, or mean days, in the training rows.
    refits : tuple of RiskModel
        Models refitted on resampled persons, of the same columns, without refits of their own.
    facts : dict
        JSON values about the training: ``trained_on``, ``data_as_of``, ``n``, ``events``, ``fingerprint`` (of the
        feature catalogue), ``synthetic``, and whatever else the model card needs.
        ``training_range`` (feature name to ``[lowest, highest]``) lets the service say when a value lies outside.
    golden : tuple of (float32 array, shape (k, n_features); float64 array, shape (k,)), optional
        Rows with the log-odds this model gave them when it was fitted; see :meth:`with_golden`.
    workplace_context : WorkplaceContext, optional
        Snapshot of the workplaces that tells a single record of the others there; none in older artifacts.
    version, artifact_sha256 : str
        Set when the model is opened from a bundle.

    Raises
    ------
    ArtifactError
        If the parts do not fit each other.
    """

    outcome: str
    name: str
    kind: Kind
    feature_names: tuple[str, ...]
    impute: np.ndarray | None = None
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    mean: np.ndarray | None = None
    scale: np.ndarray | None = None
    coefficients: np.ndarray | None = None
    terms: AdditiveTerms | None = field(default=None, repr=False)
    intercept: float = 0.0
    link: Link = "logit"
    booster_text: str = field(default="", repr=False)
    recalibration_intercept: float = 0.0
    recalibration_slope: float = 1.0
    reference_risk: float
    refits: tuple[RiskModel, ...] = field(default=(), repr=False)
    facts: Mapping[str, Any] = field(default_factory=dict, repr=False)
    golden: tuple[np.ndarray, np.ndarray] | None = field(default=None, repr=False)
    workplace_context: WorkplaceContext | None = field(default=None, repr=False)
    version: str = ""
    artifact_sha256: str = ""

    def __post_init__(self) -> None:
        _check_parts(self)

    @cached_property
    def _trees(self) -> booster.Trees:
        return booster.Trees(self.booster_text)

    @cached_property
    def _trees_of_refits(self) -> list[booster.Trees]:
        return [refit._trees for refit in self.refits]

    @cached_property
    def _packed_refits(self) -> PackedTrees | None:
        return packed([one.booster_text for one in self.refits], self._trees_of_refits, len(self.feature_names))

    def select(self, matrix: FeatureMatrix) -> np.ndarray:
        """Return the model's columns of a feature matrix, float32 of shape (n_rows, n_features)."""
        return np.ascontiguousarray(matrix.values[:, _positions(self.feature_names, tuple(matrix.names))])

    def log_odds(self, X: np.ndarray) -> np.ndarray:
        """Return the calibrated linear predictor of the rows; the same bits for a row alone and within any batch.

        Parameters
        ----------
        X : float32 array, shape (n_rows, n_features)
            The model's own columns; NaN is missing.

        Returns
        -------
        float64 array, shape (n_rows,)
            Log-odds, or log days of a model with the log link.
        """
        X = _checked_rows(self, X)
        return self.recalibration_intercept + self.recalibration_slope * self._raw(X)

    def risks(self, X: np.ndarray) -> np.ndarray:
        """Return the calibrated risks (or expected days) of the rows, float64 of shape (n_rows,)."""
        return inverse_link(self.link, self.log_odds(X))

    def contributions(self, X: np.ndarray) -> np.ndarray:
        """Split the calibrated log-odds of each row into one term per feature and a base.

        Returns
        -------
        float64 array, shape (n_rows, n_features + 1)
            The base (the expected log-odds over the training rows; for a linear model that of a person with mean values,
            which is the same) is the last column. Rows sum to :meth:`log_odds` to 1e-9.
        """
        X = _checked_rows(self, X)
        if self.kind == "lightgbm":
            terms = self._trees.contributions(X)
        else:
            terms = np.column_stack([self._terms(X), np.full(len(X), self.intercept)])
        terms = self.recalibration_slope * terms
        terms[:, -1] += self.recalibration_intercept
        return terms

    def interval(self, X: np.ndarray) -> np.ndarray:
        """Return the 5 % and 95 % quantiles of the refits' risks, float64 of shape (n_rows, 2); NaN without refits."""
        if not self.refits:
            return np.full((len(X), 2), np.nan)
        return quantiles(inverse_link(self.link, self._refit_log_odds(_checked_rows(self, X))), INTERVAL)

    def outside_training_range(self, X: np.ndarray) -> np.ndarray:
        """True where a value lies outside those of the training rows, bool of shape (n_rows, n_features)."""
        X = _checked_rows(self, X)
        lowest, highest = self._training_range
        return (lowest > X) | (highest < X)

    @cached_property
    def _training_range(self) -> np.ndarray:
        known = self.facts.get("training_range", {})
        return np.array([known.get(name, (-np.inf, np.inf)) for name in self.feature_names], dtype=np.float32).T

    def with_golden(self, X: np.ndarray) -> RiskModel:
        """Return a copy that remembers these rows and their log-odds, to be checked before the model is used."""
        rows = np.ascontiguousarray(X, dtype=np.float32)
        return replace(self, golden=(rows, self.log_odds(rows)))

    def _raw(self, X: np.ndarray) -> np.ndarray:
        if self.kind == "lightgbm":
            return self._trees.margins(X)
        return self.intercept + row_sums(self._terms(X))

    def _terms(self, X: np.ndarray) -> np.ndarray:
        if self.terms is not None:
            return self.terms.of(X)
        return linear_terms(X, *(getattr(self, part) for part in LINEAR_PARTS))

    def _refit_log_odds(self, X: np.ndarray) -> np.ndarray:
        """Log-odds of every refit, float64 of shape (n_refits, n_rows)."""
        if self.kind == "lightgbm":
            return self._refit_trees_log_odds(X)
        starts = range(0, max(len(X), 1), _ROWS_AT_ONCE)
        raw = np.concatenate([self._refits_raw(X[start : start + _ROWS_AT_ONCE]) for start in starts])
        intercept, slope = self._refit_recalibration
        return (intercept + slope * raw).T

    def _refit_trees_log_odds(self, X: np.ndarray) -> np.ndarray:
        if len(X) != 1:
            raw = np.stack([trees.margins(X) for trees in self._trees_of_refits])
        elif self._packed_refits is not None:
            raw = self._packed_refits.margins(X)[:, np.newaxis]
        else:
            raw = booster.margins_of_row(self._trees_of_refits, X)[:, np.newaxis]
        intercept, slope = self._refit_recalibration[..., np.newaxis]
        return intercept + slope * raw

    def _refits_raw(self, X: np.ndarray) -> np.ndarray:
        intercepts, parts = self._stacked_refits
        of_refits = parts.of(X[:, np.newaxis]) if isinstance(parts, Pieces) else linear_terms(X[:, np.newaxis], *parts)
        return intercepts + row_sums(of_refits)

    @cached_property
    def _stacked_refits(self) -> tuple[np.ndarray, Pieces | list[np.ndarray]]:
        """Intercepts, shape (n_refits,), and the terms of all refits as one, each part with a first axis (n_refits,)."""
        intercepts = np.array([refit.intercept for refit in self.refits])
        if self.kind == "additive":
            return intercepts, stacked([refit.terms for refit in self.refits if refit.terms is not None])
        return intercepts, [np.stack([getattr(refit, part) for refit in self.refits]) for part in LINEAR_PARTS]

    @cached_property
    def _refit_recalibration(self) -> np.ndarray:
        return np.array([(one.recalibration_intercept, one.recalibration_slope) for one in self.refits]).T


def risk_of(log_odds: np.ndarray) -> np.ndarray:
    """Return the probabilities of log-odds, without overflow at either end."""
    return np.exp(-np.logaddexp(0.0, -np.asarray(log_odds, dtype=np.float64)))


def inverse_link(link: Link, linear: np.ndarray) -> np.ndarray:
    """Return risks of log-odds, or days of log days, float64 of the same shape."""
    return risk_of(linear) if link == "logit" else np.exp(np.asarray(linear, dtype=np.float64))


@lru_cache(maxsize=64)
def _positions(wanted: tuple[str, ...], available: tuple[str, ...]) -> np.ndarray:
    positions = {name: position for position, name in enumerate(available)}
    absent = [name for name in wanted if name not in positions]
    if absent:
        raise ArtifactError(
            f"The model needs {len(absent)} feature(s) that this code does not build, such as {absent[0]}. Retrain it."
        )
    return np.array([positions[name] for name in wanted], dtype=np.intp)


def _checked_rows(model: RiskModel, X: np.ndarray) -> np.ndarray:
    X = np.ascontiguousarray(X, dtype=np.float32)
    if X.ndim != 2 or X.shape[1] != len(model.feature_names):
        raise ArtifactError(
            f"Model {model.outcome}/{model.name} takes rows of {len(model.feature_names)} features, got {X.shape}."
        )
    return X


def _check_parts(model: RiskModel) -> None:
    where = f"Model {model.outcome}/{model.name}"
    if model.kind not in get_args(Kind) or len(set(model.feature_names)) != len(model.feature_names):
        raise ArtifactError(f"{where}: unknown kind or repeated feature names.")
    if model.link not in get_args(Link):
        raise ArtifactError(f"{where}: unknown link {model.link!r}.")
    if not 0 <= model.reference_risk <= (1 if model.link == "logit" else np.inf):
        raise ArtifactError(f"{where}: reference_risk is {model.reference_risk}, not a share.")
    if model.kind == "lightgbm" and not model.booster_text:
        raise ArtifactError(f"{where}: the text of the boosted trees is missing.")
    if model.kind == "linear":
        _check_numbers(model, where)
    if (model.kind == "additive") is (model.terms is None):
        raise ArtifactError(f"{where}: an additive model has curves, and no other model has.")
    if model.terms is not None and len(model.terms.missing) != len(model.feature_names):
        raise ArtifactError(f"{where}: there must be one curve per feature.")
    if any(_is_foreign(refit, model) for refit in model.refits):
        raise ArtifactError(
            f"{where}: refits must have the model's own kind, link and columns and no refits of their own."
        )


def _is_foreign(refit: RiskModel, model: RiskModel) -> bool:
    same = (refit.kind, refit.link, refit.feature_names) == (model.kind, model.link, model.feature_names)
    return bool(not same or refit.refits)


def _check_numbers(model: RiskModel, where: str) -> None:
    for part in LINEAR_PARTS:
        numbers = getattr(model, part)
        if numbers is None or numbers.shape != (len(model.feature_names),) or not np.isfinite(numbers).all():
            raise ArtifactError(f"{where}: {part} must hold one finite number per feature.")
    if 0 in np.asarray(model.scale):
        raise ArtifactError(f"{where}: a scale of zero.")
