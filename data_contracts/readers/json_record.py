"""The record of an API request: JSON objects to raw text columns, with everything JSON can get wrong named.

A cell must have the JSON type of its column: a string for text, codes and dates, a number for numbers, true or false
for flags. Values become text in one canonical way, so that the checks behind this door and behind the file door are the
same.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from data_contracts.records import RECORDS, TABLES, Column, Record, columns
from data_contracts.tables import Coded
from data_contracts.violations import Fault, FirstFew, Violation, shown

_SHAPE_RECORD = Fault("shape", "must be an object")
_SHAPE_LIST = Fault("shape", "must be a list of objects")
_OTHER_PERSON = Fault("other person", "belongs to another person than person.person_id; a record is about one person")
_UNKNOWN = Fault("unknown field", "is not part of the contract; see the data dictionary")
_NO_PERSON = Fault("required", "must not be empty")

# Looked up by type(), not isinstance(): true is an int to Python, but not to the sender.
_STRING, _NUMBER, _FLAG = ({*types, type(None)} for types in ((str,), (int, float), (bool,)))
_TYPES: dict[str, set[type]] = {
    "text": _STRING, "code": _STRING, "date": _STRING, "integer": _NUMBER, "number": _NUMBER, "flag": _FLAG,
}  # fmt: skip
_STRING_KINDS = ("text", "code", "date")
_EXPECTED = {"text": "string", "code": "string", "date": "string", "integer": "number", "number": "number",
             "flag": "true or false"}  # fmt: skip


def read_record(
    record_json: Any, most: int | None = None
) -> tuple[dict[str, dict[str, Coded]], dict[str, np.ndarray], list[Violation]]:
    """Return the raw columns of all eight tables, row numbers, and the violations that only JSON can have.

    A list of the wrong shape is reported and its table left empty; of rows of the wrong shape, only these are left out, and
    the numbers of those that stay are given. Rows without ``person_id`` get the one of ``person``. Beyond ``most``
    violations no more are collected.
    """
    raw: dict[str, dict[str, Coded]] = {name: {} for name in TABLES}
    row_numbers: dict[str, np.ndarray] = {}
    if not isinstance(record_json, dict):
        return raw, row_numbers, [_violation("record", 0, "", _SHAPE_RECORD)]
    violations = FirstFew(most)
    violations += (_violation("record", 0, key, _UNKNOWN) for key in record_json if key not in FIELDS)
    person = record_json.get("person")
    if person is None:
        violations.append(_violation("record", 0, "person", _NO_PERSON))
    person_id = person.get("person_id") if isinstance(person, dict) else None
    person_id = person_id if isinstance(person_id, str) else None
    for field, record in FIELDS.items():
        rows = record_json.get(field)
        if rows is not None:
            rows = [rows] if field == "person" else rows
            faults = _shape_faults(rows, f"record.{field}")
            if faults:
                violations += faults
                rows, row_numbers[record.table] = _sound_rows(rows)
            found = FirstFew(violations.room)
            of = [person_id] * len(rows)
            raw[record.table] = read_rows(record, rows, f"record.{field}", of, found) if rows else {}
            violations += (
                [one._replace(row=int(row_numbers[record.table][one.row])) for one in found] if faults else found
            )
    return raw, row_numbers, violations


FIELDS: dict[str, type[Record]] = {
    ("person" if record.table == "persons" else record.table): record for record in RECORDS
}


_COLUMNS = {record: {column.name: column for column in columns(record)} for record in RECORDS}


def read_rows(
    record: type[Record], rows: list[Any], origin: str, persons: list[str | None], violations: FirstFew
) -> dict[str, Coded]:
    """Return the raw columns of some objects of one table, and report what only JSON can get wrong.

    Parameters
    ----------
    record : subclass of Record
    rows : list of dict
    origin : str
        As violations name the table; rows are reported under their position.
    persons : list of str or None
        Of each row the ``person_id`` of the record that it came in; None where that cannot be read.
    violations : FirstFew
    """
    declared = _COLUMNS[record]
    present = set().union(*rows)
    cells = {name: [row.get(name) for row in rows] for name in declared if name in present}
    if "person_id" in declared:
        own = cells.get("person_id", [None] * len(rows))
        cells["person_id"] = _with_person(own, persons, origin, violations)
    if not present <= declared.keys():
        violations += (
            _violation(origin, index, key, _UNKNOWN)
            for index, row in enumerate(rows)
            for key in row
            if key not in declared
        )
    return {name: _read_cells(declared[name], one, origin, violations) for name, one in cells.items()}


def _shape_faults(rows: Any, origin: str) -> list[Violation]:
    if not isinstance(rows, list):
        return [_violation(origin, 0, "", _SHAPE_LIST)]
    return [_violation(origin, index, "", _SHAPE_RECORD) for index, row in enumerate(rows) if not isinstance(row, dict)]


def _sound_rows(rows: Any) -> tuple[list[Any], np.ndarray]:
    sound = [index for index, row in enumerate(rows) if isinstance(row, dict)] if isinstance(rows, list) else []
    return [rows[index] for index in sound], np.array(sound, dtype=np.int64)


def _with_person(own: list[Any], persons: list[str | None], origin: str, violations: FirstFew) -> list[Any]:
    if own == persons:
        return own
    violations += (
        _violation(origin, index, "person_id", _OTHER_PERSON, one)
        for index, (one, person_id) in enumerate(zip(own, persons, strict=True))
        if isinstance(one, str) and person_id is not None and one != person_id
    )
    return [person_id if one is None else one for one, person_id in zip(own, persons, strict=True)]


def _read_cells(column: Column, cells: list[Any], origin: str, violations: FirstFew) -> Coded:
    """Return one column as text; a cell of the wrong JSON type is reported and left empty."""
    if not _TYPES[column.kind].issuperset(map(type, cells)):
        cells = _without_wrong_types(column, cells, origin, violations)
    codes: dict[Any, int] = dict.fromkeys(cells, -1)
    codes.pop(None, None)
    vocabulary = tuple(codes if column.kind in _STRING_KINDS else map(_as_text, codes))
    codes.update(zip(codes, range(len(codes)), strict=True))
    codes[None] = -1
    return Coded(np.fromiter(map(codes.__getitem__, cells), np.int32, len(cells)), vocabulary)


def _without_wrong_types(column: Column, cells: list[Any], origin: str, violations: FirstFew) -> list[Any]:
    types = _TYPES[column.kind]
    fault = Fault("type", f"must be a JSON {_EXPECTED[column.kind]}")
    wrong = [index for index, cell in enumerate(cells) if type(cell) not in types]
    violations += (_violation(origin, index, column.name, fault, _as_text(cells[index])) for index in wrong)
    return [cell if type(cell) in types else None for cell in cells]


def _as_text(cell: Any) -> str:
    """Return the canonical text of a JSON value; objects and lists are named, not shown."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return repr(cell + 0.0)  # of zeros there is one: equal cells are read once, for all records
    if isinstance(cell, int):
        return str(cell) if abs(cell) < 2**63 else "a whole number of more than 63 bits"
    return "an object" if isinstance(cell, dict) else "a list"


def _violation(origin: str, row: int, column: Any, fault: Fault, value: str | None = None) -> Violation:
    return Violation(origin, row, shown(str(column)), fault.rule, None if value is None else shown(value), fault.reason)
