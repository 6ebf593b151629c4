"""Where a backup goes: nothing may be there, and what is made ready beside a place is put there at once."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from serving.backup import manifest, postgresql
from serving.backup.errors import RestoreRefused
from serving.backup.take import LOG
from serving.store.address import file_of
from serving.store.schema import VERSION_TABLE
from serving.store.tables import METADATA

_READY = ".restore-"
_LEAVING_SECONDS = 2.0
"""A server takes a moment to forget a connection that was closed."""
_BESIDE = ("", "-wal", "-shm", "-journal")


def refuse_left(url: str) -> None:
    """Raise RestoreRefused where a killed restore has left the log's database half way."""
    if file_of(url) is not None:
        return
    with postgresql.connected(url, "audit log") as connection:
        left = connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (postgresql.ASIDE,)).fetchone()
    if left is not None:
        raise RestoreRefused(
            "The database of the audit log has what a restore that was killed had loaded, and the store's may hold persons who "
            "were erased: drop both databases, make them anew, and restore again."
        )


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


def put_bundles(backup: Path, said: Mapping[str, Any], target: Path) -> None:
    """Add the bundles that are not there, as the manifest has them; those that are, and what is in service, stay."""
    files: dict[Path, list[str]] = {}
    links = []
    for name in sorted(said["files"]):
        if name.startswith(f"{manifest.BUNDLES}/"):
            _, outcome, *rest = Path(name).parts
            if len(rest) > 1:
                files.setdefault(Path(outcome, rest[0]), []).append(name)
            else:
                links.append((target / outcome / rest[0], str(said["files"][name]).removeprefix("-> ")))
    for bundle, names in files.items():
        (target / bundle).parent.mkdir(parents=True, exist_ok=True)
        if not (target / bundle).exists():
            _put_bundle(backup, said, names, target / bundle)
    for place, leads_to in links:
        place.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            place.symlink_to(leads_to)


def _put_bundle(backup: Path, said: Mapping[str, Any], names: Sequence[str], target: Path) -> None:
    with ready_beside(target) as ready:
        for name in names:
            manifest.copied(backup, name, said, ready / "bundle" / Path(*Path(name).parts[3:]))
        os.rename(ready / "bundle", target)
