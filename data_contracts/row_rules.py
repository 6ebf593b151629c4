"""Rules that look at more than one cell: orders within a row, versions among rows, persons among tables."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from data_contracts.records import TABLES, DateOrder, NumberOrder, Record, columns
from data_contracts.tables import Coded, Table, n_rows, take
from data_contracts.violations import Fault, Findings

_FIRST_DAY = int(np.datetime64("1900-01-01").astype(np.int64))
_N_DAYS = int(np.datetime64("2101-01-01").astype(np.int64)) - _FIRST_DAY
_LARGEST_KEY = 2**62


def check_orders(record: type[Record], table: Table, findings: Findings) -> None:
    """Report rows that break a :class:`DateOrder` or :class:`NumberOrder` of the record."""
    for rule in record.rules:
        if isinstance(rule, DateOrder):
            # NaT compares as false, so empty dates pass.
            is_broken = table[rule.earlier] > table[rule.later] + np.timedelta64(rule.slack_days, "D")
        else:
            is_broken = table[rule.smaller] > table[rule.larger]
        findings.report(_blamed_column(rule), np.flatnonzero(is_broken), _order_fault(rule))


def _blamed_column(rule: DateOrder | NumberOrder) -> str:
    if isinstance(rule, NumberOrder):
        return rule.smaller
    return rule.earlier if rule.later == "known_from" else rule.later


def _order_fault(rule: DateOrder | NumberOrder) -> Fault:
    if isinstance(rule, NumberOrder):
        return Fault(rule.rule, f"{rule.smaller} must not be above {rule.larger}")
    slack = f" by more than {rule.slack_days} days" if rule.slack_days else ""
    return Fault(rule.rule, f"{rule.earlier} must not be after {rule.later}{slack}")


def check_not_from_the_future(table: Table, received_on: date, findings: Findings) -> None:
    """Report rows that say they were known after the day on which they were received."""
    rows = np.flatnonzero(table["known_from"] > np.datetime64(received_on))
    reason = f"known_from must not be after the day of receipt, {received_on}"
    findings.report("known_from", rows, Fault("known_from in the future", reason))


def repeated_rows(record: type[Record], table: Table) -> tuple[np.ndarray, np.ndarray]:
    """Return two masks: rows that repeat an earlier identical row, and rows that conflict with another.

    Rows conflict that share natural key and ``known_from`` but differ elsewhere: nothing says which of them counts.
    """
    n = n_rows(table)
    is_duplicate, is_conflict = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    if n < 2:
        return is_duplicate, is_conflict
    key = _row_key(table, (*record.natural_key, "known_from"))
    in_order = np.sort(key)
    repeated = in_order[1:][in_order[1:] == in_order[:-1]]
    if len(repeated):
        rows = np.flatnonzero(np.isin(key, repeated))
        names = tuple(column.name for column in columns(record))
        content = _row_key(take(table, rows), names)
        is_conflict[rows], is_duplicate[rows] = _split_repeats(key[rows], content)
    return is_duplicate, is_conflict


def _split_repeats(key: np.ndarray, content: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    facts, fact_of_row = np.unique(key, return_inverse=True)
    _, first_row, content_of_row = np.unique(content, return_index=True, return_inverse=True)
    n_contents = np.bincount(fact_of_row[first_row], minlength=len(facts))
    conflicts = n_contents[fact_of_row] > 1
    return conflicts, ~conflicts & (np.arange(len(key)) != first_row[content_of_row])


def _row_key(table: Table, names: tuple[str, ...]) -> np.ndarray:
    """Return one int64 per row, equal exactly for rows that are equal in the named columns."""
    key, size = np.zeros(n_rows(table), dtype=np.int64), 1
    for name in names:
        digit, width = _as_digit(table[name])
        if size * width > _LARGEST_KEY:
            (key, size), (digit, width) = _compress(key), _compress(digit)
        key, size = key * width + digit, size * width
    return key


def _as_digit(column: Any) -> tuple[np.ndarray, int]:
    """Return a column as integers from 0 on, with their number of possible values."""
    if isinstance(column, Coded):
        return column.codes.astype(np.int64) + 1, len(column.vocabulary) + 1
    if column.dtype.kind == "M":
        days = column.astype(np.int64) - _FIRST_DAY + 1
        return np.where(np.isnat(column), 0, days), _N_DAYS + 1
    return _compress(column)


def _compress(values: np.ndarray) -> tuple[np.ndarray, int]:
    distinct, positions = np.unique(values, return_inverse=True)
    return positions.astype(np.int64), len(distinct)


def orphans(tables: dict[str, Table]) -> dict[str, np.ndarray]:
    """Return, per table with a person_id, the mask of rows whose person is not in ``persons``."""
    persons = dict.fromkeys(tables["persons"]["person_id"].compact().vocabulary, 0)
    return {
        name: tables[name]["person_id"].recode(persons) < 0
        for name, record in TABLES.items()
        if name in tables and name != "persons" and "person_id" in record.model_fields
    }
