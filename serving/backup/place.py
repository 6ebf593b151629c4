"""Where a backup goes: nothing may be there, and what is made ready beside a place is put there at once."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from serving.backup import postgresql
from serving.backup.errors import RestoreRefused
from serving.backup.files import copy
from serving.backup.take import LOG
from serving.store.address import file_of
from serving.store.schema import VERSION_TABLE
from serving.store.tables import METADATA

_READY = ".restore-"
_LEAVING_SECONDS = 2.0
"""A server takes a moment to forget a connection that was closed."""
_BESIDE = ("", "-wal", "-shm", "-journal")


def refuse_filled(url: str, what: str) -> None:
    """Raise RestoreRefused where a store or a log is already, or somebody is connected to its server."""
    path = file_of(url)
    if path is not None:
        there = [name for suffix in _BESIDE if (name := path.with_name(path.name + suffix)).exists()]
        if there:
            raise RestoreRefused(f"{there[0]}: is there. Move what is left of the {what} aside, and keep it.")
        return
    with postgresql.connected(url, what) as connection:
        there = [name for (name,) in connection.execute("SELECT tablename::text FROM pg_tables").fetchall()]
    ours = [*METADATA.tables, VERSION_TABLE] if what == "store" else [LOG]
    if filled := sorted({*ours} & {*there}):
        raise RestoreRefused(
            f"The database of the {what} has a table {filled[0]}. Name an empty database, and keep this one."
        )
    until = time.monotonic() + _LEAVING_SECONDS
    while postgresql.others(url, what):
        if time.monotonic() > until:
            raise RestoreRefused(f"Somebody is connected to the database of the {what}. Stop the service first.")
        time.sleep(0.1)


@contextmanager
def ready_beside(place: Path) -> Iterator[Path]:
    """Yield a directory on the same disk as a place; it is gone afterwards."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        directory = Path(tempfile.mkdtemp(prefix=_READY, dir=place.parent))
    except OSError as error:
        raise RestoreRefused(f"{place.parent}: cannot be written ({error.strerror}).") from None
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def put_bundles(source: Path, target: Path) -> None:
    """Add the bundles that are not there; those that are, and what is in service, stay."""
    for home in sorted(source.iterdir()):
        place = target / home.name
        place.mkdir(parents=True, exist_ok=True)
        for bundle in sorted(path for path in home.iterdir() if path.is_dir() and not path.is_symlink()):
            if not (place / bundle.name).exists():
                _put_bundle(bundle, place / bundle.name)
        with suppress(FileExistsError):
            if (home / "current").is_symlink():
                (place / "current").symlink_to((home / "current").readlink())


def _put_bundle(source: Path, target: Path) -> None:
    with ready_beside(target) as ready:
        for path in sorted(source.rglob("*")):
            if path.is_file():
                copy(path, ready / "bundle" / path.relative_to(source))
        os.rename(ready / "bundle", target)
