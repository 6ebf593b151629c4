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

A column that the mapping does not mention keeps our name for it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError, model_validator

from data_contracts.errors import SettingsError
from data_contracts.instruments import INSTRUMENTS
from data_contracts.parsing import cell_fault
from data_contracts.readers.mapping_file import read_plain_yaml
from data_contracts.records import TABLES, Record, columns

ANSWER_COLUMNS = ("instrument", "item", "answer")
"""Columns of survey_answers that a wide questionnaire spreads over its questions."""

_ASSUMPTION = re.compile(r"([a-z_]+) \+ (\d{1,3}) days?")

Name = Annotated[str, StringConstraints(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _an_empty_part_says_nothing(cls, part: Any) -> Any:
        filled = {} if part is None else part
        return (
            {key: value for key, value in filled.items() if value is not None} if isinstance(filled, dict) else filled
        )


class Format(_Part):
    """How the customer writes text, numbers and dates; what is absent is detected."""

    delimiter: Literal[",", ";", "\t"] | None = None
    decimal: Literal[",", "."] | None = None
    date: Literal["yyyy-mm-dd", "dd.mm.yyyy", "dd/mm/yyyy", "mm/dd/yyyy"] | None = None
    encoding: Literal["utf-8", "utf-16", "windows-1252", "latin-1"] | None = None


class TableMapping(_Part):
    """Where one table comes from and what its columns and codes are called there."""

    source: Name | None = None
    columns: dict[Name, Name] = {}
    values: dict[Name, dict[str, str | None]] = {}
    constants: dict[Name, Name] = {}
    known_from: Name | None = None
    answers: dict[Name, Name] = {}

    def name_of(self, column: str) -> str:
        """Return what a column of ours is called in the source."""
        return self.columns.get(column, column)

    def names(self, record: type[Record]) -> list[str]:
        """Return every name of the source that is looked for."""
        ours = [column.name for column in columns(record) if column.name not in self.constants]
        ours = [name for name in ours if not (self.answers and name in ANSWER_COLUMNS)]
        return [*map(self.name_of, ours), *self.answers]


class Mapping(_Part):
    """A whole mapping file."""

    format: Format = Format()
    pseudonymise: bool = False
    tables: dict[Name, TableMapping] = {}

    def table(self, record: type[Record]) -> TableMapping:
        """Return the mapping of a table; one that says nothing if the file does not mention it."""
        return self.tables.get(record.table, TableMapping())

    def with_assumptions(self, assumptions: dict[str, str]) -> Mapping:
        """Return the mapping with ``known_from`` assumptions for tables for which it makes none; raises SettingsError."""
        tables = dict(self.tables)
        for name, assumption in assumptions.items():
            if name not in TABLES:
                raise SettingsError(f"known_from is assumed for {name}, which is no table.{nearest(name, TABLES)}")
            read_assumption(TABLES[name], assumption)
            table = tables.get(name, TableMapping())
            tables[name] = table.model_copy(update={"known_from": table.known_from or assumption})
        return self.model_copy(update={"tables": tables})


def read_mapping(path: Path) -> Mapping:
    """Read a mapping file; raises SettingsError naming every fault with its place and the nearest known name."""
    plain = read_plain_yaml(path)
    try:
        mapping = Mapping.model_validate(plain)
    except ValidationError as error:
        faults = [f"{_place(fault['loc'])}: {_reason(fault)}" for fault in error.errors()]
    else:
        faults = [fault for name, table in mapping.tables.items() for fault in _table_faults(name, table)]
        if not faults:
            return mapping
    raise SettingsError(
        f"{path}: {len(faults)} fault(s) in the column mapping.\n" + "\n".join(f"  {one}" for one in faults)
    )


def read_assumption(record: type[Record], assumption: str) -> tuple[str, int]:
    """Return the date column and the number of days of an assumption such as ``first_day + 4 days``."""
    match = _ASSUMPTION.fullmatch(assumption)
    dates = [column.name for column in columns(record) if column.kind == "date" and column.name != "known_from"]
    if match is None or match[1] not in dates:
        example = f"'{dates[0]} + 4 days'" if dates else "not possible for a table without event dates"
        raise SettingsError(
            f"The assumption known_from = {assumption!r} for {record.table} is not understood. Write, for example, "
            f"{example}."
        )
    return match[1], int(match[2])


def nearest(name: str, known: Collection[str]) -> str:
    """Return a hint at the known name that is most like ``name``."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" Did you mean {close[0]}?" if close else f" Known: {', '.join(known)}."


def _place(location: tuple[Any, ...]) -> str:
    return ".".join(str(part) for part in location if part != "[key]") or "the file"


def _reason(fault: Any) -> str:
    if fault["type"] != "extra_forbidden":
        return fault["msg"]
    parts: dict[int, type[BaseModel]] = {1: Mapping, 2: Format, 3: TableMapping}
    part = parts[len(fault["loc"])]
    return f"unknown key.{nearest(str(fault['loc'][-1]), part.model_fields)}"


def _table_faults(name: str, table: TableMapping) -> Iterator[str]:
    place = f"tables.{name}"
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
    yield from _known_from_faults(place, record, table)
    yield from _answer_faults(place, table)


def _cell_faults(place: str, record: type[Record], table: TableMapping) -> Iterator[str]:
    """Constants and translated codes are held against the contract here, before they spoil every row."""
    ours = {column.name: column for column in columns(record)}
    cells = {f"constants.{name}": (name, text) for name, text in table.constants.items()}
    for name, words in table.values.items():
        column = "answer" if name in table.answers else name
        cells |= {f"values.{name}.{word}": (column, text) for word, text in words.items() if text}
    for where, (name, text) in cells.items():
        fault = cell_fault(ours[name], text) if name in ours else None
        if fault:
            yield f"{place}.{where}: {fault.reason}"


def _known_from_faults(place: str, record: type[Record], table: TableMapping) -> Iterator[str]:
    if table.known_from is None:
        return
    if "known_from" in {*table.columns, *table.constants}:
        yield f"{place}.known_from: an assumption is made although the column is mapped. Keep one."
    try:
        read_assumption(record, table.known_from)
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
