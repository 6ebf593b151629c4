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


def test_events_are_counted_by_persons():
    """Nine persons with fifteen rows of events, ten with as many."""
    for persons, is_hidden in ((9, True), (10, False)):
        person = np.concatenate([np.arange(15) % persons, np.arange(100, 300)])
        y = np.concatenate([np.ones(15), np.arange(200) < 60])
        group = np.concatenate([np.zeros(15), np.where(np.arange(200) % 2, 1, np.where(np.arange(200) < 60, 1, 0))])
        found = hidden_groups(y, person, [group == place for place in (0, 1)])
        assert (0 in found) == is_hidden


def test_a_group_of_whom_everybody_had_an_event_at_some_date_is_hidden():
    person = np.concatenate([np.repeat(np.arange(50), 2), np.arange(100, 200)])
    y = np.concatenate([np.tile([1.0, 0.0], 50), np.arange(100) < 40])
    assert hidden_groups(y, person, [person < 50, person >= 50])[0] == TOO_SMALL


def test_a_group_that_is_never_shown_hides_another_only_where_it_is_small():
    y = np.tile([1.0, 0.0], 60)
    person, group = np.arange(120), np.repeat([0, 1, 2], [30, 40, 50])
    members = [group == place for place in range(3)]
    assert set(hidden_groups(y, person, members, never=(2,))) == {2}
    small = [group == 0, (group == 1) | (person >= 78), (group == 2) & (person < 78)]
    assert set(hidden_groups(y, person, small, never=(2,))) == {0, 2}
