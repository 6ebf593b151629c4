"""What was found wrong, cell by cell, and how findings are collected while a table is checked."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from data_contracts.national_identity_number import MASK, mask, was_national_identity_number
from data_contracts.tables import Coded

RULES: dict[str, str] = {
    "required": "A column that must be filled is empty.",
    "type": "The text is not a number, whole number, ISO date or true/false, as the column demands.",
    "decimal comma": "A number is written with a comma; 12.5 is right, 12,5 is not.",
    "thousands separator": "A number is written with thousands separators, which read differently by country.",
    "mixed number conventions": "Other numbers of the column show that this one's comma or point may not be a decimal sign.",
    "ambiguous date": "A date is written with slashes: nothing says which number is the day and which the month.",
    "bounds": "A number or date lies outside the column's limits.",
    "codes": "The text is not one of the column's codes.",
    "pattern": "The text does not have the column's form.",
    "national identity number": "The cell holds a national identity number; its text is never shown or stored.",
    "known_from in the future": "The row claims to be known later than the day on which it was received.",
    "unknown instrument": "No questionnaire of that name is declared.",
    "unknown item": "The questionnaire has no item of that name.",
    "unknown answer code": "The item does not take that answer.",
    "unknown code": "No analyte is declared for that code.",
    "unit mismatch": "The code is not reported in that unit.",
    "outside hard limits": "The measurement cannot be true: it lies outside the analyte's hard limits.",
    "systolic not above diastolic": "Two blood pressures of one person and day contradict each other; both are set aside.",
    "diagnosis system": "The diagnosis is no code of the system that the row names (none named: ICPC-2).",
    "conflicting versions": "Rows share natural key and known_from but differ; all of them are set aside.",
    "person not in persons": "The row's person is not in the table persons.",
    "unknown field": "The record has a field that the contract does not know.",
    "shape": "An object or a list was expected.",
    "other person": "A row of a record belongs to another person than the record.",
}
"""Every rule beside those that the record classes declare, with its meaning."""

ADVICE: dict[str, str] = {
    "required": "Fill the column in every row, or leave the row out.",
    "type": "Write plain numbers, dates as 2026-03-01, and true or false; no words such as 'unknown'.",
    "decimal comma": "Export numbers with a decimal point, or declare the decimal comma in the mapping file.",
    "thousands separator": "Export numbers without thousands separators.",
    "mixed number conventions": "Write all numbers of the column in one way, or declare the decimal sign in the mapping file.",
    "ambiguous date": "Write dates as 2026-03-01 or 01.03.2026, or declare the order in the mapping file.",
    "bounds": "Look the number or date up where it was first recorded; a typing error or another unit is likely.",
    "codes": "Use the codes of the data dictionary, or translate yours in the mapping file.",
    "pattern": "Send the code in the form that the data dictionary shows, without spaces or names.",
    "national identity number": "Replace identity numbers by pseudonyms before sending, and delete the copy that was sent.",
    "known_from in the future": "State the day on which the row was first recorded; check the clock and the date format.",
    "unknown instrument": "Use the questionnaire's name from the data dictionary, or ask us to declare the questionnaire.",
    "unknown item": "Use the item names of the data dictionary; check that the right version was used.",
    "unknown answer code": "Send the answer codes of the data dictionary as given, neither reversed nor rescaled.",
    "unknown code": "Check the code of the analysis; ask us to declare it if it is right.",
    "unit mismatch": "Send the result in the unit that belongs to its code; do not relabel it.",
    "outside hard limits": "Look the result up in the laboratory's system; the unit or the decimal sign is probably wrong.",
    "systolic not above diastolic": "Look both pressures up; they may be swapped, or belong to two measurements.",
    "diagnosis system": "Name the system of the code (ICPC-2 or ICD-10) in diagnosis_system, or check the code.",
    "conflicting versions": "Send one row per fact and day, or give the correction the later day on which it was made.",
    "person not in persons": "Send the person's row in the table persons too, or mend it if it was refused there.",
    "unknown field": "Leave the field out, or use the name that the data dictionary gives.",
    "shape": "Send objects and lists as the description of the interface shows.",
    "other person": "Send each record with the rows of its own person only.",
    "event after known_from": "Nothing is known before it happens: check both dates and their format.",
    "end_date before start_date": "Check the two dates of the employment; they may be swapped.",
    "withdrawn_on before given_on": "Check the two dates of the consent; they may be swapped.",
    "reference_low above reference_high": "Check the two limits of the reference interval; they may be swapped.",
    "last_day before first_day": "Check the first and last day of the absence; they may be swapped.",
}
"""What to ask the sender to do, for every rule: those above and those that the record classes declare."""

RULES_OF_ARRIVAL: dict[str, str] = {
    "decimal comma": "it is about the text of a number; once read, a number has no comma",
    "thousands separator": "it is about the text of a number; once read, a number has no separators",
    "mixed number conventions": "it is about the text of numbers; once read, all numbers are written alike",
    "ambiguous date": "it is about the text of a date; once read, day and month are told apart",
    "shape": "it is about the JSON of a request; a table has rows and columns",
    "other person": "it is about one request; a table holds many persons",
}
"""Rules that no accepted table can break, so that no expectation states them, with the reason."""

_LONGEST_SHOWN = 64


class Violation(NamedTuple):
    """One offending cell. ``row`` is the line number in a file, the list index in a JSON record."""

    origin: str
    row: int
    column: str
    rule: str
    value: str | None
    reason: str


class Fault(NamedTuple):
    """What is wrong with a cell, before it is known which one."""

    rule: str
    reason: str


def shown(text: str) -> str:
    """Return a text as it may be shown: identity numbers masked, broken Unicode replaced, long text cut."""
    text = MASK if was_national_identity_number(text) else mask(text)
    if len(text) > _LONGEST_SHOWN:
        text = text[:_LONGEST_SHOWN] + "…"
    return text.encode("utf-8", "replace").decode("utf-8")


class Refusal(NamedTuple):
    """Cells that a reader already knows to be wrong; ``rows`` are positions. The column need not be one of the contract."""

    column: str
    rows: np.ndarray
    fault: Fault


class Findings:
    """Collects violations of one table: at most one per cell, the first that is reported."""

    def __init__(self, raw: dict[str, Coded], origin: str, row_numbers: np.ndarray) -> None:
        self.violations: list[Violation] = []
        self.bad_rows = np.zeros(len(row_numbers), dtype=bool)
        self._raw = raw
        self._origin = origin
        self._row_numbers = row_numbers
        self._bad_cells: dict[str, np.ndarray] = {}

    def report(self, column: str, rows: np.ndarray, faults: Fault | list[Fault]) -> None:
        """Add a violation of ``column`` for each of the row positions; ``faults`` is one for all or one per row."""
        if not len(rows):
            return
        per_row = [faults] * len(rows) if isinstance(faults, Fault) else faults
        already = self._bad_cells.setdefault(column, np.zeros(len(self.bad_rows), dtype=bool))
        known = already[rows].tolist()
        already[rows] = True
        self.bad_rows[rows] = True
        cells = self._raw[column][rows].texts() if column in self._raw else [None] * len(rows)
        numbers = self._row_numbers[rows].tolist()
        self.violations += [
            Violation(self._origin, number, column, fault.rule, None if cell is None else shown(cell), fault.reason)
            for number, cell, fault, is_known in zip(numbers, cells, per_row, known, strict=True)
            if not is_known
        ]
