"""Columns that a mapping works out, added to a sheet: inputs are read by the contract's own rules for dates and numbers.

A cell that cannot be worked out keeps the text of the input at fault, so that quarantine.csv shows what came; whatever hangs
on it is refused with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from data_contracts.errors import SourceFileError
from data_contracts.parsing import parse_column
from data_contracts.readers.column_mapping import Mapping, TableMapping
from data_contracts.readers.conventions import rewrite
from data_contracts.readers.derivations import DayAfter, Derivation, Earliest, MonthDay, RowName, YearsBefore
from data_contracts.readers.source_table import Sheet
from data_contracts.records import Column, Record
from data_contracts.tables import Coded
from data_contracts.violations import Fault, Findings

_LONGEST_DAYS = 3660
_OLDEST_YEARS = 120
_MONTHS_AHEAD = 6
"""From one row to the next: more is as likely a step back, and then the rows are not in the order of time."""

_OUT_OF_ORDER = Fault(
    "month out of order",
    "comes before the month of the row above, or over half a year after it; the rows must be in the order of time",
)


@dataclass(frozen=True)
class WorkedOut:
    """One column: its cells, its days (NaT where it has none), and which rows are at fault."""

    cells: Coded
    days: np.ndarray
    faults: list[tuple[np.ndarray, Fault]] = field(default_factory=list)


def with_derived(
    sheet: Sheet, record: type[Record], mapping: Mapping, origin: str
) -> tuple[Sheet, dict[str, WorkedOut]]:
    """Return the sheet with the columns that a table needs worked out; raises SourceFileError where an input is missing."""
    names = mapping.derived(record)
    _check_inputs(sheet, names, mapping, origin)
    work = _Work(sheet, mapping.format.date)
    for name in names:
        work.add(name, mapping.derive[name])
    header = [*sheet.header, *names]
    cells = [*sheet.cells, *(work.found[name].cells for name in names)]
    return replace(sheet, header=header, cells=cells, is_typed=[*sheet.is_typed, *[True] * len(names)]), work.found


def taken_rows(sheet: Sheet, table: TableMapping, origin: str) -> tuple[np.ndarray, list[str]]:
    """Return the positions of the rows that a table takes, each as often as it has variants, and notes on the others."""
    is_left_out, notes = np.zeros(len(sheet.row_numbers), dtype=bool), []
    for name, words in table.leave_out.items():
        if sheet.header.count(name) != 1:
            raise SourceFileError(f"{origin} lacks {name}, or has it more than once; leave_out looks at it.")
        cells = sheet.cells[sheet.header.index(name)]
        is_one = np.isin(cells.codes, [code for code, word in enumerate(cells.vocabulary) if word in words])
        notes.append(f"{is_one.sum()} row(s) were left out, as {name} is {' or '.join(words)} there")
        is_left_out |= is_one
    return np.repeat(np.flatnonzero(~is_left_out), len(table.variants())), notes


def _check_inputs(sheet: Sheet, names: list[str], mapping: Mapping, origin: str) -> None:
    for name in names:
        if name in sheet.header:
            raise SourceFileError(
                f"{origin} has a column {name}, which the mapping works out. Give the worked-out one another name."
            )
        lacking = [one for one in mapping.derive[name].inputs if one not in names and sheet.header.count(one) != 1]
        if lacking:
            raise SourceFileError(
                f"{origin} lacks {', '.join(lacking)}, or has it more than once; the mapping works out {name} from it."
            )


class _Work:
    """Works out columns of one sheet, one after the other."""

    def __init__(self, sheet: Sheet, date_format: str | None) -> None:
        self.found: dict[str, WorkedOut] = {}
        self._sheet = sheet
        self._date_format = date_format

    def add(self, name: str, rule: Derivation) -> None:
        ways: dict[type, Callable[[Any], WorkedOut]] = {
            MonthDay: self._month_day, DayAfter: self._day_after, YearsBefore: self._years_before,
            Earliest: self._earliest, RowName: self._row_name,
        }  # fmt: skip
        self.found[name] = ways[type(rule)](rule)

    def _month_day(self, rule: MonthDay) -> WorkedOut:
        read = _Inputs(self)
        months = read.number(rule.month, "integer", 1, 12)
        if rule.year:
            years = read.number(rule.year, "integer", 1900, 2100)
        else:
            years, out_of_order = _years_in_order(months, str(rule.first_month))
            read.refuse(rule.month, out_of_order, _OUT_OF_ORDER)
        monday = rule.monday or 0
        weekdays = read.number(rule.weekday, "integer", monday, monday + 6) if rule.weekday else np.zeros(len(months))
        is_known = ~np.isnan(months + years + weekdays)
        start = ((years - 1970) * 12 + months - 1)[is_known].astype("datetime64[M]").astype("datetime64[D]")
        days = _no_days(len(months))
        days[is_known] = start + 15
        if rule.weekday:
            first = (weekdays[is_known] - monday - _weekday(start)) % 7
            days[is_known] = start + (first + 14).astype(np.int64)
        return read.result(days)

    def _day_after(self, rule: DayAfter) -> WorkedOut:
        read = _Inputs(self)
        first = read.day(rule.day)
        amount = read.number(rule.lasts, "number", 0, _LONGEST_DAYS * rule.per_day, above=True)
        is_known = ~np.isnat(first) & ~np.isnan(amount)
        after = np.ceil(amount[is_known] / rule.per_day).astype(np.int64) - 1
        days = _no_days(len(first))
        if rule.unit == "workdays":
            days[is_known] = np.busday_offset(first[is_known], after, roll="forward")
        else:
            days[is_known] = first[is_known] + after
        return read.result(days)

    def _years_before(self, rule: YearsBefore) -> WorkedOut:
        read = _Inputs(self)
        day = read.day(rule.day)
        years = read.number(rule.minus_years, "number", 0, _OLDEST_YEARS)
        is_known = ~np.isnat(day) & ~np.isnan(years)
        month = day[is_known].astype("datetime64[M]")
        of_month = day[is_known] - month.astype("datetime64[D]")
        before = month - 12 * np.floor(years[is_known]).astype(np.int64)
        days = _no_days(len(day))
        days[is_known] = np.minimum(  # 29 February becomes the 28th
            before.astype("datetime64[D]") + of_month, (before + 1).astype("datetime64[D]") - 1
        )
        return read.result(days, only_year=rule.form == "year")

    def _earliest(self, rule: Earliest) -> WorkedOut:
        days, owner = _Inputs(self).day(rule.earliest), self._cells(rule.per).codes
        is_known = ~np.isnat(days) & (owner >= 0)
        never = np.iinfo(np.int64).max
        first = np.full(len(self._cells(rule.per).vocabulary) + 1, never)  # the last one is of rows without an owner
        np.minimum.at(first, owner[is_known], days[is_known].astype(np.int64))
        found = first[owner]
        earliest = _no_days(len(days))
        earliest[found < never] = found[found < never].astype("datetime64[D]")
        return WorkedOut(_as_text(earliest), earliest)

    def _row_name(self, rule: RowName) -> WorkedOut:
        names = Coded.from_texts([f"{rule.row}{number}" for number in self._sheet.row_numbers.tolist()])
        return WorkedOut(names, _no_days(len(names)))

    def _cells(self, name: str) -> Coded:
        return self.found[name].cells if name in self.found else self._sheet.cells[self._sheet.header.index(name)]


class _Inputs:
    """What one column is worked out from, and what is wrong with it."""

    def __init__(self, work: _Work) -> None:
        self._work = work
        self._refused: list[tuple[str, np.ndarray, Fault]] = []

    def number(self, name: str, kind: Any, low: float, high: float, *, above: bool = False) -> np.ndarray:
        column = Column(name, kind, False, "", minimum=low, maximum=high, minimum_is_open=above)
        values: np.ndarray = self._parsed(column)
        return values

    def day(self, name: str) -> np.ndarray:
        if name in self._work.found:
            self._refused += [(name, rows, fault) for rows, fault in self._work.found[name].faults]
            return self._work.found[name].days
        days: np.ndarray = self._parsed(Column(name, "date", False, ""))
        return days

    def refuse(self, name: str, rows: np.ndarray, fault: Fault) -> None:
        if len(rows):
            self._refused.append((name, rows, fault))

    def result(self, days: np.ndarray, *, only_year: bool = False) -> WorkedOut:
        """Return the days as a column; the first fault of a row is the one that is told, with the text of its cell."""
        texts = _as_text(days, only_year=only_year).texts()
        for name, rows, _ in reversed(self._refused):
            came = self._work._cells(name).texts()
            for row in rows.tolist():
                texts[row] = came[row]
        return WorkedOut(Coded.from_texts(texts), days, [(rows, fault) for _, rows, fault in self._refused])

    def _parsed(self, column: Column) -> Any:
        sheet, cells = self._work._sheet, self._work._cells(column.name)
        rewritten = rewrite(column, cells.vocabulary, sheet.decimal, self._work._date_format)
        for code, fault in rewritten.faults.items():
            self.refuse(column.name, np.flatnonzero(cells.codes == code), fault)
        as_ours = Coded.from_texts([*rewritten.words])
        texts = Coded(np.array([*as_ours.codes, -1], dtype=np.int32)[cells.codes], as_ours.vocabulary)
        findings = Findings({column.name: texts}, "", np.arange(len(texts)))
        values = parse_column(column, texts, findings)
        for fault in {Fault(one.rule, one.reason) for one in findings.violations}:
            rows = [one.row for one in findings.violations if (one.rule, one.reason) == fault]
            self.refuse(column.name, np.array(rows, dtype=np.int64), fault)
        return values


def _years_in_order(months: np.ndarray, first_month: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the year of each row, the rows being in the order of time, and the rows that cannot be."""
    year, current = (int(part) for part in first_month.split("-"))
    years, out_of_order = np.full(len(months), np.nan), []
    for row in np.flatnonzero(~np.isnan(months)).tolist():
        ahead = (int(months[row]) - current) % 12
        if ahead > _MONTHS_AHEAD:
            out_of_order.append(row)
            continue
        year += current + ahead > 12
        current = int(months[row])
        years[row] = year
    return years, np.array(out_of_order, dtype=np.int64)


def _weekday(days: np.ndarray) -> np.ndarray:
    weekday: np.ndarray = (days.astype(np.int64) + 3) % 7  # 1 January 1970 was a Thursday
    return weekday


def _no_days(n: int) -> np.ndarray:
    return np.full(n, np.datetime64("NaT"), dtype="datetime64[D]")


def _as_text(days: np.ndarray, *, only_year: bool = False) -> Coded:
    distinct, codes = np.unique(days, return_inverse=True)
    texts = ["" if np.isnat(day) else str(day.astype("datetime64[Y]") if only_year else day) for day in distinct]
    return Coded.from_texts([texts[code] or None for code in codes.tolist()])
