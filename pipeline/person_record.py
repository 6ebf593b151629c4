"""One person's rows of the tables as the JSON record that the API takes."""

from __future__ import annotations

from typing import Any

import numpy as np

from data_contracts.records import RECORDS, Record, columns
from data_contracts.tables import Coded, Table, n_rows, take


def person_record(tables: dict[str, Table], person_id: str, index_day: np.datetime64) -> dict[str, Any]:
    """Return the record of one person: all versions of all facts that were known before the index date.

    Consents are permissions, not prediction data, and are sent whole. Workplace events are those of the person's companies.
    """
    record: dict[str, Any] = {}
    companies = {row["company_id"] for row in _rows(tables, "employments", person_id, None)}
    for declaration in RECORDS:
        name = declaration.table
        known_before = None if name == "consents" else index_day
        if name == "workplace_events":
            rows = [
                row
                for row in _as_json(declaration, _visible(tables[name], index_day))
                if row["company_id"] in companies
            ]
        else:
            rows = _rows(tables, name, person_id, known_before)
        record[name] = rows
    persons = record.pop("persons")
    return {"person": max(persons, key=lambda row: row["known_from"]), **record}


def _rows(
    tables: dict[str, Table], name: str, person_id: str, known_before: np.datetime64 | None
) -> list[dict[str, Any]]:
    declaration = next(record for record in RECORDS if record.table == name)
    table = tables[name]
    mine = take(table, table["person_id"].recode({person_id: 1}) == 1)
    return _as_json(declaration, mine if known_before is None else _visible(mine, known_before))


def _visible(table: Table, known_before: np.datetime64) -> Table:
    return take(table, table["known_from"] < known_before)


def _as_json(record: type[Record], table: Table) -> list[dict[str, Any]]:
    values = {column.name: _json_values(table[column.name], column.kind) for column in columns(record)}
    rows = [{name: column[row] for name, column in values.items()} for row in range(n_rows(table))]
    return [
        {name: value for name, value in row.items() if (value is not None and name != "is_deleted") or value is True}
        for row in rows
    ]


def _json_values(column: Any, kind: str) -> list[Any]:
    if isinstance(column, Coded):
        return column.texts()
    if kind == "date":
        return [None if np.isnat(day) else str(day) for day in column]
    convert = {"flag": bool, "integer": int, "number": float}[kind]
    return [None if np.isnan(value) else convert(value) for value in column.tolist()]
