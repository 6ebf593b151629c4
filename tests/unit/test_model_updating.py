"""The rungs of the published formula: each leaves free what it says, and the shrunken one lies between its two limits."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from models.evaluation.discrimination import log_losses
from models.model_updating import SPREADS, UpdatedRoelen, updated_at
from models.published_models import ROELEN_COEFFICIENTS, roelen_days_log_odds
from models.risk_model import risk_of

PUBLISHED = np.array(ROELEN_COEFFICIENTS)
OTHER = np.array([0.05, 0.007, -0.3])
"""Coefficients of a population in which the old fall ill."""


def drawn(n: int, coefficients: np.ndarray, level: float = 0.6, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    X = np.column_stack([random.uniform(20, 66, n), random.gamma(0.3, 40, n), random.integers(1, 6, n)])
    y = (random.random(n) < risk_of(level + X @ coefficients)).astype(np.float64)
    return X.astype(np.float32), y


def fitted(rung: str, X: np.ndarray, y: np.ndarray, **others: np.ndarray) -> UpdatedRoelen:
    return UpdatedRoelen(rung).fit(X, y, np.ones(len(y)), **others)


def test_as_published_is_the_printed_formula():
    X, y = drawn(50, OTHER)
    log_odds = fitted("as_published", X, y).decision_function(np.array([[45, 10, 4], [45, 60, 2]], dtype=np.float32))
    assert risk_of(log_odds) == pytest.approx([0.0511, 0.2432], abs=5e-5)


def test_the_level_meets_the_events_and_keeps_the_proportions():
    X, y = drawn(300, PUBLISHED, level=1.8)
    model = fitted("intercept", X, y)
    assert model.parts_["coefficients"] == pytest.approx(PUBLISHED)
    assert risk_of(model.decision_function(X)).mean() == pytest.approx(y.mean(), abs=1e-6)


def test_the_line_scales_all_coefficients_alike():
    X, y = drawn(3000, 0.5 * PUBLISHED, level=-0.5)
    ratio = fitted("line", X, y).parts_["coefficients"] / PUBLISHED
    assert ratio == pytest.approx(np.full(3, ratio[0]))
    assert ratio[0] == pytest.approx(0.5, abs=0.1)


def test_without_room_the_shrunken_update_is_the_line():
    X, y = drawn(200, OTHER)
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    (level, slope, *differences), _ = updated_at(roelen_days_log_odds(*X.T), Z, y, np.ones(200), 0.0)
    assert differences == [0.0, 0.0, 0.0]
    expected = fitted("line", X, y).decision_function(X)
    assert level + slope * roelen_days_log_odds(*X.T) == pytest.approx(expected, abs=1e-5)


def test_few_data_leave_the_published_proportions_closer_than_they_alone_would():
    """Over twenty cohorts of 60 persons from the published model: nearer to it, and better for persons not seen."""
    X_new, y_new = drawn(4000, PUBLISHED, seed=99)
    spread, off, losses = X_new.std(axis=0), [], []
    for seed in range(20):
        X, y = drawn(60, PUBLISHED, seed=seed)
        shrunken = fitted("shrunken", X, y)
        alone = LogisticRegression(C=1e4, solver="newton-cholesky").fit(X / spread, y)
        off.append(
            [np.abs(shrunken.parts_["coefficients"] - PUBLISHED) * spread, np.abs(alone.coef_[0] - PUBLISHED * spread)]
        )
        log_odds = [shrunken.decision_function(X_new), alone.decision_function(X_new / spread)]
        losses.append([log_losses(found, y_new).mean() for found in log_odds])
    nearer, farther = np.mean(off, axis=(0, 2))
    assert nearer < 0.8 * farther
    assert np.median(losses, axis=0)[0] < np.median(losses, axis=0)[1]


def test_many_data_lead_to_what_they_alone_would_say():
    X, y = drawn(20_000, OTHER, level=-3.0)
    alone = LogisticRegression(C=np.inf, max_iter=2000).fit(X, y).coef_[0]
    shrunken = fitted("shrunken", X, y).parts_["coefficients"]
    assert shrunken == pytest.approx(alone, rel=0.03)
    assert np.abs(shrunken - PUBLISHED).max() > 0.3


def test_strength_is_chosen_by_the_marginal_likelihood_which_prefers_room_only_where_it_is_needed():
    for coefficients, widest_wins in ((PUBLISHED, False), (OTHER, True)):
        X, y = drawn(3000, coefficients, level=-1.0)
        Z = (X - X.mean(axis=0)) / X.std(axis=0)
        published = roelen_days_log_odds(*X.T)
        heights = [updated_at(published, Z, y, np.ones(len(y)), spread)[1] for spread in SPREADS]
        assert bool(np.argmax(heights) > 1) is widest_wins


def test_ten_rows_of_each_person_tell_no_more_than_one():
    """Ten times the same 80 persons must not be taken for 800."""
    X, y = drawn(80, OTHER, seed=5)
    once = fitted("shrunken", X, y, groups=np.arange(80)).parts_["coefficients"]
    often = fitted("shrunken", np.tile(X, (10, 1)), np.tile(y, 10), groups=np.tile(np.arange(80), 10)).parts_
    assert often["coefficients"] == pytest.approx(once, rel=1e-6)
    taken = fitted("shrunken", np.tile(X, (10, 1)), np.tile(y, 10)).parts_["coefficients"]
    assert np.abs(taken - once).max() > 1e-3


def test_what_is_missing_gets_a_whole_number_and_what_nobody_has_the_usual_one():
    X, y = drawn(100, PUBLISHED)
    X[:30, 0], X[:, 2] = np.nan, np.nan
    impute = fitted("intercept", X, y).parts_["impute"]
    assert impute[0] == round(float(np.nanmedian(X[:, 0])))
    assert impute[2] == 4.0
    assert np.isfinite(fitted("intercept", X, y).decision_function(X)).all()
