"""Takes a backup while the service runs.

The order makes it consistent, whatever is written meanwhile. An event is on the disk before the row or the answer that it is
about, so the store is read first and the log after it: every row of the backup has its event. Heads are read before the log:
none of them is of an event that is not there. A night names bundles that were in place before, so they are copied last.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from data_contracts.tombstones import TOMBSTONES, read_marks
from serving.audit import chain, heads, reading
from serving.audit.event import time_text
from serving.audit.keys import read_audit_key
from serving.audit.verify import verify
from serving.backup import manifest, postgresql, sqlite_copy
from serving.backup.errors import BackupFailed
from serving.backup.files import copy, tell, whole_directory, write
from serving.settings import Settings
from serving.store.address import file_of, sqlite_url
from serving.store.schema import VERSION_TABLE
from serving.store.tables import METADATA

LOG = "audit_event"
Ask = Callable[[str], list[tuple[Any, ...]]]


@dataclass(frozen=True)
class Keys:
    """The key that is in use, and all that the chain ever had, by name."""

    current: bytes
    by_name: Mapping[str, bytes]

    @classmethod
    def read(cls, current: Path, older: list[Path]) -> Keys:
        """Read the files; raises MissingInputError or SettingsError."""
        key = read_audit_key(current)
        return cls(key, {chain.key_id(one): one for one in (key, *map(read_audit_key, older))})


def take(settings: Settings, place: Path, keys: Keys, erasures: Path) -> dict[str, Any]:
    """Write a backup to a directory that is not there, whole or not at all; return what is in it."""
    began = time.monotonic()
    if place.exists():
        raise BackupFailed(f"{place}: is there already. Name a directory that is not.")
    with whole_directory(place) as partial:
        taken_at = time_text(datetime.now(UTC))
        events_before, _ = reading.newest(settings.audit)
        said: dict[str, Any] = {"store": _database(settings.store, "store", partial) | {"events_before": events_before}}
        _heads(settings.audit_heads, partial)
        said["audit"] = _database(settings.audit, "audit", partial)
        _bundles(settings.bundles, partial)
        said["audit"] |= _proven(settings, partial, keys)
        said["tombstones"] = _tombstones(erasures, partial)
        about = {"taken_at": taken_at, "balance_risk": _version(), "keys": "kept apart", "encrypted": False}
        name = manifest.put(partial, about | said, keys.current)
    size = sum(path.stat().st_size for path in place.rglob("*") if path.is_file())
    seconds = round(time.monotonic() - began, 1)
    summary = (
        f"Backup {name} in {place}: {said['store']['rows']['scores']} scores, {said['audit']['last_event']} events, {size} "
        f"bytes, {seconds} s. It is not encrypted, and holds no keys and not the directory erasures: keep those apart."
    )
    return {"backup": name, "directory": str(place), **about, **said, "sound": said["audit"].get("sound"), "bytes": size,
            "seconds": seconds, "summary": summary}  # fmt: skip


def _database(url: str, what: str, partial: Path) -> dict[str, Any]:
    facts = _store_facts if what == "store" else _log_facts
    source = file_of(url)
    if source is not None:
        target = partial / manifest.file_name(what, "sqlite")
        sqlite_copy.copy(source, target)
        with sqlite_copy.opened(target) as copied:
            return {"kind": "sqlite", **facts(lambda query: copied.execute(query).fetchall())}
    tell(what, 0, 1)
    with postgresql.connected(url, what) as connection:
        tables = [*METADATA.tables, VERSION_TABLE] if what == "store" else [LOG]
        there = {name for (name,) in connection.execute("SELECT tablename::text FROM pg_tables").fetchall()}
        target = partial / manifest.file_name(what, "postgresql")
        # The log's table, function and triggers are made by our own code when it is restored.
        postgresql.dump(url, connection, [name for name in tables if name in there], target, rows_only=what == "audit")
        found = {"kind": "postgresql", **facts(lambda query: connection.execute(query).fetchall())}
    tell(what, 1, 1)
    return found


def _store_facts(ask: Ask) -> dict[str, Any]:
    try:
        ((schema,),) = ask(f"SELECT version_num FROM {VERSION_TABLE}")
        rows = {
            name: ask(f"SELECT count(*) FROM {name}")[0][0] for name in ("nights", "scores", "decisions", "withdrawals")
        }
        ((night,),) = ask("SELECT max(night) FROM nights")
    except Exception as error:
        raise BackupFailed(
            f"The store has no tables of ours ({type(error).__name__}). Start the service once."
        ) from None
    return {"schema": schema, "rows": rows, "newest_night": None if night is None else str(night)}


def _log_facts(ask: Ask) -> dict[str, Any]:
    newest = ask(f"SELECT n, link, at FROM {LOG} ORDER BY n DESC LIMIT 1")
    n, link, at = newest[0] if newest else (0, "", None)
    return {"last_event": n, "last_link": link, "last_event_at": at}


def _heads(path: Path, partial: Path) -> None:
    """Copy the lines that are whole."""
    content = path.read_bytes() if path.exists() else b""
    write(partial / manifest.HEADS, content[: content.rfind(b"\n") + 1])


def _bundles(source: Path, partial: Path) -> None:
    (partial / manifest.BUNDLES).mkdir(mode=0o700)
    outcomes = sorted(path for path in source.iterdir() if path.is_dir()) if source.is_dir() else []
    for home in outcomes:
        target = partial / manifest.BUNDLES / home.name
        target.mkdir(mode=0o700)
        current = home / "current"
        if current.is_symlink():  # read before the list, which then has what it leads to
            (target / "current").symlink_to(current.readlink())
        for bundle in sorted(home.iterdir()):
            if bundle.is_dir() and not bundle.is_symlink() and not bundle.name.startswith("."):
                _bundle(bundle, target / bundle.name)


def _bundle(bundle: Path, target: Path) -> None:
    for path in sorted(bundle.rglob("*")):
        if path.is_file():
            copy(path, target / path.relative_to(bundle))


def _proven(settings: Settings, partial: Path, keys: Keys) -> dict[str, Any]:
    """Verify what was copied; a backup that does not verify is kept as evidence, and says so."""
    file = partial / manifest.file_name("audit", "sqlite")
    if not file.exists():
        return {"heads": _count_lines(partial / manifest.HEADS)}
    proof = verify(reading.events(sqlite_url(file)), heads.read(partial / manifest.HEADS), keys.by_name, None)
    return {"heads": proof.heads, "sound": proof.is_sound}


def _count_lines(path: Path) -> int:
    return path.read_bytes().count(b"\n")


def _tombstones(erasures: Path, partial: Path) -> int:
    """Keep who was erased until now, without the key to it: a restore must know at least these."""
    marks, _ = read_marks(erasures / TOMBSTONES)
    if marks:
        copy(erasures / TOMBSTONES, partial / manifest.ERASED)
    return len(marks)


def _version() -> str:
    try:
        return version("balance-risk")
    except PackageNotFoundError:  # a bento holds the code and no package
        return "unknown"
