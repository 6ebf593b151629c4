"""Moves the service from SQLite to the databases that the settings name: ``python -m serving.store.move --help``.

Rows are copied as they are, events with their numbers and links, so the chain and its heads hold as before. The files stay as
they were. Nothing is committed before all is copied; a database that holds rows is refused. The service must be stopped: what
it wrote meanwhile would be left behind.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from data_contracts.errors import BalanceRiskError, MissingInputError, SettingsError
from serving.audit import engines, reading
from serving.audit.errors import AuditUnavailable
from serving.audit.keys import hold
from serving.audit.store import AuditStore, StoreFault
from serving.audit.tables import EVENTS, TAKE_LOCK
from serving.settings import Settings
from serving.store import Store, open_store
from serving.store.schema import version_of
from serving.store.tables import HEAD, METADATA

ROWS_AT_ONCE = 1_000


class MoveRefused(BalanceRiskError):
    """What is to be moved is not as it must be; nothing was written."""


def main(words: Sequence[str]) -> int:
    """Move, say how much, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m serving.store.move", description="From SQLite to PostgreSQL, once."
    )
    parser.add_argument("--store", type=Path, required=True, help="file of the store")
    parser.add_argument("--audit", type=Path, required=True, help="file of the audit log")
    options = parser.parse_args(words)
    try:
        n_rows, n_events = move(Settings.from_environment(), options.store, options.audit)
    except BalanceRiskError as error:
        sys.stderr.write(f"balance-risk: {error}\n")
        return error.exit_code
    sys.stdout.write(f"{n_rows} rows of the store and {n_events} events moved. Next: balance-risk audit verify\n")
    return 0


def move(settings: Settings, store: Path, audit: Path) -> tuple[int, int]:
    """Copy both files into the databases of ``settings``; return the numbers of rows and events.

    Raises
    ------
    MoveRefused
        The service runs, the store is of another version, or a database holds rows already.
    MissingInputError, SettingsError, StoreUnavailable, AuditUnavailable
    """
    for url in (settings.store, settings.audit):
        if not url.startswith("postgresql"):
            raise SettingsError(
                "BALANCE_RISK_STORE and BALANCE_RISK_AUDIT must name PostgreSQL, where the rows are to go."
            )
    for path in (store, audit):
        if not path.is_file():
            raise MissingInputError(f"{path}: no such file.")
    with _alone(settings.audit_key):
        source, target = open_store(f"sqlite:///{store}", migrate=False), open_store(settings.store, patient=True)
        try:
            with _log(settings.audit) as log:
                n_events = _fill(log, EVENTS, _events(audit), "The audit log")
                return _copy(source, target), n_events
        finally:
            source.close()
            target.close()


def _copy(source: Store, target: Store) -> int:
    with source.database.reading() as old, target.database.writing() as new:
        if version_of(old) != HEAD:
            raise MoveRefused(
                "The store's file is of another version. Bring it up to date first: start the service with it."
            )
        n_rows = sum(_fill(new, table, _rows(old, table), "The store") for table in METADATA.sorted_tables)
        for table in METADATA.sorted_tables:
            _count_on(new, table)
        return n_rows


def _fill(connection: sa.Connection, table: sa.Table, rows: Iterable[dict[str, Any]], what: str) -> int:
    if connection.execute(sa.select(sa.func.count()).select_from(table)).scalar():
        raise MoveRefused(f"{what} that the settings name holds rows already. Name an empty database.")
    n_rows, coming = 0, iter(rows)
    while some := list(islice(coming, ROWS_AT_ONCE)):
        connection.execute(sa.insert(table), some)
        n_rows += len(some)
    return n_rows


def _rows(connection: sa.Connection, table: sa.Table) -> Iterator[dict[str, Any]]:
    return (dict(row) for row in connection.execute(sa.select(table)).mappings())


def _events(path: Path) -> Iterator[dict[str, Any]]:
    names = [column.name for column in EVENTS.columns]
    return (dict(zip(names, row, strict=True)) for row in reading.events(f"sqlite:///{path}"))


def _count_on(connection: sa.Connection, table: sa.Table) -> None:
    """Let the numbers that the server gives to new rows begin after those that were copied."""
    column = table.autoincrement_column
    if column is None:
        return
    named = {"table": table.name, "column": column.name}
    sequence = connection.execute(sa.text("SELECT pg_get_serial_sequence(:table, :column)"), named).scalar()
    newest = connection.execute(sa.select(sa.func.max(column))).scalar()
    if sequence is not None and newest is not None:
        connection.execute(sa.text("SELECT setval(:sequence, :newest)"), {"sequence": sequence, "newest": newest})


@contextmanager
def _log(url: str) -> Iterator[sa.Connection]:
    """Yield a connection that alone may append to the log; what it wrote is committed at the end."""
    made = AuditStore(url)
    try:
        made.create()
        with engines.writer(engines.parse(url), create=False).connect() as connection, connection.begin():
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            connection.exec_driver_sql(TAKE_LOCK)
            yield connection
    except (StoreFault, sa.exc.SQLAlchemyError) as error:
        raise AuditUnavailable(
            f"The audit log cannot be written ({type(error).__name__}). Nothing was moved."
        ) from None
    finally:
        made.close()


@contextmanager
def _alone(key: Path) -> Iterator[None]:
    try:
        held = hold(key, fcntl.LOCK_EX)
    except OSError as error:
        raise MissingInputError(f"{key}: the audit key cannot be read ({error.strerror}).") from None
    if held is None:
        raise MoveRefused("The service runs. Stop it first, or what it writes meanwhile is left behind.")
    try:
        yield
    finally:
        os.close(held)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
