"""The JSON records of many persons through the checks of one record, in one pass.

The rules are those of :mod:`data_contracts.validation`, which do not depend on how many rows there are; none of them looks
from one person to another. Whatever is not plainly sound is left to :func:`~data_contracts.validation.check_record`, alone:
so a record that is refused refuses only itself, and in the same words as ever.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import orjson

from data_contracts.readers.json_record import FIELDS, read_rows
from data_contracts.records import Record, columns
from data_contracts.tables import Coded, Table, take
from data_contracts.validation import check
from data_contracts.violations import FirstFew

EVENTS = "workplace_events"
MOST_ROWS = 1_000
"""Of a record that is checked with others, ten times the usual: all faults of all rows are looked for, and one full of them
takes longer than alone, where the first thousand are enough."""
_EXACT = 2**53
"""Whole numbers from here on may be equal to a number that is written otherwise."""


class CheckedRecords(NamedTuple):
    """Records that were checked together.

    Parameters
    ----------
    tables : dict of Table
        The rows of all sound records, without the tables that they do not have.
    sound : list of int
        Positions of the records that are in the tables. Of the others nothing is: each must be checked alone.
    """

    tables: dict[str, Table]
    sound: list[int]


def check_records(records: Sequence[Any], received_on: date) -> CheckedRecords:
    """Check records of different persons that were all received on one day."""
    batch = _Batch(records)
    fields = [field for field in FIELDS if field == "person" or field in batch.delivered]
    checked = {FIELDS[field].table: batch.checked(field, received_on) for field in fields}
    return CheckedRecords({name: batch.without_doubtful(*one) for name, one in checked.items()}, batch.sound())


class _Batch:
    """The plain ones of some records; which of them turn out to be doubtful is noted while they are checked."""

    def __init__(self, records: Sequence[Any]) -> None:
        self.records = records
        plain = [position for position, record in enumerate(records) if _is_plain(record)]
        of_tables = Counter(_delivered(records[position]) for position in plain)
        # What was not sent is not known, which is another thing than no rows: tables are of records that have the same.
        self.delivered = max(of_tables, key=lambda one: of_tables[one]) if of_tables else frozenset[str]()
        first: dict[str, int] = {}
        for position in plain:
            if _delivered(records[position]) == self.delivered:
                first.setdefault(records[position]["person"]["person_id"], position)
        self.positions = [*first.values()]
        self.doubtful: set[int] = set()

    def sound(self) -> list[int]:
        return [position for position in self.positions if position not in self.doubtful]

    def checked(self, field: str, received_on: date) -> tuple[Table, list[list[int]]]:
        """Return a table, and of each of its rows the records that it came in."""
        record = FIELDS[field]
        rows, of_records = self._events() if field == EVENTS else self._rows(field)
        persons = [self.records[owners[0]]["person"]["person_id"] for owners in of_records]
        found = FirstFew()
        raw = read_rows(record, rows, field, persons, found) if rows else {}
        checked = check(record, raw, received_on=received_on, origin=field, first_row=0)
        self._doubt(of_records, (one.row for one in (*found, *checked.violations)))
        self._doubt(of_records, _large_numbers(record, rows))
        return checked.table, [of_records[row] for row in checked.row_numbers.tolist()]

    def without_doubtful(self, table: Table, of_records: list[list[int]]) -> Table:
        """Return the rows of sound records; nothing of another travels on, in a vocabulary either."""
        if not self.doubtful:
            return table
        kept = np.array([not self.doubtful.issuperset(owners) for owners in of_records], dtype=bool)
        return {name: one.compact() if isinstance(one, Coded) else one for name, one in take(table, kept).items()}

    def _doubt(self, of_records: list[list[int]], rows: Iterable[int]) -> None:
        for row in rows:
            self.doubtful.update(of_records[row])

    def _rows(self, field: str) -> tuple[list[Any], list[list[int]]]:
        rows: list[Any] = []
        of_records: list[list[int]] = []
        for position in self.positions:
            own = self.records[position][field]
            own = [own] if field == "person" else own
            rows += own
            of_records += [[position]] * len(own)
        return rows, of_records

    def _events(self) -> tuple[list[Any], list[list[int]]]:
        """Return the events of each company once; who is told of others than the first who works there is doubtful."""
        told: dict[str, bytes] = {}
        rows_of: dict[str, list[Any]] = {}
        records_of: dict[str, list[int]] = {}
        for position in self.positions:
            events = _events_by_company(self.records[position])
            for company, rows in events.items():
                # As bytes, because to Python true is 1, and to the contract it is not.
                told_here = orjson.dumps(rows)
                if told.setdefault(company, told_here) != told_here:
                    self.doubtful.add(position)
                rows_of.setdefault(company, rows)
                records_of.setdefault(company, []).append(position)
        rows = [row for of_company in rows_of.values() for row in of_company]
        return rows, [records_of[company] for company, of_company in rows_of.items() for _ in of_company]


def _is_plain(record: Any) -> bool:
    """True for a record of the right shape, by which its rows can be told apart from those of others."""
    if not isinstance(record, dict) or not record.keys() <= FIELDS.keys():
        return False
    person = record.get("person")
    if not isinstance(person, dict) or not isinstance(person.get("person_id"), str):
        return False
    lists = [rows for field, rows in record.items() if field != "person" and rows is not None]
    if not all(isinstance(rows, list) and all(isinstance(row, dict) for row in rows) for rows in lists):
        return False
    places = (*(record.get("employments") or ()), *(record.get(EVENTS) or ()))
    return sum(map(len, lists)) <= MOST_ROWS and all(isinstance(row.get("company_id"), str) for row in places)


def _delivered(record: dict[str, Any]) -> frozenset[str]:
    return frozenset(field for field, rows in record.items() if field != "person" and rows is not None)


def _events_by_company(record: dict[str, Any]) -> dict[str, list[Any]]:
    """Return the events at each company where the person works, and at others that the record tells of."""
    found: dict[str, list[Any]] = {row["company_id"]: [] for row in record.get("employments") or ()}
    for row in record[EVENTS]:
        found.setdefault(row["company_id"], []).append(row)
    return found


def _large_numbers(record: type[Record], rows: Sequence[Any]) -> list[int]:
    """Return the rows with a number that another record may write otherwise: equal ones are read once, for all, and of two
    that are equal the contract may take the one with a point and refuse the one without."""
    names = [column.name for column in columns(record) if column.kind in ("number", "integer")]
    return [
        place
        for place, row in enumerate(rows)
        for name in names
        if type(cell := row.get(name)) in (int, float) and not -_EXACT < cell < _EXACT
    ]
