"""Tables and views of a database, read in chunks through SQLAlchemy.

Each table is read inside a transaction that PostgreSQL and SQLite keep from writing; give other systems a user who may
only read. Passwords need not stand in the URL: drivers read them from a file or variable of their own (PGPASSFILE).
Only the columns that are needed are asked for, and cells are dictionary-encoded chunk by chunk, so that memory grows with
the distinct values and not with the rows. Identifiers are quoted by SQLAlchemy; the password of the URL is never shown.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from data_contracts.errors import MissingInputError, SettingsError, SourceFileError
from data_contracts.readers.column_mapping import Mapping, nearest
from data_contracts.readers.source_columns import to_source_table
from data_contracts.readers.source_table import Sheet, SourceTable
from data_contracts.records import Record
from data_contracts.tables import Coded
from data_contracts.time_windows import OSLO
from data_contracts.violations import Violation, shown

CHUNK_ROWS = 50_000
MOST_SQLITE_STEPS = 1_000_000_000
"""Steps of SQLite's machine for one table; a million rows of eight columns take 22 million, sorted by two of them."""
_STEPS_BETWEEN = 1_000_000
_LONGEST_PATH = 255


class Database:
    """A database whose tables or views hold our tables, under our names or as the mapping says."""

    is_synthetic = False
    simulated_until: date | None = None

    def __init__(self, url: str, mapping: Mapping) -> None:
        self._url = _parse_url(url)
        # Options may hold passwords too, so nothing behind the database's name is shown.
        self.location = self._url.set(query={}).render_as_string(hide_password=True)
        self.violations: list[Violation] = []
        self.refused = Counter[str]()
        self.notes: list[str] = []
        self.untaken_answers: list[SourceTable] = []
        self.required: tuple[str, ...] = ("persons", "employments", "consents")
        self._mapping = mapping
        self._engine = sa.create_engine(self._url, poolclass=NullPool, hide_parameters=True)

    def read(self, record: type[Record]) -> SourceTable | None:
        """Return the table of a record class, None where the database has no table or view for it."""
        if self._mapping.in_order(record):
            raise SettingsError(
                f"derive.{self._mapping.in_order(record)[0]}: the rows of a database have no order. Have a view deliver it, or "
                "send a file."
            )
        with self._connected() as connection:
            found = self._find(connection, record)
            if found is None:
                return None
            name, schema, header = found
            wanted = [one for one in header if one in self._mapping.names(record)]
            order = [one for one in map(self._mapping.table(record).name_of, (*record.natural_key, "known_from"))
                     if one in wanted]  # fmt: skip
            source = sa.table(name, *map(sa.column, wanted), schema=schema)
            query = sa.select(*(source.c[one] for one in wanted)).order_by(*(source.c[one] for one in order))
            cells, is_typed, n_rows = _fetch(connection, query, wanted) if wanted else ([], [], 0)
        notes = [f"rows are numbered in the order of {', '.join(order)}"] if order else []
        sheet = Sheet(wanted, cells, np.arange(1, n_rows + 1), is_typed, self._mapping.format.decimal or ".", notes)
        return to_source_table(sheet, record, self._mapping, name if schema is None else f"{schema}.{name}")

    def absent(self, record: type[Record]) -> str:
        """Return what there is to say about a table that did not come."""
        return "no such table or view"

    @contextmanager
    def _connected(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.connect() as connection:
                if connection.dialect.name == "sqlite":
                    _limit_steps(connection)
                    connection.execute(sa.text("PRAGMA query_only = ON"))
                if connection.dialect.name == "postgresql":
                    connection = connection.execution_options(
                        postgresql_readonly=True, isolation_level="REPEATABLE READ"
                    )
                yield connection
        except (SQLAlchemyError, UnicodeError) as fault:  # UnicodeError: a host that cannot be a name
            # Drivers quote rows, statements and parts of the URL in their messages, so these are not passed on.
            if str(getattr(fault, "orig", "")) == "interrupted":
                raise SourceFileError(
                    f"{self.location}: reading a table took more than {MOST_SQLITE_STEPS:,} steps of SQLite, as many as some "
                    "30 million rows take. Does a view never end? Larger tables: send Parquet files."
                ) from None
            raise SourceFileError(
                f"{self.location}: the database cannot be read ({type(fault).__name__}). Check address, user, password and "
                "the right to read the tables."
            ) from None

    def _find(self, connection: sa.Connection, record: type[Record]) -> tuple[str, str | None, list[str]] | None:
        """Return name, schema and columns of the table or view that holds a table of ours."""
        source = self._mapping.table(record).source
        inspector = sa.inspect(connection)
        known = [*inspector.get_table_names(), *inspector.get_view_names()]
        name, schema = source or record.table, None
        if name not in known and "." in name:
            schema, _, name = name.partition(".")
            known = [*inspector.get_table_names(schema), *inspector.get_view_names(schema)]
        if name not in known:
            if source is None:
                return None
            raise SourceFileError(f"{self.location} has no table or view {source}.{nearest(name, known)}")
        return name, schema, [column["name"] for column in inspector.get_columns(name, schema)]


def _parse_url(url: str) -> sa.URL:
    if url.partition("://")[2].partition("/")[0].count("@") > 1:
        raise SettingsError("The database URL has more than one @. Write an @ in a password as %40.")
    try:
        parsed = sa.make_url(url)
        parsed.get_dialect()
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError):
        raise SettingsError(
            "The database URL is not understood. Write it like postgresql+psycopg://user@host/database or "
            "sqlite:///path/to/file.db."
        ) from None
    if parsed.drivername.split("+")[0] == "sqlite" and not _is_file(parsed.database or ""):
        # SQLite would make an empty database of that name.
        raise MissingInputError(f"{_shown_path(parsed.database or '')}: no such database file.")
    return parsed


def _is_file(path: str) -> bool:
    try:
        return Path(path).is_file()
    except OSError:  # too long, or in a directory that may not be looked into
        return False


def _shown_path(path: str) -> str:
    return "The source" if "@" in path or len(path) > _LONGEST_PATH else path


def _limit_steps(connection: sa.Connection) -> None:
    """Let SQLite give up a query after ``MOST_SQLITE_STEPS``: a view may go on for ever before its first row comes."""
    driver: Any = connection.connection.driver_connection
    taken = itertools.count(1)
    driver.set_progress_handler(lambda: next(taken) * _STEPS_BETWEEN > MOST_SQLITE_STEPS, _STEPS_BETWEEN)


def _fetch(connection: sa.Connection, query: sa.Select[Any], names: list[str]) -> tuple[list[Coded], list[bool], int]:
    words: list[dict[Any, int]] = [{None: -1} for _ in names]
    codes: list[list[np.ndarray]] = [[np.empty(0, dtype=np.int32)] for _ in names]
    result = connection.execution_options(stream_results=True, yield_per=CHUNK_ROWS).execute(query)
    for chunk in result.partitions():
        for place, cells in enumerate(zip(*chunk, strict=True)):
            known = words[place]
            codes[place].append(np.array([_code(known, cell) for cell in cells], dtype=np.int32))
    columns = [
        _coded(name, known, np.concatenate(parts)) for name, known, parts in zip(names, words, codes, strict=True)
    ]
    is_typed = [not any(isinstance(cell, str) for cell in known) for known in words]
    return columns, is_typed, len(columns[0])


def _code(known: dict[Any, int], cell: Any) -> int:
    # len() is one too many because None is among them
    return known.setdefault(cell, len(known) - 1)


def _coded(name: str, known: dict[Any, int], codes: np.ndarray) -> Coded:
    """Return a column as text; cells that differ in the database but not in text become one word."""
    positions: dict[str, int] = {}
    texts = [_as_text(name, cell) for cell in known if cell is not None]
    places = [positions.setdefault(text, len(positions)) if text else -1 for text in texts]
    return Coded(np.array([*places, -1], dtype=np.int32)[codes], tuple(positions))


def _as_text(name: str, cell: Any) -> str:
    """Return the text of a cell as a CSV file of ours would hold it; a moment becomes its calendar day in Oslo."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, Decimal):
        return format(cell, "f")
    if isinstance(cell, datetime):
        return (cell if cell.tzinfo is None else cell.astimezone(OSLO)).date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, int | float | UUID):
        return str(cell)
    raise SourceFileError(
        f"The column {shown(name)} holds cells of the type {type(cell).__name__}; text, number, flag or date is needed."
    )
