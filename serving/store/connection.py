"""How the store is reached: SQLite in a file (write-ahead log) or PostgreSQL, and what is said when it cannot be.

Whoever waits for the store waits less than five seconds: a lock is waited for three, and a full or missing disk says so at
once. The error is one class, :class:`StoreUnavailable`, whose text holds nothing of what was asked or written.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError, IntegrityError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from data_contracts.errors import BalanceRiskError, SettingsError

LOCK_SECONDS = 3
STATEMENT_SECONDS = 4
POOL_SECONDS = 1

_IS_WRITE = "balance_risk_is_write"
_FILE = "balance_risk_file"


class StoreUnavailable(BalanceRiskError):
    """The store is gone, locked, full or damaged; what was asked of it has not happened, and may be asked again."""

    exit_code = 9


class Database:
    """Transactions on a store.

    Parameters
    ----------
    engine : sqlalchemy.Engine
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @property
    def is_sqlite(self) -> bool:
        """True for a file, false for a server."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection that sees the store as it stands now, whatever is written meanwhile."""
        with translated(), self.engine.connect() as connection, connection.begin():
            if not self.is_sqlite:
                connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Yield a connection whose changes are committed together at the end, or not at all."""
        with translated(), self.engine.connect() as connection:
            connection.execution_options(**{_IS_WRITE: True})
            with connection.begin():
                yield connection


@contextmanager
def translated() -> Iterator[None]:
    """Turn what drivers and systems say of a store that cannot be used into StoreUnavailable."""
    try:
        yield
    except IntegrityError:
        raise  # a fault of ours, not of the store's
    except (DBAPIError, PoolTimeoutError, sqlite3.Error, OSError) as error:
        # The driver's own text may quote what was to be written.
        raise StoreUnavailable(f"The store cannot be used ({_what(error)}). Nothing was changed.") from None


def _what(error: Exception) -> str:
    said = str(getattr(error, "orig", error))
    known = {"locked": "it is locked", "full": "its disk is full", "unable to open": "its file cannot be opened",
             "readonly": "it may not be written", "not a database": "its file is damaged",
             "malformed": "its file is damaged", "timeout": "it does not answer in time"}  # fmt: skip
    return next((words for sign, words in known.items() if sign in said), type(error).__name__)


def database(url: str, *, create: bool = False, patient: bool = False) -> Database:
    """Return the database of a URL; nothing is connected to yet.

    Parameters
    ----------
    url : str
        ``sqlite:///PATH`` or ``postgresql+psycopg://...``.
    create : bool
        Make the file of an SQLite store, and its directory, if it is not there. Without it a file that is gone is an error:
        a service must not go on with an empty store of its own making.
    patient : bool
        For bulk work, which may take longer than a caller can wait.

    Raises
    ------
    SettingsError
        The URL names neither.
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            return Database(_sqlite(Path(parsed.database), create, patient))
        if parsed.get_backend_name() == "postgresql":
            return Database(_postgresql(parsed, patient))
    except (ArgumentError, NoSuchModuleError, ImportError):
        pass  # the text of the error would show the password
    raise SettingsError("The store's URL must be sqlite:///PATH or postgresql+psycopg://USER@HOST/NAME.")


_BULK_CACHE_KIB = 2**18
"""Of SQLite's 2 MiB the pages of a large night would go to the log and come back, many times each."""


def _sqlite(path: Path, create: bool, patient: bool) -> Engine:
    if create:
        _create(path)
    where = f"file:{quote(str(path.absolute()))}?mode=rw"

    def connect() -> sqlite3.Connection:
        seconds = LOCK_SECONDS * (10 if patient else 1)
        # isolation_level None: the driver begins no transactions of its own accord, we do.
        connection = sqlite3.connect(where, uri=True, timeout=seconds, isolation_level=None, check_same_thread=False)
        # What is deleted, such as records every night, is overwritten in the file.
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}").close()
        if patient:
            connection.execute(f"PRAGMA cache_size=-{_BULK_CACHE_KIB}").close()
        return connection

    engine = create_engine("sqlite://", creator=connect, pool_timeout=POOL_SECONDS, poolclass=_queue_pool())

    @event.listens_for(engine, "connect")
    def remember_file(_: Any, record: Any) -> None:
        record.info[_FILE] = _identity(path)

    @event.listens_for(engine, "checkout")
    def refuse_lost_file(_: Any, record: Any, __: Any) -> None:
        # A file that was deleted can still be written to by who has it open, and all of it would be lost.
        if record.info[_FILE] != _identity(path):
            raise DisconnectionError

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        is_write = connection.get_execution_options().get(_IS_WRITE, False)
        # A write lock is taken at once: one taken on the way cannot be waited for.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")

    return engine


def _queue_pool() -> Any:
    from sqlalchemy.pool import QueuePool

    return QueuePool


def _create(path: Path) -> None:
    """Make the file and its directory, for nobody else to read."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise StoreUnavailable(f"The store {path} cannot be made ({error.strerror}).") from None


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _postgresql(url: URL, patient: bool) -> Engine:
    milliseconds = 1000 * STATEMENT_SECONDS * (300 if patient else 1)
    options = f"-c statement_timeout={milliseconds} -c lock_timeout={1000 * LOCK_SECONDS * (10 if patient else 1)}"
    arguments = {"connect_timeout": LOCK_SECONDS, "options": options, "tcp_user_timeout": 1000 * STATEMENT_SECONDS}
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"), connect_args=arguments, pool_timeout=POOL_SECONDS,
        pool_pre_ping=True, hide_parameters=True,
    )  # fmt: skip
    return engine
