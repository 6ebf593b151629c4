"""Recalibration: models/calibration.py."""

import numpy as np
import pytest

from models.calibration import fit_intercepts, fit_lines, fit_recalibration
from models.risk_model import risk_of

RANDOM = np.random.default_rng(4)
RAW = RANDOM.normal(-1, 1.5, 40_000)


def outcomes(log_odds: np.ndarray) -> np.ndarray:
    return (np.random.default_rng(5).random(len(log_odds)) < risk_of(log_odds)).astype(np.float64)


@pytest.mark.parametrize(("intercept", "slope"), [(-0.7, 0.6), (0.4, 1.3)])
def test_recovers_a_planted_line(intercept, slope):
    y = outcomes(intercept + slope * RAW)
    assert fit_recalibration(RAW, y, np.ones(len(y))) == pytest.approx((intercept, slope), abs=0.05)


def test_a_weight_is_as_good_as_repeating_the_row():
    y = outcomes(RAW[:300])
    times = np.random.default_rng(6).integers(0, 4, 300)
    repeated = fit_recalibration(np.repeat(RAW[:300], times), np.repeat(y, times), np.ones(times.sum()))
    assert fit_recalibration(RAW[:300], y, times.astype(float)) == pytest.approx(repeated, abs=1e-8)


def test_the_mean_risk_becomes_the_observed_share():
    y = outcomes(0.5 * RAW)
    intercept, slope = fit_recalibration(RAW, y, np.ones(len(y)))
    assert risk_of(intercept + slope * RAW).mean() == pytest.approx(y.mean(), abs=1e-9)


def test_a_useless_or_inverted_model_becomes_the_mean_and_is_not_turned_upside_down():
    y = outcomes(-RAW)
    for raw in (RAW, np.zeros_like(RAW)):
        intercept, slope = fit_recalibration(raw, y, np.ones(len(y)))
        assert (float(risk_of(np.array(intercept))), slope) == (pytest.approx(y.mean()), 0.0)


def test_many_weightings_at_once_are_each_as_if_alone():
    y = outcomes(RAW[:500])
    weights = np.random.default_rng(7).integers(0, 3, (6, 500)).astype(float)
    together = np.array(fit_lines(RAW[:500], y, weights))
    alone = np.concatenate([fit_lines(RAW[:500], y, row[None]) for row in weights], axis=1)
    assert together == pytest.approx(alone, abs=1e-8)


def test_without_events_there_is_no_answer_and_no_warning():
    nothing = np.zeros(50)
    weights = np.stack([np.ones(50), np.zeros(50)])
    assert np.isnan(fit_lines(RAW[:50], nothing, weights)).all()
    assert np.isnan(fit_intercepts(RAW[:50], nothing, weights)).all()


def test_a_shift_of_the_log_odds_is_the_intercept_given_the_offset():
    y = outcomes(RAW + 0.5)
    assert fit_intercepts(RAW, y, np.ones((1, len(y))))[0] == pytest.approx(0.5, abs=0.03)
