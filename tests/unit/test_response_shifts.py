import numpy as np
import pytest

from models.monitoring.false_discovery import alarms
from models.monitoring.response import Invited, response_shifts


def invited(
    answered: list[bool] | np.ndarray, sex: list[str] | np.ndarray, person: np.ndarray | None = None
) -> Invited:
    rows = np.asarray(answered, dtype=bool)
    return Invited(rows, np.arange(len(rows)) if person is None else person, {"sex": np.asarray(sex)})


def test_shares_by_hand():
    before = invited([True] * 15 + [False] * 5, ["female"] * 10 + ["male"] * 10)
    after = invited([True] * 5 + [False] * 15, ["female"] * 10 + ["male"] * 10)
    whole, women, men = response_shifts(before, after)
    assert (whole.attribute, whole.group, whole.reference, whole.current) == ("all", "everybody", 0.75, 0.25)
    assert (women.group, women.reference, women.current) == ("female", 1.0, 0.5)
    assert (men.group, men.reference, men.current) == ("male", 0.5, 0.0)
    assert whole.shift.difference == pytest.approx(0.5)  # of those who did not answer
    assert (whole.shift.kind, women.shift.name, women.shift.group) == ("missing", "sex: female", "sex")


def test_each_person_counts_once():
    person = np.array([0, 0, 0, 1])
    found = response_shifts(*(invited([True, True, True, False], ["female"] * 4, person) for _ in range(2)))
    assert found[0].reference == 0.5
    assert found[0].shift.n_reference == 2


def test_a_group_that_is_new_or_not_known():
    before = invited([True] * 20, ["female"] * 20)
    after = invited([True] * 20, ["female"] * 8 + ["male"] * 8 + [""] * 4)
    found = {one.group: one for one in response_shifts(before, after)}
    assert set(found) == {"everybody", "female", "male"}
    assert (found["male"].reference, found["male"].shift.p) == (None, None)


def test_women_who_no_longer_answer_are_found():
    random = np.random.default_rng(1)
    sex = np.where(np.arange(400) % 2 == 0, "female", "male")
    before = invited(random.random(400) < 0.7, sex)
    after = invited(random.random(400) < np.where(sex == "female", 0.3, 0.7), sex)
    found = alarms([one.shift for one in response_shifts(before, after)])
    assert {shift.name for one in found for shift in one.leading} >= {"sex: female"}
    assert "sex: male" not in {shift.name for one in found for shift in one.leading}
