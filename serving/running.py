"""What a worker process answers with: parts, gate and application, made once when the service starts."""

from __future__ import annotations

import sys
from functools import partial

from starlette.types import ASGIApp

from serving.app import create_app, readiness
from serving.gate import Gate
from serving.guard import Guard
from serving.parts import Parts
from serving.settings import Settings

SWITCH_SECONDS = 0.0005
"""A thread that has written the audit log waits for the interpreter: by default up to 5 ms at each call, half a request."""


class Running:
    """One worker of a deployment.

    Parameters
    ----------
    settings : Settings
    """

    def __init__(self, settings: Settings) -> None:
        sys.setswitchinterval(SWITCH_SECONDS)
        self.parts = Parts.build(settings)
        self.gate = Gate()
        self.app: ASGIApp = create_app(self.parts, self.gate)

    def guarded(self, app: ASGIApp) -> Guard:
        """Return what stands between the network and the framework's ``app``."""
        is_production = self.parts.settings.mode == "production"
        return Guard(app, partial(readiness, self.parts), is_production=is_production)

    def stop(self) -> None:
        """Let running answers end, and write what is queued for the audit log."""
        self.gate.close()
        self.parts.close()
