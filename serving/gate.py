"""How much is worked on at once: a few threads, a bounded queue, and a plain no beyond it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from serving import problems
from serving.problems import Refused

THREADS = 4
"""The work holds the interpreter lock but while trees are walked and the log is synced; more threads only add switching."""
MOST_AT_ONCE = 64
MOST_BULK = 2
"""Batches that are worked on (one) or wait: each takes seconds, so who comes later had better come back than wait."""
MOST_BODIES, MOST_BODIES_OF_ONE = 256, 48
"""Bodies that may be on their way at once, and of one caller: who sends slowly must not take the places of those who work."""
LONGEST_SECONDS = 30.0
LONGEST_BULK_SECONDS = 55.0
"""With the body before and the log after it less than the framework's own limit, which would answer in its way."""


class Gate:
    """Runs the work of requests in threads of its own; what waits is counted, and refused beyond ``most_at_once``.

    Bulk has one thread of its own, so that no number of batches keeps a single request waiting.
    """

    def __init__(self, threads: int = THREADS, most_at_once: int = MOST_AT_ONCE, most_bulk: int = MOST_BULK) -> None:
        self._pools = {
            False: ThreadPoolExecutor(threads, thread_name_prefix="answer"),
            True: ThreadPoolExecutor(1, thread_name_prefix="batch"),
        }
        self.most_at_once = most_at_once
        self.most_bulk = most_bulk
        self.in_flight = 0
        self.bulk_in_flight = 0
        self.bulk_callers: set[str] = set()
        self.bodies: Counter[str] = Counter()

    @contextmanager
    def receiving(self, caller: str) -> Iterator[None]:
        """Count a body of a caller while it comes; raises Refused (429) if there are too many."""
        if self.bodies.total() >= MOST_BODIES or self.bodies[caller] >= MOST_BODIES_OF_ONE:
            raise Refused(problems.OVERLOADED)
        self.bodies[caller] += 1
        try:
            yield
        finally:
            self.bodies[caller] -= 1
            self.bodies += Counter()  # forgets who has none

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place among those who are worked on; raises Refused (429) if there is none."""
        if self.in_flight >= self.most_at_once:
            raise Refused(problems.OVERLOADED)
        self.in_flight += 1
        try:
            yield
        finally:
            self.in_flight -= 1

    @contextmanager
    def bulk_place(self, caller: str) -> Iterator[None]:
        """Hold a place for bulk, of which a caller has one at most; raises Refused (429) if there is none."""
        if self.bulk_in_flight >= self.most_bulk or caller in self.bulk_callers:
            raise Refused(problems.OVERLOADED)
        with self.place():
            self.bulk_in_flight += 1
            self.bulk_callers.add(caller)
            try:
                yield
            finally:
                self.bulk_in_flight -= 1
                self.bulk_callers.discard(caller)

    async def run(self, work: Callable[[], Any], is_bulk: bool = False) -> Any:
        """Return what the work returns; raises Refused (503) if it takes too long, or if the service stops first.

        What has not begun by then never does: nobody waits for it. A thread that works cannot be stopped, but it is one of
        the pool's own: no other work starts before it is free.
        """
        try:
            future = asyncio.get_running_loop().run_in_executor(self._pools[is_bulk], work)
        except RuntimeError:  # the pool is closed
            raise Refused(problems.STOPPING) from None
        done, _ = await asyncio.wait((future,), timeout=LONGEST_BULK_SECONDS if is_bulk else LONGEST_SECONDS)
        if not done:
            future.cancel()
            raise Refused(problems.TIMED_OUT)
        if future.cancelled():  # by close: it was still waiting for a thread
            raise Refused(problems.STOPPING)
        return future.result()

    def close(self) -> None:
        """Let running work end; start nothing more."""
        for pool in self._pools.values():
            pool.shutdown(wait=True, cancel_futures=True)
