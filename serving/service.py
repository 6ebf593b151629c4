"""The BentoML service: processes and /livez are BentoML's; every other address is of ``serving.app``.

``balance-risk serve`` starts it. It starts without a model, a key or a database and is then not ready; it never fails to
start, because the framework would start it again and again while clients hang.

The parent of the workers reads this module too, and only to know how many to start. So what answers is imported and made
where a worker starts (``serving.running``), and the parent is there in half the time and memory.
"""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING

# Before bentoml is imported, which otherwise reports its use to its makers; other values than this word do not count. Whoever
# starts `bentoml serve` by hand must set it too: the command is there before this line.
os.environ["BENTOML_DO_NOT_TRACK"] = "True"

import bentoml

from serving import redaction
from serving.settings import Settings

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from serving.running import Running

redaction.install()

SETTINGS = Settings.from_environment()


@cache
def running() -> Running:
    """Return what this process answers with; its first call, when the service starts, makes it."""
    from serving.running import Running

    return Running(SETTINGS)


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Every address of ours, as an ASGI application."""
    await running().app(scope, receive, send)


class Guarded:
    """ASGI middleware around the whole framework: ``serving.guard``, from the first request on."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.guard: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; starting and stopping is the framework's."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if self.guard is None:
            self.guard = running().guarded(self.app)
        await self.guard(scope, receive, send)


@bentoml.service(
    workers=SETTINGS.workers,
    # Longer than ours together (10 s for a body, 55 s for a batch, 6 s for the log), which answer in time: the net below them.
    traffic={"timeout": 75},
    # A span would hold the path, and paths name persons; and each request's lives in a timer until the limit above is over.
    tracing={"excluded_urls": ".*"},
    # An access log would hold paths, and paths name persons.
    logging={"access": {"enabled": False}},
    # The framework counts by address as asked, person and all; ours are in serving.metrics.
    metrics={"enabled": False},
)
@bentoml.asgi_app(answer, path="/")
class BalanceRisk:
    """Calibrated, explained risks of burnout and long sick leave from one person's record."""

    def __init__(self) -> None:
        running().parts.start()

    def __is_ready__(self) -> bool:
        return not running().parts.not_ready_because()

    @bentoml.on_shutdown
    def stop(self) -> None:
        """Let running answers end, and write what is queued for the audit log."""
        running().stop()


BalanceRisk.add_asgi_middleware(Guarded)  # type: ignore[attr-defined]  # the decorator has made a Service of the class
