import numpy as np
import pytest
from sklearn.metrics import log_loss

from models.evaluation.metrics import metrics_of
from models.risk_model import risk_of

RANDOM = np.random.default_rng(5)
LOG_ODDS = RANDOM.normal(-1.5, 1, 3000)
Y = (RANDOM.random(3000) < risk_of(LOG_ODDS)).astype(np.float64)
WEIGHTS = np.stack([np.ones(3000), RANDOM.integers(0, 3, 3000).astype(float)])


def test_every_number_of_every_weighting_is_that_of_the_rows_repeated():
    found = metrics_of(LOG_ODDS, Y)(WEIGHTS)
    times = WEIGHTS[1].astype(int)
    repeated = metrics_of(np.repeat(LOG_ODDS, times), np.repeat(Y, times))(np.ones((1, times.sum())))
    assert len(found) == 13
    for name, numbers in found.items():
        assert numbers[1] == pytest.approx(repeated[name][0], abs=1e-8), name
        assert numbers[0] != numbers[1]


def test_scaled_brier_is_0_for_the_event_share_and_1_for_knowing_the_future():
    ones = np.ones((1, 3000))
    share = np.full(3000, np.log(Y.mean() / (1 - Y.mean())))
    assert metrics_of(share, Y)(ones)["scaled_brier"] == pytest.approx([0], abs=1e-12)
    assert metrics_of(40 * (2 * Y - 1), Y)(ones)["scaled_brier"] == pytest.approx([1])
    by_hand = 1 - np.mean((risk_of(LOG_ODDS) - Y) ** 2) / (Y.mean() * (1 - Y.mean()))
    assert metrics_of(LOG_ODDS, Y)(ones)["scaled_brier"] == pytest.approx([by_hand])


def test_log_loss_is_weighted():
    found = metrics_of(LOG_ODDS, Y)(WEIGHTS)["log_loss"]
    assert found == pytest.approx([log_loss(Y, risk_of(LOG_ODDS), sample_weight=row) for row in WEIGHTS])


def test_errors_of_calibration_grow_in_their_order_with_the_shift():
    ones = np.ones((1, 3000))
    good, bad = (metrics_of(LOG_ODDS + shift, Y)(ones) for shift in (0.0, 0.7))
    assert good["ici"] < 0.02 < 0.05 < bad["ici"]
    for found in (good, bad):
        assert found["e50"] < found["e90"] < found["emax"]
        assert found["ici"] < found["emax"]
