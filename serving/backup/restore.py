"""Restores a backup where nothing is, and says what it lacks.

Heads come first and the audit log last: while there are heads without their log no service answers anybody, so whatever
breaks off in between, nobody is told of a person who was erased or has withdrawn.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serving.audit import heads, reading, restored
from serving.audit.errors import AuditBroken
from serving.audit.heads import Head
from serving.audit.keys import hold
from serving.audit.proof import report_of
from serving.audit.verify import verify
from serving.backup import manifest, place, since, withdrawn
from serving.backup.errors import RestoreRefused
from serving.backup.files import write
from serving.backup.staged import Staged
from serving.backup.take import Keys
from serving.settings import Settings
from serving.store import open_store
from serving.store.address import file_of


@dataclass(frozen=True)
class Known:
    """What the operator brings besides the backup, and what he says that nobody has."""

    erasures: Path
    old_store: str | None = None
    old_audit: str | None = None
    old_heads: Path | None = None
    withdrawals_lost: bool = False
    nobody_erased: bool = False


def restore(settings: Settings, directory: Path, keys: Keys, known: Known) -> dict[str, Any]:
    """Put a backup in place and return what it lacks; raises BalanceRiskError, and then neither store nor log is.

    Heads and bundles that were put in place before stay: they name nobody.
    """
    began = time.monotonic()
    with _alone(settings.audit_key):
        name, said = manifest.read(directory, keys.by_name)
        place.refuse_left(settings.audit)
        for what, url in (("store", settings.store), ("audit", settings.audit)):
            _refuse_kind(said[what]["kind"], url, what)
            place.refuse_filled(url, what)
        if known.old_store is None and known.old_audit is None and not known.withdrawals_lost:
            raise withdrawn.refuse_unnamed(said["taken_at"])
        with place.ready_beside(settings.audit_heads) as ready:
            for part in {manifest.HEADS, manifest.ERASED} & {*said["files"]}:
                manifest.copied(directory, part, said, ready / part)
            erased = since.Erased.known(known.erasures, ready, known.nobody_erased, said["taken_at"])
            newest = _keep_heads(settings.audit_heads, ready / manifest.HEADS, known.old_heads, keys)
            done = _put(settings, _Backup(directory, name, said, ready), keys, known, erased, newest)
        found = _lost(settings, keys, done["event"])
    seconds = round(time.monotonic() - began, 1)
    report = {"backup": name, "taken_at": said["taken_at"], "events": said["audit"]["last_event"], **done, **found}
    return {**report, "seconds": seconds, "summary": _summary(report)}


@dataclass(frozen=True)
class _Backup:
    """A backup; ``ready`` is where nobody else writes, and has its heads."""

    directory: Path
    name: str
    said: dict[str, Any]
    ready: Path


def _put(
    settings: Settings, backup: _Backup, keys: Keys, known: Known, erased: since.Erased, newest: Head | None
) -> dict[str, Any]:
    directory, said, signed = backup.directory, backup.said, backup.ready / manifest.HEADS
    with (
        Staged("audit", settings.audit, directory, said, backup.ready) as log,
        Staged("store", settings.store, directory, said, backup.ready) as store,
    ):
        proof = verify(reading.events(log.url), heads.read(signed), keys.by_name, None)
        if not proof.is_sound or proof.last != said["audit"]["last_event"]:
            raise AuditBroken(f"{directory}: its audit log is not as it was written.\n{report_of(proof)['summary']}")
        kept_out = _keep_out(store.url, log.url, said, known, erased)
        place.put_bundles(directory, said, settings.bundles)
        between = (heads.newest(signed), newest)
        restored.append(log.url, keys.current, backup.name, said["taken_at"], *between, kept_out["withdrawals"])
        n, link = reading.newest(log.url)
        store.put()
        log.put()
        restored.sign(settings.audit_heads, keys.current, n, link)
        store.keep()
        log.keep()
    return {"event": n, "restore": link[: restored.NAME_DIGITS], **kept_out}


@contextmanager
def _alone(key: Path) -> Iterator[None]:
    held = hold(key, fcntl.LOCK_EX)
    if held is None:
        raise RestoreRefused("The service is running: it holds the audit key. Stop it first.")
    try:
        yield
    finally:
        os.close(held)


def _refuse_kind(kind: str, url: str, what: str) -> None:
    here = "postgresql" if file_of(url) is None else "sqlite"
    if here != kind:
        raise RestoreRefused(
            f"The backup's {what} is of {kind}, and the settings name {here}. Restore it where it was."
        )


def _keep_heads(target: Path, backup: Path, old: Path | None, keys: Keys) -> Head | None:
    """Put heads in place: those that are known beyond the backup, if there are any; return the newest of them."""
    known = next((path for path in (target, old) if path is not None and path.exists()), backup)
    content = known.read_bytes()
    if not content.startswith(backup.read_bytes()):
        raise RestoreRefused(
            f"{known}: these heads do not go on from those of the backup: they were changed, or are another machine's. Move "
            "the file aside and keep it, it is the proof of what was lost."
        )
    newest = heads.newest(known)
    key = None if newest is None else keys.by_name.get(newest.key_id)
    if newest is not None and (key is None or not newest.is_signed(key)):
        raise RestoreRefused(
            f"{known}: its newest head is not signed by a key that was given. Give older keys too (--key)."
        )
    if not target.exists():
        write(target, content)
    return newest


def _keep_out(store_url: str, log_url: str, said: dict[str, Any], known: Known, erased: since.Erased) -> dict[str, Any]:
    """Withdraw and erase again; the erasure last, as an old log names erased persons too."""
    store = open_store(store_url, patient=True)
    try:
        found = withdrawn.since(
            said, log_url, store, known.old_store, known.old_audit, known.withdrawals_lost, erased.covers
        )
        n_withdrawn = found.apply(store)
        n_persons, rows = erased.apply(store)
    finally:
        store.close()
    return {"withdrawals": found.source, "unread": found.unread, "withdrawn_again": n_withdrawn,
            "erased_again": n_persons, "rows_erased": rows}  # fmt: skip


def _lost(settings: Settings, keys: Keys, event: int) -> dict[str, Any]:
    """Verify the log as it stands now against all heads that are known."""
    proof = verify(reading.events(settings.audit), heads.read(settings.audit_heads), keys.by_name, None)
    missing = next((one.missing for one in proof.restores if one.n == event), 0)
    return {"sound": proof.is_sound, "missing": missing, "findings": [vars(one) for one in proof.findings]}


def _summary(report: dict[str, Any]) -> str:
    missing, taken_at = report["missing"], report["taken_at"]
    lost = f"{missing} events or more are missing: heads had signed them" if missing else "Heads tell of no later event"
    return "\n".join([
        f"Restored backup {report['backup']} of {taken_at}: {report['events']} events; event {report['event']} says so.",
        f"{lost}. Whatever else was written after {taken_at} is gone: scores, decisions, care relations, what was told of "
        "companies and teams.",
        f"Kept out: {report['erased_again']} erased persons, withdrawals of {report['withdrawn_again']} persons (from: "
        f"{report['withdrawals']}).",
        *(f"The {one} could not be read." for one in report["unread"]),
        f"Note the name of this restore, and prove the log: balance-risk audit verify --restored {report['restore']}",
        *([] if report["sound"] else ["The log does not verify. Do not start the service; see docs/audit.md."]),
    ])  # fmt: skip
