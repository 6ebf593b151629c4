"""The candidates: every model that is compared, simplest first, and how a fitted one is made unfitted again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from data_contracts.errors import ArtifactError
from models.estimators.elastic_net import ElasticNetEstimator
from models.estimators.explainable_boosting import ExplainableBoostingEstimator
from models.estimators.linear import LinearEstimator, RoelenEstimator
from models.estimators.literature import CORE, CURVED, FLAGGED, LEADERS, PRIOR_ABSENCE, SHORT
from models.estimators.splines import KNOT_QUANTILES
from models.estimators.trees import TreesEstimator, TreeSize, sizes
from models.estimators.tuning import TunedTreesEstimator
from models.model_updating import UpdatedRoelen
from models.outcomes.outcome import Outcome
from models.published_models import ROELEN_FEATURES
from models.risk_model import RiskModel

PENALTIES = (0.0001, 0.001, 0.01)
"""Inverse strengths tried for the logistic model on all features, strongest penalty first."""

PUBLISHED_PARAMETERS = 2
"""Of a published formula only level and slope are fitted."""


@dataclass(frozen=True)
class Candidate:
    """One model to compare.

    Parameters
    ----------
    name : str
    feature_names : tuple of str
    estimators : tuple
        Unfitted, simplest first; that within one standard error of the best is taken.
    n_parameters : int
        What the data may choose freely before any penalty, splines counted one by one. Of boosted models the number of
        features: a lower bound, they choose far more. 0 where nothing is said about it.
    """

    name: str
    feature_names: tuple[str, ...]
    estimators: tuple[Any, ...]
    n_parameters: int = 0


def candidates(
    outcome: Outcome, usable: tuple[str, ...], trees: TreeSize, seed: int, tuning_seconds: float = 0.0
) -> tuple[Candidate, ...]:
    """Every model that is always compared, simplest first.

    Parameters
    ----------
    outcome : Outcome
        Roelen's formula is of absence and compared for outcomes of absence only. Days of absence have no candidates that
        are for events alone: the formula, the logistic model and the explainable boosting machine.
    usable : tuple of str
        Features that vary in the training rows, in catalogue order.
    trees : TreeSize
        A quarter of its trees and twice its leaves are tried too.
    seed : int
    tuning_seconds : float
        Time for each search of a tree size; 0: none.
    """
    target, n = outcome.target, len(usable)
    short = SHORT + outcome.extra_short_features
    core = CORE + tuple(name for name in outcome.extra_short_features if name not in CORE)
    found = [
        Candidate("prior_absence", PRIOR_ABSENCE, (LinearEstimator(target=target),), len(PRIOR_ABSENCE)),
        Candidate("short", short, (LinearEstimator(target=target),), len(short)),
        _elastic_net("core", core, CURVED, FLAGGED, seed, target),
        _elastic_net("elastic_net", usable, LEADERS, CORE, seed, target),
        Candidate("lightgbm", usable, _trees(trees, usable, seed, target, tuning_seconds), n),
    ]
    if target == "event":
        ridge = tuple(LinearEstimator(penalty) for penalty in PENALTIES)
        found.insert(3, Candidate("logistic", usable, ridge, n))
        found.insert(5, Candidate("explainable_boosting", usable, (ExplainableBoostingEstimator(seed=seed),), n))
    if target == "event" and outcome.label_source == "absence":
        found.insert(0, Candidate("roelen", ROELEN_FEATURES, (RoelenEstimator(),), PUBLISHED_PARAMETERS))
    return tuple(found)


def _elastic_net(
    name: str, features: tuple[str, ...], curved: tuple[str, ...], flagged: tuple[str, ...], seed: int, target: str
) -> Candidate:
    estimator = ElasticNetEstimator(features, curved, flagged, seed=seed, target=target)
    bends = len(KNOT_QUANTILES) * len(set(curved) & set(features))
    return Candidate(name, features, (estimator,), len(features) + bends + len(set(flagged) & set(features)))


def _trees(size: TreeSize, usable: tuple[str, ...], seed: int, target: str, seconds: float) -> tuple[Any, ...]:
    fixed = tuple(TreesEstimator(one, usable, seed, target) for one in sizes(size))
    return (*fixed, TunedTreesEstimator(size, seconds, usable, seed, target)) if seconds else fixed


_ESTIMATORS = {
    kind.__name__: kind
    for kind in (
        ElasticNetEstimator,
        ExplainableBoostingEstimator,
        LinearEstimator,
        RoelenEstimator,
        TreesEstimator,
        UpdatedRoelen,
    )
}


def refittable(model: RiskModel) -> Candidate:
    """Return the candidate that a model was, with its one estimator unfitted and all its choices made.

    Raises
    ------
    ArtifactError
        If the model does not say how it was fitted (older models do not).
    """
    try:
        about = model.facts["estimator"]
        kind, settings = _ESTIMATORS[about["name"]], dict(about["settings"])
    except KeyError:
        raise ArtifactError(
            f"Model {model.outcome}/{model.name} does not say how it was fitted, so it cannot be refitted. Train it again."
        ) from None
    settings = {name: tuple(value) if isinstance(value, list) else value for name, value in settings.items()}
    if "size" in settings:
        settings["size"] = TreeSize(**settings["size"])
    if "feature_names" in kind().get_params():
        settings["feature_names"] = model.feature_names
    return Candidate(model.name, model.feature_names, (kind(**settings),))
