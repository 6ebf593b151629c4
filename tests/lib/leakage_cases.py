"""The twelve cases in which prediction projects let the future into the past, with their answers to the day.

Declared once, from the table of the semantics: the tests of tests/spec hold our own doors against them, and
benchmarks/leakage puts the same questions to other tools.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tests.lib.source_files import Rows, consent, employee, together

Answer = float | str | None
"""A number, a sentence (of labels), or None: unknown."""


@dataclass(frozen=True)
class Question:
    """What is asked of one person.

    ``features``: features on the morning of ``t``, for scoring. ``training features``: the same for a training set as of
    ``data_as_of``. ``label``: what the training set as of ``data_as_of`` says of (person, t). ``check``: what taking in
    the rows must report.
    """

    kind: Literal["features", "training features", "label", "check"]
    expected: dict[str, Answer]
    t: str = ""
    data_as_of: str = ""
    person: str = "p"


@dataclass(frozen=True)
class Case:
    """Rows, and what must be answered on them."""

    number: int
    name: str
    rows: Rows
    questions: tuple[Question, ...]

    def of_kind(self, kind: str) -> list[Question]:
        """Questions of one kind."""
        return [question for question in self.questions if question.kind == kind]


def at(t: str, person: str = "p", **expected: Answer) -> Question:
    return Question("features", expected, t, person=person)


def label(t: str, answer: Answer, data_as_of: str = "2027-06-01", person: str = "p") -> Question:
    return Question("label", {"label": answer}, t, data_as_of, person)


def in_training(t: str, data_as_of: str, **expected: Answer) -> Question:
    return Question("training features", expected, t, data_as_of)


def check(**expected: Answer) -> Question:
    return Question("check", expected)


def spell(first: str, last: str, known: str, name: str = "A", person: str = "p", is_deleted: bool = False) -> dict:
    row = {
        "person_id": person,
        "spell_id": name,
        "kind": "doctor_certified",
        "grade_percent": 100,
        "first_day": first,
        "last_day": last,
    }
    return row | {"known_from": known} | ({"is_deleted": True} if is_deleted else {})


def spells(*rows: dict) -> Rows:
    return {"absence_spells": list(rows)}


def who5(answered: str, known: str, person: str = "p") -> Rows:
    items = [{"person_id": person, "instrument": "who5", "item": f"item_{i}", "answer": 3} for i in range(1, 6)]
    return {"survey_answers": [item | {"answered_on": answered, "known_from": known} for item in items]}


SURVEY_KNOWN_THE_DAY_AFTER = (
    at("2026-03-01", who5_wellbeing=None),
    at("2026-03-02", who5_wellbeing=60, who5_age_days=1),
)

WITHDRAWALS = [
    consent("survey", purpose, withdrawn_on="2026-02-25", known="2026-02-25")
    for purpose in ("risk_scoring", "model_training")
]

FUTURE_LAB = {
    "person_id": "p", "code_system": "NPU", "code": "NPU27300", "value": 40, "unit": "mmol/mol",
    "sampled_on": "2026-05-01", "known_from": "2026-02-20",
}  # fmt: skip

CASES = (
    Case(
        1,
        "on the index date",
        together(employee(), spells(spell("2026-03-01", "2026-03-25", "2026-03-01"))),
        (at("2026-03-01", days_doctor_365=0), label("2026-03-01", 1)),
    ),
    Case(
        2,
        "late record",
        together(employee(), spells(spell("2026-02-01", "2026-02-10", "2026-03-05"))),
        (
            at("2026-03-01", days_doctor_365=0),
            at("2026-03-05", days_doctor_365=0),
            at("2026-03-06", days_doctor_365=10),
        ),
    ),
    Case(
        3,
        "corrected record",
        together(
            employee(),
            spells(spell("2026-02-01", "2026-02-28", "2026-02-03"), spell("2026-02-01", "2026-02-10", "2026-02-12")),
        ),
        (
            at("2026-02-05", days_doctor_365=4, running_doctor=1),
            at("2026-02-12", days_doctor_365=11, running_doctor=1),
            at("2026-02-13", days_doctor_365=10, running_doctor=0, days_since_doctor=3),
            at("2026-02-20", days_doctor_365=10),
        ),
    ),
    Case(
        4,
        "interval across a boundary",
        together(
            employee("p"),
            employee("q"),
            spells(
                spell("2026-01-25", "2026-02-03", "2026-01-26"),
                spell("2026-02-20", "2026-03-10", "2026-02-22", person="q"),
            ),
        ),
        (
            at("2026-03-01", days_doctor_30=5, days_doctor_365=10),
            at("2026-03-01", "q", days_doctor_30=9, running_doctor=1),
            label("2026-03-01", "not eligible: washout", person="q"),
        ),
    ),
    Case(5, "same-day survey", together(employee(), who5("2026-03-01", "2026-03-01")), SURVEY_KNOWN_THE_DAY_AFTER),
    Case(
        6,
        "time zone",
        together(employee(), who5("2026-02-28T23:30:00Z", "2026-02-28T23:30:00Z")),
        SURVEY_KNOWN_THE_DAY_AFTER,
    ),
    Case(
        7,
        "future-dated lab",
        together(employee(), {"lab_results": [FUTURE_LAB]}),
        (
            check(quarantined=1, rule="sampled_on: event after known_from"),
            at("2026-03-01", hba1c=None),
            at("2026-06-01", hba1c=None),
        ),
    ),
    Case(
        8,
        "duplicate",
        together(employee(), spells(*[spell("2026-02-01", "2026-02-10", "2026-02-03")] * 2)),
        (at("2026-03-01", days_doctor_365=10, starts_doctor_365=1), check(duplicates=1)),
    ),
    Case(
        9,
        "deleted row",
        together(
            employee(),
            spells(
                spell("2026-02-01", "2026-02-20", "2026-02-03", "B"),
                spell("2026-02-01", "2026-02-20", "2026-02-15", "B", is_deleted=True),
            ),
        ),
        (
            at("2026-02-10", days_doctor_365=9),
            at("2026-02-15", days_doctor_365=14),
            at("2026-02-16", days_doctor_365=0),
        ),
    ),
    Case(
        10,
        "consent withdrawn",
        together(
            employee(),
            {"consents": WITHDRAWALS},
            who5("2026-02-01", "2026-02-01"),
            spells(spell("2026-01-01", "2026-01-04", "2026-01-02")),
        ),
        (
            at("2026-02-20", who5_wellbeing=60, days_doctor_365=4),
            at("2026-03-01", who5_wellbeing=None, days_doctor_365=4),
            in_training("2026-02-10", "2026-03-10", who5_wellbeing=None, days_doctor_365=4),
            in_training("2026-02-20", "2026-03-10", who5_wellbeing=None, days_doctor_365=4),
            in_training("2026-03-05", "2026-03-10", who5_wellbeing=None, days_doctor_365=4),
        ),
    ),
    Case(
        11,
        "left the company",
        together(employee(last_day="2026-02-15")),
        (label("2026-03-01", "not eligible: not employed"), label("2026-02-01", "censored on 2026-02-15")),
    ),
    Case(
        12,
        "label window cut",
        together(
            employee("p"),
            employee("q"),
            spells(
                spell("2027-02-28", "2027-03-19", "2027-03-01", person="p"),
                spell("2027-03-01", "2027-03-20", "2027-03-02", person="q"),
            ),
        ),
        tuple(
            label("2026-03-01", answer, data_as_of, person)
            for data_as_of, answers in (("2027-06-01", (1, 0)), ("2026-12-31", ("left out: label not mature",) * 2))
            for person, answer in zip("pq", answers, strict=True)
        ),
    ),
)
