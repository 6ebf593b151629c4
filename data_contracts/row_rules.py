"""Rules that look at more than one cell: orders within a row, versions among rows, persons among tables."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import numpy as np

from data_contracts.records import TABLES, DateOrder, NumberOrder, Record, columns
from data_contracts.tables import Coded, Table, n_rows, take
from data_contracts.time_windows import day_number
from data_contracts.violations import Fault, Findings

_FIRST_DAY = int(np.datetime64("1900-01-01").astype(np.int64))
_N_DAYS = int(np.datetime64("2101-01-01").astype(np.int64)) - _FIRST_DAY
_LARGEST_KEY = 2**62
_FEW_ROWS = 100  # hashing tuples beats sorting arrays up to about here
_NO_ROWS = np.empty(0, dtype=np.intp)


def check_orders(record: type[Record], table: Table, findings: Findings) -> None:
    """Report rows that break a :class:`DateOrder` or :class:`NumberOrder` of the record."""
    for rule in record.rules:
        if isinstance(rule, DateOrder):
            # NaT compares as false, so empty dates pass.
            latest = table[rule.later] + np.timedelta64(rule.slack_days, "D") if rule.slack_days else table[rule.later]
            is_broken = table[rule.earlier] > latest
        else:
            is_broken = table[rule.smaller] > table[rule.larger]
        rows = is_broken.nonzero()[0]
        if len(rows):
            findings.report(_blamed_column(rule), rows, _order_fault(rule))


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
    # As integers, because one np.datetime64 from a date costs more than the comparison; NaT is the smallest.
    rows = (table["known_from"].view(np.int64) > day_number(received_on)).nonzero()[0]
    if len(rows):
        reason = f"known_from must not be after the day of receipt, {received_on}"
        findings.report("known_from", rows, Fault("known_from in the future", reason))


def repeated_rows(record: type[Record], table: Table) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of rows that repeat an earlier identical row, and of rows that conflict with another.

    Rows conflict that share natural key and ``known_from`` but differ elsewhere: nothing says which of them counts.
    """
    n, key_names = n_rows(table), (*record.natural_key, "known_from")
    if n < 2 or (n <= _FEW_ROWS and len(set(_row_tuples(table, key_names))) == n):
        return _NO_ROWS, _NO_ROWS
    key = _row_key(table, key_names)
    in_order = np.sort(key)
    repeated = in_order[1:][in_order[1:] == in_order[:-1]]
    if not len(repeated):
        return _NO_ROWS, _NO_ROWS
    rows = np.flatnonzero(np.isin(key, repeated))
    names = tuple(column.name for column in columns(record))
    conflicts, duplicates = _split_repeats(key[rows], _row_key(take(table, rows), names))
    return rows[duplicates], rows[conflicts]


def _split_repeats(key: np.ndarray, content: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    facts, fact_of_row = np.unique(key, return_inverse=True)
    _, first_row, content_of_row = np.unique(content, return_index=True, return_inverse=True)
    n_contents = np.bincount(fact_of_row[first_row], minlength=len(facts))
    conflicts = n_contents[fact_of_row] > 1
    return conflicts, ~conflicts & (np.arange(len(key)) != first_row[content_of_row])


def _row_tuples(table: Table, names: tuple[str, ...]) -> Iterator[tuple[int, ...]]:
    return zip(*(_as_digit(table[name])[0].tolist() for name in names), strict=True)


def _row_key(table: Table, names: tuple[str, ...]) -> np.ndarray:
    """Return one int64 per row, equal exactly for rows that are equal in the named columns."""
    key, size = np.zeros(n_rows(table), dtype=np.int64), 1
    for name in names:
        digit, width = _as_digit(table[name])
        if size * width > _LARGEST_KEY:
            (key, size), (digit, width) = _compress(key), _compress(digit)
        key *= width
        key += digit
        size *= width
    return key


def _as_digit(column: Any) -> tuple[np.ndarray, int]:
    """Return a column as consecutive integers (missing is the smallest), with their number of possible values."""
    if isinstance(column, Coded):
        return column.codes, len(column.vocabulary) + 1
    if column.dtype.kind == "M":
        return np.maximum(column.view(np.int64), _FIRST_DAY - 1), _N_DAYS + 1  # NaT is the smallest int64
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
