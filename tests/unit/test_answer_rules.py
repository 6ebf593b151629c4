"""Answers against the declared questionnaires: what is refused, and what the sender is told."""

from __future__ import annotations

import numpy as np
import pytest

from data_contracts.answer_rules import check_answers
from data_contracts.instruments import INSTRUMENTS
from data_contracts.tables import Coded, Table
from data_contracts.violations import Findings


def checked(instrument: str | None, item: str | None, answer: float, n: int = 1) -> Findings:
    raw = {
        "instrument": Coded.from_texts([instrument] * n),
        "item": Coded.from_texts([item] * n),
        "answer": Coded.from_texts([f"{answer:g}"] * n),
    }
    findings = Findings(raw, "answers.csv", np.arange(n) + 2)
    table: Table = {"instrument": raw["instrument"], "item": raw["item"], "answer": np.full(n, answer)}
    check_answers(table, findings)
    return findings


def told(*row: object) -> list[tuple[str, str, str]]:
    return [(one.column, one.rule, one.reason) for one in checked(*row).violations]


def test_every_declared_answer_is_accepted() -> None:
    for instrument in INSTRUMENTS.values():
        for item in instrument.items:
            for answer in (item.answers[0], item.answers[len(item.answers) // 2], item.answers[-1]):
                assert told(instrument.name, item.id, answer) == []


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        (("phq10", "item_1", 0), "instrument", f"known are: {', '.join(INSTRUMENTS)}"),
        (("phq9", "item_10", 0), "item", "phq9 has the items item_1 to item_9"),
        # Known, but to another questionnaire.
        (("pain", "item_1", 0), "item", "pain has the items worst, average, three_months"),
        (("hscl25", "depression_15", 1), "item",
         "hscl25 has the items anxiety_1 to anxiety_10, depression_1 to depression_14, suicidal_thoughts"),
        (("phq9", "item_1", 4), "answer", "phq9 item_1 takes 0, 1, 2, 3"),
        # Codes of other items lie on both sides of these.
        (("hscl25", "anxiety_1", 0), "answer", "hscl25 anxiety_1 takes 1, 2, 3, 4"),
        (("ipaq_sf", "walking_days", 8), "answer", "ipaq_sf walking_days takes 0, 1, 2, 3, 4, 5, 6, 7"),
        (("ipaq_sf", "walking_minutes", 0.5), "answer", "ipaq_sf walking_minutes takes 0 to 1440"),
        # Above every code of every item.
        (("ipaq_sf", "walking_minutes", 1441), "answer", "ipaq_sf walking_minutes takes 0 to 1440"),
    ],
)  # fmt: skip
def test_the_sender_is_told_what_would_have_been_right(row: tuple, column: str, reason: str) -> None:
    rules = {"instrument": "unknown instrument", "item": "unknown item", "answer": "unknown answer code"}
    assert told(*row) == [(column, rules[column], reason)]


@pytest.mark.parametrize("row", [(None, "item_1", 0), ("phq9", None, 0), ("phq9", "item_1", float("nan"))])
def test_empty_cells_are_the_business_of_other_rules(row: tuple) -> None:
    assert told(*row) == []


def test_answers_of_an_unknown_questionnaire_are_reported_once() -> None:
    assert [one.column for one in checked("phq10", "item_99", 77).violations] == ["instrument"]


def test_a_message_is_put_together_once_and_not_for_every_row() -> None:
    found = checked("shc", "item_1", 0, n=20_000)
    assert len(found.violations) == 20_000
    assert len({id(one.reason) for one in found.violations}) == 1
