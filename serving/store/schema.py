"""Brings a store to the newest version of its tables; several processes may try at once, one does it.

Alembic is loaded only where something is to be done: a service starts faster without it.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from data_contracts.errors import SettingsError
from serving.store.connection import Database
from serving.store.tables import HEAD

MIGRATIONS = Path(__file__).with_name("migrations")
VERSION_TABLE = "store_version"
"""Named after the store: it may share a database with the audit log, which has versions of its own."""

_LOCK = 7_142_001
"""Number of the advisory lock in PostgreSQL; SQLite locks the file."""


def migrate(store: Database) -> None:
    """Make or change the tables so that they are those of :mod:`serving.store.tables`.

    Raises
    ------
    SettingsError
        The store was written by a newer version of this code.
    StoreUnavailable
    """
    with store.reading() as connection:
        if version_of(connection) == HEAD:
            return
    with store.writing() as connection:
        if not store.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})
        if version_of(connection) != HEAD:  # somebody else may have been first
            _upgrade(connection)


def version_of(connection: Connection) -> str | None:
    """Return the version of the tables, None where there are none."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found: str | None = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()
    return found


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, HEAD)
    except CommandError:
        raise SettingsError("The store was written by a newer version of this program. Install that version.") from None
