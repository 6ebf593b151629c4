"""Columns derived from a table, so that a rule over cells, tables and declarations becomes a statement about one or two.

Great Expectations can say of a column that its values lie in a set, and of two that one is not below the other. It cannot
say that an answer is among the codes of *its* item, or a value within the limits of *its* analyte. Each helper column
carries one such fact, and is missing where an earlier rule already speaks, so that a row breaks the rule it breaks and no
other. The limits and codes come from the same declarations as those of :func:`data_contracts.validation.check`; the code
is separate, because the suite is there to find what the check lets pass.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np

from data_contracts import national_identity_number
from data_contracts.helper_keys import (
    ABSENCE_HELPERS,
    ANSWER_HELPERS,
    RESULT_HELPERS,
    absence_helpers,
    answer_helpers,
    result_helpers,
)
from data_contracts.records import AbsenceSpell, DateOrder, LabResult, Record, SurveyAnswer, columns
from data_contracts.tables import Coded, Table, n_rows

_OWN: dict[type[Record], tuple[tuple[str, ...], Callable[[Table], Table]]] = {
    SurveyAnswer: (ANSWER_HELPERS, answer_helpers),
    LabResult: (RESULT_HELPERS, result_helpers),
    AbsenceSpell: (ABSENCE_HELPERS, absence_helpers),
}
_SMALLEST_IDENTITY_NUMBER, _LARGEST_IDENTITY_NUMBER = 10**9, 10**11  # a leading zero is lost


def helper_names(record: type[Record]) -> tuple[str, ...]:
    """Return the names of the helper columns of a table."""
    slack = [latest_name(rule) for rule in record.rules if isinstance(rule, DateOrder) and rule.slack_days]
    person = ["person_in_persons"] if _has_person(record) else []
    own, _ = _OWN.get(record, ((), None))
    return ("received_on", "identity_number_in", *slack, *person, *own)


def helper_columns(record: type[Record], table: Table, received_on: date, persons: Table) -> Table:
    """Return the helper columns of a table that arrived on ``received_on`` together with the table ``persons``."""
    table = _without_mistyped(record, table)
    found: Table = {
        "received_on": np.full(n_rows(table), received_on, dtype="datetime64[D]"),
        "identity_number_in": _identity_number_in(table),
    }
    for rule in record.rules:
        if isinstance(rule, DateOrder) and rule.slack_days:
            found[latest_name(rule)] = table[rule.later] + np.timedelta64(rule.slack_days, "D")
    if _has_person(record):
        person = table["person_id"]
        known = dict.fromkeys(persons["person_id"].compact().vocabulary, 1)
        found["person_in_persons"] = np.where(person.codes < 0, np.nan, person.recode(known, unknown=0))
    if record in _OWN:
        found |= _OWN[record][1](table)
    return found


def latest_name(rule: DateOrder) -> str:
    """Name the column with the latest day ``rule.earlier`` may have; Great Expectations knows no slack."""
    return f"{rule.later}_plus_{rule.slack_days}_days" if rule.slack_days else rule.later


def _has_person(record: type[Record]) -> bool:
    return record.table != "persons" and "person_id" in record.model_fields


def _without_mistyped(record: type[Record], table: Table) -> Table:
    """Return the table with columns of a wrong type, or none, empty; other expectations name those."""
    n = n_rows(table)
    return {
        column.name: table[column.name] if _is_typed(column.kind, table.get(column.name)) else _empty(column.kind, n)
        for column in columns(record)
    }


def _is_typed(kind: str, values: Any) -> bool:
    if kind in ("text", "code"):
        return isinstance(values, Coded)
    return isinstance(values, np.ndarray) and values.dtype.kind == ("M" if kind == "date" else "f")


def _empty(kind: str, n: int) -> Any:
    if kind in ("text", "code"):
        return Coded(np.full(n, -1, dtype=np.int32), ())
    return np.full(n, "NaT", dtype="datetime64[D]") if kind == "date" else np.full(n, np.nan)


def _identity_number_in(table: Table) -> Coded:
    """Return, per row, the first column that holds a national identity number; missing where none does."""
    names = tuple(table)
    codes = np.full(n_rows(table), -1, dtype=np.int32)
    for place in reversed(range(len(names))):
        codes[_holds_identity_number(table[names[place]])] = place
    return Coded(codes, names)


def _holds_identity_number(values: Any) -> np.ndarray:
    if isinstance(values, Coded):
        return np.array([*map(national_identity_number.contains, values.vocabulary), False])[values.codes]
    is_hit = np.zeros(len(values), dtype=bool)
    if values.dtype.kind == "f":
        is_candidate = (values >= _SMALLEST_IDENTITY_NUMBER) & (values < _LARGEST_IDENTITY_NUMBER)
        for row in np.flatnonzero(is_candidate & (values == np.floor(values))).tolist():
            is_hit[row] = national_identity_number.was_national_identity_number(f"{values[row]:.0f}")
    return is_hit
