"""How the audit log's database is reached: SQLite in a file, or PostgreSQL."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from data_contracts.errors import SettingsError

BUSY_SECONDS = 2
"""How long a lock, a connection or a statement is waited for; two tries fit into what a caller waits."""

_POSTGRESQL_SETTINGS = (
    "SET synchronous_commit = on",
    f"SET lock_timeout = '{BUSY_SECONDS}s'",
    f"SET statement_timeout = '{BUSY_SECONDS}s'",
)


def parse(url: str) -> sa.URL:
    """Return the URL if it is one of SQLite or PostgreSQL; raises SettingsError, which does not quote it."""
    try:
        parsed = sa.make_url(url)
        parsed.get_dialect()
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError):
        parsed = None
    name = "" if parsed is None else parsed.get_backend_name()
    if parsed is None or name not in ("sqlite", "postgresql") or (name == "sqlite" and not file_of(parsed)):
        raise SettingsError(
            "BALANCE_RISK_AUDIT must be the URL of an SQLite file (sqlite:///store/audit.db) or of PostgreSQL "
            "(postgresql+psycopg://user@host/database)."
        )
    return parsed


def file_of(url: sa.URL) -> Path | None:
    """Return the file of an SQLite URL; None for PostgreSQL, and for SQLite in memory."""
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        return None
    return Path(str(url.database))


def writer(url: sa.URL, create: bool) -> sa.Engine:
    """Return an engine whose connections write durably; an SQLite file that is gone is made only with ``create``."""
    file = file_of(url)
    if file is None:
        return _postgresql(url)
    return _sqlite(file, "rwc" if create else "rw", "PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL")


def reader(url: sa.URL) -> sa.Engine:
    """Return an engine that only reads."""
    file = file_of(url)
    if file is None:
        return _postgresql(url, "SET default_transaction_read_only = on", "SET statement_timeout = 0")
    # Not as another writer: closing the last of them would move the write-ahead log into the file.
    return _sqlite(file, "ro")


def _text(raw: bytes) -> str:
    """Return text as it stands there: what is no UTF-8 was written by somebody else, and must be seen, not stumbled over."""
    return raw.decode("utf-8", "surrogateescape")


def _sqlite(file: Path, mode: str, *settings: str) -> sa.Engine:
    address = f"file:{quote(os.path.abspath(file))}?mode={mode}"

    def connect() -> sqlite3.Connection:
        # isolation_level None: we say BEGIN IMMEDIATE ourselves. The journal's thread opens, another may close.
        connection = sqlite3.connect(
            address, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.text_factory = _text
        for statement in settings:
            connection.execute(statement)
        return connection

    return sa.create_engine("sqlite://", creator=connect, poolclass=NullPool, hide_parameters=True)


def _postgresql(url: sa.URL, *settings: str) -> sa.Engine:
    waits = {"connect_timeout": BUSY_SECONDS, "tcp_user_timeout": BUSY_SECONDS * 1000}
    engine = sa.create_engine(url, connect_args=waits, poolclass=NullPool, hide_parameters=True)

    @sa.event.listens_for(engine, "connect")
    def set_up(connection: sa.engine.interfaces.DBAPIConnection, _: object) -> None:
        cursor = connection.cursor()
        for statement in (*_POSTGRESQL_SETTINGS, *settings):
            cursor.execute(statement)
        connection.commit()

    return engine
