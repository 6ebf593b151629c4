"""What was found wrong, cell by cell, and how findings are collected while a table is checked."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

import numpy as np

from data_contracts.national_identity_number import MASK, mask, was_national_identity_number
from data_contracts.tables import Coded

_LONGEST_SHOWN = 64


class Violation(NamedTuple):
    """One offending cell. ``row`` is the line number in a file, the list index in a JSON record."""

    origin: str
    row: int
    column: str
    rule: str
    value: str | None
    reason: str


class FirstFew(list[Violation]):
    """A list that takes in no more than ``most`` violations (None: all), however many there are.

    Garbage of a megabyte has half a million faults; to write each of them down would take longer than to find them, and
    whoever sent it mends it no better for it. What is added may be a generator: of the rest nothing is even computed.
    """

    def __init__(self, most: int | None = None) -> None:
        super().__init__()
        self._most = most

    @property
    def room(self) -> int | None:
        """How many more are taken in; None if there is no limit."""
        return None if self._most is None else max(0, self._most - len(self))

    def __iadd__(self, more: Iterable[Violation]) -> FirstFew:  # type: ignore[misc, override]
        self.extend(islice(more, self.room))
        return self


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
    """Collects violations of one table: at most one per cell, the first that is reported, and ``most`` in all."""

    def __init__(self, raw: dict[str, Coded], origin: str, row_numbers: np.ndarray, most: int | None = None) -> None:
        self.violations = FirstFew(most)
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
        if self.violations.room == 0:
            return
        cells = self._raw[column][rows].texts() if column in self._raw else [None] * len(rows)
        numbers = self._row_numbers[rows].tolist()
        self.violations += (
            Violation(self._origin, number, column, fault.rule, None if cell is None else shown(cell), fault.reason)
            for number, cell, fault, is_known in zip(numbers, cells, per_row, known, strict=True)
            if not is_known
        )
