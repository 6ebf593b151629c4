"""The column mapping: how a customer's names, codes and dates become ours, without code.

::

    format: {delimiter: ";", decimal: ",", date: "dd.mm.yyyy", encoding: "latin-1"}   # each optional, detected if absent
    pseudonymise: true                # person_id is the customer's own number; it becomes a keyed pseudonym
    tables:
      absence_spells:
        source: fravaer.csv           # file in the source directory, or table or view of the database
        columns: {person_id: AnsattNr, spell_id: Id, first_day: Fra, last_day: Til, kind: Type}
        values: {kind: {E: self_certified, S: doctor_certified}}
        constants: {grade_percent: "100"}
        known_from: first_day + 4 days
      survey_answers:                 # a wide questionnaire: one row per respondent, one column per question
        source: skjema.csv
        columns: {person_id: Id, answered_on: Dato, known_from: Mottatt}
        answers: {Q1: cbi.personal_1, Q2: cbi.personal_2}
        values: {Q1: {Alltid: "100", Ofte: "75"}}    # or `answer:` for all questions; an empty value means unanswered

A column that the mapping does not mention keeps our name for it. ``derive`` names columns that the source does not have and
that are worked out (:mod:`data_contracts.readers.derivations`); ``leave_out`` names rows that are none of the table's;
a constant that is a list makes one row for each of its values.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError

from data_contracts.errors import SettingsError
from data_contracts.instruments import INSTRUMENTS
from data_contracts.parsing import cell_fault
from data_contracts.readers.derivations import FORMS, Derivation, derive_faults, is_day, is_in_order, reach
from data_contracts.readers.mapping_file import read_plain_yaml
from data_contracts.readers.mapping_part import Name, Part, nearest
from data_contracts.records import TABLES, Record, columns

__all__ = ["ANSWER_COLUMNS", "Format", "Mapping", "TableMapping", "nearest", "read_assumption", "read_mapping"]

ANSWER_COLUMNS = ("instrument", "item", "answer")
"""Columns of survey_answers that a wide questionnaire spreads over its questions."""

_ASSUMPTION = re.compile(r"(\w+) \+ (\d{1,3}) days?")


class Format(Part):
    """How the customer writes text, numbers and dates; what is absent is detected."""

    delimiter: Literal[",", ";", "\t"] | None = None
    decimal: Literal[",", "."] | None = None
    date: Literal["yyyy-mm-dd", "dd.mm.yyyy", "dd/mm/yyyy", "mm/dd/yyyy"] | None = None
    encoding: Literal["utf-8", "utf-16", "windows-1252", "latin-1"] | None = None


class TableMapping(Part):
    """Where one table comes from and what its columns and codes are called there."""

    source: Name | None = None
    columns: dict[Name, Name] = Field(default_factory=dict)
    values: dict[Name, dict[str, str | None]] = Field(default_factory=dict)
    constants: dict[Name, Name | list[Name]] = Field(default_factory=dict)
    leave_out: dict[Name, list[Name]] = Field(default_factory=dict)
    known_from: Name | None = None
    answers: dict[Name, Name] = Field(default_factory=dict)

    def name_of(self, column: str) -> str:
        """Return what a column of ours is called in the source."""
        return self.columns.get(column, column)

    def names(self, record: type[Record]) -> list[str]:
        """Return every name of the source that is looked for."""
        ours = [column.name for column in columns(record) if column.name not in self.constants]
        ours = [name for name in ours if not (self.answers and name in ANSWER_COLUMNS)]
        return [*map(self.name_of, ours), *self.answers]

    def variants(self) -> list[dict[str, str]]:
        """Return the constants of each row that a row of the source becomes: one, unless a constant is a list."""
        lists = [[text] if isinstance(text, str) else text for text in self.constants.values()]
        return [dict(zip(self.constants, texts, strict=True)) for texts in itertools.product(*lists)]


class Mapping(Part):
    """A whole mapping file."""

    format: Format = Format()
    pseudonymise: bool = False
    derive: dict[Name, Derivation] = Field(default_factory=dict)
    tables: dict[Name, TableMapping] = Field(default_factory=dict)

    def table(self, record: type[Record]) -> TableMapping:
        """Return the mapping of a table; one that says nothing if the file does not mention it."""
        return self.tables.get(record.table, TableMapping())

    def derived(self, record: type[Record]) -> list[str]:
        """Return the columns that are worked out for a table, each behind those it hangs on."""
        table = self.table(record)
        assumed = _ASSUMPTION.fullmatch(table.known_from or "")
        taken = [*table.names(record), *([assumed[1]] if assumed else [])]
        return [*dict.fromkeys(one for name in taken for one in reach(name, self.derive))]

    def names(self, record: type[Record]) -> list[str]:
        """Return every column of the source that a table is made from."""
        table, derived = self.table(record), self.derived(record)
        inputs = [one for name in derived for one in self.derive[name].inputs]
        return [
            name for name in dict.fromkeys([*table.names(record), *inputs, *table.leave_out]) if name not in self.derive
        ]

    def in_order(self, record: type[Record]) -> list[str]:
        """Return the worked-out columns of a table that hang on the order of the rows."""
        return [name for name in self.derived(record) if is_in_order(self.derive[name])]

    def with_assumptions(self, assumptions: dict[str, str]) -> Mapping:
        """Return the mapping with ``known_from`` assumptions for tables for which it makes none; raises SettingsError."""
        tables = dict(self.tables)
        for name, assumption in assumptions.items():
            if name not in TABLES:
                raise SettingsError(f"known_from is assumed for {name}, which is no table.{nearest(name, TABLES)}")
            read_assumption(TABLES[name], assumption, self._days())
            table = tables.get(name, TableMapping())
            tables[name] = table.model_copy(update={"known_from": table.known_from or assumption})
        return self.model_copy(update={"tables": tables})

    def _days(self) -> list[str]:
        return [name for name in self.derive if is_day(name, self.derive)]


def read_mapping(path: Path) -> Mapping:
    """Read a mapping file; raises SettingsError naming every fault with its place and the nearest known name."""
    plain = read_plain_yaml(path)
    try:
        mapping = Mapping.model_validate(plain)
    except ValidationError as error:
        faults = [f"{_place(fault['loc'])}: {_reason(fault)}" for fault in error.errors()]
    else:
        faults = [fault for name in mapping.tables for fault in _table_faults(name, mapping)]
        faults += derive_faults(mapping.derive, _taken(mapping))
        if not faults:
            return mapping
    raise SettingsError(
        f"{path}: {len(faults)} fault(s) in the column mapping.\n" + "\n".join(f"  {one}" for one in faults)
    )


def read_assumption(record: type[Record], assumption: str, derived: Collection[str] = ()) -> tuple[str, int]:
    """Return the date column and the number of days of an assumption such as ``first_day + 4 days``.

    The date is one of the table's or one of ``derived``, which the mapping works out.
    """
    match = _ASSUMPTION.fullmatch(assumption)
    dates = [column.name for column in columns(record) if column.kind == "date" and column.name != "known_from"]
    if match is None or match[1] not in [*dates, *derived]:
        example = (
            f"'{[*dates, *derived][0]} + 4 days'"
            if dates or derived
            else "not possible for a table without event dates"
        )
        raise SettingsError(
            f"The assumption known_from = {assumption!r} for {record.table} is not understood. Write, for example, "
            f"{example}."
        )
    return match[1], int(match[2])


def _place(location: tuple[Any, ...]) -> str:
    if location[:1] == ("derive",):
        location = tuple(part for place, part in enumerate(location) if place != 2 or part not in FORMS)
    return ".".join(str(part) for part in location if part != "[key]") or "the file"


def _reason(fault: Any) -> str:
    if fault["type"] != "extra_forbidden":
        return fault["msg"].removeprefix("Value error, ")
    parts: dict[int, type[BaseModel]] = {1: Mapping, 2: Format, 3: TableMapping}
    place = fault["loc"]
    part = FORMS[place[2]] if place[0] == "derive" else parts[len(place)]
    return f"unknown key.{nearest(str(fault['loc'][-1]), part.model_fields)}"


def _taken(mapping: Mapping) -> set[str]:
    known = [record for name, record in TABLES.items() if name in mapping.tables]
    return {name for record in known for name in mapping.derived(record)}


def _table_faults(name: str, mapping: Mapping) -> Iterator[str]:
    place, table = f"tables.{name}", mapping.tables[name]
    if name not in TABLES:
        yield f"{place}: unknown table.{nearest(name, TABLES)}"
        return
    record = TABLES[name]
    known = [column.name for column in columns(record)]
    allowed = {"columns": known, "constants": known, "values": [*known, *table.answers]}
    for part, names in allowed.items():
        for column in getattr(table, part):
            if column not in names:
                yield f"{place}.{part}.{column}: no column of {name}.{nearest(column, names)}"
    for column in table.constants:
        if column in table.columns:
            yield f"{place}.constants.{column}: the column is also mapped under columns. Keep one."
    yield from _cell_faults(place, record, table)
    yield from _known_from_faults(place, record, table, mapping._days())
    yield from _answer_faults(place, table)


def _cell_faults(place: str, record: type[Record], table: TableMapping) -> Iterator[str]:
    """Constants and translated codes are held against the contract here, before they spoil every row."""
    ours = {column.name: column for column in columns(record)}
    cells = {f"constants.{name}": (name, text) for one in table.variants() for name, text in one.items()}
    for name, words in table.values.items():
        column = "answer" if name in table.answers else name
        cells |= {f"values.{name}.{word}": (column, text) for word, text in words.items() if text}
    for where, (name, text) in cells.items():
        fault = cell_fault(ours[name], text) if name in ours else None
        if fault:
            yield f"{place}.{where}: {fault.reason}"


def _known_from_faults(place: str, record: type[Record], table: TableMapping, derived: list[str]) -> Iterator[str]:
    if isinstance(table.constants.get("known_from"), list):
        yield f"{place}.constants.known_from: a row becomes known on one day only."
    if table.known_from is None:
        return
    if "known_from" in {*table.columns, *table.constants}:
        yield f"{place}.known_from: an assumption is made although the column is mapped. Keep one."
    try:
        read_assumption(record, table.known_from, derived)
    except SettingsError as fault:
        yield f"{place}.known_from: {fault}"


def _answer_faults(place: str, table: TableMapping) -> Iterator[str]:
    if table.answers and not place.endswith(".survey_answers"):
        yield f"{place}.answers: only survey_answers can come as a wide questionnaire."
        return
    for column in ANSWER_COLUMNS:
        if table.answers and column in {*table.columns, *table.constants}:
            yield f"{place}: {column} is mapped although it follows from answers. Keep one."
    for question, target in table.answers.items():
        instrument, _, item = target.partition(".")
        if instrument not in INSTRUMENTS:
            yield f"{place}.answers.{question}: {instrument} is no instrument.{nearest(instrument, INSTRUMENTS)}"
        elif item not in (items := [one.id for one in INSTRUMENTS[instrument].items]):
            yield f"{place}.answers.{question}: {instrument} has no item {item}.{nearest(item, items)}"
