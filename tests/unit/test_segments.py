from __future__ import annotations

import numpy as np
import pytest

from features import segments
from features.segments import (
    day_of,
    disjoint_pieces,
    expanded_ranges,
    group_of,
    height,
    merged,
    order_of,
    point,
    reduce_groups,
    reduce_measures,
    repeats,
    run_ends,
    run_numbers,
    run_starts,
)


def ints(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int32)


def as_lists(arrays) -> list[list[int]]:
    return [array.tolist() for array in arrays]


def test_overlapping_and_touching_intervals_are_one_stretch():
    # 1-5 and 4-8 overlap, 9-9 touches, 11-12 leaves day 10 free.
    group, first, last = merged(ints(0, 0, 0, 0), ints(11, 4, 1, 9), ints(12, 8, 5, 9))
    assert as_lists((group, first, last)) == [[0, 0], [1, 11], [9, 12]]


def test_a_short_interval_inside_a_long_one_does_not_cut_it():
    # The trap: comparing only with the interval before would open a new stretch on day 8.
    assert as_lists(merged(ints(0, 0, 0), ints(1, 2, 8), ints(10, 3, 9))) == [[0], [1], [10]]


def test_touching_intervals_of_two_groups_stay_apart():
    assert as_lists(merged(ints(0, 1), ints(1, 6), ints(5, 9))) == [[0, 1], [1, 6], [5, 9]]


def test_days_before_1970_keep_their_group():
    group, first, last = merged(ints(3, 3), ints(-25_000, -24_999), ints(-25_000, -5))
    assert as_lists((group, first, last)) == [[3], [-25_000], [-5]]


def test_of_overlapping_pieces_the_highest_priority_covers_a_day():
    #  days      1 2 3 4 5 6 7 8 9
    #  30        - - - - -
    #  80            - - - - -
    #  50                      - -   (touches, does not overlap)
    group, first, last, priority = disjoint_pieces(ints(0, 0, 0), ints(1, 3, 8), ints(5, 7, 9), ints(30, 80, 50))
    pieces = list(zip(first.tolist(), last.tolist(), priority.tolist(), strict=True))
    assert pieces == [(1, 2, 30), (3, 5, 80), (6, 7, 80), (8, 9, 50)]
    assert set(group.tolist()) == {0}


def test_a_lower_priority_goes_on_after_a_higher_one_ends():
    _, first, last, priority = disjoint_pieces(ints(0, 0), ints(1, 3), ints(9, 4), ints(50, 100))
    assert as_lists((first, last, priority)) == [[1, 3, 5], [2, 4, 9], [50, 100, 50]]


def test_pieces_of_other_groups_are_left_alone():
    group, first, last, _ = disjoint_pieces(ints(1, 0, 0), ints(2, 1, 2), ints(8, 5, 3), ints(1, 1, 2))
    assert as_lists((group, first, last)) == [[0, 0, 0, 1], [1, 2, 4, 2], [1, 3, 5, 8]]


def test_nothing_in_nothing_out():
    empty = ints()
    assert [len(array) for array in merged(empty, empty, empty)] == [0, 0, 0]
    assert [len(array) for array in disjoint_pieces(empty, empty, empty, empty)] == [0, 0, 0, 0]
    assert reduce_groups(np.add, empty, 2, empty).tolist() == [0, 0]
    assert run_ends(empty).tolist() == run_starts(empty).tolist() == []


def test_a_group_without_rows_sums_to_zero_not_to_its_neighbour():
    # The trap of reduceat: an empty range yields the next element.
    values = np.array([[1], [2], [4]])
    assert reduce_groups(np.add, ints(0, 0, 2), 4, values).tolist() == [[3], [0], [4], [0]]


def test_several_measures_are_reduced_at_once_and_groups_without_rows_are_zero():
    group = ints(0, 0, 2)
    sums, longest = np.array([[1, 2, 4], [-1, 0, 5]], dtype=np.int32), np.array([[3, 7, 2]], dtype=np.int32)
    found = reduce_measures(group, 4, (np.add, sums), (np.maximum, longest))
    assert found.tolist() == [[3, 0, 4, 0], [-1, 0, 5, 0], [7, 0, 2, 0]]
    assert found.dtype == np.int32


def test_a_height_moves_points_between_groups_and_days_along_them():
    start = point(ints(3, 3), ints(-5, 20_000))
    moved = start + height(np.array([0, 4])) - 7
    assert group_of(moved).tolist() == [3, 7]
    assert day_of(moved).tolist() == [-12, 19_993]


def test_runs():
    group = ints(5, 5, 2, 2, 2, 5)
    assert run_starts(group).tolist() == [0, 2, 5]
    assert run_ends(group).tolist() == [1, 4, 5]
    assert run_numbers(run_starts(group), 6).tolist() == [0, 0, 1, 1, 1, 2]
    assert repeats(group, ints(1, 1, 1, 1, 2, 2)).tolist() == [True, False, True, False, False]


def test_expanded_ranges_skip_empty_ones():
    assert expanded_ranges(np.array([7, 3, 0]), np.array([2, 0, 3])).tolist() == [7, 8, 0, 1, 2]


@pytest.mark.parametrize("few_rows", [0, 10_000])
def test_both_ways_of_sorting_give_the_same_stable_order(monkeypatch, few_rows):
    monkeypatch.setattr(segments, "_FEW_ROWS", few_rows)
    assert order_of(ints(1, 0, 1, 0), ints(-5, 9, -5, 2)).tolist() == [3, 1, 0, 2]
    assert order_of(ints(0, 1, 2)).tolist() == [0, 1, 2]


def test_ranges_too_wide_for_one_integer_still_sort(monkeypatch):
    monkeypatch.setattr(segments, "_FEW_ROWS", 0)
    wide = np.array([2**40, 0, 2**40, -(2**40)])
    assert (
        order_of(wide, wide[::-1], ints(4, 3, 2, 1)).tolist()
        == np.lexsort((ints(4, 3, 2, 1), wide[::-1], wide)).tolist()
    )
