"""How many persons judge a model elsewhere: enough to know O:E, calibration slope and C statistic.

Reference: Riley RD et al. Minimum sample size for external validation of a clinical prediction model with a binary outcome.
Stat Med 2021;40:4230. The numbers are those of the package pmvalsampsize, which simulates where this module integrates.
"""

from __future__ import annotations

import math

import numpy as np

from models.sample_size import NODE_WEIGHTS, Required, Z, first_number, predictor_values

WIDTHS = {"observed_to_expected": 0.2, "calibration_slope": 0.2, "c_statistic": 0.1}
"""Validation: width of the 95 % intervals that is asked for."""


def validation_persons(share: float, c_statistic: float) -> Required:
    """Return the persons (Stat Med 2021;40:4230) that make O:E, calibration slope and C statistic of a model known.

    Parameters
    ----------
    share : float
        Share of persons with the event.
    c_statistic : float
        Anticipated; the linear predictor is taken to be normal in persons with and without the event.
    """
    without, with_event = predictor_values(c_statistic, share)
    values = np.concatenate([without, with_event])
    weights = np.concatenate([(1 - share) * NODE_WEIGHTS, share * NODE_WEIGHTS])
    return Required(
        {
            "O:E to within 0.1": for_observed_to_expected(share, WIDTHS["observed_to_expected"]),
            "calibration slope to within 0.1": for_calibration_slope(values, weights, WIDTHS["calibration_slope"]),
            "C statistic to within 0.05": for_c_statistic(share, c_statistic, WIDTHS["c_statistic"]),
        }
    )


def for_observed_to_expected(share: float, width: float) -> int:
    """Return the persons that give the observed-to-expected ratio a 95 % interval of this width around 1."""
    # pmvalsampsize raises the standard error of ln(O:E) by steps of 0.0001 until the interval is as wide.
    error = math.ceil(math.asinh(width / 2) / Z * 1e4) / 1e4
    return math.ceil((1 - share) / (share * error**2))


def for_calibration_slope(log_odds: np.ndarray, weights: np.ndarray, width: float) -> int:
    """Return the persons that give the calibration slope a 95 % interval of this width.

    Parameters
    ----------
    log_odds, weights : float64 arrays, shape (n,)
        Distribution of the model's log-odds: its values and their shares.
    width : float
    """
    information = weights / (4 * np.cosh(log_odds / 2) ** 2)
    i00, i01, i11 = (float(information @ log_odds**power) for power in (0, 1, 2))
    error = width / (2 * Z)
    return math.ceil(i00 / (error**2 * (i00 * i11 - i01**2)))


def for_c_statistic(share: float, c_statistic: float, width: float) -> int:
    """Return the persons that give the C statistic a 95 % interval of this width (Newcombe 2006, method 4)."""
    c = c_statistic

    def is_narrow(n: int) -> bool:
        others = n / 2 - 1
        variance = c * (1 - c) * (1 + others * (1 - c) / (2 - c) + others * c / (1 + c)) / (n * n * share * (1 - share))
        return bool(2 * Z * math.sqrt(variance) <= width)

    return first_number(2, is_narrow)
