"""From a sheet to a table of ours: find the columns, translate codes, numbers and dates, fill in ``known_from``."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np

from data_contracts.errors import SourceFileError
from data_contracts.national_identity_number import contains, was_national_identity_number
from data_contracts.parsing import IDENTITY_NUMBER
from data_contracts.readers.column_mapping import ANSWER_COLUMNS, Mapping, TableMapping, read_assumption
from data_contracts.readers.conventions import rewrite
from data_contracts.readers.derived_columns import taken_rows, with_derived
from data_contracts.readers.source_table import Sheet, SourceTable
from data_contracts.readers.wide_questionnaire import spread
from data_contracts.records import RECORDS, Column, Record, columns
from data_contracts.tables import Coded
from data_contracts.time_windows import local_date
from data_contracts.violations import Fault, Refusal, shown

_NAMES_SHOWN = 10


def to_source_table(
    sheet: Sheet, record: type[Record], mapping: Mapping, origin: str, sha256: str | None = None
) -> SourceTable:
    """Return the sheet as a table of ours; raises SourceFileError where a column is missing or stands twice."""
    table = mapping.table(record)
    came = sheet.header
    _refuse_identity_numbers(origin, came)
    sheet, derived = with_derived(sheet, record, mapping, origin)
    _check_header(origin, record, table, sheet.header)
    rows, left_out = taken_rows(sheet, table, origin)
    sheet = replace(sheet, cells=[cells[rows] for cells in sheet.cells], row_numbers=sheet.row_numbers[rows])
    work = _Translation(sheet, mapping.format.date)
    raw = {
        column.name: work.translate(column, table.name_of(column.name), table.values.get(column.name, {}))
        for column in columns(record)
        if table.name_of(column.name) in sheet.header and not _is_spread(table, column.name)
    }
    raw |= _constants(table, len(rows))
    refusals = work.refusals + [
        Refusal(column, np.flatnonzero(np.isin(rows, at_fault)), fault)
        for column in raw
        if column not in table.constants and table.name_of(column) in derived
        for at_fault, fault in derived[table.name_of(column)].faults
    ]
    raw, assumption, notes = _with_known_from(raw, record, table, sheet)
    refusals += _identity_numbers(sheet, {*table.names(record)})
    notes = [*sheet.notes, *left_out, *work.notes, *notes, *_unused(came, record, mapping)]
    names, assumed = _names(table, derived, mapping), _worked_out(table, derived, mapping)
    made = SourceTable(raw, origin, sheet.row_numbers, notes, sha256, names, refusals, assumption, assumed)
    return _spread_answers(made, record, sheet, mapping) if table.answers else made


def _names(table: TableMapping, derived: Collection[str], mapping: Mapping) -> dict[str, str | Coded]:
    """Return the sender's name of each column of ours that has another one there."""
    names: dict[str, str | Coded] = {ours: theirs for ours, theirs in table.columns.items() if ours != theirs}
    for ours, theirs in table.columns.items():
        if theirs in derived and mapping.derive[theirs].inputs:
            names[ours] = f"{theirs}, worked out from {', '.join(mapping.derive[theirs].inputs)}"
    return names | dict.fromkeys(table.constants, "constant of the mapping")


def _worked_out(table: TableMapping, derived: Collection[str], mapping: Mapping) -> tuple[str, ...]:
    constants = [
        f"{name} is {text if isinstance(text, str) else ' and '.join(text)} for every row"
        for name, text in table.constants.items()
        if name != "known_from"
    ]
    return (*(f"{name} is {mapping.derive[name].sentence}" for name in derived), *constants)


def _constants(table: TableMapping, n_rows: int) -> dict[str, Coded]:
    """Return the constants of so many rows; the variants of one row of the source stand one behind the other."""
    variants = table.variants()
    texts = {name: Coded.from_texts([one[name] for one in variants]) for name in table.constants}
    return {name: column[np.arange(n_rows) % len(variants)] for name, column in texts.items()}


def _is_spread(table: TableMapping, column: str) -> bool:
    return bool(table.answers) and column in ANSWER_COLUMNS


def _refuse_identity_numbers(origin: str, header: list[str]) -> None:
    if any(_is_identity_number(name) for name in header):
        raise SourceFileError(
            f"{origin}: the name of a column holds a national identity number. Is the header missing?"
        )


def _check_header(origin: str, record: type[Record], table: TableMapping, header: list[str]) -> None:
    wanted = table.names(record)
    twice = sorted({name for name in header if name in wanted and header.count(name) > 1})
    if twice:
        raise SourceFileError(f"{origin} has the column {', '.join(twice)} more than once. Keep one.")
    found = [name for name in header if name in wanted]
    optional = {
        *table.constants,
        *(["known_from"] if table.known_from else []),
        *(ANSWER_COLUMNS if table.answers else []),
    }
    ours = [column.name for column in columns(record)
            if column.name in table.columns or (column.required and column.name not in optional)]  # fmt: skip
    missing = {table.name_of(name): name for name in ours} | dict.fromkeys(table.answers, "answer")
    missing = {theirs: name for theirs, name in missing.items() if theirs not in header}
    if missing:
        raise SourceFileError(_missing_message(origin, record, missing, found, header))


def _missing_message(
    origin: str, record: type[Record], missing: dict[str, str], found: list[str], header: list[str]
) -> str:
    names = ", ".join(theirs if theirs == ours else f"{theirs} (for {ours})" for theirs, ours in missing.items())
    if not found:
        return (
            f"{origin} has none of the columns of {record.table}; it needs {names}. "
            "The first line of a CSV file must be the header."
        )
    hint = ""
    if list(missing) == ["known_from"]:
        hint = " If the source has no such date, state an assumption for this table, such as 'first_day + 4 days'."
    else:
        others = [name for name in header if name not in found]
        close = {one for name in missing for one in difflib.get_close_matches(name, others, n=1)}
        hint = f" Is it {', '.join(sorted(map(shown, close)))}?" if close else ""
    return f"{origin} lacks the column(s) {names}; found: {', '.join(found)}.{hint}"


class _Translation:
    """Translates columns of one sheet and collects what there is to say about them."""

    def __init__(self, sheet: Sheet, date_format: str | None) -> None:
        self.refusals: list[Refusal] = []
        self.notes: list[str] = []
        self._sheet = sheet
        self._date_format = date_format

    def translate(self, column: Column, name: str, values: dict[str, str | None]) -> Coded:
        """Return the sheet's column ``name`` with the sender's codes, numbers and dates rewritten as ours."""
        place = self._sheet.header.index(name)
        cells = self._sheet.cells[place]
        is_free = self._sheet.is_typed[place] or column.kind in ("text", "code", "flag")
        if is_free and not values:
            return cells
        words: list[str] = [word if word not in values else values[word] or "" for word in cells.vocabulary]
        if not is_free:
            free = [code for code, word in enumerate(cells.vocabulary) if word not in values]
            rewritten = rewrite(column, [words[code] for code in free], self._sheet.decimal, self._date_format)
            for code, word in zip(free, rewritten.words, strict=True):
                words[code] = word
            self._refuse(column.name, cells, {free[one]: fault for one, fault in rewritten.faults.items()})
            if rewritten.note and rewritten.note not in self.notes:
                self.notes.append(rewritten.note)
        return _recoded(cells, words)

    def _refuse(self, name: str, cells: Coded, faults: dict[int, Fault]) -> None:
        for fault in set(faults.values()):
            codes = [code for code, one in faults.items() if one == fault]
            self.refusals.append(Refusal(name, np.flatnonzero(np.isin(cells.codes, codes)), fault))


def _recoded(cells: Coded, words: Sequence[str]) -> Coded:
    """Return the column over new words, of which several may be equal; empty text is missing."""
    if tuple(words) == cells.vocabulary:
        return cells
    positions: dict[str, int] = {}
    codes = [-1 if word == "" else positions.setdefault(word, len(positions)) for word in words]
    return Coded(np.array([*codes, -1], dtype=np.int32)[cells.codes], tuple(positions))


def _with_known_from(
    raw: dict[str, Coded], record: type[Record], table: TableMapping, sheet: Sheet
) -> tuple[dict[str, Coded], str | None, list[str]]:
    """Return the columns with ``known_from`` as assumed where the source has none, the assumption used, and notes."""
    if "known_from" in table.constants:
        assumption = f"the constant {table.constants['known_from']}"
        return raw, assumption, [f"known_from was assumed to be {assumption} in {len(raw['known_from'])} rows"]
    if table.known_from is None:
        return raw, None, []
    if "known_from" in raw:
        return raw, None, [f"the assumption known_from = {table.known_from} was not used: the source has known_from"]
    event, days = read_assumption(record, table.known_from, sheet.header)
    cells = raw[event] if event in raw else sheet.cells[sheet.header.index(event)] if event in sheet.header else None
    if cells is None:
        raise SourceFileError(
            f"known_from cannot be assumed as {table.known_from}: {record.table} has no column {event}."
        )
    known_from = _recoded(cells, [_shifted(text, days) for text in cells.vocabulary])
    note = f"known_from was assumed to be {table.known_from} in {len(known_from)} rows"
    return raw | {"known_from": known_from}, table.known_from, [note]


def _shifted(text: str, days: int) -> str:
    try:
        return (local_date(text) + timedelta(days=days)).isoformat()
    except (ValueError, OverflowError):
        return ""  # the event's own column is reported; known_from is then missing too


def _identity_numbers(sheet: Sheet, used: set[str]) -> list[Refusal]:
    """Find identity numbers in columns that nobody asked for: such a file should not have been sent, row by row."""
    refusals = []
    for place, (name, cells) in enumerate(zip(sheet.header, sheet.cells, strict=True)):
        if name in used:
            continue
        codes = [code for code, word in enumerate(cells.vocabulary) if _is_identity_number(word)]
        if codes:
            rows = np.flatnonzero(np.isin(cells.codes, codes))
            refusals.append(Refusal(f"column {place + 1}", rows, IDENTITY_NUMBER))
    return refusals


def _is_identity_number(text: str) -> bool:
    return contains(text) or was_national_identity_number(text)


def _unused(header: list[str], record: type[Record], mapping: Mapping) -> list[str]:
    source = mapping.table(record).source
    sharing = [one for one in RECORDS if one is record or (source and mapping.table(one).source == source)]
    used = {name for one in sharing for name in mapping.names(one)}
    unused = [name for name in header if name not in used]
    if not unused:
        return []
    if record.table not in mapping.tables:
        # Their names are not repeated: under a wrong header they may be a person's data.
        return [f"{len(unused)} column(s) that the contract of {record.table} does not know were ignored"]
    more = ", …" if len(unused) > _NAMES_SHOWN else ""
    return [
        f"{len(unused)} column(s) that nothing maps were ignored: {', '.join(map(shown, unused[:_NAMES_SHOWN]))}{more}"
    ]


def _spread_answers(made: SourceTable, record: type[Record], sheet: Sheet, mapping: Mapping) -> SourceTable:
    """Turn one row per respondent into one row per answer; what was found goes along."""
    table = mapping.table(record)
    (answer,) = (column for column in columns(record) if column.name == "answer")
    answers, refusals, notes = {}, {}, list(made.notes)
    for question in table.answers:
        work = _Translation(sheet, mapping.format.date)
        values = table.values.get(question) or table.values.get("answer", {})
        answers[question] = work.translate(answer, question, values)
        refusals[question] = work.refusals
        notes += [note for note in work.notes if note not in notes]
    long = spread(made.raw, answers, table.answers)
    moved = [one._replace(rows=long.rows_of(one.rows)) for one in made.refusals]
    moved += [one._replace(rows=long.rows_of(one.rows, name)) for name, found in refusals.items() for one in found]
    n_silent = len(sheet.row_numbers) - len(np.unique(long.respondents))
    if n_silent:
        notes.append(f"{n_silent} of {len(sheet.row_numbers)} respondents answered no question")
    names = made.column_names | dict.fromkeys(ANSWER_COLUMNS, long.questions)
    row_numbers = made.row_numbers[long.respondents]
    return SourceTable(
        long.raw, made.origin, row_numbers, notes, made.sha256, names, moved, made.assumption, made.worked_out
    )
