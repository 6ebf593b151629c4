"""Companies: a spread that is there is found, one that is not is not, and small companies are drawn to the others."""

from __future__ import annotations

import numpy as np
import pytest

from models.company_effects import SPREADS, _Likelihood, fit_company_effects
from models.risk_model import risk_of


def drawn(spread: float, n_companies: int = 30, size: int = 150, seed: int = 2) -> tuple[np.ndarray, ...]:
    random = np.random.default_rng(seed)
    effect = random.normal(0, spread, n_companies)
    company = np.repeat(np.arange(n_companies), size)
    linear = random.normal(-1.0, 1.0, len(company))
    y = (random.random(len(company)) < risk_of(0.3 + 0.8 * linear + effect[company])).astype(np.float64)
    return linear, y, np.ones(len(y)), company, effect


def test_spread_line_and_effects_are_found():
    linear, y, weight, company, effect = drawn(0.7)
    found = fit_company_effects(linear, y, weight, company, 30)
    assert found.low <= 0.7 <= (found.high or np.inf)
    assert 0.4 <= found.spread <= 1.0
    assert (found.level, found.slope) == pytest.approx((0.3 + effect.mean(), 0.8), abs=0.25)
    assert np.corrcoef(found.effect, effect)[0, 1] > 0.9


def test_no_spread_leaves_every_company_alike():
    linear, y, weight, company, _ = drawn(0.0)
    found = fit_company_effects(linear, y, weight, company, 30)
    assert found.low == 0.0
    assert np.abs(found.effect).max() < 0.2


def test_the_ends_of_the_interval_are_where_the_profile_has_fallen_far_enough_and_no_points_of_the_grid():
    linear, y, weight, company, _ = drawn(0.7)
    found = fit_company_effects(linear, y, weight, company, 30)
    order = np.argsort(company, kind="stable")
    x = (linear - linear.mean()) / linear.std()
    profile = _Likelihood(x[order], y[order], weight[order], company[order], 30).profile[0]
    for end in (found.low, found.high):
        assert np.interp(end, SPREADS, profile) == pytest.approx(profile.max() - 1.92, abs=1e-6)
        assert np.abs(SPREADS - end).min() > 1e-6


def test_an_interval_that_leaves_the_grid_has_no_upper_end():
    linear, y, weight, company, _ = drawn(4.0, n_companies=3, size=60)
    found = fit_company_effects(linear, y, weight, company, 3)
    assert found.high is None
    assert found.low > 0


def test_the_true_spread_is_in_19_of_20_intervals():
    """Companies that do not differ by a point of the grid; intervals that ended at points of the grid: 0.85 to 0.88."""
    inside = []
    for seed in range(60):
        linear, y, weight, company, _ = drawn(0.6, n_companies=12, size=60, seed=seed)
        found = fit_company_effects(linear, y, weight, company, 12)
        inside.append(found.low <= 0.6 <= (found.high or np.inf))
    assert np.mean(inside) >= 0.9


def test_four_companies_say_little_about_companies():
    linear, y, weight, company, _ = drawn(0.5, n_companies=4, size=30)
    found = fit_company_effects(linear, y, weight, company, 4)
    assert (found.high or np.inf) - found.low >= 0.5


def test_a_small_company_is_drawn_further_to_the_others_than_a_large_one():
    linear, y, weight, company, _ = drawn(0.7)
    y[company == 0] = y[company == 1] = 0.0
    y[(company == 0) & (np.cumsum(company == 0) % 30 == 0)] = 1.0
    y[(company == 1) & (np.cumsum(company == 1) % 30 == 0)] = 1.0
    keep = (company != 1) | (np.cumsum(company == 1) <= 30)
    found = fit_company_effects(linear[keep], y[keep], weight[keep], company[keep], 30)
    assert found.effect[0] < found.effect[1] < 0


def test_who_belongs_to_no_known_company_gets_the_line_of_an_average_one():
    linear, y, weight, company, _ = drawn(0.7, n_companies=5)
    found = fit_company_effects(linear, y, weight, np.where(company == 4, -1, company), 5)
    assert found.effect[4] == pytest.approx(0.0, abs=1e-12)
    log_odds = found.log_odds(np.array([0.5, 0.5]), np.array([-1, 4]))
    assert log_odds == pytest.approx(np.full(2, found.level + 0.5 * found.slope))
    assert found.spread in SPREADS
