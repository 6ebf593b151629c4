"""What bad input is: how it is planted in a small sound source, and what must come of it. The corpus itself is in the
modules ``bad_inputs_*``; what follows from the records is derived from them, so that a new column or rule is covered.

The sound source holds one row per table about one person, and a second person of whom nothing else is known. Every row
of every file carries a name in a column that nobody asked for, and persons have identifiers that are easy to find again:
neither may turn up in anything that is said or written about the source.
"""

from __future__ import annotations

import csv
import io
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from data_contracts.errors import BalanceRiskError
from data_contracts.records import RECORDS, TABLES, columns
from tests.lib import sound_rows

NAME = "Kari Nordmann"
IDENTITY_NUMBER = "01010750160"  # synthetic: valid control digits, no living person
SOUND_PERSON, OTHER_PERSON, NEW_PERSON = "first-A7Q1", "other-B3X2", "third-C9Z3"
PASSWORD = "Hemmelig-77"
SECRETS = (NAME, "Nordmann", IDENTITY_NUMBER, SOUND_PERSON, OTHER_PERSON, NEW_PERSON, PASSWORD)

REMARK = "remark"
DATABASE = "source.db"
BUNDLE = "bundle.json"

Cells = dict[str, str]

SOUND: dict[str, list[Cells]] = {
    table: [row | ({"person_id": SOUND_PERSON} if "person_id" in row else {})]
    for table, row in sound_rows.SOUND.items()
}
SOUND["persons"][0]["education_level"] = ""  # FHIR has no word for it, and all doors shall deliver the same rows
SOUND["absence_spells"][0]["diagnosis_system"] = "ICPC-2"
SOUND["persons"].append(SOUND["persons"][0] | {"person_id": OTHER_PERSON})


class Found(NamedTuple):
    """One line that quarantine must hold."""

    origin: str
    row: int
    column: str
    rule: str


@dataclass(frozen=True)
class BadInput:
    """One case: ``plant`` spoils the sound source in a directory and says where the source is, None for the directory.

    Either ``quarantined`` lists all that must be found, or ``refused`` is the error that must be raised, with ``word`` in
    its message. ``gone`` are tables whose sound rows cannot stand either. Through the door "record", ``plant`` returns the
    record of a request instead.
    """

    id: str
    plant: Callable[[Path], Any]
    quarantined: tuple[Found, ...] = ()
    refused: type[BalanceRiskError] | None = None
    word: str = ""
    gone: tuple[str, ...] = ()
    door: Literal["source", "record"] = "source"


def header(table: str) -> list[str]:
    return [*(column.name for column in columns(TABLES[table])), REMARK]


def as_csv(table: str, rows: list[Cells], delimiter: str = ",") -> bytes:
    """The rows as a file, each with a name in the column that nobody asked for."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, header(table), delimiter=delimiter)
    writer.writeheader()
    writer.writerows({REMARK: NAME} | row for row in rows)
    return text.getvalue().encode()


def write_sound_source(directory: Path) -> None:
    for table, rows in SOUND.items():
        (directory / f"{table}.csv").write_bytes(as_csv(table, rows))


def next_line(table: str) -> int:
    """Line of the first row that is added to a file of the sound source."""
    return 2 + len(SOUND[table])


def row_about_another(table: str, **cells: str) -> Cells:
    """A sound row that shares no natural key with the sound source, with some cells changed."""
    key = TABLES[table].natural_key[0]
    own = {"person_id": NEW_PERSON if table == "persons" else OTHER_PERSON, "company_id": "c2"}
    return SOUND[table][0] | {key: own[key]} | cells


def bad_rows(
    name: str, table: str, changes: list[Cells], *found: tuple[int, str, str], delimiter: str = ","
) -> BadInput:
    """Rows with changed cells are added to a file; ``found`` counts them from 0 and names column and rule."""

    def plant(directory: Path) -> None:
        rows = [*SOUND[table], *(row_about_another(table, **cells) for cells in changes)]
        (directory / f"{table}.csv").write_bytes(as_csv(table, rows, delimiter))

    first = next_line(table)
    expected = tuple(Found(f"{table}.csv", first + place, column, rule) for place, column, rule in found)
    return BadInput(name, plant, expected)


def bad_cell(table: str, column: str, text: str, rule: str, what: str | None = None, **others: str) -> BadInput:
    """One row with one wrong cell."""
    return bad_rows(f"{table}.{column} {what or rule}", table, [{column: text} | others], (0, column, rule))


def spoilt_file(
    name: str,
    spoil: Callable[[bytes], bytes],
    refused: type[BalanceRiskError],
    word: str,
    file: str = "absence_spells.csv",
) -> BadInput:
    """The bytes of a file are changed so that it must be refused as a whole."""

    def plant(directory: Path) -> None:
        path = directory / file
        path.write_bytes(spoil(path.read_bytes() if path.exists() else b""))

    return BadInput(f"file {name}", plant, refused=refused, word=word)


def spoilt_lines(name: str, spoil: Callable[[bytes], bytes], *found: Found, gone: tuple[str, ...] = ()) -> BadInput:
    """The bytes of absence_spells.csv are changed, and certain cells of it must be quarantined."""

    def plant(directory: Path) -> None:
        path = directory / "absence_spells.csv"
        path.write_bytes(spoil(path.read_bytes()))

    return BadInput(f"file {name}", plant, found, gone=gone)


def write_database(directory: Path, statements: tuple[str, ...] = ()) -> str:
    """The sound source as an SQLite database, changed by some statements; returns its URL."""
    path = directory / DATABASE
    connection = sqlite3.connect(path)
    for table, rows in SOUND.items():
        names = header(table)
        connection.execute(f"CREATE TABLE {table} ({', '.join(names)})")
        marks = ", ".join("?" * len(names))
        cells = [[row.get(name) or None for name in names[:-1]] + [NAME] for row in rows]
        connection.executemany(f"INSERT INTO {table} VALUES ({marks})", cells)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return f"sqlite:///{path}"


def sound_record() -> dict[str, Any]:
    """The sound source's first person as the record of a request."""
    record: dict[str, Any] = {}
    for one in RECORDS:
        kinds = {column.name: column.kind for column in columns(one)}
        row = {name: _as_json(kinds[name], text) for name, text in SOUND[one.table][0].items() if text}
        record["person" if one.table == "persons" else one.table] = row if one.table == "persons" else [row]
    return record


def _as_json(kind: str, text: str) -> Any:
    if kind in ("integer", "number"):
        return int(text) if text.isdecimal() else float(text)
    return text.lower() in ("true", "1") if kind == "flag" else text
