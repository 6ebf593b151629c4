"""Small builders of rows, as the JSON of the API has them (dates as ISO text), and of tables and histories from
them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np

from data_contracts.consent import SOURCES
from data_contracts.instruments import INSTRUMENTS
from data_contracts.records import TABLES, Column, columns
from data_contracts.tables import Coded, Table
from data_contracts.time_windows import day_number
from features.build import build_features
from features.histories import Histories

Row = dict[str, Any]
Rows = dict[str, list[Row]]

LONG_AGO = "2020-01-01"


def day(text: str, plus: int = 0) -> str:
    """ISO text of a day some days later."""
    return (date.fromisoformat(text) + timedelta(days=plus)).isoformat()


def person(person_id: str = "p", known_from: str = LONG_AGO, **others: Any) -> Row:
    return {"person_id": person_id, "birth_year": 1980, "sex": "female", "known_from": known_from} | others


def consent(source: str, person_id: str = "p", purpose: str = "risk_scoring", **others: Any) -> Row:
    row = {"person_id": person_id, "source": source, "purpose": purpose, "given_on": LONG_AGO, "known_from": LONG_AGO}
    return row | others


def job(start: str = LONG_AGO, end: str | None = None, person_id: str = "p", **others: Any) -> Row:
    row = {"person_id": person_id, "company_id": "c", "position_percent": 100, "start_date": start, "end_date": end}
    return row | {"known_from": start} | others


def spell(first: str, last: str | None, known_from: str | None = None, spell_id: str = "A", **others: Any) -> Row:
    row = {"person_id": "p", "spell_id": spell_id, "kind": "doctor_certified", "grade_percent": 100}
    return row | {"first_day": first, "last_day": last, "known_from": known_from or first} | others


def answer(instrument: str, item: str, value: float, answered_on: str, **others: Any) -> Row:
    row = {"person_id": "p", "instrument": instrument, "item": item, "answer": value}
    return row | {"answered_on": answered_on, "known_from": answered_on} | others


def answers(instrument: str, values: Sequence[float], answered_on: str, **others: Any) -> list[Row]:
    """One answer per item of an instrument, in order; NaN is unanswered."""
    items = INSTRUMENTS[instrument].items
    return [
        answer(instrument, item.id, value, answered_on, **others)
        for item, value in zip(items, values, strict=True)
        if value == value
    ]


def lab(code: str, value: float, unit: str, sampled_on: str, **others: Any) -> Row:
    row = {"person_id": "p", "code_system": "NPU", "code": code, "value": value, "unit": unit}
    return row | {"sampled_on": sampled_on, "known_from": sampled_on} | others


def event(kind: str, occurred_on: str, **others: Any) -> Row:
    return {"company_id": "c", "kind": kind, "occurred_on": occurred_on, "known_from": occurred_on} | others


def session(held_on: str, **others: Any) -> Row:
    return {"person_id": "p", "domain": "sleep", "held_on": held_on, "known_from": held_on} | others


def rows_of(
    *,
    persons: Sequence[Row] = (person(),),
    consents: Sequence[Row] | None = None,
    employments: Sequence[Row] = (),
    survey_answers: Sequence[Row] = (),
    lab_results: Sequence[Row] = (),
    absence_spells: Sequence[Row] = (),
    workplace_events: Sequence[Row] = (),
    guidance_sessions: Sequence[Row] = (),
) -> Rows:
    """Rows of all tables; by default one person, and consent for all sources for everyone."""
    if consents is None:
        ids = dict.fromkeys(row["person_id"] for row in persons)
        consents = [consent(source, person_id) for person_id in ids for source in SOURCES]
    lists = (
        persons, employments, consents, survey_answers, lab_results, absence_spells, workplace_events,
        guidance_sessions,
    )  # fmt: skip
    return {table: list(rows) for table, rows in zip(TABLES, lists, strict=True)}


def table(name: str, rows: Sequence[Row]) -> Table:
    """Turn rows into a table as the readers give it, unchecked; a missing cell is empty."""
    return {column.name: _array(column, [row.get(column.name) for row in rows]) for column in columns(TABLES[name])}


def _array(column: Column, cells: list[Any]) -> Any:
    if column.kind in ("text", "code"):
        return Coded.from_texts(cells)
    if column.kind == "date":
        return np.array(["NaT" if cell is None else cell for cell in cells], dtype="datetime64[D]")
    if column.name == "is_deleted":
        cells = [bool(cell) for cell in cells]
    return np.array([np.nan if cell is None else float(cell) for cell in cells], dtype=np.float64)


def tables(rows: Rows) -> dict[str, Table]:
    return {name: table(name, of_table) for name, of_table in rows.items()}


def histories(rows: Rows, consent_on: str = "2026-03-01", **others: Any) -> Histories:
    options = {"purpose": "risk_scoring"} | others
    return Histories.from_tables(tables(rows), consent_on=day_number(consent_on), **options)


def features_at(rows: Rows, t: str, **others: Any) -> dict[str, float]:
    """Features of the first person, by name; consent is asked for on t."""
    matrix = build_features(histories(rows, **({"consent_on": t} | others)), day_number(t))
    return dict(zip(matrix.names, matrix.values[0].tolist(), strict=True))


def record_of(rows: Rows, person_id: str = "p") -> dict[str, Any]:
    """The JSON record of one person, with the events of all workplaces."""
    mine = {
        name: [{key: cell for key, cell in row.items() if cell is not None} for row in of_table]
        for name, of_table in rows.items()
    }
    mine = {
        name: [row for row in of_table if row.get("person_id", person_id) == person_id]
        for name, of_table in mine.items()
    }
    (only,) = mine.pop("persons")
    return {"person": only, **mine}
