"""Consent at the time of the request: what persons have withdrawn through the service, in memory.

The record of a request may not know of it yet. One thread looks every second; no request waits for the store, but for a first
look that has not ended. For a minute the last look counts while the store is away. After that, and where it has never been
reached, nobody knows who has withdrawn since, so nobody is answered.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date

from data_contracts.records import Source
from serving.ended_consents import NOTHING
from serving.log import log_without_values
from serving.store import Store, StoreUnavailable

LOOK_AGAIN_SECONDS = 1.0
OLDEST_SECONDS = 60.0
FIRST_LOOK_SECONDS = 5.0
STALE_SECONDS = 5.0
"""A look that takes longer than this has met a store that says nothing."""

ByPerson = dict[str, dict[Source, date]]


class Withdrawals:
    """Withdrawals by person; ``store`` returns the store, or raises StoreUnavailable; ``now`` is a clock that is not set."""

    def __init__(self, store: Callable[[], Store], now: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._now = now
        self._known: ByPerson | None = None
        self._newest = -1
        self._looked_at = 0.0
        self._has_failed = False
        self._noted: list[tuple[str, dict[Source, date]]] = []
        self._has_tried = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()  # of what is remembered; never held while the store is asked

    def start(self) -> None:
        """Begin to look, once."""
        with self._lock:
            if self._thread is None and not self._stop.is_set():
                self._thread = threading.Thread(target=self._look_on, name="withdrawals", daemon=True)
                self._thread.start()

    def wait_for_first_look(self, seconds: float = FIRST_LOOK_SECONDS) -> None:
        """Return when the store was found, or found to be away, or after so many seconds."""
        if not self._has_tried.is_set():
            self._has_tried.wait(seconds)

    def close(self) -> None:
        """Look no more."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(LOOK_AGAIN_SECONDS)

    def of(self, person_id: str | None) -> Mapping[Source, date]:
        """Return by source the day from which a person has withdrawn it; raises StoreUnavailable where nobody can know."""
        if self._thread is None:
            self.start()
        self.wait_for_first_look()
        known = self._known
        if known is None or not self.is_known():
            raise StoreUnavailable("It cannot be known who has withdrawn consent.")
        return known.get(person_id or "", NOTHING)

    def is_known(self) -> bool:
        """True if requests can be answered: the store was seen within the last minute. Asks nothing."""
        return self._known is not None and self._now() - self._looked_at <= OLDEST_SECONDS

    def is_store_there(self) -> bool:
        """True if the newest look found the store, a moment ago. Asks nothing, so that it may be asked by anybody."""
        return self.is_known() and not self._has_failed and self._now() - self._looked_at <= STALE_SECONDS

    def note(self, person_id: str, sources: Sequence[Source], day: date) -> None:
        """Remember a withdrawal that this process has written: it counts for the very next request."""
        with self._lock:
            self._noted.append((person_id, dict.fromkeys(sources, day)))
            if self._known is not None:
                _add(self._known, *self._noted[-1])

    def look(self) -> None:
        """Ask the store what is new, in one thread only; raises StoreUnavailable."""
        begun, store = self._now(), self._store()
        if store.newest_withdrawal() != self._newest:
            with self._lock:
                n_noted = len(self._noted)
            newest, known = store.withdrawals()
            with self._lock:
                del self._noted[:n_noted]  # written before the look began, so it has seen them
                for noted in self._noted:
                    _add(known, *noted)
                self._newest, self._known = newest, known
        self._looked_at, self._has_failed = begun, False
        self._has_tried.set()

    def _look_on(self) -> None:
        while not self._stop.is_set():
            try:
                self.look()
            except StoreUnavailable:
                self._has_failed = True
            except Exception as error:  # a fault of ours must not end the looking
                self._has_failed = True
                log_without_values(error)
            self._has_tried.set()
            self._stop.wait(LOOK_AGAIN_SECONDS)


def _add(known: ByPerson, person_id: str, days: Mapping[Source, date]) -> None:
    before = known.get(person_id, {})
    known[person_id] = before | {source: max(day, before.get(source, day)) for source, day in days.items()}
