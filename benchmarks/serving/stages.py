"""Where the time of one request goes, inside the process: each step of the exchange alone, on the same request."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from data_contracts.time_windows import today
from features.record import tables_of_record
from serving.access.key_sets import KeySet
from serving.access.policy import Purpose
from serving.access.tokens import TokenVerifier
from serving.answer_json import answer_json
from serving.audit.event import AuditEvent
from serving.audit.journal import Journal
from serving.body import parsed
from serving.case import Case, Served
from serving.predictor import LOWERING, RAISING, Predictor, case_of, scored
from serving.requests import RiskRequest

CALLS, FIRST = 300, 30
AUDIENCE = "balance-risk"


def stages(
    bundles: Path, verify_key: Path, jwks: Path, issuer: str, token: str, body: bytes, scratch: Path
) -> dict[str, float]:
    """Return the median milliseconds of each step of POST /v1/risk.

    ``scratch`` takes an audit log of its own, which is as durable as the service's.
    """
    predictor = Predictor.from_bundles(bundles, verify_key)
    verifier = TokenVerifier(issuer, AUDIENCE, KeySet.from_file(jwks))
    request = parsed(body, RiskRequest)
    received, asked = today(), request.outcomes
    tables = tables_of_record(request.record, received)
    case = case_of(tables, request.index_date, received)

    fields = {name: (predictor.served[name].always_said, _fields(predictor.served[name], case)) for name in asked}
    with _journal(scratch) as journal:
        event = _event()
        return _medians(
            {
                "token": lambda: verifier.verify(token),
                "JSON and form of the body": lambda: parsed(body, RiskRequest),
                "check of the record": lambda: tables_of_record(request.record, received),
                "features": lambda: case_of(tables, request.index_date, received),
                "two models, intervals and reasons": lambda: [_fields(predictor.served[name], case) for name in asked],
                "answer as JSON": lambda: answer_json(request.index_date, case.safety_flags, fields),
                "audit event, committed": lambda: journal.append([event]).result(),
            }
        )


def _fields(served: Served, case: Case) -> dict[str, Any]:
    found, shared = scored(served, case)
    assert found is not None
    return shared | {"reasons": found.strongest(RAISING, LOWERING)}


@contextmanager
def _journal(scratch: Path) -> Iterator[Journal]:
    journal = Journal(f"sqlite:///{scratch / 'stages.db'}", b"k" * 32, scratch / "stages-heads.jsonl")
    journal.start()
    try:
        yield journal
    finally:
        journal.close()


def _event() -> AuditEvent:
    return AuditEvent(
        at=datetime.now(UTC), caller="benchmark", role="app", organisations=("SYNTHETIC-c1",),
        purpose=Purpose.HEALTHCARE, action="score", person_id="SYNTHETIC-example", decision="allowed", reason="rule",
        models=("burnout:1:0", "long_sick_leave:1:0"), data_version="", request_id="0" * 32,
    )  # fmt: skip


def _medians(steps: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Return the median milliseconds of each step; they take turns, so that what disturbs the machine disturbs all alike."""
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(FIRST + CALLS):
        for name, call in steps.items():
            began = time.perf_counter()
            call()
            if turn >= FIRST:
                taken[name].append(time.perf_counter() - began)
    return {name: float(np.median(seconds)) * 1e3 for name, seconds in taken.items()}
