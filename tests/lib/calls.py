"""A request as handlers see it, without a network, a token or a database."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

from starlette.datastructures import QueryParams

from serving.access.caller import Caller
from serving.access.policy import Purpose
from serving.call import Call
from serving.predictor import Predictor


def call(body: Any, predictor: Predictor | None, day: date, public_url: str = "", **query: list[str]) -> Call:
    """A clinician's call with a body that has been validated already."""
    watch = SimpleNamespace(not_ready_because=lambda: "no model")
    parts: Any = SimpleNamespace(
        settings=SimpleNamespace(public_url=public_url),
        watch=watch,
        withdrawals=SimpleNamespace(of=lambda person_id: {}),
    )
    caller = Caller("doctor", "clinician", frozenset(), "test")
    asked = QueryParams([(name, value) for name, values in query.items() for value in values])
    return Call(caller, Purpose.HEALTHCARE, predictor, body, {}, asked, day, "request-1", parts)
