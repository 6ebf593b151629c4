"""Every number that a model of an event is judged by, for one weighting of the test rows or hundreds at once."""

from __future__ import annotations

import numpy as np

from models.evaluation.calibration import (
    calibration_errors,
    calibration_in_the_large,
    calibration_slope,
    observed_to_expected,
)
from models.evaluation.discrimination import (
    Ranking,
    auroc,
    average_precision,
    brier_score,
    mean_log_loss,
    scaled_brier_score,
)
from models.evaluation.intervals import Statistic
from models.risk_model import risk_of


def metrics_of(log_odds: np.ndarray, y: np.ndarray) -> Statistic:
    """Return a function from weights (n_weightings, n) to every metric of a model, each (n_weightings,).

    Parameters
    ----------
    log_odds : float64 array, shape (n,)
        Calibrated log-odds of the test rows.
    y : float64 array, shape (n,)
        1 event, 0 no event.
    """
    risks, ranking = risk_of(log_odds), Ranking.of(log_odds)

    def metrics(weights: np.ndarray) -> dict[str, np.ndarray]:
        intercept, slope = calibration_slope(log_odds, y, weights)
        return {
            "auroc": auroc(ranking, y, weights),
            "average_precision": average_precision(ranking, y, weights),
            "brier": brier_score(risks, y, weights),
            "scaled_brier": scaled_brier_score(risks, y, weights),
            "log_loss": mean_log_loss(log_odds, y, weights),
            "observed_to_expected": observed_to_expected(risks, y, weights),
            "calibration_in_the_large": calibration_in_the_large(log_odds, y, weights),
            "calibration_intercept": intercept,
            "calibration_slope": slope,
            **calibration_errors(ranking, risks, y, weights),
        }

    return metrics
