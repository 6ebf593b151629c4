"""Panels and scores of the verb effect from a CSV file; every refusal names file, row and column, and quotes no cell."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from data_contracts.errors import MissingInputError, SourceFileError
from models.effects.panel import COLUMNS

OPTIONAL = {"weight": 1.0, "contacted": math.nan}
"""Columns that may be absent, with what stands for them."""

SCORE_COLUMNS = ("score", "outcome", "contacted")

_QUARTER = re.compile(r"(\d{4})Q([1-4])")
_MOST_BYTES = 100_000_000


def read_panel(path: Path) -> pd.DataFrame:
    """Read companies by period (columns of models.effects.panel; ``weight`` may be absent: all cells alike).

    Raises
    ------
    MissingInputError, SourceFileError
    """
    frame = _read(path, COLUMNS)
    twice = frame.duplicated(["company", "period"])
    if twice.any():
        raise SourceFileError(
            f"{path} row {_row(twice)}: this company and period stand in the file twice. Keep one row."
        )
    # Not groupby.first, which passes over empty cells.
    first = frame["company"].map(frame.drop_duplicates("company").set_index("company")["start"])
    differs = (frame["start"] != first) & ~(frame["start"].isna() & first.isna())
    if differs.any():
        raise SourceFileError(
            f"{path} row {_row(differs)}, column start: not that of the company's other rows. A company has one."
        )
    return frame


def read_scores(path: Path) -> pd.DataFrame:
    """Read persons' numbers at the threshold and what was measured afterwards: ``score``, ``outcome``, ``contacted`` (0 or 1).

    Raises
    ------
    MissingInputError, SourceFileError
    """
    return _read(path, SCORE_COLUMNS)


def _read(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    if not path.is_file():
        raise MissingInputError(f"{path}: no such file. Name a CSV file with the columns {', '.join(columns)}.")
    if path.stat().st_size > _MOST_BYTES:
        raise SourceFileError(
            f"{path} is larger than {_MOST_BYTES // 1_000_000} MB. A panel has one row per company and period."
        )
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file, strict=True))
    except UnicodeDecodeError:
        raise SourceFileError(f"{path}: not UTF-8 text. Save it as CSV, UTF-8.") from None
    except csv.Error:
        raise SourceFileError(
            f"{path}: not a CSV file that can be read. Save it with commas and double quotes."
        ) from None
    if not rows:
        raise SourceFileError(
            f"{path} has no rows. Put one row per {'company and period' if 'period' in columns else 'person'}."
        )
    lacking = [name for name in columns if name not in rows[0] and name not in OPTIONAL]
    if lacking:
        raise SourceFileError(f"{path}: column {lacking[0]} is missing. Columns: {', '.join(columns)}.")
    return pd.DataFrame({name: _column(path, rows, name) for name in columns})


def _column(path: Path, rows: list[dict[str, Any]], name: str) -> list[Any]:
    if name not in rows[0]:
        return [OPTIONAL[name]] * len(rows)
    parse, wanted = _PARSERS[name]
    values = []
    for number, row in enumerate(rows, start=2):
        try:
            values.append(parse((row[name] or "").strip()))
        except ValueError:
            raise SourceFileError(f"{path} row {number}, column {name}: {wanted}.") from None
    return values


def _text(cell: str) -> str:
    if not cell:
        raise ValueError
    return cell


def _number(cell: str) -> float:
    if not math.isfinite(value := float(cell)):
        raise ValueError
    return value


def _above_nought(cell: str) -> float:
    if (value := _number(cell)) <= 0:
        raise ValueError
    return value


def _period(cell: str) -> int:
    quarter = _QUARTER.fullmatch(cell)
    return int(quarter[1]) * 4 + int(quarter[2]) - 1 if quarter else int(cell)


def _start(cell: str) -> float:
    return float(_period(cell)) if cell else math.nan


def _yes_or_no(cell: str) -> float:
    return float(("0", "1").index(cell))


_PARSERS: dict[str, tuple[Callable[[str], Any], str]] = {
    "company": (_text, "empty; give every row its company"),
    "period": (_period, "must be a whole number or a quarter such as 2025Q1"),
    "outcome": (_number, "must be a number, with a decimal point"),
    "weight": (_above_nought, "must be a number above 0"),
    "start": (_start, "must be a period like the column period, or empty for a company that never starts"),
    "score": (_number, "must be a number, with a decimal point"),
    "contacted": (_yes_or_no, "must be 0 or 1"),
}
"""How a cell is read, and what is said where it cannot be."""


def _row(mask: pd.Series) -> int:
    """Return the first marked row as a spreadsheet counts, with the header as row 1."""
    return int(mask.to_numpy().argmax()) + 2
