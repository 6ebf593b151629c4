"""What is asked of the framework around the service, by its own application in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.lib.deployment import LONGEST_REQUEST, PROJECT

ASK = """
import asyncio, json

import httpx
from opentelemetry.sdk.trace import Tracer

import serving.service
from _bentoml_impl.server.app import ServiceAppFactory
from bentoml._internal.configuration.containers import BentoMLContainer
from bentoml._internal.server.http.traffic import TimeoutMiddleware

spans, start = [], Tracer.start_span
Tracer.start_span = lambda self, name, *more, **named: spans.append(name) or start(self, name, *more, **named)

service = serving.service.BalanceRisk
service.inject_config()

async def status_of(app):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        return (await client.get("/ui/persons/SYNTHETIC-1")).status_code

def asked():
    spans.clear()
    app = ServiceAppFactory(service, services=BentoMLContainer.config.services.get(), enable_metrics=False)()
    (seconds,) = [one.kwargs["timeout"] for one in app.user_middleware if one.cls is TimeoutMiddleware]
    return {"status": asyncio.run(status_of(app)), "spans": list(spans), "seconds": seconds}

told = asked()
BentoMLContainer.tracing_excluded_urls.set(None)
print(json.dumps([told, asked()]))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory) -> list[dict[str, Any]]:
    """What our application says, and what it would say without our exclusion of addresses."""
    ours = ("BALANCE_RISK_", "BENTOML_", "OTEL_")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    variables = clean | {"BENTOML_HOME": str(tmp_path_factory.mktemp("bentoml"))}
    command = [sys.executable, "-c", ASK]
    done = subprocess.run(command, cwd=PROJECT, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_no_span_is_made_of_a_request(told):
    """It would hold the path, and paths name persons; the framework kept it in memory for a minute."""
    ours, without = told
    assert ours["status"] in (303, 503), "the request has come to us"
    assert (ours["spans"], bool(without["spans"])) == ([], True)


def test_the_framework_gives_up_later_than_we_do(told):
    """Its limit was once 60 s: shorter than a slow body and a long batch together, which it would have ended in its own way."""
    assert told[0]["seconds"] > LONGEST_REQUEST
