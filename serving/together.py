"""Requests that wait for a thread at the same moment, worked on in one pass: eight cost little more than two alone.

Nobody waits for others to come: whoever finds the thread free is worked on at once, and who comes meanwhile goes next, with
all that wait. What each is answered does not depend on the company it is in.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any, NamedTuple

from starlette.responses import Response
from starlette.types import Scope

from serving import gate as gates
from serving import problems
from serving.call import Call, Endpoint
from serving.faults import answer_or_problem
from serving.gate import Gate
from serving.log import log_without_values
from serving.problems import Refused
from serving.ticket import Ticket

MOST_TOGETHER = 16
"""What more would gain is little, and the first of them waits for the last."""
MOST_BYTES_SHARED = 2**16
"""Of a body: some thousand rows. Who sends more keeps nobody else waiting."""


class Asked(NamedTuple):
    """A request that has been admitted."""

    ticket: Ticket
    scope: Scope
    body: bytes


Answer = tuple[Response, Sequence[Future[int]]]
"""And what must be committed before it leaves."""


def may_share(asked: Asked) -> bool:
    """True if a request may be worked on with others: it is small, and waits for no store, which they would wait for, too."""
    ticket = asked.ticket
    if ticket.endpoint.handle_all is None or len(asked.body) > MOST_BYTES_SHARED:
        return False
    return ticket.caller.role == "app" and ticket.parts.withdrawals.is_known()


def worked(asked: Sequence[Asked]) -> list[Answer]:
    """Answer requests to one endpoint; runs in a thread, never raises."""
    begun = [one.ticket.begin(one.scope, one.body) for one in asked]
    calls = [call for call in begun if isinstance(call, Call)]
    answers = iter(_handled(asked[0].ticket.endpoint, calls))
    return [
        one.ticket.end(one.scope, call, next(answers) if isinstance(call, Call) else None)
        for one, call in zip(asked, begun, strict=True)
    ]


def _handled(endpoint: Endpoint, calls: Sequence[Call]) -> Sequence[Any]:
    if endpoint.handle_all is not None and len(calls) > 1:
        try:
            return endpoint.handle_all(calls)
        except Exception as error:  # of no single one: each is looked at alone
            log_without_values(error)
    return [answer_or_problem(endpoint.handle, call) for call in calls]


class Together:
    """The requests to one endpoint that wait, and the work on them, one lot after the other.

    Parameters
    ----------
    gate : Gate
        Whose threads do the work.
    work : callable
        Given some requests, returns the answer to each; runs in a thread.
    """

    def __init__(self, gate: Gate, work: Callable[[Sequence[Any]], Sequence[Any]]) -> None:
        self._gate = gate
        self._work = work
        self._waiting: deque[tuple[Any, asyncio.Future[Any]]] = deque()
        self._worker: asyncio.Task[None] | None = None

    async def run(self, asked: Any) -> Any:
        """Return the answer to a request; raises Refused (503) if it takes too long, or if the service stops first."""
        answer = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, answer))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work_on_all())
        try:
            done, _ = await asyncio.wait((answer,), timeout=gates.LONGEST_SECONDS)
        finally:
            answer.cancel()  # if it has not begun, it never will: nobody waits for it
        if not done:
            raise Refused(problems.TIMED_OUT)
        return answer.result()

    async def _work_on_all(self) -> None:
        while some := self._next():
            try:
                answers = await self._gate.run(partial(self._work, [asked for asked, _ in some]))
            except Exception as error:
                for _, waits in some:
                    _settle(waits.set_exception, waits, error)
                continue
            for (_, waits), answer in zip(some, answers, strict=True):
                _settle(waits.set_result, waits, answer)

    def _next(self) -> list[tuple[Any, asyncio.Future[Any]]]:
        found: list[tuple[Any, asyncio.Future[Any]]] = []
        while self._waiting and len(found) < MOST_TOGETHER:
            one = self._waiting.popleft()
            if not one[1].done():
                found.append(one)
        return found


def _settle(tell: Callable[[Any], None], waits: asyncio.Future[Any], told: Any) -> None:
    if not waits.done():  # who waited too long has been told so
        tell(told)
