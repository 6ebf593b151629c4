"""A copy of an SQLite file that is being written, by the database's own backup, and what stands in it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from serving.backup.errors import BackupDamaged, BackupFailed
from serving.backup.files import tell

_PAGES_AT_ONCE = 2_000
_LOCK_SECONDS = 30


def copy(source: Path, target: Path) -> None:
    """Copy a database as it stands at one moment, its write-ahead log included; those who write are not held up.

    Raises
    ------
    BackupFailed
        It is not there, or cannot be read.
    """
    if not source.is_file():
        raise BackupFailed(
            f"{source}: is not there. Name the store in BALANCE_RISK_STORE and the log in BALANCE_RISK_AUDIT."
        )
    os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    try:
        with closing(_connect(source, "ro")) as reading, closing(_connect(target, "rw")) as writing:
            # One transaction for all steps: a commit of others between two steps would make the copy begin anew, for ever.
            reading.execute("BEGIN")
            reading.execute("SELECT count(*) FROM sqlite_master").fetchone()
            reading.backup(writing, pages=_PAGES_AT_ONCE, sleep=0, progress=_told(source.name))
            writing.execute("PRAGMA journal_mode = DELETE").fetchone()  # one file, with nothing beside it
    except sqlite3.Error as error:
        raise BackupFailed(f"{source}: cannot be copied ({error.sqlite_errorname}).") from None


def _told(name: str) -> Callable[[int, int, int], None]:
    return lambda _, left, total: tell(name, total - left, total)


def settle(path: Path) -> None:
    """Bring what stands in the write-ahead log of a database that nobody has open into its file; raises BackupDamaged."""
    try:
        with closing(_connect(path, "rw")) as connection:
            connection.execute("PRAGMA journal_mode = DELETE").fetchone()
    except sqlite3.Error as error:
        raise BackupDamaged(f"{path.name}: cannot be written ({error.sqlite_errorname}).") from None


def check(path: Path) -> None:
    """Raise BackupDamaged unless every page of a database that nobody writes fits the others."""
    with opened(path) as connection:
        found = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if found != ("ok",):
        raise BackupDamaged(f"{path.name}: the database is damaged inside.")


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Yield a connection that reads a database that nobody writes, and leaves no file beside it; raises BackupDamaged."""
    try:
        with closing(_connect(path, "ro&immutable=1")) as connection:
            yield connection
    except sqlite3.Error as error:
        raise BackupDamaged(f"{path.name}: cannot be read as a database ({type(error).__name__}).") from None


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    address = f"file:{quote(os.path.abspath(path))}?mode={mode}"
    return sqlite3.connect(address, uri=True, timeout=_LOCK_SECONDS, isolation_level=None)
