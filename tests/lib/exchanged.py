"""Requests, endpoints that fail or wait, and problems that must quote nothing."""

from __future__ import annotations

import threading
from typing import Any

import httpx

from serving.access.policy import Action
from serving.call import Endpoint
from serving.endpoints import ENDPOINTS
from serving.handlers.models import ModelsResponse
from serving.requests import RiskRequest
from serving.responses import RiskResponse
from tests.lib.deployment import REQUEST

SECRET = "01818010008"  # a synthetic identity number: the month is raised by 80
ASKED = REQUEST | {"outcomes": ["long_sick_leave"]}


def _fail(call: Any) -> Any:
    raise RuntimeError(f"cannot handle {SECRET}")


def _wait(call: Any) -> Any:
    threading.Event().wait(0.2)
    return ModelsResponse(models=(), refused={})


FAILS = Endpoint("POST", "/v1/fails", Action.SCORE, _fail, RiskResponse, "Fails.", body=RiskRequest,
                 subjects=ENDPOINTS[0].subjects)  # fmt: skip
SLOW = Endpoint("GET", "/v1/slow", Action.READ_MODELS, _wait, ModelsResponse, "Takes long.")


def kind(response: httpx.Response) -> str:
    assert response.headers["content-type"] == "application/problem+json"
    document = response.json()
    assert document["status"] == response.status_code
    assert SECRET not in response.text
    return document["type"].rsplit(":", 1)[1]
