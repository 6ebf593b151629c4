"""How often one caller may ask. Explanations and what-if leak more about model and persons than a risk does.

Each worker process counts by itself and gives its share of the rate, so that all together give the rate (decision 40).
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from serving.access.policy import Action

MOST_CALLERS = 20_000
"""Buckets that are kept; the one unused for longest goes first."""


@dataclass(frozen=True)
class Rate:
    """So many requests a minute in the long run, and so many at once after a pause."""

    per_minute: float
    burst: int


GENEROUS = Rate(per_minute=6_000, burst=1_000)
_TIGHT = {Action.EXPLAIN: Rate(per_minute=60, burst=20), Action.WHAT_IF: Rate(per_minute=30, burst=10)}
_LIMITS: dict[Action, Rate] = {action: _TIGHT.get(action, GENEROUS) for action in Action if action != Action.SCORE}
LIMITS: Mapping[Action, Rate] = MappingProxyType(_LIMITS)
"""Risks alone have no quota: they are what the service is for, and the gate keeps them from crowding others out."""

EXPLAINED_PAGES = Rate(per_minute=300, burst=100)
"""Pages on which the model explains. A reader never meets it; a program that leafs through all persons does. More than of
explanations to programs: a page explains the record of last night of a person in care, never one that was made up."""

SIGN_INS = Rate(per_minute=60, burst=60)
"""Of one caller, coming and going: each is an event in the audit log."""

DENIED = Rate(per_minute=600, burst=300)
"""All callers without a valid token share this one."""

NOTE = Rate(per_minute=1, burst=1)


@dataclass
class _Bucket:
    tokens: float
    filled_at: float


class Quotas:
    """Token buckets by caller and action, in the memory of one process.

    Parameters
    ----------
    limits : mapping of Action to Rate
        An action that is not in it has no quota.
    now : callable
        Seconds on a clock that does not jump.
    workers : int
        Processes that count beside each other: each refills at its share of a rate. The burst is not shared out, because
        one caller's connection often stays with one process.
    """

    def __init__(
        self, limits: Mapping[Action, Rate] = LIMITS, now: Callable[[], float] = time.monotonic, workers: int = 1
    ) -> None:
        self._limits = dict(limits)
        self._now = now
        self._workers = workers
        self._buckets: OrderedDict[tuple[str, str | None], _Bucket] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, subject: str, action: Action) -> float | None:
        """Count one request; return None if it may go on, else the seconds after which it may be tried again."""
        rate = self._limits.get(action)
        return None if rate is None else self._take((subject, action), rate)

    def take_explained_page(self, subject: str) -> float | None:
        """As ``take``, for pages on which the model explains a number."""
        return self._take((subject, "explained_page"), EXPLAINED_PAGES)

    def take_sign_in(self, subject: str) -> float | None:
        """As ``take``, for signing in and out with a valid token."""
        return self._take((subject, "signing"), SIGN_INS)

    def take_denied(self, subject: str) -> float | None:
        """As ``take``, for requests that are denied, without a valid token ("") or with one: each is an event in the audit
        log, which must not be flooded."""
        return self._take((subject, None), DENIED)

    def take_note(self, subject: str) -> bool:
        """True once a minute and caller: denials beyond the quota are told of by one event, not by one each."""
        return self._take((subject, "note"), NOTE) is None

    def _take(self, key: tuple[str, str | None], rate: Rate) -> float | None:
        with self._lock:
            bucket = self._filled(key, rate)
            if bucket.tokens >= 1.0:
                bucket.tokens -= 1.0
                return None
            return (1.0 - bucket.tokens) / self._per_second(rate)

    def _per_second(self, rate: Rate) -> float:
        return rate.per_minute / 60.0 / self._workers

    def _filled(self, key: tuple[str, str | None], rate: Rate) -> _Bucket:
        now = self._now()
        bucket = self._buckets.setdefault(key, _Bucket(rate.burst, now))
        self._buckets.move_to_end(key)
        if len(self._buckets) > MOST_CALLERS:
            self._buckets.popitem(last=False)
        gained = max(0.0, now - bucket.filled_at) * self._per_second(rate)
        bucket.tokens, bucket.filled_at = min(float(rate.burst), bucket.tokens + gained), now
        return bucket
