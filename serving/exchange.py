"""One request from socket to answer: token, policy, quota, body, subjects, audit beside the work, and only then the answer.

No answer leaves without its event in the audit log, and an event that cannot be written costs the answer, never the other
way round; see :mod:`serving.ticket`.
"""

from __future__ import annotations

import time
import uuid
from functools import partial

from starlette.datastructures import QueryParams
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from data_contracts.time_windows import today
from serving.access.policy import Purpose
from serving.body import ClientGone, read_body
from serving.call import Call, Endpoint, response_of
from serving.faults import problem_of
from serving.gate import Gate
from serving.metrics import observe
from serving.parts import Parts
from serving.problems import Refused
from serving.ticket import NOBODY, Ticket, wait_for
from serving.together import Asked, Together, may_share, worked


class Exchange:
    """An endpoint as an ASGI application."""

    def __init__(self, endpoint: Endpoint, parts: Parts, gate: Gate) -> None:
        self.endpoint = endpoint
        self.parts = parts
        self.gate = gate
        self.together = Together(gate, worked)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request_id, begun = uuid.uuid4().hex, time.perf_counter()
        try:
            response = await self._guarded(scope, receive, request_id)
        except ClientGone:
            # Nobody reads it; without an answer the framework would wait for one until its limit, and not end before.
            await Response(status_code=204)(scope, receive, send)
            return
        observe(self.endpoint.method, self.endpoint.path, response.status_code, time.perf_counter() - begun)
        response.headers["X-Request-Id"] = request_id
        await response(scope, receive, send)

    async def _guarded(self, scope: Scope, receive: Receive, request_id: str) -> Response:
        try:
            return await self._answer(scope, receive, request_id)
        except ClientGone:
            raise
        except Exception as error:
            return self.endpoint.refuse(problem_of(error), scope)

    async def _answer(self, scope: Scope, receive: Receive, request_id: str) -> Response:
        if self.endpoint.is_public:
            with self.gate.place():
                return await self.gate.run(partial(self._public, scope))
        ticket = Ticket(self.endpoint, self.parts, request_id)
        await ticket.admit(scope)
        caller = ticket.caller.subject
        if self.endpoint.is_bulk:
            # The caller's own share first: who has too many on their way takes no place from others. The place is held
            # while the body comes, so that few large ones are in memory.
            with self.gate.receiving(caller), self.gate.bulk_place(caller):
                return await self._worked(ticket, scope, await self._body(ticket, scope, receive))
        body = b""
        if self.endpoint.body:
            with self.gate.receiving(caller):
                body = await self._body(ticket, scope, receive)
        with self.gate.place():
            return await self._worked(ticket, scope, body)

    async def _body(self, ticket: Ticket, scope: Scope, receive: Receive) -> bytes:
        if self.endpoint.body is None:
            return b""
        try:
            return await read_body(scope, receive, self.endpoint)
        except Refused as refused:
            await ticket.note(refused.problem)
            raise

    async def _worked(self, ticket: Ticket, scope: Scope, body: bytes) -> Response:
        asked = Asked(ticket, scope, body)
        if may_share(asked):
            response, committed = await self.together.run(asked)
        else:
            ((response, committed),) = await self.gate.run(partial(worked, [asked]), self.endpoint.is_bulk)
        await wait_for(committed)
        return response

    def _public(self, scope: Scope) -> Response:
        return response_of(self.endpoint, self.endpoint.handle(_public_call(scope, self.parts)))


def _public_call(scope: Scope, parts: Parts) -> Call:
    return Call(
        NOBODY,
        Purpose.QUALITY,
        parts.watch.predictor,
        None,
        scope.get("path_params", {}),
        QueryParams(),
        today(),
        "",
        parts,
    )
