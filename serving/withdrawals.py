"""Consent at the time of the request: what persons have withdrawn through the service, in memory, looked up each second.

The record of a request may not know of it yet. Where the store has never been reached nobody knows who has withdrawn, so
nobody is answered; later on what was known last counts while it is away.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import date

from data_contracts.records import Source
from serving.ended_consents import NOTHING
from serving.store import Store, StoreUnavailable

LOOK_AGAIN_SECONDS = 1.0


class Withdrawals:
    """Withdrawals by person; ``store`` returns the store, or raises StoreUnavailable."""

    def __init__(self, store: Callable[[], Store]) -> None:
        self._store = store
        self._known: dict[str, dict[Source, date]] | None = None
        self._newest = -1
        self._look_at = 0.0
        self._lock = threading.Lock()

    def of(self, person_id: str | None) -> Mapping[Source, date]:
        """Return by source the day from which a person has withdrawn it; raises StoreUnavailable where none was ever read."""
        with self._lock:
            if self._known is None or time.monotonic() >= self._look_at:
                self._look()
            known = self._known or {}
        return known.get(person_id or "", NOTHING)

    def look_at_once(self) -> None:
        """Look again at the next question: this process has just noted one."""
        with self._lock:
            self._look_at = 0.0

    def _look(self) -> None:
        try:
            store = self._store()
            if store.newest_withdrawal() != self._newest:
                self._newest, self._known = store.withdrawals()
        except StoreUnavailable:
            if self._known is None:
                raise
        self._look_at = time.monotonic() + LOOK_AGAIN_SECONDS
