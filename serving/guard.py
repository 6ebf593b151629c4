"""What stands between the network and the framework: its own pages are shut, and there is one way to say no.

BentoML answers in formats of its own, and its pages load things from elsewhere. So only its health and metrics pages are
let through, and whatever error the framework makes itself leaves as a problem document. An exception must not leave this
class: the framework would keep the client waiting until its time-out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving import problems
from serving.log import log_without_values
from serving.problems import MEDIA_TYPE, Problem

SHUT = ("/docs.json", "/schema.json", "/static_content", "/assets", "/is_alive")
"""Pages of the framework that describe another service than this one, or load things from elsewhere."""

LONGEST_ADDRESS = 4096
"""Bytes of path and query. Ours have a few hundred."""

HEADERS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        b"frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    ),
)
"""Added to every answer that says nothing else itself, as a file that browsers may keep does, or a card with its own style."""
OWN_PAGES = b"text/html"
TLS_ONLY = (b"strict-transport-security", b"max-age=31536000")
"""In production: browsers that have been here once use no connection without TLS for a year."""


class Guard:
    """ASGI middleware; ``readiness`` answers /readyz, ``is_production`` says that readers come by TLS."""

    def __init__(self, app: ASGIApp, readiness: Callable[[], Response], *, is_production: bool = False) -> None:
        self.app = app
        self.readiness = readiness
        self.headers = (*HEADERS, TLS_ONLY) if is_production else HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = _Answer(send, self.headers, is_page=scope["path"].startswith("/ui/"))
        try:
            if len(scope.get("raw_path") or scope["path"]) + len(scope.get("query_string", b"")) > LONGEST_ADDRESS:
                await answer.refuse(scope, receive, problems.of_status(414))
            elif scope["path"] == "/readyz":
                await self._show_readiness(scope, receive, answer)
            elif _is_shut(scope["path"]):
                await answer.refuse(scope, receive, problems.of_status(404))
            else:
                await self.app(scope, receive, answer)
        except Exception as error:
            log_without_values(error)
            if not answer.has_started:
                await answer.refuse(scope, receive, problems.UNEXPECTED)

    async def _show_readiness(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        if scope["method"] in ("GET", "HEAD"):
            await self.readiness()(scope, receive, answer)
        else:
            await answer.refuse(scope, receive, replace(problems.of_status(405), headers=(("Allow", "GET, HEAD"),)))


def _is_shut(path: str) -> bool:
    return path == "/" or path.startswith(SHUT)


class _Answer:
    """The way out: adds headers, and turns the framework's own errors into problem documents."""

    def __init__(self, send: Send, headers: Sequence[tuple[bytes, bytes]], *, is_page: bool = False) -> None:
        self.send = send
        self.headers = headers
        self.is_page = is_page
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
        if message["status"] >= 400 and not self._is_ours(headers.get(b"content-type", b"")):
            await self._replace(message["status"], headers)
        else:
            added = [(name, value) for name, value in self.headers if name not in headers]
            await self.send({**message, "headers": [*message["headers"], *added]})

    def _is_ours(self, media_type: bytes) -> bool:
        return media_type.startswith(MEDIA_TYPE.encode()) or (self.is_page and media_type.startswith(OWN_PAGES))

    async def _replace(self, status: int, headers: dict[bytes, bytes]) -> None:
        self.is_replaced = True
        response = problems.of_status(status).response()
        kept = [(name, headers[name]) for name in (b"allow", b"retry-after") if name in headers]
        told = [*response.raw_headers, *kept, *self.headers]
        await self.send({"type": "http.response.start", "status": status, "headers": told})
        await self.send({"type": "http.response.body", "body": response.body})
