"""The event that says: here the log goes on from a backup. It is written by ``balance-risk restore``, under the chain's key.

What was logged after the backup is gone, and the numbers of those events are given again. The event names the newest signed
head of the backup (``kept``) and the newest that was known (``head``): those between may be of lost events, every other one
must fit the log, so a restore is told from a cut. It excuses nothing: to verify, it is a finding until whoever verifies names
it (:attr:`Restoration.name`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson

from data_contracts.errors import SettingsError
from serving.audit import chain, heads
from serving.audit.event import COLUMNS, Row, time_text
from serving.audit.export import append_by_operator
from serving.audit.heads import Head

RESTORE = "restore_backup"
"""Action of the event."""
NAME_DIGITS = 16

_AT, _ACTION, _REASON = COLUMNS.index("at"), COLUMNS.index("action"), COLUMNS.index("reason")


@dataclass
class Restoration:
    """One such event; ``missing`` is how many events heads had signed that are not in the log any more."""

    n: int
    at: str
    name: str
    backup: str
    taken_at: str
    kept: int
    head: int
    withdrawals: str
    missing: int = 0
    is_known: bool = False

    @property
    def text(self) -> str:
        """Say what an auditor must know."""
        lost = "No head tells of events after it" if not self.missing else f"{self.missing} events or more are missing"
        return (
            f"Event {self.n} of {self.at} goes on from event {self.n - 1}, as backup {self.backup} of {self.taken_at} had "
            f"it. {lost}. What was withdrawn since: "
            f"{self.withdrawals}. If you know of it: balance-risk audit verify --restored {self.name}"
        )


def restoration(n: int, row: Row, link: str) -> Restoration | None:
    """Return what an event says of a restore; None of any other event, and where it does not say it."""
    if row[_ACTION] != RESTORE:
        return None
    try:
        said = orjson.loads(row[_REASON] or "")
        return Restoration(
            n, str(row[_AT]), link[:NAME_DIGITS], str(said["backup"]), str(said["taken_at"]), int(said["kept"]),
            int(said["head"]), str(said["withdrawals"]),
        )  # fmt: skip
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return None


def append(
    url: str, key: bytes, backup: str, taken_at: str, kept: Head | None, newest: Head | None, withdrawals: str
) -> int:
    """Write the event at the end of a log that was just restored, before it is in place; return its number."""
    said = {
        "backup": backup,
        "taken_at": taken_at,
        "kept": 0 if kept is None else kept.k,
        "head": 0 if newest is None else newest.k,
        "withdrawals": withdrawals,
    }
    return append_by_operator(url, key, None, RESTORE, None, orjson.dumps(said).decode())


def sign(path: Path, key: bytes, n: int, link: str) -> None:
    """Sign the event as the newest head, after those of events that are lost; raises SettingsError."""
    try:
        heads.write(path, key, n, link, time_text(datetime.now(UTC)), chain.key_id(key), goes_back=True)
    except OSError as error:
        raise SettingsError(f"{path}: the heads cannot be written ({error.strerror}).") from None
