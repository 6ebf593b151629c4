"""Contributions as they are printed: cases that can be counted by hand."""

from __future__ import annotations

import math

import pytest

from serving.clinician.allocation import allocation, shared
from tests.lib.explanations import explained


def test_the_tenths_left_over_go_to_the_largest_remainders():
    assert shared([8.14, 1.25, 2.35, 0.26], 12) == [8, 1, 3, 0]
    assert shared([0.5, 0.5], 1) == [1, 0]
    assert shared([-0.4, 1.4], 1) == [0, 1]
    assert shared([], 0) == []


def test_percentage_points_are_the_same_share_of_the_way_as_of_the_log_odds():
    # From log-odds 0 (50 per cent) to log 3 (75 per cent): 25 points, of which three quarters and one quarter.
    way = math.log(3)
    parts = allocation(explained(0.0, [[0.75 * way], [0.25 * way]]))
    assert (parts.unit, parts.base, parts.number) == ("points", 500, 750)
    assert [one.printed for one in parts.domains] in ([188, 62], [187, 63])


def test_days_are_shared_out_like_points():
    parts = allocation(explained(math.log(10), [[math.log(2)], [0.0]], "days"))
    assert (parts.unit, parts.base, parts.number) == ("days", 100, 200)
    assert [one.printed for one in parts.domains] == [100, 0]


@pytest.mark.parametrize("domains", [[[1.0], [-1.0]], [[4.0], [-3.5]]])
def test_where_points_would_mean_nothing_the_log_odds_are_printed(domains):
    # Contributions that cancel out; and raising ones that alone would lead past a hundred of a hundred.
    parts = allocation(explained(0.5, domains))
    assert (parts.unit, parts.digits) == ("log_odds", 2)
    assert [one.printed for one in parts.domains] == [round(100 * one[0]) for one in domains]
    assert parts.base == 50


def test_without_a_number_there_is_nothing_to_share_out():
    assert allocation(explained(0.0, [[1.0]]).model_copy(update={"log_odds": None, "base": None})) is None
