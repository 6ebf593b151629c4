import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from features.catalogue import FEATURE_NAMES
from models import estimators
from models.estimators import LinearEstimator, RoelenEstimator, TreesEstimator, TreeSize, candidates
from models.outcomes import OUTCOMES
from models.published_models import roelen_days_log_odds
from models.risk_model import RiskModel, risk_of

RANDOM = np.random.default_rng(10)
X = RANDOM.normal(size=(600, 4)).astype(np.float32)
X[RANDOM.random(X.shape) < 0.2] = np.nan
X[:, 3] = np.nan
Y = (RANDOM.random(600) < risk_of(np.nan_to_num(X[:, 0]) - 0.5)).astype(np.float64)
WEIGHT = RANDOM.uniform(0.5, 2, 600)
SMALL = TreeSize(n_estimators=10, min_child_samples=20)
NAMES = ("a", "b", "c", "d")


def as_model(parts) -> RiskModel:
    return RiskModel(outcome="burnout", name="any", feature_names=NAMES, reference_risk=0.3, **parts)


@pytest.mark.parametrize("estimator", [LinearEstimator(), TreesEstimator(SMALL, NAMES, 1)])
def test_the_model_that_is_handed_over_is_the_one_that_was_compared(estimator):
    fitted = clone(estimator).fit(X, Y, WEIGHT)
    assert as_model(fitted.parts_).log_odds(X) == pytest.approx(fitted.decision_function(X), abs=1e-12)


@pytest.mark.parametrize("estimator", [LinearEstimator(), TreesEstimator(SMALL, NAMES, 1)])
def test_the_same_rows_give_the_same_bits(estimator):
    first, second = (clone(estimator).fit(X, Y, WEIGHT).decision_function(X) for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("estimator", [LinearEstimator(), TreesEstimator(SMALL, NAMES, 1)])
def test_no_persons_extreme_value_is_in_the_model(estimator):
    rows = X.copy()
    rows[0, 0] = 4242.5
    parts = clone(estimator).fit(rows, Y, WEIGHT).parts_
    kept = parts.get("booster_text", "") + str({name: np.max(value) for name, value in parts.items() if name == "high"})
    assert "4242.5" not in kept


def test_an_empty_column_carries_nothing_and_stays_finite():
    parts = LinearEstimator().fit(X, Y, WEIGHT).parts_
    assert (parts["impute"][3], parts["scale"][3], parts["coefficients"][3]) == (0.0, 1.0, 0.0)


def test_columns_that_never_vary_change_nothing_and_take_no_part_in_the_fit(monkeypatch):
    """Instruments that nobody was asked: hundreds of empty columns, and the solver's time grows with their third power."""
    seen = []

    class Watched(LogisticRegression):
        def fit(self, X, y, sample_weight=None):
            seen.append(X.shape[1])
            return super().fit(X, y, sample_weight)

    monkeypatch.setattr(estimators, "LogisticRegression", Watched)
    constant = np.where(RANDOM.random((600, 5)) < 0.5, np.float32(7), np.nan).astype(np.float32)
    alone = LinearEstimator().fit(X[:, :3], Y, WEIGHT)
    among = LinearEstimator().fit(np.hstack([X, constant]), Y, WEIGHT)
    assert seen == [3, 3]
    assert among.parts_["coefficients"][:3] == pytest.approx(alone.parts_["coefficients"], abs=1e-12)
    assert among.parts_["coefficients"][3:].tolist() == [0.0] * 6
    found = among.decision_function(np.hstack([X, 100 * constant]))
    assert found == pytest.approx(alone.decision_function(X[:, :3]), abs=1e-12)


def test_where_nothing_varies_everybody_gets_the_mean_risk():
    parts = LinearEstimator().fit(X[:, 3:], Y, WEIGHT).parts_
    assert parts["coefficients"].tolist() == [0.0]
    assert risk_of(np.array([parts["intercept"]]))[0] == pytest.approx(np.average(Y, weights=WEIGHT), abs=1e-4)


def test_a_stronger_penalty_shrinks():
    weak, strong = (LinearEstimator(penalty).fit(X, Y, WEIGHT).parts_["coefficients"][0] for penalty in (1.0, 0.001))
    assert 0 < strong < weak / 2


def test_roelen_keeps_the_published_coefficients_and_learns_only_medians():
    rows = np.array([[45, 10, 4], [45, 60, 2], [45, 0, 5], [45, 0, np.nan]], dtype=np.float32)
    found = RoelenEstimator().fit(rows, np.array([0, 1, 0, 0.0]), np.ones(4)).decision_function(rows)
    assert found[:3] == pytest.approx(roelen_days_log_odds(*rows[:3].T), abs=1e-6)
    assert found[3] == pytest.approx(roelen_days_log_odds(45, 0, 4))


@pytest.mark.parametrize("outcome", OUTCOMES.values(), ids=OUTCOMES)
def test_candidates_are_simplest_first_and_know_only_catalogue_features(outcome):
    found = candidates(outcome, FEATURE_NAMES, TreeSize(), 1)
    assert [candidate.name for candidate in found] == ["roelen", "prior_absence", "short", "logistic", "lightgbm"]
    assert all(set(candidate.feature_names) <= set(FEATURE_NAMES) for candidate in found)
    assert ("cbi_personal" in found[2].feature_names) == (outcome.name == "burnout")
