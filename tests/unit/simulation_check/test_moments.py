"""Sums, means, correlations, clusters and regressions of the simulator's check, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pipeline.simulation_check.clusters import icc, icc_sums
from pipeline.simulation_check.measured import Measured, quotient, ratio, ratio_sums, share
from pipeline.simulation_check.moments import (
    at_age,
    complete_sums,
    correlation,
    cronbach_alpha,
    deviation_at_age_spread,
    mean,
    pair_sums,
    within_groups_correlation,
)
from pipeline.simulation_check.regression import least_squares, logistic, poisson
from tests.lib.checked_worlds import near

# Sums


def test_a_ratio_of_totals_is_not_the_mean_of_ratios_and_its_error_is_between_persons() -> None:
    found = ratio(ratio_sums(np.array([1.0, 0.0]), np.array([1.0, 3.0])))
    # Residuals 1 - 1/4 and 0 - 3/4 around 1/4; root of the sum of squares over the total of 4.
    assert near(found, 0.25)
    assert found.standard_error == pytest.approx(np.sqrt(2 * 0.75**2) / 4)
    assert math.isnan(ratio(ratio_sums(np.zeros(2), np.zeros(2))).value)


def test_a_share_of_nobody_among_few_is_not_certain() -> None:
    assert share(0, 4).standard_error == 25
    assert math.isnan(share(0, 0).value)


def test_a_quotient_carries_both_errors() -> None:
    found = quotient(Measured(6, 0.6), Measured(3, 0.3))
    assert near(found, 2)
    assert found.standard_error == pytest.approx(2 * np.hypot(0.1, 0.1))


# Means, correlations, alpha, clusters


def test_cronbachs_alpha_by_hand_on_complete_answers_only() -> None:
    # Item variances 1 and 1, totals 3, 3, 6 with variance 3: alpha = 2 / 1 * (1 - 2 / 3).
    items = np.array([[1.0, 2.0], [2.0, 1.0], [3.0, 3.0], [5.0, np.nan]])
    assert near(cronbach_alpha(complete_sums(items)), 2 / 3)


def test_correlations_use_the_rows_that_have_both_values() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(50, 2)) @ np.array([[1.0, 0.5], [0.0, 1.0]])
    values[:10, 0], values[10:15, 1] = np.nan, np.nan
    both = values[15:]
    assert near(correlation(pair_sums(values), 0, 1), np.corrcoef(both.T)[0, 1])
    assert near(mean(pair_sums(values), 1), np.nanmean(values[:, 1]))


def test_a_difference_between_men_and_women_is_no_correlation_within_sex() -> None:
    rng = np.random.default_rng(2)
    groups = [rng.normal(size=(400, 2)) + offset for offset in (0, 100)]
    sums = np.stack([pair_sums(group) for group in groups])
    together = np.concatenate([group - group.mean(axis=0) for group in groups])
    assert near(within_groups_correlation(sums, 0, 1), np.corrcoef(together.T)[0, 1])


def test_a_straight_line_in_age_gives_the_value_at_the_published_age() -> None:
    age = np.array([40.0, 45.0, 50.0, 60.0])
    sums = pair_sums(np.stack([age, 100 + 0.5 * age], axis=1))
    assert near(at_age(sums, 0, 1, 57), 128.5)
    assert near(deviation_at_age_spread(sums, 0, 1, 10), 5)


def test_icc_by_hand_with_clusters_of_unequal_size() -> None:
    # Means 2, 7, 5 around 5: between 30 on 2, within 10 on 3 degrees of freedom; size (6 - 14 / 6) / 2.
    values, cluster = np.array([1.0, 3, 5, 7, 9, 5, np.nan]), np.array([4, 4, 8, 8, 8, 9, 9])
    assert near(icc(icc_sums(values, cluster)), (15 - 10 / 3) / (15 + (11 / 6 - 1) * 10 / 3))


def test_icc_within_industries_by_hand() -> None:
    # Means 2 and 6 around 4 in both industries: between 32 on 4 - 2, within 8 on 4 degrees of freedom; size 2.
    values = np.array([1.0, 3, 5, 7, 101, 103, 105, 107])
    company = np.repeat(np.arange(4), 2)
    assert near(icc(icc_sums(values, company, company // 2)), (16 - 2) / (16 + 2))


def test_what_differs_between_industries_is_not_shared_by_colleagues() -> None:
    rng = np.random.default_rng(3)
    company = np.repeat(np.arange(100), 20)
    industry = company // 50
    values = rng.normal(size=2000) + 10 * industry
    assert icc(icc_sums(values, company)).value > 0.9
    assert abs(icc(icc_sums(values, company, industry)).value) < 0.03


def test_the_icc_of_several_blocks_is_that_of_all_their_companies() -> None:
    rng = np.random.default_rng(4)
    company = np.repeat(np.arange(400), 10)
    values = rng.normal(size=4000) + np.sqrt(0.25) * rng.normal(size=400)[company]
    blocks = sum(icc_sums(values[part], company[part]) for part in np.split(np.arange(4000), 4))
    found = icc(np.asarray(blocks))
    assert abs(found.value - 0.2) < 2 * found.standard_error


# Regressions


def test_logistic_and_poisson_regression_find_the_coefficients_of_exact_cells() -> None:
    x = np.linspace(-2, 2, 9)
    design, size = np.stack([np.ones(9), x], axis=1), np.full(9, 1e6)
    chance, rate = 1 / (1 + np.exp(1 - 0.5 * x)), np.exp(0.3 + 0.2 * x)
    assert logistic(design, size * chance, size)[0] == pytest.approx([-1, 0.5])
    assert poisson(design, size * rate, size)[0] == pytest.approx([0.3, 0.2])


def test_a_group_without_any_event_leaves_the_other_coefficients_alone() -> None:
    design = np.array([[1.0, 0, 0], [1, 1, 0], [1, 0, 1]])
    found, covariance = poisson(design, np.array([200.0, 400, 0]), np.full(3, 100.0))
    assert found[:2] == pytest.approx([np.log(2), np.log(2)])
    assert np.isfinite(covariance).all()


def test_least_squares_from_products_and_nothing_where_a_group_is_missing() -> None:
    x = np.stack([np.ones(6), np.arange(6.0), np.array([1.0, 4, 2, 8, 5, 7])], axis=1)
    assert [one.value for one in least_squares(x.T @ x)] == pytest.approx(np.polyfit(x[:, 1], x[:, 2], 1)[::-1])
    x[:, 1] = 0
    assert math.isnan(least_squares(x.T @ x)[1].value)
