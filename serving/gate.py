"""How much is worked on at once: a few threads, a bounded queue, and a plain no beyond it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from serving import problems
from serving.problems import Refused

THREADS = 4
"""The work holds the interpreter lock but while trees are walked and the log is synced; more threads only add switching."""
MOST_AT_ONCE = 64
LONGEST_SECONDS = 30.0


class Gate:
    """Runs the work of requests in threads of its own; what waits is counted, and refused beyond ``most_at_once``."""

    def __init__(self, threads: int = THREADS, most_at_once: int = MOST_AT_ONCE) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="answer")
        self.most_at_once = most_at_once
        self.in_flight = 0

    def enter(self) -> None:
        """Take a place; raises Refused (429) if there is none."""
        if self.in_flight >= self.most_at_once:
            raise Refused(problems.OVERLOADED)
        self.in_flight += 1

    def leave(self) -> None:
        """Give the place back."""
        self.in_flight -= 1

    async def run(self, work: Callable[[], Any]) -> Any:
        """Return what the work returns; raises Refused (503) if it takes too long.

        The thread cannot be stopped then, but it is one of the pool's own: no other work starts before it is free.
        """
        future = asyncio.get_running_loop().run_in_executor(self._pool, work)
        try:
            return await asyncio.wait_for(asyncio.shield(future), LONGEST_SECONDS)
        except TimeoutError:
            raise Refused(problems.TIMED_OUT) from None

    def close(self) -> None:
        """Let running work end; start nothing more."""
        self._pool.shutdown(wait=True, cancel_futures=True)
