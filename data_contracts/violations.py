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
    "conflicting versions": "Rows share natural key and known_from but differ; all of them are set aside.",
    "person not in persons": "The row's person is not in the table persons.",
    "unknown field": "The record has a field that the contract does not know.",
    "shape": "An object or a list was expected.",
    "other person": "A row of a record belongs to another person than the record.",
}
"""Every rule beside those that the record classes declare, with its meaning."""

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


class Findings:
    """Collects violations of one table: at most one per cell, the first that is reported."""

    def __init__(self, raw: dict[str, Coded], n_rows: int, origin: str, first_row: int) -> None:
        self.violations: list[Violation] = []
        self.bad_rows = np.zeros(n_rows, dtype=bool)
        self._raw = raw
        self._origin = origin
        self._first_row = first_row
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
        words = (*self._raw[column].vocabulary, None)
        codes = self._raw[column].codes[rows].tolist()
        self.violations += [
            Violation(self._origin, row + self._first_row, column, fault.rule,
                      None if words[code] is None else shown(words[code]), fault.reason)
            for row, code, fault, is_known in zip(rows.tolist(), codes, per_row, known, strict=True) if not is_known
        ]  # fmt: skip
