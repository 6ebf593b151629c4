"""What stands between the network and the framework: size, type, form and number of requests, and one way to say no.

BentoML logs a traceback for every refused body and answers in formats of its own. So a request is checked here before
the framework sees it, and whatever error the framework makes itself leaves as a problem document. An exception must not
leave this class: the framework would keep the client waiting until its time-out.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable, Mapping

from pydantic import BaseModel
from pydantic_core import from_json
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving import problems
from serving.problems import MEDIA_TYPE, Problem

LOGGER = logging.getLogger("bentoml.balance_risk")  # the framework shows loggers under its own name only

MOST_BYTES = 2**20
MOST_AT_ONCE = 64
BODY_SECONDS = 10.0

_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    # BentoML's index page would load a tracker from elsewhere.
    (b"content-security-policy", b"default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"),
)


class Guard:
    """ASGI middleware.

    ``bodies`` gives the form of the body of each route that takes one; ``not_ready_because`` says why /readyz is 503.
    """

    def __init__(
        self, app: ASGIApp, bodies: Mapping[str, type[BaseModel]], not_ready_because: Callable[[], str]
    ) -> None:
        self.app = app
        self.bodies = bodies
        self.not_ready_because = not_ready_because
        self.in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = _Answer(send, lambda status: self._framework_problem(scope["path"], status))
        try:
            await self._handle(scope, receive, answer)
        except Exception as error:
            log_without_values(error)
            if not answer.has_started:
                await answer.refuse(scope, receive, problems.UNEXPECTED)

    async def _handle(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        model = self.bodies.get(scope["path"]) if scope["method"] == "POST" else None
        if model is None:
            await self.app(scope, receive, answer)
        elif self.in_flight >= MOST_AT_ONCE:
            await answer.refuse(scope, receive, problems.OVERLOADED)
        else:
            self.in_flight += 1
            try:
                await self._handle_body(scope, receive, answer, model)
            finally:
                self.in_flight -= 1

    async def _handle_body(self, scope: Scope, receive: Receive, answer: _Answer, model: type[BaseModel]) -> None:
        body = await _read_body(scope, receive)
        if isinstance(body, Problem):
            await answer.refuse(scope, receive, body)
        elif body is not None and (problem := _check_body(body, model)):
            await answer.refuse(scope, receive, problem)
        elif body is not None:
            await self.app(scope, _replay(body, receive), answer)

    def _framework_problem(self, path: str, status: int) -> Problem:
        if path == "/readyz" and status == 503:
            return problems.not_ready(self.not_ready_because())
        return problems.of_status(status)


class _Answer:
    """The way out: adds headers, and turns the framework's own errors into problem documents."""

    def __init__(self, send: Send, problem: Callable[[int], Problem]) -> None:
        self.send = send
        self.problem = problem
        self.has_started = False
        self.is_replaced = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._start(message)
        elif not self.is_replaced:
            await self.send(message)

    async def refuse(self, scope: Scope, receive: Receive, problem: Problem) -> None:
        await problem.response()(scope, receive, self)

    async def _start(self, message: Message) -> None:
        headers = dict(message["headers"])
        self.has_started = True
        if message["status"] >= 400 and not headers.get(b"content-type", b"").startswith(MEDIA_TYPE.encode()):
            await self._replace(message["status"], headers)
        else:
            await self.send({**message, "headers": [*message["headers"], *_HEADERS]})

    async def _replace(self, status: int, headers: dict[bytes, bytes]) -> None:
        self.is_replaced = True
        response = self.problem(status).response()
        kept = [(name, headers[name]) for name in (b"allow", b"retry-after") if name in headers]
        start = {"type": "http.response.start", "status": status, "headers": [*response.raw_headers, *kept, *_HEADERS]}
        await self.send(start)
        await self.send({"type": "http.response.body", "body": response.body})


async def _read_body(scope: Scope, receive: Receive) -> bytes | Problem | None:
    """Return the body, the problem with it, or None if the client went away."""
    headers = dict(scope["headers"])
    if headers.get(b"content-type", b"").split(b";")[0].strip().lower() != b"application/json":
        return problems.NOT_JSON
    announced = headers.get(b"content-length", b"0")
    if announced.isdigit() and int(announced) > MOST_BYTES:
        return problems.too_large(MOST_BYTES)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _receive_all(receive)
    except TimeoutError:
        return problems.TOO_SLOW


async def _receive_all(receive: Receive) -> bytes | Problem | None:
    # Counted as it comes: a chunked body announces no length.
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > MOST_BYTES:
            return problems.too_large(MOST_BYTES)
        if not message.get("more_body", False):
            return bytes(body)


def _check_body(body: bytes, model: type[BaseModel]) -> Problem | None:
    # The framework's own parser, so that nothing passes here that it then refuses with a traceback. It quotes nothing.
    try:
        document = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        return problems.invalid_json(f"{error}.")
    return problems.check_body(model, document)


def _replay(body: bytes, receive: Receive) -> Receive:
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return messages.pop() if messages else await receive()

    return replayed


def log_without_values(error: Exception) -> None:
    """Log that and where something failed: no message and no traceback, which may quote what a person has sent."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    LOGGER.error("unexpected %s in %s, line %s", type(error).__name__, where.name, where.lineno)
