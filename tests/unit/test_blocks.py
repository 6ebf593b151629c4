from __future__ import annotations

import numpy as np

from features.blocks import FOREVER, block, versions


def ints(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int32)


def test_a_version_is_believed_until_the_next_one_is_known():
    rows, until = versions((ints(1, 1, 2),), ints(10, 25, 12), np.array([False, False, False]))
    assert rows.tolist() == [0, 1, 2]
    assert until.tolist() == [25, FOREVER, FOREVER]


def test_a_deletion_ends_the_version_before_it_and_is_no_row():
    rows, until = versions((ints(1, 1),), ints(25, 10), np.array([True, False]))
    assert rows.tolist() == [1]
    assert until.tolist() == [25]


def test_identical_rows_count_once():
    rows, until = versions((ints(1, 1),), ints(10, 10), np.array([False, False]))
    assert rows.tolist() == [1]
    assert until.tolist() == [FOREVER]


def two_owners():
    columns = {"known_from": ints(1, 2, 3), "known_until": ints(9, 9, 9)}
    return block(ints(2, 0, 2), 3, columns, (columns["known_from"],))


def test_rows_are_sorted_by_owner_and_an_owner_may_have_none():
    rows = two_owners()
    assert rows.offsets.tolist() == [0, 1, 1, 3]
    assert rows.owners().tolist() == [0, 2, 2]
    assert rows["known_from"].tolist() == [2, 1, 3]


def test_taking_owners_keeps_their_order_and_repeats():
    taken = two_owners().take(np.array([2, 1, 2]))
    assert taken.offsets.tolist() == [0, 2, 2, 4]
    assert taken["known_from"].tolist() == [1, 3, 1, 3]


def test_a_range_of_owners_is_a_view():
    rows = two_owners()
    part = rows.between(1, 3)
    assert part.offsets.tolist() == [0, 0, 2]
    assert np.shares_memory(part["known_from"], rows["known_from"])
