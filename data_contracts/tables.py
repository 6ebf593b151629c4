"""How a table travels in memory, between every reader and every consumer: a dict of NumPy arrays, one per column.

======== =============================================================
kind     array
======== =============================================================
text     :class:`Coded`
code     :class:`Coded`
date     ``datetime64[D]``, missing is NaT
integer  ``float64``, missing is NaN
number   ``float64``, missing is NaN
flag     ``float64``: 1 true, 0 false, missing is NaN
======== =============================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import repeat
from typing import Any

import numpy as np

from data_contracts.records import Column, Record, columns


@dataclass(frozen=True)
class Coded:
    """Strings as integers into a vocabulary: each distinct string is stored, parsed and compared once.

    Parameters
    ----------
    codes : int32 array, shape (n_rows,)
        Position in ``vocabulary``; -1 is missing.
    vocabulary : tuple of str
        Distinct values, in any order.
    """

    codes: np.ndarray
    vocabulary: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, rows: Any) -> Coded:
        return Coded(self.codes[rows], self.vocabulary)

    def recode(self, vocabulary: dict[str, int], unknown: int = -1) -> np.ndarray:
        """Return, per row, the integer that ``vocabulary`` gives to the string (int32; ``unknown`` if it has none)."""
        positions = np.array([*map(vocabulary.get, self.vocabulary, repeat(unknown)), -1], dtype=np.int32)
        return positions[self.codes]

    def texts(self) -> list[str | None]:
        """Return the strings, None where missing."""
        words = (*self.vocabulary, None)
        return [words[code] for code in self.codes]

    def compact(self) -> Coded:
        """Return the same strings over a sorted vocabulary that holds only those in use."""
        is_used = np.zeros(len(self.vocabulary) + 1, dtype=bool)
        is_used[self.codes] = True
        by_word = sorted(np.flatnonzero(is_used[:-1]).tolist(), key=self.vocabulary.__getitem__)
        positions = np.full(len(self.vocabulary) + 1, -1, dtype=np.int32)
        positions[by_word] = np.arange(len(by_word), dtype=np.int32)
        return Coded(positions[self.codes], tuple(self.vocabulary[code] for code in by_word))

    @classmethod
    def from_texts(cls, texts: list[str | None]) -> Coded:
        """Encode strings in the order of first appearance; None is missing."""
        vocabulary: dict[str, int] = {}
        codes = [-1 if text is None else vocabulary.setdefault(text, len(vocabulary)) for text in texts]
        return cls(np.array(codes, dtype=np.int32), tuple(vocabulary))


Table = dict[str, Any]
"""Column name to array, as the module docstring lays out. All arrays of a table have the same length."""


def n_rows(table: Table) -> int:
    """Return the number of rows of a table."""
    return len(next(iter(table.values())))


def take(table: Table, rows: Any) -> Table:
    """Return the chosen rows (mask, slice or positions) of a table."""
    return {name: column[rows] for name, column in table.items()}


def empty_table(record: type[Record]) -> Table:
    """Return a table of a record class with no rows."""
    return _empty_columns(record).copy()


@cache
def _empty_columns(record: type[Record]) -> Table:
    return {column.name: _empty(column) for column in columns(record)}


def _empty(column: Column) -> Any:
    if column.kind in ("text", "code"):
        return Coded(np.empty(0, dtype=np.int32), ())
    return np.empty(0, dtype="datetime64[D]" if column.kind == "date" else np.float64)
