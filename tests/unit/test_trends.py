"""Change and slope over the latest values of a series: numbers that can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from features.trends import STEEPEST, slope_per_year, trends

NAN = float("nan")


def of_series(*points: tuple[int, float]) -> tuple[float, float]:
    """Change and slope of one series of (day, value)."""
    days, values = np.array(points).T
    found = trends(np.zeros(len(points), dtype=np.int64), days.astype(np.int32), values)
    assert found.latest.tolist() == [len(points) - 1]
    return found.change.item(), found.slope.item()


def test_one_value_has_neither_change_nor_slope():
    assert of_series((100, 5.0)) == pytest.approx((NAN, NAN), nan_ok=True)


def test_two_values_have_a_change_and_no_slope():
    assert of_series((100, 5.0), (465, 8.0)) == pytest.approx((3, NAN), nan_ok=True)


def test_three_values_on_a_line_have_its_slope():
    """Two points up in 200 days: 0.01 a day."""
    assert of_series((0, 1.0), (100, 2.0), (200, 3.0)) == pytest.approx((1, 0.01 * 365.25))


def test_slope_is_that_of_least_squares_and_not_of_the_first_and_the_last():
    """Days 0, 100, 300 (mean 133.3), values 0, 3, 3 (mean 2): 400 / 46 666.7 a day, where the ends alone give 0.01."""
    assert of_series((0, 0.0), (100, 3.0), (300, 3.0)) == pytest.approx((0, 400 / (140_000 / 3) * 365.25))


def test_only_the_latest_three_count():
    newer = ((0, 1.0), (100, 2.0), (200, 3.0))
    assert of_series((-500, 99.0), *newer) == of_series(*newer)


@pytest.mark.parametrize(("last", "slope"), [(89, NAN), (90, 1 / 90 * 365.25)])
def test_a_slope_needs_ninety_days(last, slope):
    assert of_series((0, 0.0), (last - 1, 1 - 1 / last), (last, 1.0))[1] == pytest.approx(slope, nan_ok=True)


def test_equal_values_have_a_slope_of_exactly_zero():
    third = 100 / 3
    assert of_series((0, third), (101, third), (307, third)) == (0, 0)


def test_groups_do_not_mix():
    group = np.array([1, 1, 1, 4, 7, 7])
    day = np.array([0, 100, 200, 300, 310, 320], dtype=np.int32)
    found = trends(group, day, np.array([1.0, 2.0, 3.0, 50.0, 9.0, 7.0]))
    assert found.latest.tolist() == [2, 3, 5]
    assert found.change.tolist() == pytest.approx([1, NAN, -2], nan_ok=True)
    assert found.slope.tolist() == pytest.approx([3.6525, NAN, NAN], nan_ok=True)


def test_no_rows():
    nothing = np.empty(0)
    assert [len(column) for column in trends(nothing.astype(np.int64), nothing.astype(np.int32), nothing)] == [0, 0, 0]


def test_bits_do_not_depend_on_the_company():
    random = np.random.default_rng(5)
    day = random.integers(-200, 200, (3, 1000)).cumsum(axis=0).astype(np.int32)
    value = random.random((3, 1000)) * 100
    together = slope_per_year(day, value)
    alone = [slope_per_year(day[:, [i]], value[:, [i]]).item() for i in range(1000)]
    np.testing.assert_array_equal(together, alone)
    assert 300 < np.isfinite(together).sum() < 700


def test_steepest_slope_stays_within_five_ranges_per_year():
    """The bound that the catalogue gives: steepest over the shortest span, with the middle value at one of the ends."""
    day = np.array([[0] * 91, list(range(91)), [90] * 91], dtype=np.int32)[:, 1:90]
    corners = [np.repeat([[a], [b], [c]], day.shape[1], axis=1) for a in (0.0, 1) for b in (0.0, 1) for c in (0.0, 1)]
    steepest = max(float(np.abs(slope_per_year(day, corner)).max()) for corner in corners)
    assert steepest == pytest.approx((1 / 2 + 1 / 3**0.5) * 365.25 / 90, rel=1e-4)
    assert steepest < STEEPEST
