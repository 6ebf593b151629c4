"""Rows of the tables as the JSON records that the API takes: of one person, or of everybody in one pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from data_contracts.partitions import has_persons
from data_contracts.records import TABLES, Record, columns
from data_contracts.tables import Coded, Table, n_rows, take

EVENTS = "workplace_events"
Row = dict[str, Any]


def person_record(tables: dict[str, Table], person_id: str, index_day: np.datetime64) -> dict[str, Any]:
    """Return the record of one person: all versions of all facts that were known before the index date.

    Consents are permissions, not prediction data, and are sent whole. Workplace events are those of the person's companies.
    """
    records = person_records(only(tables, person_id), index_day)
    return next(record for _, record in records if record is not None)


def only(tables: dict[str, Table], person_id: str) -> dict[str, Table]:
    """Return the rows of one person, and all rows of tables without persons."""
    return {name: _of_person(name, table, person_id) for name, table in tables.items()}


def person_records(tables: dict[str, Table], index_day: np.datetime64) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """Yield every person of the tables with her record; None where her own row was not known before the index date.

    Each table is grouped by person once, so the work grows with the rows and not with rows times persons.
    """
    persons = _persons(tables)
    positions = {person: position for position, person in enumerate(persons)}
    grouped = {name: _Grouped(name, table, positions, index_day) for name, table in tables.items() if name != EVENTS}
    events = _events(tables[EVENTS], index_day)
    for position, person in enumerate(persons):
        yield person, _record(position, grouped, events)


def _of_person(name: str, table: Table, person_id: str) -> Table:
    if not has_persons(TABLES[name]):
        return table
    return take(table, table["person_id"].recode({person_id: 1}) == 1)


def _persons(tables: dict[str, Table]) -> list[str]:
    """Everybody whom any row names, those of the table of persons in its order first."""
    found: dict[str, None] = {}
    for table in tables.values():
        if "person_id" in table:
            coded = table["person_id"]
            _, first = np.unique(coded.codes, return_index=True)
            for row in np.sort(first).tolist():
                found.setdefault(coded.vocabulary[coded.codes[row]])
    return [*found]


def _record(position: int, grouped: Mapping[str, _Grouped], events: Mapping[str, list[Row]]) -> dict[str, Any] | None:
    record: dict[str, Any] = {name: table.rows(position) for name, table in grouped.items()}
    persons = record.pop("persons")
    if not persons:
        return None
    companies = dict.fromkeys(row["company_id"] for row in record["employments"])
    found = [row for company in companies for row in events.get(company, ())]
    return {"person": max(persons, key=lambda row: row["known_from"]), **record, EVENTS: found}


class _Grouped:
    """The rows of a table that a record may have, person by person, turned into JSON values a column at a time."""

    def __init__(self, name: str, table: Table, positions: Mapping[str, int], index_day: np.datetime64) -> None:
        if name != "consents":
            table = _visible(table, index_day)
        owner = table["person_id"].recode(dict(positions))
        # Stable: within a person the rows keep their order.
        order = np.argsort(owner, kind="stable")
        table = take(table, order)
        self._starts = np.searchsorted(owner[order], np.arange(len(positions) + 1)).tolist()
        self._values = _json_columns(TABLES[name], table)

    def rows(self, position: int) -> list[Row]:
        """Return the rows of a person."""
        return _json_rows(self._values, self._starts[position], self._starts[position + 1])


def _events(table: Table, index_day: np.datetime64) -> dict[str, list[Row]]:
    visible = _visible(table, index_day)
    found: dict[str, list[Row]] = {}
    for row in _json_rows(_json_columns(TABLES[EVENTS], visible), 0, n_rows(visible)):
        found.setdefault(row["company_id"], []).append(row)
    return found


def _visible(table: Table, known_before: np.datetime64) -> Table:
    return take(table, table["known_from"] < known_before)


def _json_columns(record: type[Record], table: Table) -> dict[str, list[Any]]:
    return {column.name: _json_values(table[column.name], column.kind) for column in columns(record)}


def _json_rows(values: Mapping[str, list[Any]], start: int, end: int) -> list[Row]:
    """Return rows without empty cells; a fact that is not deleted does not say so."""
    names = [*values]
    cells = zip(*(values[name][start:end] for name in names), strict=True)
    return [
        {name: cell for name, cell in zip(names, row, strict=True)
         if cell is not None and (cell is not False or name != "is_deleted")}
        for row in cells
    ]  # fmt: skip


def _json_values(column: Any, kind: str) -> list[Any]:
    if isinstance(column, Coded):
        return column.texts()
    if kind == "date":
        return [None if text == "NaT" else text for text in np.datetime_as_string(column, unit="D").tolist()]
    convert = {"flag": bool, "integer": int, "number": float}[kind]
    return [None if value != value else convert(value) for value in column.tolist()]
