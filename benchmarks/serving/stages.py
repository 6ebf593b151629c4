"""Where the time of one request goes, inside the process: each step of the exchange alone, on the same request."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np

from data_contracts.time_windows import today
from features.record import tables_of_record
from serving.access.key_sets import KeySet
from serving.access.policy import Purpose
from serving.access.tokens import TokenVerifier
from serving.audit.event import AuditEvent
from serving.audit.journal import Journal
from serving.body import parsed
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
    case = case_of(tables, request.index_date)

    def judge() -> None:
        for name in asked:
            found, _ = scored(predictor.served[name], case)
            assert found is not None
            found.__dict__.pop("_ranked", None)
            found.strongest(RAISING, LOWERING)

    whole = _median(lambda: predictor.predict_json(request.record, request.index_date, asked, received))
    parts = {
        "token": _median(lambda: verifier.verify(token)),
        "JSON and form of the body": _median(lambda: parsed(body, RiskRequest)),
        "check of the record": _median(lambda: tables_of_record(request.record, received)),
        "features": _median(lambda: case_of(tables, request.index_date)),
        "two models, intervals and reasons": _median(judge),
    }
    rest = whole - sum(list(parts.values())[2:])
    return parts | {"answer as JSON": max(rest, 0.0), "audit event, committed": _committed(scratch, request.index_date)}


def _committed(scratch: Path, day: date) -> float:
    journal = Journal(f"sqlite:///{scratch / 'stages.db'}", b"k" * 32, scratch / "stages-heads.jsonl")
    journal.start()
    event = AuditEvent(
        at=datetime.now(UTC), caller="benchmark", role="app", organisations=("SYNTHETIC-c1",),
        purpose=Purpose.HEALTHCARE, action="score", person_id="SYNTHETIC-example", decision="allowed", reason="rule",
        models=("burnout:1:0", "long_sick_leave:1:0"), data_version="", request_id="0" * 32,
    )  # fmt: skip
    try:
        return _median(lambda: journal.append([event]).result())
    finally:
        journal.close()


def _median(call: Callable[[], object]) -> float:
    taken = []
    for turn in range(FIRST + CALLS):
        began = time.perf_counter()
        call()
        if turn >= FIRST:
            taken.append(time.perf_counter() - began)
    return float(np.median(taken)) * 1e3
