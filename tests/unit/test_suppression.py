import numpy as np

from models.evaluation.suppression import COMPLEMENT, TOO_SMALL, hidden_groups


def hidden(*sizes: tuple[int, int]) -> dict[int, str]:
    """Which groups are hidden, of groups with so many events and non-events, one row per person."""
    group = np.repeat(np.arange(len(sizes)), [sum(size) for size in sizes])
    y = np.concatenate([np.repeat([1.0, 0.0], size) for size in sizes])
    return hidden_groups(y, np.arange(len(y)), [group == place for place in range(len(sizes))])


def test_large_groups_are_shown():
    assert hidden((10, 10), (10, 90), (90, 10)) == {}


def test_a_small_group_takes_the_smallest_other_with_it():
    assert hidden((9, 90), (40, 40), (20, 60)) == {0: TOO_SMALL, 2: COMPLEMENT}
    assert hidden((90, 9), (40, 40), (20, 60)) == {0: TOO_SMALL, 2: COMPLEMENT}


def test_two_small_groups_hide_each_other_only_when_they_are_not_small_together():
    assert hidden((6, 90), (6, 90), (20, 60)) == {0: TOO_SMALL, 1: TOO_SMALL}
    assert hidden((3, 90), (3, 90), (30, 60), (20, 60)) == {0: TOO_SMALL, 1: TOO_SMALL, 3: COMPLEMENT}


def test_with_two_groups_neither_is_shown_when_one_is_small():
    assert set(hidden((3, 90), (30, 90))) == {0, 1}


def test_few_persons_with_many_rows_are_a_small_group():
    y = np.tile([1.0, 0.0], 60)
    chosen = np.arange(120) < 40
    assert 0 in hidden_groups(y, np.where(chosen, 5, np.arange(120)), [chosen, ~chosen])
