"""The battery as tasks for tools, and what an answer is worth.

The cases are those of our own tests (tests/lib/leakage_cases.py). An answer is judged by a rule, not by eye: a wrong
number *leaks* if it changes once everything that was not known, or had not happened, on the morning of t is taken out
of the rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from tests.lib.leakage_cases import CASES, Answer, Case, Question, spell, together, who5
from tests.lib.source_files import Rows

Verdict = Literal["right", "leaks", "wrong", "not offered"]
NOT_OFFERED: Verdict = "not offered"

OSLO = ZoneInfo("Europe/Oslo")
EVENTS = {"absence_spells": "first_day", "survey_answers": "answered_on", "lab_results": "sampled_on"}
LONG = 16

_ZEROS = ("days_doctor", "starts_doctor", "running_doctor")

BYSTANDER = together(
    {"absence_spells": [spell("2025-06-01", "2025-06-20", "2025-06-02", "Z", "z")]},
    who5("2025-06-01", "2025-06-01", "z"),
    {
        "lab_results": [
            {"person_id": "z", "code_system": "NPU", "code": "NPU27300", "value": 38, "unit": "mmol/mol",
             "sampled_on": "2025-06-01", "known_from": "2025-06-03"}
        ]
    },
)  # fmt: skip
"""Another person in every table, so that no tool meets an empty one."""


@dataclass(frozen=True)
class Asked:
    """One question of one case."""

    case: Case
    question: Question


ASKED = tuple(Asked(case, question) for case in CASES for question in case.questions)


def local_day(text: str) -> date:
    """Return the calendar day in Oslo of a date or a time."""
    if len(text) == len("2026-03-01"):
        return date.fromisoformat(text)
    return datetime.fromisoformat(text).astimezone(OSLO).date()


def visible(rows: Rows, t: str) -> Rows:
    """Return what was known and had happened on the morning of t: spells end on the day before at the latest."""
    index_date = date.fromisoformat(t)
    kept: Rows = {}
    for table, found in rows.items():
        before = [row for row in found if local_day(row["known_from"]) < index_date]
        if table in EVENTS:
            before = [row for row in before if local_day(row[EVENTS[table]]) < index_date]
        kept[table] = [_clipped(row, index_date) for row in before]
    return kept


def _clipped(row: dict[str, Any], index_date: date) -> dict[str, Any]:
    if "last_day" not in row:
        return row
    yesterday = (index_date - timedelta(days=1)).isoformat()
    return row | {"last_day": min(row["last_day"], yesterday)}


def outcomes(rows: Rows, data_as_of: str) -> list[tuple[str, str]]:
    """Return (person, first day) of the episodes known by a day: the outcome table a user of a rival would prepare.

    As in any store in use, somebody's episode began the day before: from the newest row some tools read where data end.
    """
    newest = (date.fromisoformat(data_as_of) - timedelta(days=1)).isoformat()
    known = [row for row in rows["absence_spells"] if row["known_from"] < data_as_of]
    lengths = [
        (row, (date.fromisoformat(row["last_day"]) - date.fromisoformat(row["first_day"])).days + 1) for row in known
    ]
    return [(row["person_id"], row["first_day"]) for row, days in lengths if days > LONG] + [("z", newest)]


def task(asked: Asked, *, only_visible: bool = False) -> dict[str, Any]:
    """Return a question in the form in which rivals read it."""
    question = asked.question
    rows = together(asked.case.rows, BYSTANDER)
    return {
        "case": asked.case.number,
        "kind": kind_for_rivals(asked),
        "person": question.person,
        "t": question.t,
        "names": list(question.expected),
        "expected": question.expected,
        "rows": visible(rows, question.t) if only_visible else rows,
        "outcomes": outcomes(rows, question.data_as_of) if question.kind == "label" else [],
    }


def kind_for_rivals(asked: Asked) -> str:
    """Consent is no notion of any rival: what depends on it is not put to them as a feature."""
    return "consent" if asked.case.number == 10 else asked.question.kind


def verdict(name: str, expected: Answer, answer: Answer, answer_on_visible: Answer) -> Verdict:
    """Judge one answer.

    Parameters
    ----------
    name : str
        What was asked for; of a count, no answer is taken as 0.
    expected, answer : number, text or None
    answer_on_visible : number, text or None
        The same tool's answer when it is given :func:`visible` rows only; ``answer`` again where that is no question
        (labels are about the future).
    """
    if answer == NOT_OFFERED:
        return NOT_OFFERED
    if _same(name, expected, answer):
        return "right"
    return "wrong" if _same(name, answer_on_visible, answer) else "leaks"


def _same(name: str, one: Answer, other: Answer) -> bool:
    if name.startswith(_ZEROS):
        one, other = one or 0, other or 0
    if isinstance(one, float | int) and isinstance(other, float | int):
        return abs(one - other) < 1e-6
    return one == other


def case_verdict(parts: list[Verdict]) -> Verdict:
    """Return the worst of what was answered: a case is right only if every answer at every date is."""
    order: tuple[Verdict, ...] = ("leaks", "wrong", "right", NOT_OFFERED)
    return next(one for one in order if one in parts)
