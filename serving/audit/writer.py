"""What the journal's thread does: link events to the end of the chain, write them, sign heads."""

from __future__ import annotations

import fcntl
import logging
import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from serving.audit import chain, heads
from serving.audit.errors import AuditUnavailable
from serving.audit.event import Row, time_text
from serving.audit.keys import hold
from serving.audit.store import AuditStore, StoredRow, StoreFault

HEAD_SECONDS = 10.0
"""An event is under a signed head after at most so many seconds, if the process lives; until then it can be cut off unseen."""
HEAD_EVENTS = 10_000
"""... or after so many events, if that is earlier."""
LOOK_SECONDS = 2.0
"""How often a process that nobody asks looks whether the log is there: one read, and nothing is written."""
_STALE_SECONDS = 1.0

_AWAY = "The audit log cannot be written ({})."
_OTHER_KEY = (
    "The audit log goes on under another key ({}) than the one given ({}). Give the service that key, or hand the chain "
    "over: balance-risk audit rotate"
)
_RESTORING = "A backup is being restored. The service goes on by itself afterwards."
_CUT = (
    "The audit log lacks events that were written: it was cut off, replaced or restored from an older copy. See what "
    "balance-risk audit verify says, and docs/deploy/backup.md on going on from a backup: balance-risk restore"
)

_log = logging.getLogger(__name__)


class ChainWriter:
    """Appends to the chain of one key; for one thread.

    Parameters
    ----------
    url, key, heads_file
        As of the journal.
    may_create : bool
        Whether the first opening makes a log that is not there.
    in_use : Path, optional
        The key's file: held from the first opening to the end, so that nothing is restored meanwhile (keys.py).
    """

    def __init__(
        self, url: str, key: bytes, heads_file: Path | None, may_create: bool = True, in_use: Path | None = None
    ) -> None:
        self._store = AuditStore(url)
        self._key = chain.checked(key)
        self._key_id = chain.key_id(key)
        self._heads_file = heads_file
        self._may_create = may_create
        self._in_use = in_use
        self._held: int | None = None
        self._is_known = False
        self._last: tuple[int, str] | None = None
        self._headed = 0
        self._next_head = 0.0

    def open(self) -> None:
        """Make sure that the log is there, can be locked and goes on from what is known of it; raises AuditUnavailable.

        It is made only by the first opening, and only where no head tells of an older one: a log that is gone while the
        service runs must come back, an empty one in its place would hide the loss.
        """
        self._hold()
        try:
            if not self._is_known:
                self._last = self._known_head()
                if self._last is None and self._may_create:
                    self._store.create()
                self._is_known = True
            self._append([])
        except StoreFault as fault:
            raise AuditUnavailable(_AWAY.format(fault)) from None

    def write(self, batches: Sequence[Sequence[Row]]) -> list[int]:
        """Write all batches in one transaction and return the number of each batch's last event; raises AuditUnavailable."""
        rows = [row for events in batches for row in events]
        began, was_open = time.monotonic(), self._store.is_open
        if not self._is_known:
            self.open()
        try:
            first = self._append(rows)
        except StoreFault as fault:
            # The connection had died since the group before, as all do when a server restarts: nothing was sent yet.
            if fault.is_unsure or not was_open or time.monotonic() - began > _STALE_SECONDS:
                raise AuditUnavailable(_AWAY.format(fault)) from None
            try:
                first = self._append(rows)
            except StoreFault as again:
                raise AuditUnavailable(_AWAY.format(again)) from None
        numbers, n = [], first - 1
        for events in batches:
            n += len(events)
            numbers.append(n)
        return numbers

    def close(self) -> None:
        """Sign a last head and end the connection."""
        self._write_head()
        self._store.close()
        held, self._held = self._held, None
        if held is not None:
            os.close(held)

    def _hold(self) -> None:
        if self._in_use is not None and self._held is None:
            try:
                self._held = hold(self._in_use, fcntl.LOCK_SH)
            except OSError as error:
                raise AuditUnavailable(_AWAY.format(error.strerror)) from None
            if self._held is None:
                raise AuditUnavailable(_RESTORING)

    @property
    def seconds_to_look(self) -> float:
        """How long until somebody should look after the log: it may be away, or lack a head of what anybody wrote."""
        return min(LOOK_SECONDS, max(0.0, self._next_head - time.monotonic())) if self._lacks_head else LOOK_SECONDS

    def write_head_if_due(self) -> None:
        """Sign the newest event if there were enough since the last head, or enough time has passed."""
        newest = 0 if self._last is None else self._last[0]
        if self._lacks_head and (time.monotonic() >= self._next_head or newest - self._headed >= HEAD_EVENTS):
            self._write_head()

    @property
    def _lacks_head(self) -> bool:
        return self._heads_file is not None and self._last is not None and self._last[0] > self._headed

    def _append(self, rows: Sequence[Row]) -> int:
        """Write the rows after the last event and return the number of the first."""
        is_new = not self._store.is_open
        linked: list[StoredRow] = []
        last: tuple[int, str] | None = None

        def continue_from(end: StoredRow | None) -> Sequence[StoredRow]:
            nonlocal last
            self._check_key(end)
            self._check_end(end, is_new)
            n, before = (0, chain.first_link(self._key)) if end is None else (int(end[0]), bytes.fromhex(end[-1]))
            last = None if end is None else (n, str(end[-1]))
            for row in rows:
                n += 1
                before = chain.link(self._key, before, row, n)
                last = (n, before.hex())
                linked.append((n, *row, self._key_id, last[1]))
            return linked

        self._store.append(continue_from)
        self._last = last
        return linked[0][0] if linked else 0

    def _check_key(self, end: StoredRow | None) -> None:
        if end is not None:
            expected = chain.next_key_id(str(end[-2]), end[1:-2])
            if expected != self._key_id:
                raise AuditUnavailable(_OTHER_KEY.format(expected, self._key_id))

    def _check_end(self, end: StoredRow | None, is_new: bool) -> None:
        """Raise AuditUnavailable if the log no longer holds the newest event that is known of."""
        if self._last is None:
            return
        n, link = self._last
        if end is None or int(end[0]) < n or (int(end[0]) == n and str(end[-1]) != link):
            raise AuditUnavailable(_CUT)
        if is_new and self._store.link_within(n) != link:
            raise AuditUnavailable(_CUT)

    def _known_head(self) -> tuple[int, str] | None:
        if self._heads_file is None:
            return None
        try:
            head = heads.newest(self._heads_file)
        except OSError as error:
            _log.error("The heads of the audit log cannot be read: %s", error.strerror)
            return None
        return None if head is None else (head.n, head.link)

    def _write_head(self) -> None:
        self._next_head = time.monotonic() + HEAD_SECONDS
        if not self._lacks_head or self._heads_file is None or self._last is None:
            return
        n, link = self._last
        try:
            heads.write(self._heads_file, self._key, n, link, time_text(datetime.now(UTC)), self._key_id)
        except OSError as error:
            # Events are safe without it; only a cut-off end would go unseen, and verify says so.
            _log.error("A head of the audit log could not be written: %s", error.strerror)
        else:
            self._headed = n
