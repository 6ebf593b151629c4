"""Days have the loss and the recalibration line of a Tweedie and a quasi-Poisson model."""

import numpy as np
import pytest
from sklearn.linear_model import PoissonRegressor
from sklearn.metrics import d2_tweedie_score, mean_tweedie_deviance

from models.target import DAYS, EVENT, TARGETS

RANDOM = np.random.default_rng(8)
RAW = RANDOM.normal(0.5, 0.8, 4000)
Y = RANDOM.poisson(np.exp(0.3 + 0.6 * RAW)) * RANDOM.integers(0, 6, 4000).astype(np.float64)
WEIGHT = RANDOM.uniform(0.5, 2.0, 4000)


def test_the_loss_of_days_is_scikit_learns_tweedie_deviance():
    expected = mean_tweedie_deviance(Y, np.exp(RAW), sample_weight=WEIGHT, power=1.5)
    assert np.average(DAYS.losses(RAW, Y), weights=WEIGHT) == pytest.approx(expected, rel=1e-12)
    assert d2_tweedie_score(Y, DAYS.inverse(RAW), power=1.5) < 1


def test_the_line_of_days_is_that_of_a_poisson_regression():
    reference = PoissonRegressor(alpha=0, tol=1e-10, max_iter=1000).fit(RAW[:, None], Y, sample_weight=WEIGHT)
    found = DAYS.fit_recalibration(RAW, Y, WEIGHT)
    assert found == pytest.approx((reference.intercept_, reference.coef_[0]), abs=1e-6)
    days = DAYS.inverse(found[0] + found[1] * RAW)
    assert WEIGHT @ days == pytest.approx(WEIGHT @ Y, rel=1e-12)


@pytest.mark.parametrize("raw", [-RAW, np.full(4000, 2.0)], ids=["inverted", "the same for everybody"])
def test_days_that_say_nothing_or_the_opposite_become_the_mean(raw):
    assert DAYS.fit_recalibration(raw, Y, WEIGHT) == (pytest.approx(np.log(np.average(Y, weights=WEIGHT))), 0.0)


def test_targets_by_name():
    assert TARGETS == {"event": EVENT, "days": DAYS}
    assert (EVENT.inverse(np.zeros(1))[0], DAYS.inverse(np.zeros(1))[0]) == (0.5, 1.0)
