"""The safety flags of a JSON record of the API, whatever else is wrong with the record or with the request around it."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from data_contracts.readers.json_record import read_record
from data_contracts.records import SurveyAnswer, columns
from data_contracts.safety import (
    SafetyFlag,
    in_order,
    is_about_safety,
    is_above_limit,
    refused_safety_flags,
    safety_flags,
)
from data_contracts.tables import Coded, Table, take
from data_contracts.validation import MOST_ROWS, check

_ORIGIN = "record.survey_answers"


def record_safety_flags(record_json: Any, received_on: date) -> list[SafetyFlag]:
    """Return every answer above its limit, of sound rows and of refused ones; whatever arrives, this returns.

    Of a record that is refused because it has more rows than anybody's, the first ``MOST_ROWS`` about safety count.
    """
    rows = _rows_about_safety(record_json)[:MOST_ROWS]
    if not any(is_above_limit(row.get("instrument"), row.get("item"), row.get("answer")) for row in rows):
        return []
    person = record_json.get("person")
    person_id = person.get("person_id") if isinstance(person, dict) else None
    # Versions are those of one item, so the other rows of the record do not matter.
    raw, _, violations = read_record({"person": {"person_id": person_id}, "survey_answers": rows})
    checked = check(SurveyAnswer, raw["survey_answers"], received_on=received_on, origin=_ORIGIN, first_row=0)
    refused = sorted({one.row for one in (*violations, *checked.violations) if one.origin == _ORIGIN})
    accepted: Table = take(checked.table, ~np.isin(checked.row_numbers, refused))
    texts = _texts(rows, person_id)
    return in_order([*safety_flags(accepted), *refused_safety_flags(texts, np.array(refused, dtype=np.int64))])


def _rows_about_safety(record_json: Any) -> list[dict[Any, Any]]:
    rows = record_json.get("survey_answers") if isinstance(record_json, dict) else None
    rows = [rows] if isinstance(rows, dict) else rows
    if not isinstance(rows, list):
        return []
    return [row for row in rows if isinstance(row, dict) and is_about_safety(row.get("instrument"), row.get("item"))]


def _texts(rows: list[dict[Any, Any]], person_id: Any) -> dict[str, Coded]:
    """Return the rows as text columns, whatever JSON type a cell has: a number may come as text."""
    names = [column.name for column in columns(SurveyAnswer)]
    texts = {name: Coded.from_texts([_text(row.get(name)) for row in rows]) for name in names}
    texts["person_id"] = Coded.from_texts([_text(row.get("person_id") or person_id) for row in rows])
    return texts


def _text(cell: Any) -> str | None:
    if isinstance(cell, str):
        return cell
    return repr(cell) if isinstance(cell, float) or (type(cell) is int and abs(cell) < 2**63) else None
