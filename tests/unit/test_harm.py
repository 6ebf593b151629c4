import numpy as np
import pytest

from models.evaluation.harm import FALSE_DISCOVERIES, Question, detectable_ratio, harmed


def question(ratio: float, z: float, own: float | None = None, group: str = "g") -> Question:
    value = float(np.log(ratio))
    return Question("a", group, "miscalibrated", value, abs(value) / z, ratio if own is None else own)


def missed(excess: float, z: float, own: float | None = None) -> Question:
    return Question("a", "g", "missed", excess, abs(excess) / z, excess if own is None else own)


def test_a_certain_and_large_difference_is_named_with_its_direction():
    low, high = harmed([question(1.3, 6), question(0.7, 5)])
    assert (low["finding"], high["finding"]) == ("risks_too_low", "risks_too_high")
    assert low["size"] == pytest.approx(1.3)
    assert high["size"] == pytest.approx(0.7)
    assert harmed([missed(0.1, 5)])[0]["finding"] == "events_missed"


@pytest.mark.parametrize(
    "innocent",
    [
        question(1.09, 9),  # certain and too small to change a decision
        question(1.5, 1.5),  # large and uncertain
        question(1.3, 6, own=0.95),  # the rest is wronged, not the group
        missed(0.04, 9),
        missed(0.2, 9, own=0.01),  # the rest misses fewer than its risks announce
        missed(-0.2, 9),  # fewer are missed than announced
    ],
)
def test_what_is_small_uncertain_or_somebody_elses_is_not_named(innocent):
    assert harmed([innocent]) == []


def test_one_of_many_questions_must_be_more_certain_than_one_alone():
    nothing = [question(1.3, 0.5) for _ in range(69)]
    assert harmed([question(1.3, 2.5)])
    assert not harmed([question(1.3, 2.5), *nothing])
    assert harmed([question(1.3, 3.5), *nothing])


def test_where_nobody_is_harmed_the_list_is_rarely_not_empty():
    random = np.random.default_rng(1)
    named = 0
    for _ in range(400):
        z = random.normal(size=50)
        questions = [Question("a", "g", "miscalibrated", one * 0.2, 0.2, 2.0 if one > 0 else 0.5) for one in z]
        named += bool(harmed(questions))
    assert named / 400 < FALSE_DISCOVERIES + 0.03


def test_what_is_called_detectable_is_found_in_four_of_five():
    random = np.random.default_rng(2)
    ratio = detectable_ratio(0.05, 40)
    found = 0
    for _ in range(400):
        drawn = float(np.log(ratio) + 0.05 * random.normal())
        others = [question(1.3, max(abs(z), 0.01)) for z in random.normal(size=39)]
        mine = Question("a", "mine", "miscalibrated", drawn, 0.05, 2.0)
        found += any(one["group"] == "mine" for one in harmed([mine, *others]))
    assert 0.75 < found / 400 < 0.9
