import numpy as np
import pytest
from scipy.special import expit

from models.evaluation.discrimination import Ranking, auroc
from models.monitoring.estimated_performance import estimated_performance


def test_two_rows_by_hand():
    """One event: the higher risk has it with 0.8 * 0.8, the lower with 0.2 * 0.2."""
    found = estimated_performance(np.array([0.2, 0.8]), np.arange(2))
    assert found["auroc"]["value"] == pytest.approx(0.64 / 0.68)
    assert found["events"]["value"] == pytest.approx(1.0)
    assert found["brier"]["value"] == pytest.approx(0.16)


def test_equal_risks_rank_nothing():
    assert estimated_performance(np.full(30, 0.3), np.arange(30))["auroc"]["value"] == pytest.approx(0.5)


def test_it_foretells_what_calibrated_risks_show():
    random = np.random.default_rng(1)
    risks = expit(random.normal(-1.0, 1.2, 3000))
    found = estimated_performance(risks, np.arange(3000), repeats=200)
    y = (random.random(3000) < risks) * 1.0
    seen = auroc(Ranking.of(risks), y, np.ones((1, 3000)))[0]
    assert found["auroc"]["low"] < seen < found["auroc"]["high"]
    assert found["events"]["low"] < y.sum() < found["events"]["high"]
    assert found["brier"]["low"] < ((risks - y) ** 2).mean() < found["brier"]["high"]


def test_the_interval_of_events_is_binomial():
    found = estimated_performance(np.full(400, 0.2), np.arange(400), repeats=4000)["events"]
    assert (found["low"], found["high"]) == (
        pytest.approx(80 - 1.96 * 8, abs=1.5),
        pytest.approx(80 + 1.96 * 8, abs=1.5),
    )


def test_rows_of_one_person_are_not_several_persons():
    risks = np.full(200, 0.3)
    apart, together = (
        estimated_performance(risks, person)["events"] for person in (np.arange(200), np.arange(200) // 4)
    )
    width = [found["high"] - found["low"] for found in (apart, together)]
    assert width[1] == pytest.approx(2 * width[0], rel=0.15)


def test_without_a_pair_there_is_no_auroc():
    one = estimated_performance(np.array([0.2]), np.array([7]))
    assert one["auroc"] == {"value": None, "low": None, "high": None}
    assert one["brier"]["value"] == pytest.approx(0.16)
    nobody = estimated_performance(np.array([]), np.array([], dtype=int))
    assert (nobody["rows"], nobody["persons"], nobody["brier"]["value"]) == (0, 0, None)


def test_the_same_seed_gives_the_same_numbers():
    risks = np.linspace(0.05, 0.6, 50)
    assert estimated_performance(risks, np.arange(50)) == estimated_performance(risks, np.arange(50))
