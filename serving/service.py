"""The BentoML service: processes and /livez are BentoML's; every other address is of ``serving.app``.

``balance-risk serve`` starts it. It starts without a model, a key or a database and is then not ready; it never fails to
start, because the framework would start it again and again while clients hang.
"""

from __future__ import annotations

import os
import sys
from functools import partial

# Before bentoml is imported, which otherwise reports its use to its makers; other values than this word do not count. Whoever
# starts `bentoml serve` by hand must set it too: the command is there before this line.
os.environ["BENTOML_DO_NOT_TRACK"] = "True"

import bentoml

from serving import redaction
from serving.app import create_app, readiness
from serving.gate import Gate
from serving.guard import Guard
from serving.parts import Parts
from serving.settings import Settings

redaction.install()
# A thread that has written the audit log waits for the interpreter; by default up to 5 ms at each call, half a request's time.
sys.setswitchinterval(0.0005)

PARTS = Parts.build(Settings.from_environment())
GATE = Gate()


@bentoml.service(
    workers=PARTS.settings.workers,
    # Our own gate answers in time; this is the net below it.
    traffic={"timeout": 60},
    # An access log would hold paths, and paths name persons.
    logging={"access": {"enabled": False}},
    # The framework counts by address as asked, person and all; ours are in serving.metrics.
    metrics={"enabled": False},
)
@bentoml.asgi_app(create_app(PARTS, GATE), path="/")
class BalanceRisk:
    """Calibrated, explained risks of burnout and long sick leave from one person's record."""

    def __init__(self) -> None:
        PARTS.start()

    def __is_ready__(self) -> bool:
        return not PARTS.not_ready_because()

    @bentoml.on_shutdown
    def stop(self) -> None:
        """Let running answers end, and write what is queued for the audit log."""
        GATE.close()
        PARTS.close()


BalanceRisk.add_asgi_middleware(  # type: ignore[attr-defined]  # the decorator has made a Service of the class
    Guard, readiness=partial(readiness, PARTS), is_production=PARTS.settings.mode == "production"
)
