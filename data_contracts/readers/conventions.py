"""How people write numbers and dates, turned into the one way that the checks read: ``12.5`` and ``2026-03-01``.

Only what can be read in one way is rewritten. Everything else stays as it came and is refused by the checks that follow,
or here, where other cells of the column show that a comma or point may not be a decimal sign: next to ``1.234,50`` the
cell ``1.234`` is a thousand, next to ``5,4`` nobody knows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from data_contracts.records import Column
from data_contracts.violations import Fault

_SIGN = r"((?:<=|>=|<|>)?\s*[+-]?)"  # a laboratory writes <1,5
_COMMA = re.compile(_SIGN + r"(\d+),(\d+)", re.ASCII)
_POINT = re.compile(_SIGN + r"\d*\.\d+", re.ASCII)
_NORWEGIAN_THOUSANDS = re.compile(_SIGN + r"\d{1,3}(?:(?:\.\d{3})+,\d+|(?:\.\d{3}){2,})", re.ASCII)
_ENGLISH_THOUSANDS = re.compile(_SIGN + r"\d{1,3}(?:(?:,\d{3})+\.\d+|(?:,\d{3}){2,})", re.ASCII)
_TIME = r"(?:[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?"
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})" + _TIME, re.ASCII)
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})" + _TIME, re.ASCII)
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}.*", re.ASCII | re.DOTALL)

_MIXED = Fault(
    "mixed number conventions",
    "the column writes numbers with comma and with point; write all of them in one way and without thousands separators",
)


class Rewritten(NamedTuple):
    """Words of a column after rewriting; ``faults`` by position, ``note`` says what was detected."""

    words: list[str]
    faults: dict[int, Fault]
    note: str | None


def rewrite(column: Column, words: Sequence[str], decimal: str | None, date_format: str | None) -> Rewritten:
    """Rewrite the distinct words of a column as its kind demands.

    ``decimal`` is the decimal sign, None where a comma counts as one if the column uses it so. Dates with slashes are
    read only if ``date_format`` says which number is the day.
    """
    if column.kind in ("number", "integer"):
        return _rewrite_numbers(column, words, decimal)
    if column.kind == "date":
        return _rewrite_dates(column, words, date_format)
    return Rewritten(list(words), {}, None)


def _rewrite_numbers(column: Column, words: Sequence[str], decimal: str | None) -> Rewritten:
    commas = {place: match for place, word in enumerate(words) if (match := _COMMA.fullmatch(word))}
    is_comma = decimal == "," or (decimal is None and bool(commas))
    # A comma sign makes a lone point suspect, and thousands separators of either kind make their look-alike suspect.
    suspect = _POINT if is_comma or any(map(_NORWEGIAN_THOUSANDS.fullmatch, words)) else None
    faults = {place: _MIXED for place, word in enumerate(words) if suspect and suspect.fullmatch(word)}
    if not is_comma:
        return Rewritten(list(words), faults, None)
    if any(map(_ENGLISH_THOUSANDS.fullmatch, words)):
        return Rewritten(list(words), faults | dict.fromkeys(commas, _MIXED), None)
    rewritten = list(words)
    for place, match in commas.items():
        rewritten[place] = f"{match[1]}{match[2]}.{match[3]}"
    note = f"{column.name}: numbers are written with a decimal comma" if commas else None
    return Rewritten(rewritten, faults, note)


def _rewrite_dates(column: Column, words: Sequence[str], date_format: str | None) -> Rewritten:
    rewritten = [iso_day(word, date_format) for word in words]
    if rewritten == list(words):
        return Rewritten(rewritten, {}, None)
    form = date_format if date_format and "/" in date_format else "dd.mm.yyyy"
    note = f"{column.name}: dates are written {form}"
    if any(map(_ISO.fullmatch, words)):
        note += " and yyyy-mm-dd, both in one column"
    return Rewritten(rewritten, {}, note)


def iso_day(word: str, date_format: str | None = None) -> str:
    """Return the word's day as ISO text; the word itself where it is no such date."""
    match = _DOTTED.fullmatch(word)
    if match is None and date_format in ("dd/mm/yyyy", "mm/dd/yyyy"):
        match = _SLASHED.fullmatch(word)
    if match is None:
        return word
    first, second, year = int(match[1]), int(match[2]), int(match[3])
    is_month_first = date_format == "mm/dd/yyyy" and "/" in word
    try:
        return date(year, *((first, second) if is_month_first else (second, first))).isoformat()
    except ValueError:
        return word
