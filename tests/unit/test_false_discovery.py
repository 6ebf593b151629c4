import numpy as np
import pytest

from benchmarks.monitoring.null_samples import FEATURE_GROUPS, null_samples
from models.monitoring.comparison import Sample, Shift, shifts
from models.monitoring.false_discovery import alarms, groups_tested, simes


def shift(group: str, p: float | None, difference: float = 1.0, kind: str = "level", name: str = "x") -> Shift:
    return Shift(name, kind, group, difference, None, None, p, 50, 50)


def test_simes_by_hand():
    assert simes([0.03]) == pytest.approx(0.03)
    assert simes([0.04, 0.01, 0.03]) == pytest.approx(0.03)  # 3 * 0.01, 3 / 2 * 0.03 and 0.04
    assert simes([0.5, 0.04, 0.045]) == pytest.approx(0.0675)


def test_one_alarm_for_many_features_of_a_group():
    found = alarms([shift("survey", 1e-6, name=str(place)) for place in range(120)] + [shift("work", 0.5)])
    assert [one.group for one in found] == ["survey"]
    assert len(found[0].leading) == 120


def test_groups_are_adjusted_for_each_other():
    """Benjamini-Hochberg by hand: 0.02 is under 2/4 * 0.05 only together with 0.001; alone among four it is not."""
    rest = [shift("c", 0.6), shift("d", 0.9)]
    found = alarms([shift("a", 0.001), shift("b", 0.02), *rest])
    assert [(one.group, one.p) for one in found] == [("a", pytest.approx(0.004)), ("b", pytest.approx(0.04))]
    assert alarms([shift("b", 0.02), shift("a", 0.5), *rest]) == []


def test_within_a_group_the_rate_is_that_of_the_selected_share():
    """One of two groups is selected: its features are tested at 0.025."""
    found = alarms([shift("a", 0.001, name="leads"), shift("a", 0.03, name="not"), shift("b", 0.9)])
    assert [one.name for one in found[0].leading] == ["leads"]


def test_what_is_too_small_to_matter_is_no_alarm():
    assert alarms([shift("a", 1e-9, difference=0.19)]) == []
    assert alarms([shift("a", 1e-9, difference=-0.21)])
    assert alarms([shift("a", 1e-9, difference=0.19, kind="missing")])
    assert alarms([shift("a", 1e-9, difference=0.19)], smallest={"level": 0.1, "missing": 0.1})


def test_the_farthest_leads():
    found = alarms([shift("a", 1e-9, difference=0.5, name="near"), shift("a", 1e-5, difference=-2.0, name="far")])
    assert [one.name for one in found[0].leading] == ["far", "near"]


def test_what_is_not_tested_counts_neither_way():
    tested = [shift("a", 0.04)]
    assert alarms(tested + [shift(str(place), None) for place in range(50)]) == alarms(tested) != []
    assert groups_tested([*tested, shift("b", None)]) == ["a"]
    assert alarms([]) == alarms([shift("a", None)]) == []


def test_without_a_shift_alarms_are_rare_and_a_shift_of_one_feature_is_found():
    """60 runs at 50 persons: with 5 % promised, more than 8 alarms have probability 0.003; all of it in null_runs.py."""
    false, found = 0, 0
    for run in range(60):
        reference, current = null_samples(np.random.default_rng([5, run]), 100, 50)
        false += bool(alarms(shifts(reference, current, FEATURE_GROUPS)))
        values = current.values.copy()
        values[:, 0] += 1.0
        moved = alarms(shifts(reference, Sample(values, current.person, current.names), FEATURE_GROUPS))
        found += any(one.group == FEATURE_GROUPS[0] and one.leading[0].name == current.names[0] for one in moved)
    assert false <= 8
    assert found >= 54
