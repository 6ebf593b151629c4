"""One writer's connection to the log: a group of events in one durable transaction, after the last one there is.

Several processes write one chain. Each takes the lock of the database first and reads the last event under it, so a chain
never forks. SQLite's writers also queue for a lock of the operating system, for two reasons. SQLite lets those who wait
sleep and try again, so a busy writer would keep the others out for seconds. And up to SQLite 3.51.2 a checkpoint that runs
while another connection commits can lose a commit (sqlite.org/wal.html#walresetbug); under this lock it never does.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from sqlalchemy.exc import SQLAlchemyError

from serving.audit import engines, tables
from serving.audit.event import COLUMNS

_NAMES = ("n", *COLUMNS, "key_id", "link")
_LAST = f"SELECT {', '.join(_NAMES)} FROM audit_event ORDER BY n DESC LIMIT 1"

StoredRow = tuple[Any, ...]
"""Number, the texts of ``COLUMNS``, name of the key, link in hexadecimal digits."""

Continue = Callable[[StoredRow | None], Sequence[StoredRow]]
"""Given the last event of the log, or None, returns the rows that follow it."""


class StoreFault(Exception):
    """The group was not written, or (``is_unsure``) perhaps was: the connection ended while it was being committed."""

    def __init__(self, reason: str, is_unsure: bool = False) -> None:
        super().__init__(reason)
        self.is_unsure = is_unsure


class _Files(NamedTuple):
    """Which files a connection of SQLite has open, by device and number."""

    database: tuple[int, int]
    log: tuple[int, int]


class AuditStore:
    """A connection that is opened when needed and dropped after any fault; used by one thread at a time."""

    def __init__(self, url: str) -> None:
        self._url = engines.parse(url)
        self._file = engines.file_of(self._url)
        self._error: type[Exception] = self._url.get_dialect().import_dbapi().Error
        self._insert = _insert(self._file is not None)
        self._connection: Any = None
        self._files: _Files | None = None
        self._lock: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether a connection of an earlier group is still there; it may have died since."""
        return self._connection is not None

    def create(self) -> None:
        """Make file (for this account alone), table and triggers where they are not there."""
        with self._faults():
            if self._file is not None:
                self._file.parent.mkdir(parents=True, exist_ok=True)
                os.close(os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            engine = engines.writer(self._url, create=True)
            with self._alone(), engine.connect() as connection:
                connection.exec_driver_sql("BEGIN IMMEDIATE" if self._file is not None else tables.TAKE_LOCK)
                tables.create(connection)
                connection.commit()

    def link_within(self, n: int) -> str | None:
        """Return the stored link of an event, None if there is none; only inside ``append``, under its lock."""
        with closing(self._connection.cursor()) as cursor:
            cursor.execute(f"SELECT link FROM audit_event WHERE n = {self._mark}", (n,))
            found = cursor.fetchone()
        return None if found is None else str(found[0])

    def append(self, continue_from: Continue) -> None:
        """Write the rows that ``continue_from`` returns in one transaction; raises StoreFault, and then nothing is open."""
        with self._faults(), self._alone():
            self._open()
            # SQLite keeps a closed connection, and its idea of the files, until the last cursor has gone.
            with closing(self._connection.cursor()) as cursor:
                cursor.execute("BEGIN IMMEDIATE" if self._file is not None else tables.TAKE_LOCK)
                cursor.execute(_LAST)
                rows = continue_from(cursor.fetchone())
                if rows:
                    cursor.execute(self._insert, (orjson.dumps(rows).decode(),))
            self._commit()

    def close(self) -> None:
        """End the connection; what was not committed is gone."""
        connection, self._connection = self._connection, None
        if connection is not None:
            # Closing the last connection is a checkpoint. What cannot be closed was not usable: nothing is left to do.
            with suppress(self._error, OSError), nullcontext() if self._lock is None else self._alone():
                connection.close()
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)

    def _commit(self) -> None:
        try:
            self._connection.commit()
        except self._error as error:
            # A server that is gone now may have said yes before.
            raise StoreFault(type(error).__name__, is_unsure=True) from None
        # SQLite would go on writing into files that were moved or deleted.
        if self._file is not None and _files(self._file) != self._files:
            raise StoreFault("the file is gone or another one", is_unsure=True)

    @property
    def _mark(self) -> str:
        return "%s" if self._file is None else "?"

    def _open(self) -> None:
        if self._connection is not None:
            return
        pooled = engines.writer(self._url, create=False).raw_connection()
        self._connection = pooled.driver_connection
        pooled.detach()  # or the pool would close what is ours
        if self._file is not None:
            with closing(self._connection.cursor()) as cursor:
                cursor.execute(_LAST).fetchone()  # opens the write-ahead log
            self._files = _files(self._file)
            if self._files is None:
                raise StoreFault("the file is gone")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if self._file is None:
            yield
            return
        if self._lock is None:
            self._lock = os.open(f"{self._file}-lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        lock = self._lock
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(lock, fcntl.LOCK_UN)

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except StoreFault:
            self.close()
            raise
        except (self._error, SQLAlchemyError, OSError) as error:
            # The texts of drivers quote rows; the class says enough.
            self.close()
            raise StoreFault(type(error).__name__) from None
        except BaseException:
            self.close()
            raise


def _insert(is_sqlite: bool) -> str:
    """Return the statement that takes all rows of a group as one JSON array.

    A statement a row would let go of the interpreter's lock for each, and wait for it again while other threads compute.
    """
    numbers = range(1, len(_NAMES))
    texts = ", ".join(f"value ->> {number}" for number in numbers)
    if is_sqlite:
        source = f"SELECT value ->> 0, {texts} FROM json_each(?)"
    else:
        source = f"SELECT (value ->> 0)::bigint, {texts} FROM json_array_elements(%s::json)"
    return f"INSERT INTO audit_event ({', '.join(_NAMES)}) {source}"


def _files(file: Path) -> _Files | None:
    try:
        main, log = os.stat(file), os.stat(f"{file}-wal")
    except OSError:
        return None
    return _Files((main.st_dev, main.st_ino), (log.st_dev, log.st_ino))
