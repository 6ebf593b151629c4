"""What every answer needs: models, access, audit, store. Made once per process; nothing here fails to start.

Whatever is missing (a key, a database, an issuer) is said by /readyz and by each request that needs it, and is tried
again: a service that dies at start would be started again and again while clients hang.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from data_contracts.errors import BalanceRiskError, SettingsError
from serving.access.development import refuse_in_production
from serving.access.key_sets import KeySet
from serving.access.quotas import Quotas
from serving.access.tokens import TokenVerifier
from serving.audit.journal import Journal
from serving.audit.keys import read_audit_key
from serving.bundle_watch import BundleWatch
from serving.settings import Settings
from serving.store import Store, StoreUnavailable, open_store
from serving.withdrawals import FIRST_LOOK_SECONDS, Withdrawals

TRY_AGAIN_SECONDS = 2.0
T = TypeVar("T")


@dataclass
class Parts:
    """The parts of one process; ``tokens`` or ``journal`` is None while ``lacking`` says why."""

    settings: Settings
    watch: BundleWatch
    tokens: TokenVerifier | None
    keys: KeySet | None
    journal: Journal | None
    quotas: Quotas
    lacking: tuple[str, ...] = ()
    _opened: Store | None = None
    _next_try: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.withdrawals = Withdrawals(lambda: self.store)

    @classmethod
    def build(cls, settings: Settings) -> Parts:
        """Make the parts of a deployment; what cannot be made is listed in ``lacking``."""
        lacking: list[str] = []
        keys, tokens = _made(lacking, partial(_access, settings)) or (None, None)
        journal = _made(lacking, partial(_journal, settings))
        watch = BundleWatch(settings.bundles, settings.verify_key)
        return cls(settings, watch, tokens, keys, journal, Quotas(workers=settings.workers), tuple(lacking))

    def start(self) -> None:
        """Start the threads of the parts; returns when each has looked once, be it in vain, or has tried for some seconds.

        A process that takes requests before would refuse the first of them, though nothing is wrong.
        """
        until = time.monotonic() + FIRST_LOOK_SECONDS
        lookers: list[Withdrawals | KeySet] = [self.withdrawals, *([] if self.keys is None else [self.keys])]
        for part in lookers:
            part.start()
        self.watch.start()
        if self.journal is not None:
            self.journal.start()
        for part in lookers:
            part.wait_for_first_look(max(0.0, until - time.monotonic()))

    def close(self) -> None:
        """Stop the threads; what is in the journal's queue is written first."""
        self.watch.stop()
        self.withdrawals.close()
        for part in (self.keys, self.journal):
            if part is not None:
                part.close()

    @property
    def store(self) -> Store:
        """The store, opened when first needed; raises StoreUnavailable where it cannot be."""
        with self._lock:
            if self._opened is None:
                if time.monotonic() < self._next_try:
                    raise StoreUnavailable("The store cannot be reached.")
                self._next_try = time.monotonic() + TRY_AGAIN_SECONDS
                self._opened = open_store(self.settings.store)
            return self._opened

    def not_ready_because(self) -> str:
        """Say why requests cannot be answered; empty if they can."""
        if self.lacking:
            return " ".join(self.lacking)
        if self.keys is not None and not self.keys.is_healthy():
            return f"Tokens cannot be verified: {self.keys.trouble}"
        if self.watch.predictor is None:
            return self.watch.not_ready_because()
        if self.journal is not None and not self.journal.is_healthy():
            return "The audit log cannot be written."
        if not self.withdrawals.is_known():
            return "The store cannot be reached, so it is not known who has withdrawn consent."
        return ""


def _made(lacking: list[str], make: Callable[[], T]) -> T | None:
    try:
        return make()
    except (BalanceRiskError, OSError) as error:
        lacking.append(str(error))
        return None


def _access(settings: Settings) -> tuple[KeySet, TokenVerifier]:
    if not settings.issuer or not settings.jwks:
        raise SettingsError("Nobody can be let in: set BALANCE_RISK_ISSUER and BALANCE_RISK_JWKS.")
    refuse_in_production(settings)
    is_url = settings.jwks.startswith(("https://", "http://"))
    keys = KeySet.from_url(settings.jwks) if is_url else KeySet.from_file(Path(settings.jwks))
    return keys, TokenVerifier(settings.issuer, settings.audience, keys, settings.token_profile)


def _journal(settings: Settings) -> Journal:
    return Journal(settings.audit, read_audit_key(settings.audit_key), settings.audit_heads, settings.audit_key)
