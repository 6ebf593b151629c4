"""What a kind of planted fault is, and the changes that faults are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from data_contracts.tables import Coded
from data_contracts.time_windows import NO_DAY
from pipeline.simulation.rows import Rows

UNDETECTABLE = "undetectable"
"""In the place of a rule: the row is false, and nothing in it shows that."""


def _everywhere(rows: Rows) -> np.ndarray:
    return np.ones(len(next(iter(rows.values()))), dtype=bool)


def _nothing(rows: Rows, chosen: np.ndarray) -> None:
    """Change nothing: a word is put over the cell when it is written."""


def _no_others(rows: Rows, chosen: np.ndarray) -> np.ndarray:
    return np.empty(0, dtype=np.intp)


@dataclass(frozen=True)
class Kind:
    """One kind of fault.

    Parameters
    ----------
    name, table, column : str
    rule : str
        Rule of :mod:`data_contracts.rules` that refuses the row, or ``UNDETECTABLE``.
    change : callable
        Changes the chosen rows in place.
    can_have : callable
        Mask of the rows that can have the fault.
    adds_row : bool
        The fault comes as a further row, a copy that is then changed; the right row stays.
    refused_too : callable
        Rows that are refused together with the chosen ones, by ``rule_of_others`` (column, rule) if that is given.
    word : str or None
        Text that stands in the place of a number or a date.
    in_fhir : bool
        False where FHIR has no way to say it, or its reader another rule for it.
    """

    name: str
    table: str
    column: str
    rule: str
    change: Callable[[Rows, np.ndarray], None] = _nothing
    can_have: Callable[[Rows], np.ndarray] = _everywhere
    adds_row: bool = False
    refused_too: Callable[[Rows, np.ndarray], np.ndarray] = _no_others
    rule_of_others: tuple[str, str] | None = None
    word: str | None = None
    in_fhir: bool = True


def put(**columns: Any) -> Callable[[Rows, np.ndarray], None]:
    """Return a change that writes into columns: a text, a number, or what a function makes of the rows and the chosen."""

    def change(rows: Rows, chosen: np.ndarray) -> None:
        new = {name: value(rows, chosen) if callable(value) else value for name, value in columns.items()}
        for name, value in new.items():
            rows[name] = _written(rows[name], chosen, value)

    return change


def _written(column: Any, chosen: np.ndarray, value: Any) -> Any:
    if isinstance(column, Coded):
        codes = column.codes.copy()
        codes[chosen] = len(column.vocabulary)
        return Coded(codes, (*column.vocabulary, value))
    column = column.astype(np.result_type(column, np.asarray(value)))
    column[chosen] = value
    return column


def days(column: str, after: int) -> Callable[[Rows, np.ndarray], np.ndarray]:
    """Return the days of a column, moved by some days."""
    return lambda rows, chosen: rows[column][chosen] + after


def has_day(column: str) -> Callable[[Rows], np.ndarray]:
    """Return the mask of rows in which the day is not empty."""
    return lambda rows: rows[column] != NO_DAY


def same(rows: Rows, chosen: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """Return all rows that agree with one of the chosen in the named columns."""
    keys = np.stack([rows[name].codes if isinstance(rows[name], Coded) else rows[name] for name in names], axis=1)
    _, group = np.unique(keys, axis=0, return_inverse=True)
    return np.flatnonzero(np.isin(group, group[chosen]))
