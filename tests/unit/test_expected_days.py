"""Metrics of expected days, against scikit-learn and SciPy and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.linear_model import PoissonRegressor
from sklearn.metrics import d2_tweedie_score, mean_absolute_error, mean_tweedie_deviance

from models.evaluation.expected_days import days_curve, days_metrics_of, log_lines
from models.evaluation.intervals import with_intervals
from models.target import DAYS


def sample(n: int = 3000, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log expected days, days of which two in three are 0, and whole weights."""
    random = np.random.default_rng(seed)
    linear = random.normal(1.5, 1.0, n)
    y = np.where(random.random(n) < 1 / 3, random.gamma(0.8, 3 / 0.8 * np.exp(linear)), 0.0)
    return linear, y, random.integers(0, 4, n).astype(float)


def metrics(linear: np.ndarray, y: np.ndarray, weight: np.ndarray) -> dict[str, float]:
    return {name: float(value[0]) for name, value in days_metrics_of(linear, y)(weight[None]).items()}


def test_deviance_and_error_are_scikit_learns():
    linear, y, weight = sample()
    found, mu = metrics(linear, y, weight), np.exp(linear)
    options = {"sample_weight": weight, "power": 1.5}
    assert found["tweedie_deviance"] == pytest.approx(mean_tweedie_deviance(y, mu, **options), rel=1e-9)
    assert found["d2"] == pytest.approx(d2_tweedie_score(y, mu, **options), rel=1e-9)
    assert found["mae"] == pytest.approx(mean_absolute_error(y, mu, sample_weight=weight), rel=1e-9)
    assert found["observed_to_expected"] == pytest.approx(weight @ y / (weight @ mu), rel=1e-12)


def test_the_slope_is_that_of_a_log_link_fit():
    linear, y, weight = sample()
    fit = PoissonRegressor(alpha=0.0, tol=1e-10, max_iter=500).fit(linear[:, None], y, weight)
    (intercept,), (slope,) = log_lines(linear, y, weight[None])
    assert slope == pytest.approx(fit.coef_[0], abs=1e-6)
    assert intercept == pytest.approx(fit.intercept_, abs=1e-6)
    assert (intercept, slope) == pytest.approx(DAYS.fit_recalibration(linear, y, weight), abs=1e-8)


def test_a_rescaled_prediction_has_the_slope_and_level_that_undo_it():
    linear, y, weight = sample()
    (_,), (slope,) = log_lines(linear, y, weight[None])
    found = metrics(0.5 * linear + 2.0, y, weight)
    assert found["calibration_slope"] == pytest.approx(2 * slope)
    twice = metrics(linear + np.log(2), y, weight)
    assert twice["observed_to_expected"] == pytest.approx(metrics(linear, y, weight)["observed_to_expected"] / 2)


def test_predictions_that_are_too_extreme_have_a_slope_under_one():
    assert metrics(*sample(20_000))["calibration_slope"] == pytest.approx(1.0, abs=0.08)
    linear, y, weight = sample(20_000)
    assert metrics(2 * linear, y, weight)["calibration_slope"] < 0.6


def test_ranks_are_scipys_with_ties_and_weights_as_repeated_rows():
    linear, y, weight = sample(800)
    linear = np.round(linear, 1)
    times = weight.astype(int)
    expected = spearmanr(np.repeat(linear, times), np.repeat(y, times)).statistic
    assert metrics(linear, y, weight)["spearman"] == pytest.approx(expected, abs=1e-9)


def test_the_top_tenth_by_hand():
    """Of 20 rows the two highest have 9 of 30 days; where five share the second place, each counts a fifth of it."""
    linear = np.arange(20.0)
    y = np.zeros(20)
    y[[19, 18, 3]] = 5, 4, 21
    assert metrics(linear, y, np.ones(20))["top_tenth_share"] == pytest.approx(9 / 30)
    linear[14:19] = 18.0
    assert metrics(linear, y, np.ones(20))["top_tenth_share"] == pytest.approx((5 + 4 / 5) / 30)
    assert metrics(np.zeros(20), y, np.ones(20))["top_tenth_share"] == pytest.approx(0.1)


def test_the_top_tenth_is_of_the_weight():
    linear, y, weight = sample(500)
    times = weight.astype(int)
    repeated = metrics(np.repeat(linear, times), np.repeat(y, times), np.ones(times.sum()))
    weighted = metrics(linear, y, weight)
    for name, value in repeated.items():
        assert weighted[name] == pytest.approx(value, rel=1e-7), name


def test_many_weightings_at_once_are_each_on_its_own():
    linear, y, weight = sample(400)
    other = np.random.default_rng(5).random(400)
    both = days_metrics_of(linear, y)(np.stack([weight, other]))
    for place, one in enumerate((weight, other)):
        for name, value in metrics(linear, y, one).items():
            assert both[name][place] == pytest.approx(value, rel=1e-9), name


def test_what_does_not_exist_is_none_and_the_rest_is_there():
    linear, y, _ = sample(60)
    found = with_intervals(days_metrics_of(linear, np.zeros(60)), np.arange(60), np.ones(60), 20, 1)
    assert found["calibration_slope"]["value"] is None
    assert found["d2"]["value"] is None
    assert found["top_tenth_share"]["value"] is None
    assert found["mae"]["value"] == pytest.approx(np.exp(linear).mean())
    constant = with_intervals(days_metrics_of(np.zeros(60), y), np.arange(60), np.ones(60), 20, 1)
    assert constant["spearman"]["value"] is None
    assert constant["calibration_slope"]["value"] is None
    assert constant["observed_to_expected"]["value"] == pytest.approx(y.mean())


def test_the_calibration_table_by_hand():
    linear = np.log(np.repeat([1.0, 2.0], 10))
    y = np.array([0.0, 3.0] * 5 + [0.0, 6.0] * 5)
    table = days_curve(linear, y, np.ones(20))
    assert table["rows"] == [10, 10], "equal predictions are not split"
    assert table["expected"] == pytest.approx([1.0, 2.0])
    assert table["observed"] == pytest.approx([1.5, 3.0])


def test_ten_rows_are_ten_tenths():
    assert days_curve(np.arange(10.0), np.arange(10.0), np.ones(10))["observed"] == list(range(10))


def test_the_table_has_ten_tenths_of_the_weight_that_add_up_to_all_days():
    linear, y, weight = sample(5000)
    table = days_curve(linear, y, weight)
    assert len(table["rows"]) == 10
    assert sum(table["rows"]) == 5000
    assert table["expected"] == sorted(table["expected"])
    assert np.mean(table["observed"]) == pytest.approx(np.average(y, weights=weight), rel=0.01)
