"""One row per table that keeps every rule, as text, and the smallest change that breaks each rule."""

from __future__ import annotations

from datetime import date
from typing import Any

from data_contracts.records import TABLES, columns
from data_contracts.tables import Coded
from data_contracts.validation import Checked, check

RECEIVED_ON = date(2026, 3, 1)

SOUND: dict[str, dict[str, str]] = {
    "persons": {"person_id": "p1", "birth_year": "1980", "sex": "female", "education_level": "basic",
                "known_from": "2025-01-01", "is_deleted": "false"},
    "employments": {"person_id": "p1", "company_id": "c1", "unit_id": "u1", "occupation_code": "2221",
                    "industry_code": "86.101", "position_percent": "80", "shift_work": "true", "is_leader": "0",
                    "start_date": "2020-01-01", "end_date": "2025-06-30", "known_from": "2025-07-01"},
    "consents": {"person_id": "p1", "source": "survey", "purpose": "risk_scoring", "given_on": "2025-01-01",
                 "withdrawn_on": "2025-02-01", "known_from": "2025-02-01"},
    "survey_answers": {"person_id": "p1", "instrument": "who5", "item": "item_1", "answer": "3",
                       "answered_on": "2025-05-01", "known_from": "2025-05-01"},
    "lab_results": {"person_id": "p1", "code_system": "NPU", "code": "NPU27300", "comparator": "", "value": "38.5",
                    "unit": "mmol/mol", "reference_low": "20", "reference_high": "42", "laboratory": "lab1",
                    "sampled_on": "2025-05-01", "known_from": "2025-05-03"},
    "absence_spells": {"person_id": "p1", "spell_id": "s1", "kind": "doctor_certified", "grade_percent": "100",
                       "diagnosis": "P76", "first_day": "2025-03-01", "last_day": "2025-03-10",
                       "known_from": "2025-03-02"},
    "workplace_events": {"company_id": "c1", "unit_id": "u1", "kind": "downsizing", "value": "0.2",
                         "occurred_on": "2025-03-01", "known_from": "2025-03-02"},
    "guidance_sessions": {"person_id": "p1", "domain": "sleep", "held_on": "2025-03-01", "known_from": "2025-03-01"},
}  # fmt: skip

FAULTS: list[tuple[str, dict[str, str], str, str]] = [
    # table, changed cells, column that is blamed, rule
    ("persons", {"sex": ""}, "sex", "required"),
    ("persons", {"sex": "woman"}, "sex", "codes"),
    ("persons", {"birth_year": "1899"}, "birth_year", "bounds"),
    ("persons", {"person_id": "Kari Nordmann"}, "person_id", "pattern"),
    ("employments", {"position_percent": "0"}, "position_percent", "bounds"),
    ("employments", {"position_percent": "100.1"}, "position_percent", "bounds"),
    ("employments", {"occupation_code": "222"}, "occupation_code", "pattern"),
    ("employments", {"end_date": "2019-12-31"}, "end_date", "end_date before start_date"),
    ("employments", {"start_date": "1899-12-31"}, "start_date", "bounds"),
    ("consents", {"given_on": "2025-02-02", "withdrawn_on": ""}, "given_on", "event after known_from"),
    ("consents", {"withdrawn_on": "2024-12-31"}, "withdrawn_on", "withdrawn_on before given_on"),
    ("lab_results", {"sampled_on": "2025-05-04"}, "sampled_on", "event after known_from"),
    ("lab_results", {"reference_low": "43"}, "reference_low", "reference_low above reference_high"),
    ("absence_spells", {"first_day": "2025-03-17", "last_day": ""}, "first_day", "event after known_from"),
    ("absence_spells", {"last_day": "2025-02-28"}, "last_day", "last_day before first_day"),
    ("absence_spells", {"diagnosis": "ZZ99"}, "diagnosis", "pattern"),
]
"""Faults of every kind that the records declare, so that whatever reads the records can be held against them."""


def raw(table: str, *rows: dict[str, Any]) -> dict[str, Coded]:
    """Text columns of a table, as a reader hands them out."""
    names = [column.name for column in columns(TABLES[table])]
    return {name: Coded.from_texts([row.get(name) for row in rows]) for name in names}


def changed(table: str, **cells: str) -> dict[str, str]:
    """The sound row of a table with some cells changed."""
    return SOUND[table] | cells


def checked(table: str, *rows: dict[str, Any], first_row: int = 2) -> Checked:
    """Check hand-made rows of one table."""
    return check(TABLES[table], raw(table, *rows), received_on=RECEIVED_ON, origin=f"{table}.csv", first_row=first_row)
