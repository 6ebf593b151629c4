"""The journal: takes events from any thread, writes them in groups on a thread of its own, and says when they are safe.

Nothing waits for a group to fill. What is there is written at once; what comes while the disk works is the next group.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import NamedTuple

from serving.audit.errors import AuditUnavailable
from serving.audit.event import AuditEvent, row_of
from serving.audit.writer import ChainWriter

MOST_QUEUED = 20_000
"""Events that may wait; more are refused at once."""
MOST_IN_GROUP = 2_000
"""Events of one transaction: some 20 ms of work while the lock is held."""
LONGEST_WAIT = 4.0
"""Seconds until a caller is told that the log cannot be written; the promise is 5."""
HEALING_SECONDS = 0.5
"""How often a log that could not be written is tried while nobody asks."""

_WATCH_SECONDS = 0.25
_CLOSED = "The audit log is closed: the service stops."
_FULL = "The audit log does not keep up."
_SLOW = "The audit log did not answer in time."

_log = logging.getLogger(__name__)


class _Batch(NamedTuple):
    events: Sequence[AuditEvent]
    future: Future[int]
    deadline: float


class Journal:
    """Writes the audit log of one process; several processes may write the same log.

    Parameters
    ----------
    url : str
        SQLAlchemy URL of an SQLite file or of PostgreSQL.
    key : bytes
        The key of the chain, 256 bits or more.
    heads : Path, optional
        File of signed heads; without it a cut-off end cannot be found.
    in_use : Path, optional
        The key's file, held so that no backup is restored meanwhile.

    Raises
    ------
    SettingsError
        From the constructor, for a URL or key that can never work. A store that is away is no error here.
    """

    def __init__(self, url: str, key: bytes, heads: Path | None, in_use: Path | None = None) -> None:
        self._writer = ChainWriter(url, key, heads, in_use=in_use)
        self._queue: SimpleQueue[_Batch | None] = SimpleQueue()
        self._pending: deque[_Batch] = deque()
        self._lock = threading.Lock()
        self._queued = 0
        self._closing = False
        self._ended = threading.Event()
        self._opened = threading.Event()
        self._healthy = False
        self._thread = threading.Thread(target=self._run, name="audit-journal", daemon=True)
        self._watch = threading.Thread(target=self._watch_deadlines, name="audit-deadlines", daemon=True)

    def start(self) -> None:
        """Start writing; returns when the log has been opened, or was found not to open (it is tried again)."""
        self._thread.start()
        self._watch.start()
        self._opened.wait(LONGEST_WAIT)

    def append(self, events: Sequence[AuditEvent]) -> Future[int]:
        """Hand over events that belong together; they are written all or none.

        Returns
        -------
        Future of int
            Done when they are on the disk, with the number of the last of them; AuditUnavailable if they could not be
            written, or if it is not known: then an event may be in the log of an answer that was never given, never the
            other way round. It cannot be cancelled: an access is logged though its client has gone.
        """
        if not events:
            raise ValueError("There is no event to append.")
        future: Future[int] = Future()
        future.set_running_or_notify_cancel()
        batch = _Batch(events, future, time.monotonic() + LONGEST_WAIT)
        with self._lock:
            refusal = _CLOSED if self._closing else _FULL if self._queued + len(events) > MOST_QUEUED else ""
            if not refusal:
                self._queued += len(events)
                self._pending.append(batch)
                self._queue.put(batch)
        if refusal:
            future.set_exception(AuditUnavailable(refusal))
        return future

    def is_healthy(self) -> bool:
        """True if the last thing that was tried on the log worked, and nobody waits too long."""
        return self._healthy and self._thread.is_alive()

    def close(self) -> None:
        """Write what is queued and a last head, then stop; takes no longer than a caller waits."""
        with self._lock:
            self._closing = True
            self._queue.put(None)
        if self._thread.is_alive():
            self._thread.join(2 * LONGEST_WAIT)
        self._ended.set()
        if self._watch.is_alive():
            self._watch.join()
        self._fail_waiting(_CLOSED, float("inf"))

    def _run(self) -> None:
        self._try_to_open()
        self._opened.set()
        while True:
            group = self._next_group()
            if group is None:
                break
            if group:
                self._write(group)
            else:  # nobody asks: is it still there, and have other processes written?
                self._try_to_open()
            self._writer.write_head_if_due()
        self._writer.close()

    def _next_group(self) -> list[_Batch] | None:
        """Wait for something to do; an empty group if it is time to look after the log, None at the end."""
        try:
            first = self._queue.get(timeout=self._writer.seconds_to_look if self._healthy else HEALING_SECONDS)
        except Empty:
            return []
        group, size = [], 0
        while first is not None:
            size += len(first.events)
            if not first.future.done():  # whoever was told "no" must not find it in the log
                group.append(first)
            if size >= MOST_IN_GROUP:
                break
            try:
                first = self._queue.get_nowait()
            except Empty:
                break
        else:
            if not group:
                return None
            self._queue.put(None)
        with self._lock:
            self._queued -= size
        return group

    def _write(self, waiting: list[_Batch]) -> None:
        group, rows = [], []
        for batch in waiting:
            try:
                rows.append([row_of(event) for event in batch.events])
                group.append(batch)
            except Exception:  # a fault of whoever made it, which the others in the group must not pay for
                _settle(batch.future, AuditUnavailable("An event of the audit log is none."))
        if not group:
            return
        try:
            last = self._writer.write(rows)
        except AuditUnavailable as error:
            self._set_health(False, str(error))
            for batch in group:
                _settle(batch.future, error)
        except Exception as error:  # one thread writes for everybody: it must not end
            self._set_health(False, type(error).__name__)
            for batch in group:
                _settle(batch.future, AuditUnavailable("The audit log could not be written."))
        else:
            self._set_health(True)
            for batch, number in zip(group, last, strict=True):
                _settle(batch.future, number)

    def _try_to_open(self) -> None:
        try:
            self._writer.open()
        except AuditUnavailable as error:
            self._set_health(False, str(error))
        except Exception as error:
            self._set_health(False, type(error).__name__)
        else:
            self._set_health(True)

    def _set_health(self, is_healthy: bool, why: str = "") -> None:
        if is_healthy != self._healthy or not self._opened.is_set():
            _log.log(logging.INFO if is_healthy else logging.ERROR, "Audit log %s",
                     "is written" if is_healthy else f"cannot be written: {why}")  # fmt: skip
        self._healthy = is_healthy

    def _watch_deadlines(self) -> None:
        """Answer those who wait while the writing thread hangs, in a disk or a server that says nothing."""
        while not self._ended.wait(_WATCH_SECONDS):
            self._fail_waiting(_SLOW, time.monotonic())

    def _fail_waiting(self, why: str, now: float) -> None:
        while self._pending and (self._pending[0].future.done() or self._pending[0].deadline <= now):
            batch = self._pending.popleft()
            if not batch.future.done():
                self._set_health(False, why)
                _settle(batch.future, AuditUnavailable(why))


def _settle(future: Future[int], answer: int | AuditUnavailable) -> None:
    with suppress(InvalidStateError):  # the other thread was first
        if isinstance(answer, int):
            future.set_result(answer)
        else:
            future.set_exception(answer)
