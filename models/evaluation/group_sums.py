"""What is observed and what was predicted in a group, as sums over its rows: observed over expected, missed events, benefit.

Every function takes ``sums`` of shape (n_weightings, 6), the weighted sums of :func:`terms` over the rows of a group.
"""

from __future__ import annotations

import numpy as np

from models.target import Target

WEIGHT, _OBSERVED, _EXPECTED, _MISSED, _EXPECTED_MISSED, _FALSE_ALERTS = range(6)


def terms(linear: np.ndarray, y: np.ndarray, threshold: float, target: Target) -> np.ndarray:
    """Return the six columns that are summed, float64 (n, 6).

    Parameters
    ----------
    linear, y : float64 arrays, shape (n,)
    threshold : float
        Persons at or above it are acted on.
    target : Target
        For days, only what is observed and expected means anything.
    """
    predicted = target.inverse(linear)
    below = predicted < threshold
    return np.stack([np.ones_like(y), y, predicted, y * below, predicted * below, (1 - y) * ~below], axis=1)


def observed_to_expected(sums: np.ndarray) -> np.ndarray:
    """Events (days) per event (day) predicted, shape (n_weightings,)."""
    return np.asarray(sums[:, _OBSERVED] / sums[:, _EXPECTED])


def false_negative_rate(sums: np.ndarray) -> np.ndarray:
    """Share of the events that lie below the threshold, shape (n_weightings,)."""
    return np.asarray(sums[:, _MISSED] / sums[:, _OBSERVED])


def excess_missed(sums: np.ndarray) -> np.ndarray:
    """False-negative rate less the share that the risks themselves put below the threshold, shape (n_weightings,)."""
    return np.asarray(false_negative_rate(sums) - sums[:, _EXPECTED_MISSED] / sums[:, _EXPECTED])


def at_threshold(sums: np.ndarray, threshold: float) -> dict[str, np.ndarray]:
    """Return what acting at the threshold gives, each (n_weightings,): rates as fairlearn's, and net benefit."""
    found, false_alerts = sums[:, _OBSERVED] - sums[:, _MISSED], sums[:, _FALSE_ALERTS]
    return {
        "false_negative_rate": false_negative_rate(sums),
        "false_positive_rate": false_alerts / (sums[:, WEIGHT] - sums[:, _OBSERVED]),
        "selection_rate": (found + false_alerts) / sums[:, WEIGHT],
        "positive_predictive_value": found / (found + false_alerts),
        "net_benefit": (found - false_alerts * threshold / (1 - threshold)) / sums[:, WEIGHT],
    }
