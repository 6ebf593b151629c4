"""Answers that a human must see: none may be lost to a correction, an order of rows or a score that looks harmless."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from data_contracts.record_safety import record_safety_flags
from data_contracts.safety import SafetyFlag, is_above_limit, refused_safety_flags, safety_flags
from data_contracts.tables import Coded
from features.record import RecordViolation, tables_of_record
from pipeline import score
from pipeline.everyone import latest_flags
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


# Rows that the check refused, as text


def refused(*rows: dict[str, str | None]) -> list[SafetyFlag]:
    names = dict.fromkeys(name for row in rows for name in row)
    raw = {name: Coded.from_texts([row.get(name) for row in rows]) for name in names}
    return refused_safety_flags(raw, np.arange(len(rows)))


TEXT: dict[str, str | None] = {"person_id": "p", "instrument": "phq9", "item": "item_9", "answer": "1",
                               "answered_on": "2026-01-03", "known_from": "2026-01-03"}  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "is_flagged"),
    [
        ({}, True),
        ({"answer": "0"}, False),
        ({"answer": "0,5"}, True),
        ({"answer": " 4 "}, True),
        ({"answer": "often"}, False),
        ({"answer": None}, False),
        ({"instrument": "PHQ-9", "item": "Item 9"}, True),
        ({"item": "item_8"}, False),
        ({"instrument": "hscl25", "item": "suicidal_thoughts"}, False),
        ({"instrument": "hscl25", "item": "suicidal_thoughts", "answer": "2"}, True),
        ({"is_deleted": "true"}, True),
    ],
)
def test_of_a_refused_row_only_instrument_item_and_answer_must_be_readable(cells: dict[str, str], is_flagged) -> None:
    assert bool(refused(TEXT | cells)) == is_flagged
    assert is_above_limit(*(({**TEXT, **cells})[name] for name in ("instrument", "item", "answer"))) == is_flagged


def test_what_a_refused_row_may_not_show_or_does_not_say_is_none() -> None:
    rows = [TEXT | {"person_id": "01010750160", "known_from": None}, TEXT | {"answered_on": "3/1/26"}]
    assert refused(*rows) == [
        SafetyFlag(None, "phq9", "item_9", date(2026, 1, 3), None),
        SafetyFlag("p", "phq9", "item_9", None, date(2026, 1, 3)),
    ]


def test_two_answers_of_nobody_may_be_of_two_persons() -> None:
    nobody = TEXT | {"person_id": None}
    assert len(refused(nobody, nobody, TEXT, TEXT)) == 3


# The record of the API

PERSON = {"person_id": "p", "birth_year": 1980, "sex": "female", "known_from": "2024-01-01"}
SOUND = {"instrument": "phq9", "item": "item_9", "answer": 3, "answered_on": "2025-01-01", "known_from": "2025-01-01"}
ZERO = SOUND | {"answer": 0, "known_from": "2025-02-01"}


@pytest.mark.parametrize(
    ("rows", "n_flags"),
    [
        ([SOUND], 1),
        ([SOUND, None], 1),
        ([None, 7, SOUND], 1),
        (SOUND, 1),
        ([SOUND | {"answer": "3"}], 1),
        ([SOUND | {"answer": 4}], 1),
        ([SOUND | {"answer": True}], 0),
        ([SOUND, SOUND | {"answer": 2}], 1),
        ([SOUND, SOUND | {"answer": 0}], 1),
        ([{name: cell for name, cell in SOUND.items() if name != "known_from"}], 1),
        ([SOUND | {"known_from": "2026-01-02"}], 1),
        ([SOUND | {"instrument": "PHQ9"}], 1),
        ([SOUND | {"person_id": "q"}], 1),
        ([SOUND, ZERO], 0),
        # What is refused corrects and deletes nothing.
        ([SOUND, ZERO | {"note": 1}], 1),
        ([SOUND, ZERO | {"is_deleted": True, "answered_on": "2025-01-01", "note": 1}], 1),
        ([SOUND, SOUND | {"known_from": "2025-02-01", "is_deleted": True}], 0),
        ("phq9", 0),
        ([[SOUND]], 0),
    ],
)
def test_a_fault_in_a_record_hides_no_flag(rows: Any, n_flags: int) -> None:
    for person in (PERSON, PERSON | {"birth_year": 1}):
        assert len(record_safety_flags({"person": person, "survey_answers": rows}, date(2026, 1, 1))) == n_flags
    # Of nobody every row is refused, so that no correction counts either.
    for person in (PERSON | {"person_id": "Kari N"}, None, [], {"person_id": []}):
        found = record_safety_flags({"person": person, "survey_answers": rows}, date(2026, 1, 1))
        assert len(found) >= n_flags


@pytest.mark.parametrize("record", [None, [], "x", {}, {"survey_answers": None}, {"survey_answers": [{1: 2}]}])
def test_whatever_arrives_flags_are_asked_for_without_harm(record: Any) -> None:
    assert record_safety_flags(record, date(2026, 1, 1)) == []


def test_a_refused_record_carries_the_flag_of_the_refused_row() -> None:
    with pytest.raises(RecordViolation) as error:
        tables_of_record({"person": PERSON, "survey_answers": [SOUND | {"answer": "3"}]}, date(2026, 1, 1))
    day = date(2025, 1, 1)
    assert error.value.safety_flags == (SafetyFlag("p", "phq9", "item_9", day, day),)


def test_a_score_says_flagged_where_the_day_is_unknown_and_that_others_are_flagged_too() -> None:
    day = date(2025, 1, 1)
    flags = [
        SafetyFlag(person, "phq9", "item_9", when, None) for person, when in (("p", day), ("q", None), (None, day))
    ]
    flagged = latest_flags(flags)
    assert flagged == {"p": "2025-01-01", "q": "day unknown"}
    (line,) = score._others(flags, flagged, SimpleNamespace(tables=Path("t")))
    assert line.startswith("  1 more safety flag(s)")
