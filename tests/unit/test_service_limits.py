"""What is asked of the framework around the service, by its own application in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys

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
app = ServiceAppFactory(service, services=BentoMLContainer.config.services.get(), enable_metrics=False)()

async def ask():
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        return (await client.get("/ui/persons/SYNTHETIC-1")).status_code

status = asyncio.run(ask())
(seconds,) = [one.kwargs["timeout"] for one in app.user_middleware if one.cls is TimeoutMiddleware]
print(json.dumps({"status": status, "spans": spans, "seconds": seconds}))
"""


@pytest.fixture(scope="module")
def asked():
    done = subprocess.run([sys.executable, "-c", ASK], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_no_span_is_made_of_a_request(asked):
    """It would hold the path, and paths name persons; the framework kept it in memory for a minute."""
    assert asked["status"] in (303, 503), "the request has come to us"
    assert asked["spans"] == []


def test_the_framework_gives_up_later_than_we_do(asked):
    """Its limit was once 60 s: shorter than a slow body and a long batch together, which it would have ended in its own way."""
    assert asked["seconds"] > LONGEST_REQUEST
