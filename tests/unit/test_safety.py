"""Answers that a human must see: none may be lost to a correction, an order of rows or a score that looks harmless."""

from __future__ import annotations

import random
from datetime import date
from typing import Any

import pytest

from data_contracts.safety import SafetyFlag, safety_flags
from tests.lib.records import Row, answer, answers, table


def flags(*rows: Row) -> list[SafetyFlag]:
    return safety_flags(table("survey_answers", rows))


def item_9(value: float, answered_on: str = "2026-01-03", **others: Any) -> Row:
    return answer("phq9", "item_9", value, answered_on, **others)


@pytest.mark.parametrize(
    ("instrument", "item", "value", "is_flagged"),
    [
        ("phq9", "item_9", 0, False),
        ("phq9", "item_9", 1, True),
        ("phq9", "item_9", 3, True),
        # "Not at all" is 1 in this questionnaire: a limit of 0 would flag everybody.
        ("hscl25", "suicidal_thoughts", 1, False),
        ("hscl25", "suicidal_thoughts", 2, True),
        # Items of that name elsewhere, and neighbours, mean something else.
        ("phq9", "item_8", 3, False),
        ("hscl10", "item_9", 4, False),
        ("hscl25", "depression_9", 4, False),
    ],
)
def test_an_answer_above_its_limit_is_flagged(instrument: str, item: str, value: float, is_flagged: bool) -> None:
    assert bool(flags(answer(instrument, item, value, "2026-01-03"))) == is_flagged


def test_flag_says_whose_answer_of_which_day_and_when_it_became_known() -> None:
    row = item_9(1, person_id="q", known_from="2026-01-05")
    assert flags(row) == [SafetyFlag("q", "phq9", "item_9", date(2026, 1, 3), date(2026, 1, 5))]


def test_flag_does_not_hang_on_the_score() -> None:
    # A total of 1 is "minimal", and eight answered items would be enough for one without the ninth.
    assert len(flags(*answers("phq9", [0] * 8 + [1], "2026-01-03"))) == 1
    assert flags(*answers("phq9", [3] * 8 + [0], "2026-01-03")) == []


@pytest.mark.parametrize(
    ("versions", "n_flags"),
    [
        ([(2, "2026-01-03", False), (0, "2026-01-09", False)], 0),
        ([(0, "2026-01-03", False), (2, "2026-01-09", False)], 1),
        ([(2, "2026-01-03", False), (2, "2026-01-09", True)], 0),
        ([(2, "2026-01-03", False), (2, "2026-01-09", True), (1, "2026-01-12", False)], 1),
        ([(2, "2026-01-03", True)], 0),
    ],
)
def test_the_version_known_last_counts(versions: list[tuple[float, str, bool]], n_flags: int) -> None:
    rows = [item_9(value, known_from=known, is_deleted=deleted) for value, known, deleted in versions]
    assert len(flags(*rows)) == n_flags
    assert len(flags(*reversed(rows))) == n_flags


def test_a_later_harmless_answer_does_not_take_back_an_earlier_one() -> None:
    # Another day is another answer, not a correction; so is another person on the same day.
    rows = [item_9(2, "2026-01-03"), item_9(0, "2026-02-03"), item_9(0, "2026-01-03", person_id="q")]
    assert [(one.person_id, one.answered_on) for one in flags(*rows)] == [("p", date(2026, 1, 3))]


def test_a_correction_in_one_questionnaire_leaves_the_other_flagged() -> None:
    rows = [
        answer("hscl25", "suicidal_thoughts", 3, "2026-01-03"),
        item_9(2),
        item_9(0, known_from="2026-01-04"),
    ]
    assert [one.instrument for one in flags(*rows)] == ["hscl25"]


def test_latest_first_in_whatever_order_the_rows_come() -> None:
    rows = [
        item_9(1, "2026-02-01", person_id="b"),
        item_9(1, "2026-01-01", person_id="c", known_from="2026-01-20"),
        item_9(1, "2026-01-01", person_id="a", known_from="2026-01-02"),
        item_9(1, "2026-01-01", person_id="b", known_from="2026-01-02"),
    ]
    expected = [("b", 2), ("c", 1), ("a", 1), ("b", 1)]
    for seed in range(10):
        random.Random(seed).shuffle(rows)
        assert [(one.person_id, one.answered_on.month) for one in flags(*rows)] == expected


def test_no_answers_no_flags() -> None:
    assert flags() == []
    assert flags(*answers("who5", [0] * 5, "2026-01-03")) == []
