import numpy as np
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from models.evaluation.discrimination import Ranking, auroc, average_precision, brier_score, log_losses
from models.risk_model import risk_of

RANDOM = np.random.default_rng(8)
LOG_ODDS = np.round(RANDOM.normal(-1, 1, 400), 1)
"""Rounded, so that many risks are equal."""
Y = (RANDOM.random(400) < risk_of(LOG_ODDS)).astype(np.float64)
WEIGHTS = np.stack([np.ones(400), RANDOM.random(400), RANDOM.integers(0, 3, 400)])
RISKS = risk_of(LOG_ODDS)
RANKING = Ranking.of(RISKS)


def test_auroc_by_hand():
    """Events 0.9 and 0.5, others 0.5 and 0.1: pairs won 1 + 1 + 1 and one tie of four."""
    ranking = Ranking.of(np.array([0.5, 0.9, 0.5, 0.1]))
    assert auroc(ranking, np.array([1.0, 1, 0, 0]), np.ones((1, 4))) == pytest.approx([3.5 / 4])


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (auroc(RANKING, Y, WEIGHTS), roc_auc_score),
        (average_precision(RANKING, Y, WEIGHTS), average_precision_score),
        (brier_score(RISKS, Y, WEIGHTS), brier_score_loss),
    ],
)
def test_every_weighting_agrees_with_scikit_learn(ours, theirs):
    assert ours == pytest.approx([theirs(Y, RISKS, sample_weight=row) for row in WEIGHTS], abs=1e-12)


def test_log_loss_agrees_with_scikit_learn_and_does_not_overflow():
    assert log_losses(LOG_ODDS, Y).mean() == pytest.approx(log_loss(Y, RISKS))
    assert log_losses(np.array([1000.0, -1000.0]), np.array([0.0, 1.0])).tolist() == [1000.0, 1000.0]


def test_without_events_there_is_no_answer_and_no_warning():
    nothing = np.zeros(400)
    assert np.isnan(auroc(RANKING, nothing, WEIGHTS)).all()
    assert np.isnan(average_precision(RANKING, nothing, WEIGHTS)).all()
