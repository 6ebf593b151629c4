"""The same for PostgreSQL: its own ``pg_dump`` and ``pg_restore``, of our tables only, as they stand at one moment."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.pq import Conninfo

from serving.backup.errors import BackupFailed, RestoreRefused
from serving.store.address import in_schema, libpq_parameters

ASIDE = "balance_risk_restoring"
"""Schema in which a log stands while a restore is under way: no service looks there."""

_CONNECT_SECONDS = 10
_AWAY = "The database of the {} cannot be reached ({}). Check the address, the account and the server."


@contextmanager
def connected(url: str, what: str) -> Iterator[psycopg.Connection[Any]]:
    """Yield a connection in a transaction that sees one moment; raises BackupFailed, which does not quote the URL."""
    try:
        with psycopg.connect(
            make_conninfo(**{"connect_timeout": str(_CONNECT_SECONDS), **libpq_parameters(url)})
        ) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            yield connection
    except psycopg.Error as error:
        raise BackupFailed(_AWAY.format(what, type(error).__name__)) from None


def others(url: str, what: str) -> int:
    """Return how many connections there are to a database besides this one, whatever role they are of."""
    with connected(url, what) as connection:
        found = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND usesysid IS NOT NULL AND coalesce(backend_type, 'client backend') = 'client backend'"  # NULL: another role's
        ).fetchone()
    return int(found[0]) if found else 0


def dump(
    url: str, connection: psycopg.Connection[Any], tables: Sequence[str], target: Path, *, rows_only: bool
) -> None:
    """Write what ``connection`` sees of some tables to a file in PostgreSQL's custom format; raises BackupFailed."""
    server = connection.info.server_version // 10_000
    program = _program("pg_dump", server)
    (snapshot,) = connection.execute("SELECT pg_export_snapshot()").fetchone() or ("",)
    words = [program, "--format=custom", "--no-owner", "--no-privileges", "--no-password", f"--snapshot={snapshot}"]
    words += [f'--table="{name}"' for name in tables] + (["--data-only"] if rows_only else [])
    os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    with target.open("wb") as file:
        done = subprocess.run(words, env=_environment(url), stdout=file, stderr=subprocess.PIPE, check=False)
    if done.returncode:
        raise BackupFailed(f"pg_dump did not end well (exit code {done.returncode}): {_last(done.stderr)}")


def load(url: str, source: Path) -> None:
    """Put a file of :func:`dump` into a database, all of it or nothing; raises RestoreRefused."""
    with connected(url, "backup") as connection:
        program = _program("pg_restore", connection.info.server_version // 10_000)
    words = [program, "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", "--no-password"]
    words += ["--dbname", libpq_parameters(url).get("dbname", "postgres")]
    done = subprocess.run([*words, str(source)], env=_environment(url), capture_output=True, check=False)
    if done.returncode:
        raise RestoreRefused(f"pg_restore did not end well (exit code {done.returncode}): {_last(done.stderr)}")


def set_aside(url: str, table: str, function: str) -> str:
    """Move a table with its function where no service looks; return the URL by which it is read and written there."""
    with connected(url, "audit") as connection:
        connection.execute(f"CREATE SCHEMA {ASIDE}")
        connection.execute(f"ALTER TABLE {table} SET SCHEMA {ASIDE}")
        connection.execute(f"ALTER FUNCTION {function}() SET SCHEMA {ASIDE}")
    return in_schema(url, ASIDE)


def put_back(url: str, table: str, function: str) -> None:
    """Undo :func:`set_aside`, at once."""
    with connected(url, "audit") as connection:
        (schema,) = connection.execute("SELECT quote_ident(current_schema())").fetchone() or ("public",)
        connection.execute(f"ALTER TABLE {ASIDE}.{table} SET SCHEMA {schema}")
        connection.execute(f"ALTER FUNCTION {ASIDE}.{function}() SET SCHEMA {schema}")
        connection.execute(f"DROP SCHEMA {ASIDE}")


def _program(name: str, server: int) -> str:
    """Return where the program is, if it is as new as the server; an older one refuses to work, or loses what is new."""
    found = shutil.which(name)
    install = (
        f"Install PostgreSQL's client programs of version {server} (Debian: apt-get install postgresql-client-{server})"
    )
    if found is None:
        raise BackupFailed(f"{name} is not installed. {install}.")
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
    version = int(numbers[0]) if (numbers := re.findall(r"\d+", said)) else 0
    if version < server:
        raise BackupFailed(f"{name} is of version {version} and the server of {server}. {install}, first in PATH.")
    return found


def _environment(url: str) -> dict[str, str]:
    """Return the address as variables: as an argument its password would stand in the list of processes.

    Raises
    ------
    BackupFailed
        Something in it has no variable, and would silently not hold.
    """
    said = libpq_parameters(url)
    names = {one.keyword.decode(): one.envvar.decode() for one in Conninfo.get_defaults() if one.envvar}
    if unknown := sorted(said.keys() - names.keys()):
        raise BackupFailed(f"{', '.join(unknown)} of the database's address cannot be given to pg_dump. Leave it out.")
    return {**os.environ, **{names[name]: value for name, value in said.items()}, "LC_MESSAGES": "C"}


def _last(said: bytes) -> str:
    """Return the first line of what a program said: what follows may quote rows."""
    lines = [
        line for line in said.decode("utf-8", "replace").splitlines() if "DETAIL" not in line and "CONTEXT" not in line
    ]
    return lines[0][:300] if lines else "it said nothing."
