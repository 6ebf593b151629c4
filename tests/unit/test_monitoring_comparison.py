import numpy as np
import pytest
from scipy.stats import rankdata, ttest_ind, ttest_rel

from models.monitoring.comparison import FEWEST_PERSONS, Sample, Shift, compare, shifts


def sample(values: np.ndarray, person: np.ndarray | None = None) -> Sample:
    """One feature, one row per person if nothing else is said."""
    column = np.asarray(values, dtype=float)[:, None]
    return Sample(column, np.arange(len(column)) if person is None else person, ("x",))


def level(reference: Sample, current: Sample) -> Shift:
    return shifts(reference, current, ["g"])[0]


def missing(reference: Sample, current: Sample) -> Shift:
    return shifts(reference, current, ["g"])[1]


def test_the_difference_is_in_standard_deviations_of_the_reference():
    before, after = np.tile([0.0, 4.0], 10), np.tile([3.0, 5.0], 10)
    found = level(sample(before), sample(after, np.arange(100, 120)))
    assert found.difference == pytest.approx((4.0 - 2.0) / 2.0)
    assert (found.name, found.kind, found.group) == ("x", "level", "g")
    assert (found.n_reference, found.n_current) == (20, 20)


def test_of_the_same_persons_it_errs_to_the_safe_side_of_the_paired_t_test_of_ranks():
    random = np.random.default_rng(1)
    before = random.normal(size=30)
    after = before + random.normal(0.4, 0.5, 30)
    ranks = rankdata(np.concatenate([before, after]))
    found = level(sample(before), sample(after))
    assert ttest_rel(ranks[30:], ranks[:30]).pvalue < found.p < 0.01  # the variance without a shift is the larger one


def test_where_the_small_set_varies_more_it_is_welch_s_test():
    even, wide = np.tile([-1.0, 1.0], 50), np.tile([-3.0, 3.0], 10) + 0.1
    found = compare(even[:, None], np.arange(100), wide[:, None], np.arange(100, 120))
    assert found.standard_error[0] == pytest.approx(0.1 / ttest_ind(wide, even, equal_var=False).statistic)


def test_where_the_small_set_varies_less_it_is_as_if_nothing_had_moved():
    before, after = np.tile([0.0, 1.0], 50), np.zeros(20)
    found = compare(before[:, None], np.arange(100), after[:, None], np.arange(100, 120))
    share = 50 / 120
    assert found.standard_error[0] == pytest.approx(np.sqrt(share * (1 - share) * 120 / 119 * (1 / 100 + 1 / 20)))


def test_persons_are_counted_not_rows():
    random = np.random.default_rng(3)
    before, after = random.normal(size=25), random.normal(0.5, 1.0, 15)
    once = level(sample(before), sample(after, np.arange(10, 25)))
    person = np.arange(10, 25).repeat(7)
    many = level(sample(before.repeat(7), np.arange(25).repeat(7)), sample(after.repeat(7), person))
    assert many.p == pytest.approx(once.p)
    assert many.n_current == 15


def test_none_of_twenty_missing_is_no_alarm_where_a_tenth_was():
    before = np.where(np.arange(1000) % 10 == 0, np.nan, 1.0 * np.arange(1000))
    found = missing(sample(before), sample(np.arange(20.0), np.arange(2000, 2020)))
    assert found.difference == pytest.approx(-0.1)
    assert 0.1 < found.p < 0.3  # 0.9 ** 20 = 0.12


def test_a_changed_missing_share_is_found_and_its_interval_holds_the_truth():
    random = np.random.default_rng(4)
    before = np.where(random.random(400) < 0.1, np.nan, 1.0)
    after = np.where(random.random(200) < 0.4, np.nan, 1.0)
    found = missing(sample(before), sample(after, np.arange(1000, 1200)))
    assert found.p < 1e-6
    assert found.low < 0.3 < found.high


@pytest.mark.parametrize(("persons", "is_tested"), [(FEWEST_PERSONS - 1, False), (FEWEST_PERSONS, True)])
def test_below_the_least_number_nothing_is_tested(persons, is_tested):
    found = level(sample(np.arange(50.0)), sample(np.arange(persons) + 100.0, np.arange(100, 100 + persons)))
    assert (found.p is not None) is is_tested
    assert (found.low is not None) is is_tested
    assert found.difference is not None


def test_persons_without_a_known_value_do_not_count():
    values = np.where(np.arange(30) < 5, 1.0, np.nan)
    found = level(sample(np.arange(30.0)), sample(values, np.arange(50, 80)))
    assert (found.n_current, found.p) == (5, None)


def test_what_does_not_vary_is_not_tested():
    constant = sample(np.ones(30))
    assert level(constant, constant).p is None
    assert missing(constant, constant).p is None


def test_a_constant_that_changes_is_certain():
    found = level(sample(np.ones(30)), sample(np.full(30, 2.0), np.arange(30, 60)))
    assert found.p < 1e-6


def test_features_nobody_has_are_there_and_not_tested():
    empty = sample(np.full(20, np.nan))
    found = level(empty, sample(np.arange(20.0)))
    assert (found.difference, found.p, found.n_reference) == (None, None, 0)


def test_no_rows_at_all_are_no_error():
    found = level(sample(np.arange(20.0)), sample(np.array([])))
    assert (found.p, found.n_current) == (None, 0)


def test_features_must_be_the_same():
    with pytest.raises(ValueError, match="same features"):
        shifts(sample(np.arange(3.0)), Sample(np.ones((3, 1)), np.arange(3), ("y",)), ["g"])
    with pytest.raises(ValueError, match="names"):
        Sample(np.ones((3, 2)), np.arange(3), ("x",))


def test_many_columns_come_out_as_each_alone():
    random = np.random.default_rng(5)
    values, later = random.normal(size=(60, 40)), random.normal(size=(30, 40))
    names = tuple(f"x{place}" for place in range(40))
    together = shifts(Sample(values, np.arange(60), names), Sample(later, np.arange(30), names), ["g"] * 40)
    alone = level(sample(values[:, 37]), sample(later[:, 37]))
    assert together[74].name == "x37"
    assert together[74].p == pytest.approx(alone.p)
