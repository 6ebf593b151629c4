"""Unfitted scikit-learn style estimators of raw linear predictors, which become parts of a ``RiskModel``.

Each is fitted on the columns it names, with sample weights, and is then only numbers or LightGBM text (``parts_``).
``fit(X, y, sample_weight, groups=persons)``: whatever is chosen inside is chosen on folds that keep persons together.
"""

from models.estimators.candidates import Candidate, candidates, refittable
from models.estimators.columns import EXTREMES_NOT_KEPT
from models.estimators.elastic_net import ElasticNetEstimator
from models.estimators.explainable_boosting import ExplainableBoostingEstimator
from models.estimators.linear import LinearEstimator, RoelenEstimator
from models.estimators.trees import TreesEstimator, TreeSize, grow, grown_by
from models.estimators.tuning import TunedTreesEstimator

__all__ = ["EXTREMES_NOT_KEPT", "Candidate", "ElasticNetEstimator", "ExplainableBoostingEstimator", "LinearEstimator",
           "RoelenEstimator", "TreeSize", "TreesEstimator", "TunedTreesEstimator", "candidates", "grow", "grown_by",
           "refittable"]  # fmt: skip
