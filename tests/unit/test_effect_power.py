"""What designs can see, against generalised least squares done slowly; discontinuity; published numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.effects.trials import alerted
from data_contracts.errors import NotEnoughDataError
from models.effects.discontinuity import discontinuity, same_density
from models.effects.power import Clusters, design_effect, design_matrix, least_effect, power, variance
from models.effects.published import published_effect
from models.effects.regression_to_the_mean import expected_change


def slow_variance(matrix: np.ndarray, clusters: Clusters) -> float:
    """Of the effect in generalised least squares with effects of periods and known variances."""
    periods = matrix.shape[1]
    within, between = clusters.sd**2 * (1 - clusters.icc) / clusters.persons, clusters.sd**2 * clusters.icc
    inverse = np.linalg.inv(within * np.eye(periods) + between)
    information = np.zeros((periods + 1, periods + 1))
    for row in matrix:
        X = np.column_stack([row, np.eye(periods)])
        information += X.T @ inverse @ X
    return float(np.linalg.inv(information)[0, 0])


@settings(max_examples=60, deadline=None)
@given(
    design=st.sampled_from(["parallel", "parallel-with-baseline", "stepped-wedge"]), companies=st.integers(6, 40),
    periods=st.integers(3, 6), persons=st.floats(1, 200), sd=st.floats(0.1, 30), icc=st.floats(0, 0.5),
)  # fmt: skip
def test_the_closed_form_is_that_of_generalised_least_squares(design, companies, periods, persons, sd, icc):
    matrix, clusters = design_matrix(design, companies, periods), Clusters(companies, persons, sd, icc)
    assert variance(matrix, clusters) == pytest.approx(slow_variance(matrix, clusters), rel=1e-6)


def test_parallel_groups_are_inflated_by_the_design_effect():
    clusters = Clusters(companies=40, persons=15, sd=18, icc=0.05)
    assert design_effect(clusters) == pytest.approx(1.7)
    persons_per_arm = 20 * 15
    assert variance(design_matrix("parallel", 40, 1), clusters) == pytest.approx(2 * 18**2 / persons_per_arm * 1.7)


def test_the_least_effect_is_found_four_times_in_five():
    clusters = Clusters(companies=30, persons=10, sd=10, icc=0.1)
    matrix = design_matrix("stepped-wedge", 30, 4)
    assert power(least_effect(matrix, clusters), matrix, clusters) == pytest.approx(0.8, abs=0.005)
    assert power(0.0, matrix, clusters) == pytest.approx(0.05)


def test_steps_are_even_and_misfits_are_refused():
    matrix = design_matrix("stepped-wedge", 8, 5)
    assert matrix.sum(axis=0).tolist() == [0, 2, 4, 6, 8]
    with pytest.raises(ValueError, match="no stepped-wedge design"):
        design_matrix("stepped-wedge", 3, 6)


def test_a_jump_is_found_and_a_smooth_line_has_none():
    rng = np.random.default_rng(4)
    score = rng.uniform(size=2_000)
    noise = rng.normal(scale=0.3, size=2_000)
    jump = discontinuity(score, 3 + 5 * score - 2 * (score >= 0.4) + noise, 0.4, contacted=score >= 0.4)
    smooth = discontinuity(score, 3 + 5 * score + noise, 0.4)
    assert jump.low < -2 < jump.high < 0
    assert smooth.low < 0 < smooth.high
    assert any("not of contact" in note for note in smooth.notes)
    assert not any("not of contact" in note for note in jump.notes)
    assert jump.details["effect_of_contact"]["effect"] == pytest.approx(jump.effect), "everybody above was contacted"
    assert [row["effect"] for row in jump.details["other_bandwidths"]] == pytest.approx([-2] * 4, abs=0.4)


def test_persons_who_heap_above_the_threshold_are_noticed():
    score = np.linspace(0, 1, 1_001)
    assert same_density(score, 0.4)["p"] > 0.5
    moved = np.where((score > 0.36) & (score < 0.4), 0.401, score)
    assert same_density(moved, 0.4)["p"] < 0.001
    assert same_density(score[::6], 0.4) == {"above": 8, "below": 8, "p": None}, "16 of 167 are too few to tell"


def test_a_smooth_density_that_is_steep_at_the_threshold_is_rarely_taken_for_heaping():
    """300 persons, nobody moved: 60 of them reach so far out that 12 of 100 samples look like heaping; 30 do not."""
    found = [same_density(alerted(300, 0.0, seed)[0], 0.3)["p"] for seed in range(400)]
    assert np.mean([p is not None and p < 0.05 for p in found]) <= 0.07
    assert None not in found


def test_few_persons_on_a_side_are_refused():
    score = np.linspace(0, 1, 100)
    with pytest.raises(NotEnoughDataError, match="50 on each side"):
        discontinuity(score, score, 0.8)


def test_the_published_trial_to_the_digit():
    """The trial report: 7.9 to 8.4 against 6.0 to 7.8; 1.2 and 1.6 in the years before; 230 and 244 workdays."""
    found = published_effect()
    assert found["difference_in_change_percentage_points"] == 1.3
    assert found["workdays_gained_per_full_time_year"] == {"low": 9.43, "high": 10.0}
    mean = found["regression_to_the_mean"]
    assert mean["explains_all_at_correlation"] == pytest.approx(1 - 1.3 / 1.9, abs=5e-4)
    half = next(row for row in mean["by_correlation"] if row["correlation"] == 0.5)
    assert (half["part_percentage_points"], half["left_in_2022_percentage_points"]) == (0.95, 0.35)
    assert half["left_workdays_over_three_years"]["low"] == pytest.approx((4.1 - 3 * 0.95) * 2.30, abs=0.01)
    assert "lower one" in mean["same_in_all_years"]


def test_four_rounded_means_leave_two_tenths_either_way():
    """7.95 to 8.35 against 5.95 to 7.85 print as the trial's means; so do 7.85 to 8.45 against 6.05 to 7.75."""
    found = published_effect()
    ends = [(7.85 - 5.95) - (8.35 - 7.95), (7.75 - 6.05) - (8.45 - 7.85)]
    within = found["difference_within_rounding"]
    assert (within["low"], within["high"]) == (pytest.approx(min(ends)), pytest.approx(max(ends)))
    assert any("0.2 points" in reason for reason in found["cannot_be_computed"])


def test_regression_to_the_mean_against_drawn_pairs():
    """Groups chosen for a bad first measurement move back by 1 - r of the distance."""
    rng = np.random.default_rng(9)
    first, second = rng.multivariate_normal([6, 6], [[4, 2.4], [2.4, 4]], size=200_000).T
    chosen = first > 8
    change = second[chosen].mean() - first[chosen].mean()
    assert change == pytest.approx(expected_change(first[chosen].mean(), 6, 0.6), abs=0.03)
