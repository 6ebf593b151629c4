"""Text to typed columns: each distinct string of a column is read once, then gathered to the rows by its code."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from data_contracts import national_identity_number
from data_contracts.records import Column
from data_contracts.tables import Coded
from data_contracts.time_windows import day_number, local_date
from data_contracts.violations import Fault, Findings, shown

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+", re.ASCII)
_THOUSANDS = re.compile(
    r"[+-]?\d{1,3}(([.\u2019' \u00a0\u202f]\d{3})+(,\d*)?|(\.\d{3}){2,}|(,\d{3})+\.\d*|(,\d{3}){2,})", re.ASCII
)
_SLASHED_DATE = re.compile(r"\d{1,2}/\d{1,2}/(\d{2}|\d{4})", re.ASCII)
_DAY = np.dtype("datetime64[D]")
_FLAGS = {"true": 1.0, "1": 1.0, "false": 0.0, "0": 0.0}

_REQUIRED = Fault("required", "must not be empty")
IDENTITY_NUMBER = Fault(
    "national identity number",
    "looks like a national identity number; send a pseudonym. The number itself is neither shown nor stored",
)


def parse_column(column: Column, texts: Coded, findings: Findings) -> Any:
    """Return the typed column (see :mod:`data_contracts.tables`); offending cells are reported and left missing."""
    read = _READERS[column.kind]
    values = [read(column, text) for text in texts.vocabulary]
    if column.required and texts.codes.item(texts.codes.argmin()) < 0:  # on few rows min() takes three times as long
        findings.report(column.name, np.flatnonzero(texts.codes < 0), _REQUIRED)
    if Fault in map(type, values):
        faults = {code: value for code, value in enumerate(values) if type(value) is Fault}
        _report_faults(column, texts, faults, findings)
        values = [_MISSING[column.kind] if code in faults else value for code, value in enumerate(values)]
    if column.kind in ("text", "code"):
        return texts if None not in values else _without_faulty(texts, values)
    words = np.array([*values, 0.0 if column.name == "is_deleted" else _MISSING[column.kind]])
    return (words.view(_DAY) if column.kind == "date" else words)[texts.codes]


def cell_fault(column: Column, text: str) -> Fault | None:
    """Return what is wrong with one cell by itself, None if nothing is."""
    value = _READERS[column.kind](column, text)
    return value if isinstance(value, Fault) else None


def without_empty_texts(texts: Coded) -> Coded:
    """Return the column with empty text made missing, and gone from the vocabulary: consumers read words by their letters."""
    if "" not in texts.vocabulary:
        return texts
    empty = texts.vocabulary.index("")
    codes = np.where(texts.codes == empty, -1, texts.codes - (texts.codes > empty)).astype(np.int32)
    return Coded(codes, texts.vocabulary[:empty] + texts.vocabulary[empty + 1 :])


def _without_faulty(texts: Coded, values: list[str | None]) -> Coded:
    positions = [-1 if value is None else code for code, value in enumerate(values)]
    return Coded(np.array([*positions, -1], dtype=np.int32)[texts.codes], texts.vocabulary)


def _report_faults(column: Column, texts: Coded, faults: dict[int, Fault], findings: Findings) -> None:
    is_faulty = np.zeros(len(texts.vocabulary) + 1, dtype=bool)
    is_faulty[list(faults)] = True
    rows = np.flatnonzero(is_faulty[texts.codes])
    findings.report(column.name, rows, [faults[code] for code in texts.codes[rows].tolist()])


def _read_text(column: Column, text: str) -> str | Fault:
    if national_identity_number.contains(text):
        return IDENTITY_NUMBER
    if column.pattern and not _compiled(column.pattern).fullmatch(text):
        return Fault("pattern", f"must match {column.pattern}")
    return text


def _read_code(column: Column, text: str) -> str | Fault:
    if text in column.codes:
        return text
    if national_identity_number.contains(text):
        return IDENTITY_NUMBER
    return Fault("codes", f"must be one of: {', '.join(column.codes)}")


def _read_date(column: Column, text: str) -> Any:
    if national_identity_number.contains(text):
        return IDENTITY_NUMBER
    try:
        day = local_date(text)
    except (ValueError, OverflowError):  # a time stamp in year 1 overflows when it is moved to Oslo
        if _SLASHED_DATE.match(text):
            return Fault("ambiguous date", "day and month cannot be told apart; write an ISO date such as 2026-03-01")
        return Fault("type", "must be an ISO date such as 2026-03-01, or an ISO time stamp")
    return day_number(day) if _is_within(column, day) else _out_of_bounds(column)


def _read_number(column: Column, text: str) -> float | Fault:
    # Digits behind a point may by chance look like an identity number, so only the whole text is looked at.
    if national_identity_number.was_national_identity_number(text):
        return IDENTITY_NUMBER
    if not _NUMBER.fullmatch(text):
        return _not_a_number(text)
    value = float(text)
    if not math.isfinite(value):
        return Fault("type", "is too large for a number")
    if value.is_integer() and national_identity_number.was_national_identity_number(f"{value:.0f}"):
        return IDENTITY_NUMBER  # written as +1..., 1.e9 or with a bare point
    if column.kind == "integer" and not value.is_integer():
        return Fault("type", "must be a whole number")
    return value if _is_within(column, value) else _out_of_bounds(column)


def _not_a_number(text: str) -> Fault:
    if national_identity_number.contains(text):
        return IDENTITY_NUMBER
    if _DECIMAL_COMMA.fullmatch(text):
        return Fault("decimal comma", f"write {shown(text.replace(',', '.'))}, with a decimal point")
    if _THOUSANDS.fullmatch(text):
        return Fault("thousands separator", "write the number without thousands separators")
    return Fault("type", "must be a number such as 12.5")


def _read_flag(column: Column, text: str) -> float | Fault:
    value = _FLAGS.get(text.lower())
    if value is not None:
        return value
    return (
        IDENTITY_NUMBER
        if national_identity_number.contains(text)
        else Fault("type", "must be true or false (or 1 or 0)")
    )


def _is_within(column: Column, value: Any) -> bool:
    if column.minimum is not None and (value < column.minimum or (column.minimum_is_open and value == column.minimum)):
        return False
    return column.maximum is None or bool(value <= column.maximum)


def _out_of_bounds(column: Column) -> Fault:
    lowest = (
        ""
        if column.minimum is None
        else f"above {column.minimum}"
        if column.minimum_is_open
        else f"at least {column.minimum}"
    )
    highest = "" if column.maximum is None else f"at most {column.maximum}"
    return Fault("bounds", "must be " + " and ".join(limit for limit in (lowest, highest) if limit))


_compiled = cache(re.compile)  # the re module keeps compiled patterns too, but looks them up four times as slowly

_READERS: dict[str, Callable[[Column, str], Any]] = {
    "text": _read_text,
    "code": _read_code,
    "date": _read_date,
    "integer": _read_number,
    "number": _read_number,
    "flag": _read_flag,
}
# A date is read as a day number; the smallest is NaT.
_MISSING: dict[str, Any] = {
    "text": None, "code": None, "date": np.iinfo(np.int64).min, "integer": math.nan, "number": math.nan, "flag": math.nan,
}  # fmt: skip
