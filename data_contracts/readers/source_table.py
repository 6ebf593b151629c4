"""A table on its way in: as its sender wrote it (:class:`Sheet`), and under our column names (:class:`SourceTable`)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from data_contracts.tables import Coded
from data_contracts.validation import RawTable
from data_contracts.violations import Refusal, Violation


@dataclass(frozen=True)
class Sheet:
    """Header and cells as the sender wrote them.

    Parameters
    ----------
    header : list of str
        Names of the columns; the same name may stand twice.
    cells : list of Coded
        The columns, in the header's order.
    row_numbers : int64 array, shape (n_rows,)
        The numbers under which the sender finds the rows.
    is_typed : list of bool
        Per column: True where the source stores numbers, dates or flags, so that nothing is left to guess.
    decimal : str or None
        Decimal sign of columns that are not typed; None: a comma counts as one if the column uses it so.
    notes : list of str
        What was detected on the way.
    """

    header: list[str]
    cells: list[Coded]
    row_numbers: np.ndarray
    is_typed: list[bool]
    decimal: str | None = "."
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class SourceTable:
    """One table as it came, its columns named as ours and its cells still text.

    Parameters
    ----------
    raw : RawTable
        Our columns as text.
    origin : str or Coded
        File or table of the source; one per row where the rows come from several files.
    row_numbers : int64 array, shape (n_rows,)
        The numbers under which the sender finds the rows.
    notes : list of str
        What the user should know about the reading.
    sha256 : str or None
        Hash of the file, where there is one.
    column_names : dict of str to (str or Coded)
        The sender's name of a column of ours where it differs, one for all rows or one per row.
    refusals : list of Refusal
        Cells that are already known to be wrong, by position.
    assumption : str or None
        How ``known_from`` was filled in, where the source does not have it.
    worked_out : tuple of str
        What else the mapping takes to be so: columns that it works out, with the error they can make, and constants.
    """

    raw: RawTable
    origin: str | Coded
    row_numbers: np.ndarray
    notes: list[str]
    sha256: str | None = None
    column_names: dict[str, str | Coded] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    assumption: str | None = None
    worked_out: tuple[str, ...] = ()

    def without(self, is_gone: np.ndarray) -> SourceTable:
        """Return the table without some rows, and with nothing of them left in any vocabulary."""
        kept = ~is_gone
        positions = np.cumsum(kept) - 1
        return replace(
            self,
            raw={name: column[kept].compact() for name, column in self.raw.items()},
            origin=self.origin if isinstance(self.origin, str) else self.origin[kept],
            row_numbers=self.row_numbers[kept],
            column_names={
                ours: theirs if isinstance(theirs, str) else theirs[kept] for ours, theirs in self.column_names.items()
            },
            refusals=[one._replace(rows=positions[one.rows[kept[one.rows]]]) for one in self.refusals],
        )

    def located(self, violation: Violation) -> Violation:
        """Return a violation whose row is a position, under the row number and column name that the sender knows."""
        theirs = _of_row(self.column_names.get(violation.column, ""), violation.row)
        column = f"{violation.column} ({theirs})" if theirs else violation.column
        origin = _of_row(self.origin, violation.row)
        return violation._replace(origin=origin, row=int(self.row_numbers[violation.row]), column=column)


def _of_row(text: str | Coded, row: int) -> str:
    return text.vocabulary[text.codes[row]] if isinstance(text, Coded) else text
