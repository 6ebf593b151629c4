"""Shares of who answers: in hundredths, and of no group that is small or could be worked out."""

from __future__ import annotations

from models.monitoring.comparison import Shift
from models.monitoring.response import ResponseShift
from pipeline.monitoring.responding import HIDDEN, hidden_tests, told


def group(attribute: str, name: str, n: int, then: int, now: int) -> ResponseShift:
    """``then`` and ``now`` of n persons answered."""
    shift = Shift(f"{attribute}: {name}", "missing", attribute, (then - now) / n, -0.1, 0.3, 0.01234, n, n)
    return ResponseShift(attribute, name, then / n, now / n, shift)


def names_of(*groups: ResponseShift) -> set[str]:
    return hidden_tests([group("all", "everybody", 100, 50, 40), *groups])


def test_shares_are_hundredths_and_fewer_answers_are_below_zero() -> None:
    (found,) = told([group("all", "everybody", 67, 22, 20)])
    assert found == {
        "attribute": "all", "group": "everybody", "reference": 0.33, "current": 0.3, "p": 0.012, "difference": -0.03,
        "low": -0.3, "high": 0.1,
    }  # fmt: skip


def test_all_none_and_nearly_all_tell_of_each_person() -> None:
    for then in (0, 4, 46, 50):
        (found,) = told([group("all", "everybody", 50, then, 25)])
        assert found == {"attribute": "all", "group": "everybody", "why_not": HIDDEN}
    for then in (5, 45):
        assert "why_not" not in told([group("all", "everybody", 50, then, 25)])[0]


def test_one_hidden_group_takes_another_along() -> None:
    """Everybody less men, 60 years and older, is who is hidden."""
    assert names_of(group("sex", "female", 8, 4, 4), group("sex", "male", 92, 46, 36)) == {"sex: female", "sex: male"}
    young, old, oldest = (group("age", name, n, n // 2, n // 2) for name, n in (("18", 60), ("40", 32), ("60", 8)))
    assert names_of(young, old, oldest) == {"age: 60", "age: 40"}
    assert names_of(young, old) == set()


def test_hidden_groups_that_together_are_enough_take_nobody_along() -> None:
    """Two groups of 8: as one they are 16 with 8 answers, which could be shown."""
    small = [group("age", name, 8, 4, 4) for name in ("60", "65")]
    assert names_of(group("age", "18", 84, 42, 32), *small) == {"age: 60", "age: 65"}
