"""Raw text columns in, accepted typed rows and violations out: the same rules for one record and for millions of rows.

Each distinct string of a column is read once (:mod:`data_contracts.parsing`); rules across cells, rows and tables work
on whole columns. The result does not depend on the order of the rows: of identical rows one is kept and the others
counted; of rows that share natural key and ``known_from`` but differ, none is. A lab value such as ``<1`` in a text
source is split into comparator and value when the comparator is empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from data_contracts.absence_rules import check_absences
from data_contracts.answer_rules import check_answers
from data_contracts.lab_rules import check_lab_results, split_comparators
from data_contracts.parsing import parse_column, without_empty_texts
from data_contracts.readers.json_record import read_record
from data_contracts.records import RECORDS, AbsenceSpell, LabResult, Record, SurveyAnswer, columns
from data_contracts.row_rules import check_not_from_the_future, check_orders, orphans, repeated_rows
from data_contracts.tables import Coded, Table, empty_table, n_rows, take
from data_contracts.violations import Fault, Findings, FirstFew, Refusal, Violation

__all__ = ["Checked", "RawTable", "Violation", "check", "check_record", "orphans"]

MOST_ROWS = 20_000
"""In one record, all tables together; sound rows of a mebibyte of JSON are 12 000, those of most people some hundreds."""
MOST_VIOLATIONS = 1_000
"""Collected of one record; a count of so many means "at least"."""

RawTable = dict[str, Coded]
"""Every column of a source as text; an empty cell is missing."""


@dataclass(frozen=True)
class Checked:
    """Outcome of a check: ``n_rows = n_accepted + n_quarantined + n_duplicates``.

    ``row_numbers`` says, for each row of ``table``, under which number it stands in its source.
    """

    table: Table
    row_numbers: np.ndarray
    violations: list[Violation]
    n_rows: int
    n_accepted: int
    n_quarantined: int
    n_duplicates: int


def check(
    record: type[Record],
    raw: RawTable,
    *,
    received_on: date,
    origin: str,
    first_row: int = 1,
    row_numbers: np.ndarray | None = None,
    refusals: Sequence[Refusal] = (),
    most: int | None = None,
) -> Checked:
    """Check a table that arrived on ``received_on``.

    Rows are reported under ``row_numbers``, or counted from ``first_row``. ``refusals`` are cells that the reader found
    wrong. A column that ``raw`` lacks counts as empty in every row. Violations name each offending cell once; with
    ``most`` no more than so many are collected, and the rows of the others are quarantined all the same.
    """
    n = n_rows(raw) if raw else 0
    if n == 0:
        return Checked(empty_table(record), np.empty(0, dtype=np.int64), [], 0, 0, 0, 0)
    nothing = Coded(np.full(n, -1, dtype=np.int32), ())
    raw = {column.name: without_empty_texts(raw.get(column.name, nothing)) for column in columns(record)}
    row_numbers = np.arange(first_row, first_row + n) if row_numbers is None else row_numbers
    findings = Findings(raw, origin, row_numbers, most)
    for refusal in refusals:
        findings.report(*refusal)
    table = _parse(record, raw, findings)
    _check_rows(record, table, received_on, findings)
    is_duplicate = _set_aside_repeats(record, table, findings)

    is_accepted = ~(findings.bad_rows | is_duplicate)
    n_accepted, n_quarantined = int(np.count_nonzero(is_accepted)), int(np.count_nonzero(findings.bad_rows))
    if n_accepted < n:
        # A vocabulary keeps every string it has seen; what is quarantined must not travel on in it.
        accepted = is_accepted.nonzero()[0]
        table = {name: _compact(values) for name, values in take(table, accepted).items()}
        row_numbers = row_numbers[accepted]
    violations = sorted(findings.violations, key=lambda violation: violation.row)
    return Checked(table, row_numbers, violations, n, n_accepted, n_quarantined, n - n_accepted - n_quarantined)


def check_record(record_json: Any, received_on: date) -> tuple[dict[str, Table], list[Violation]]:
    """Check the ``record`` of an API request: all eight tables, and what is wrong with them.

    Whatever arrives, this returns; a caller refuses the request when there is any violation. Violations have origins
    such as ``record.survey_answers`` and the index of the row in its list. A record of more than ``MOST_ROWS`` rows is
    not read at all, and of one with ``MOST_VIOLATIONS`` or more only so many are told: a stranger's garbage must not
    hold the service up for longer than a record does. Files have neither limit.
    """
    tables = {record.table: empty_table(record) for record in RECORDS}
    too_many = _too_many_rows(record_json)
    if too_many:
        return tables, too_many
    raw_tables, row_numbers, json_violations = read_record(record_json, MOST_VIOLATIONS)
    reported = {violation[:3] for violation in json_violations}
    violations = FirstFew(MOST_VIOLATIONS)
    violations += json_violations
    for record in RECORDS:
        if violations.room == 0:
            break
        origin = "record.person" if record.table == "persons" else f"record.{record.table}"
        checked = check(
            record,
            raw_tables[record.table],
            received_on=received_on,
            origin=origin,
            first_row=0,
            row_numbers=row_numbers.get(record.table),
            most=MOST_VIOLATIONS + len(reported),
        )
        tables[record.table] = checked.table
        violations += (violation for violation in checked.violations if violation[:3] not in reported)
    return tables, violations


def _too_many_rows(record_json: Any) -> list[Violation]:
    lists = [rows for rows in record_json.values() if isinstance(rows, list)] if isinstance(record_json, dict) else []
    if sum(map(len, lists)) <= MOST_ROWS:
        return []
    reason = f"must have at most {MOST_ROWS} rows, all tables together; nothing of it was read"
    return [Violation("record", 0, "", "too many rows", None, reason)]


def _parse(record: type[Record], raw: RawTable, findings: Findings) -> Table:
    if record is LabResult:
        raw = split_comparators(raw)
    return {column.name: parse_column(column, raw[column.name], findings) for column in columns(record)}


def _check_rows(record: type[Record], table: Table, received_on: date, findings: Findings) -> None:
    check_orders(record, table, findings)
    check_not_from_the_future(table, received_on, findings)
    if record is SurveyAnswer:
        check_answers(table, findings)
    if record is LabResult:
        check_lab_results(table, findings)
    if record is AbsenceSpell:
        check_absences(table, findings)


def _set_aside_repeats(record: type[Record], table: Table, findings: Findings) -> np.ndarray:
    """Report conflicting versions among the rows that are sound so far, and return the mask of duplicates."""
    is_duplicate = np.zeros(len(findings.bad_rows), dtype=bool)
    sound = (~findings.bad_rows).nonzero()[0]
    duplicates, conflicts = repeated_rows(record, table if len(sound) == len(is_duplicate) else take(table, sound))
    is_duplicate[sound[duplicates]] = True
    if len(conflicts):
        key = ", ".join((*record.natural_key, "known_from"))
        reason = f"another row has the same {key} but differs; nothing says which one counts"
        findings.report("known_from", sound[conflicts], Fault("conflicting versions", reason))
    return is_duplicate


def _compact(values: Any) -> Any:
    return values.compact() if isinstance(values, Coded) else values
