"""The sequential test, by exact enumeration of everything that may happen, and by simulation."""

from itertools import product

import numpy as np
import pytest
from scipy.special import expit, logit

from models.monitoring.calibration_drift import LEVELS, SLOPES, CalibrationTest, censoring_shift, streams_of

ALONE = {"horizon_days": 90, "streams": 1}


def probability(risks: np.ndarray, y: np.ndarray) -> float:
    return float(np.prod(np.where(y, risks, 1 - risks)))


def outcomes(n: int) -> list[np.ndarray]:
    return [np.array(one, dtype=float) for one in product((0, 1), repeat=n)]


def slow_likelihood_ratio(risks: np.ndarray, y: np.ndarray, centre: float) -> float:
    """The mixture over its declared grid, by its definition."""
    weights, ratios = [], []
    for level, slope in product(LEVELS, SLOPES):
        other = expit(centre + level + slope * (logit(risks) - centre))
        weights.append(np.exp(-abs(level) / 0.3) * (5.0 if slope == 1 else 1.0))
        ratios.append(probability(other, y) / probability(risks, y))
    return float(np.average(ratios, weights=weights))


def test_one_date_is_half_the_mixture_and_half_what_may_begin_later():
    risks, y = np.array([0.1, 0.3, 0.6]), np.array([1.0, 0.0, 1.0])
    state = CalibrationTest(tolerance=0.0, **ALONE).update(0, risks, y)
    assert state.e_value == pytest.approx(slow_likelihood_ratio(risks, y, logit(risks).mean()) / 2 + 1 / 2)
    assert (state.rows, state.observed, state.expected) == (3, 2, pytest.approx(1.0))


def test_two_dates_mix_both_beginnings():
    risks, first, second = np.array([0.1, 0.3]), np.array([1.0, 0.0]), np.array([1.0, 1.0])
    test = CalibrationTest(tolerance=0.0, **ALONE)
    test.update(0, risks, first)
    centre = logit(risks).mean()
    both = slow_likelihood_ratio(np.tile(risks, 2), np.concatenate([first, second]), centre)
    late = slow_likelihood_ratio(risks, second, centre)
    assert test.update(90, risks, second).e_value == pytest.approx(both / 2 + late / 6 + 1 / 3)


def test_the_e_value_of_calibrated_risks_is_1_on_average():
    """All 2 ** 6 outcomes of two dates with three rows."""
    risks = np.array([0.1, 0.4, 0.7])
    mean = {0.0: 0.0, 0.1: 0.0}
    for y, tolerance in product(outcomes(6), mean):
        test = CalibrationTest(tolerance=tolerance, **ALONE)
        test.update(0, risks, y[:3])
        e = test.update(90, risks, y[3:]).e_value
        mean[tolerance] += probability(np.tile(risks, 2), y) * e
    assert mean[0.0] == pytest.approx(1.0)
    assert 0.8 < mean[0.1] < 1.0


def test_a_tolerated_shift_does_not_count_on_average_either():
    risks, true = np.array([0.1, 0.4, 0.7]), expit(logit([0.1, 0.4, 0.7]) + 0.1)
    mean = sum(
        probability(true, y) * CalibrationTest(tolerance=0.1, **ALONE).update(0, risks, y).e_value for y in outcomes(3)
    )
    assert mean <= 1.0


@pytest.mark.parametrize("tolerance", [0.12, 0.5])
def test_every_tolerance_is_kept_as_it_was_chosen(tolerance):
    """A shift at its very edge has an e-value of 1 at most on average, and one a little above has less evidence at more."""
    risks = np.array([0.1, 0.4, 0.7])
    true = expit(logit(risks) + tolerance)
    e = {y.tobytes(): CalibrationTest(tolerance=tolerance, **ALONE).update(0, risks, y).e_value for y in outcomes(3)}
    assert sum(probability(true, y) * e[y.tobytes()] for y in outcomes(3)) <= 1.0
    floored = CalibrationTest(tolerance=tolerance - 0.02, **ALONE).update(0, np.full(300, 0.3), np.arange(300) < 130)
    assert (
        CalibrationTest(tolerance=tolerance, **ALONE).update(0, np.full(300, 0.3), np.arange(300) < 130).e_value
        < floored.e_value
    )


def test_what_leaving_does_to_known_labels():
    """Of 1 000, half with the event; 20 % leave evenly: 450 with the event are known, and 400 without."""
    assert censoring_shift(0.2) == pytest.approx(logit(450 / 850))
    assert censoring_shift(0.0) == 0.0
    assert censoring_shift(1.0) == censoring_shift(0.9)


def test_leaving_in_the_tolerance_keeps_the_promise_that_it_breaks_alone():
    """Calibrated risks, 40 % leave evenly, who leaves before the event is lost: 30 runs of 10 looks, 5 % promised."""
    alarmed = {0.1: 0, 0.1 + censoring_shift(0.4): 0}
    for run in range(30):
        random = np.random.default_rng([11, run])
        tests = {tolerance: CalibrationTest(tolerance=tolerance, **ALONE) for tolerance in alarmed}
        for date in range(10):
            risks = expit(random.normal(-1.0, 1.0, 300))
            y, event_at, left_at = random.random(300) < risks, random.random(300), random.random(300)
            leaves = random.random(300) < 0.4
            known = ~leaves | (y & (event_at < left_at))
            for test in tests.values():
                test.update(90 * date, risks[known], y[known] * 1.0)
        for tolerance, test in tests.items():
            alarmed[tolerance] += test.state.is_alarm
    alone, with_leaving = alarmed.values()
    assert alone > 10
    assert with_leaving <= 5


def test_averaged_within_companies_any_dependence_is_allowed():
    """All eight of a company have the event or none: bets on each would count it eight times."""
    risks = np.full(8, 0.3)
    mean = {
        name: sum(
            chance * CalibrationTest(tolerance=0.0, **ALONE).update(0, risks, np.full(8, y), clusters).e_value
            for y, chance in ((1.0, 0.3), (0.0, 0.7))
        )
        for name, clusters in (("rows", None), ("companies", np.zeros(8)))
    }
    assert mean["companies"] == pytest.approx(1.0)
    assert mean["rows"] > 1.1


def test_calibrated_risks_rarely_raise_an_alarm_at_any_of_many_looks():
    """100 runs of 10 looks: with 5 % promised, more than 12 have probability 0.002."""
    random, alarmed = np.random.default_rng(6), 0
    for _ in range(100):
        test = CalibrationTest(tolerance=0.0, **ALONE)
        for date in range(10):
            risks = expit(random.normal(-1.0, 1.0, 40))
            test.update(90 * date, risks, (random.random(40) < risks) * 1.0)
        alarmed += test.state.is_alarm
    assert alarmed <= 12


@pytest.mark.parametrize(("level", "slope"), [(0.7, 1.0), (-0.7, 1.0), (0.0, 0.4)])
def test_a_shift_that_begins_late_is_found_and_stays(level, slope):
    random, test = np.random.default_rng(7), CalibrationTest(**ALONE)
    for date in range(24):
        told = random.normal(-1.0, 1.0, 200)
        true = told if date < 16 else -1.0 + level + slope * (told + 1.0)
        test.update(90 * date, expit(told), (random.random(200) < expit(true)) * 1.0)
    state = test.state
    assert state.is_alarm
    assert 90 * 16 <= state.first_alarm <= 90 * 22
    assert state.highest >= 1 / 0.05


def test_the_confidence_sequence_holds_the_ratio():
    random, test = np.random.default_rng(8), CalibrationTest(**ALONE)
    for date in range(6):
        risks = expit(random.normal(-1.0, 1.0, 300))
        state = test.update(90 * date, risks, (random.random(300) < expit(logit(risks) + 0.5)) * 1.0)
    assert state.low < state.ratio < state.high
    assert state.low > 1.0
    assert state.ratio == pytest.approx(state.observed / state.expected)


def test_overlapping_dates_are_tests_of_their_own():
    """Two streams with the same rows: the larger e-value halved, not twice the evidence."""
    risks, y = np.full(50, 0.2), np.ones(50)
    alone = CalibrationTest(**ALONE).update(0, risks, y)
    test = CalibrationTest(horizon_days=90, streams=2)
    test.update(0, risks, y)
    assert test.update(45, risks, y).e_value == pytest.approx(alone.e_value / 2)


def test_more_overlapping_dates_than_streams_are_refused():
    test = CalibrationTest(horizon_days=90, streams=2)
    for date in (0, 45):
        test.update(date, np.array([0.2]), np.array([0.0]))
    with pytest.raises(ValueError, match="more than 2 index dates within 90 days"):
        test.update(89, np.array([0.2]), np.array([0.0]))


def test_how_many_streams_dates_need():
    assert streams_of([0, 91, 182, 273, 365, 456], 365) == 4
    assert streams_of([0, 91, 182, 273, 364], 365) == 5
    assert streams_of([0, 365, 730], 365) == 1
    assert streams_of([], 365) == 1


def test_risks_of_0_and_1_are_finite_bets():
    state = CalibrationTest(**ALONE).update(0, np.array([0.0, 1.0]), np.array([1.0, 0.0]))
    assert np.isfinite(state.e_value)
    assert state.is_alarm


def test_before_anything_has_matured_nothing_is_said():
    state = CalibrationTest().state
    assert (state.e_value, state.rows, state.ratio, state.low, state.is_alarm) == (1.0, 0, None, None, False)
