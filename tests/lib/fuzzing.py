"""Schemathesis against the whole application in this process: callers, a store with persons, and what is a fault."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from models.outcomes import OUTCOMES
from serving.access import quotas
from serving.access.policy import RULES
from serving.app import readiness
from serving.endpoints import ENDPOINTS
from serving.guard import Guard
from serving.predictor import Predictor
from tests.lib.deployment import COMPANY, REQUEST
from tests.lib.in_process import InProcess
from tests.lib.models import linear_model
from tests.lib.stores import scored, write

PERSONS = tuple(f"p{number}" for number in range(1, 13))
ROLES = {
    endpoint.path: role for endpoint in ENDPOINTS for role, _, action in reversed(RULES) if action == endpoint.action
}
"""A role that may use the address, so that cases get past the door; that others may not is for other tests."""

CHECKS = {
    # Nothing is broken in this process, so there is no reason for a 503 either.
    "not_a_server_error": {"enabled": True, "expected-statuses": ["2xx", "4xx"]},
    # The contract asks more of a record than JSON Schema can say (dates in order, units that exist, one person), and care
    # and company are asked of persons: what fits the schema may be refused, by these statuses.
    "positive_data_acceptance": {"expected-statuses": ["2xx", "403", "404", "422"]},
    "negative_data_rejection": {"expected-statuses": ["400", "401", "403", "404", "405", "413", "415", "422"]},
}


@dataclass
class Findings:
    """What a run found."""

    cases: Counter[str] = field(default_factory=Counter)
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    faults: dict[str, str] = field(default_factory=dict)

    def take(self, event: Any) -> None:
        """Count what an event of the engine tells."""
        if isinstance(event, events.NonFatalError | events.FatalError):
            self.faults[f"engine: {event}"] = str(event)
        if not isinstance(event, events.ScenarioFinished):
            return
        for case_id, interaction in event.recorder.interactions.items():
            self.cases[event.phase.value] += 1
            if interaction.response is not None:
                label = event.recorder.cases[case_id].value.operation.label
                self.statuses[label, interaction.response.status_code] += 1
        for case_id, checks in event.recorder.checks.items():
            for check in checks:
                if check.failure_info is not None:
                    case = event.recorder.cases[case_id].value
                    failure = check.failure_info.failure
                    response = event.recorder.interactions[case_id].response
                    text = "" if response is None else response.text[:300]
                    where = failure.message.partition("Invalid component: ")[2]
                    key = f"{check.name}: {case.operation.label}: {failure.title} {where}"
                    self.faults.setdefault(
                        key, f"{failure.message[:600]}\n{check.failure_info.code_sample[:800]}\n{text}"
                    )


@contextmanager
def fuzzed_service(root: Path, monkeypatch: Any) -> Iterator[Any]:
    """Yield the schema of a service with every outcome, some persons with scores, and no quotas."""
    # A quota would answer nearly everything; that it does has its own tests.
    monkeypatch.setattr(quotas, "DENIED", quotas.Rate(per_minute=1e9, burst=10**9))
    service = InProcess(root)
    service.parts.quotas = quotas.Quotas({})
    service.parts.watch.predictor = Predictor({name: linear_model(name) for name in OUTCOMES})
    assert service.parts.journal is not None
    service.parts.journal.start()
    _fill(service)
    try:
        yield _schema(service)
    finally:
        service.gate.close()
        service.parts.close()


def run(schema: Any, seed: int, examples: int, steps: int, phases: tuple[str, ...] = ()) -> Findings:
    """Run the phases (all by default) and return what was found."""
    names = ("examples", "coverage", "fuzzing", "stateful")
    told = {
        "seed": seed,
        "generation": {"max-examples": examples, "database": "none", "no-shrink": True},
        "phases": {name: {"enabled": name in (phases or names)} for name in names},
        "checks": CHECKS,
        # A broken record in a batch is no broken batch: the answer is 200, with a problem in that record's place.
        "operations": [{"include-path": "/v1/risk/batch", "checks": {"negative_data_rejection": {"enabled": False}}}],
        "output": {"sanitization": {"enabled": False}},
        "continue-on-failure": True,
        "workers": 1,
    }
    told["phases"]["stateful"]["max-steps"] = steps
    parent = SchemathesisConfig.from_dict(told)
    schema.config = parent.projects.get(schema.raw_schema)
    findings = Findings()
    for event in from_schema(schema).execute():
        findings.take(event)
    return findings


def _schema(service: InProcess) -> Any:
    schema = schemathesis.openapi.from_asgi("/openapi.json", Guard(service.app, partial(readiness, service.parts)))
    schema = schema.exclude(path="/livez")  # BentoML's own, and not of this application

    @schema.auth(cache_by_key=lambda case, context: ROLES.get(case.operation.path, "app"))
    class Token:
        def get(self, case: Any, context: Any) -> str:
            role = ROLES.get(case.operation.path, "app")
            # Companies are drawn at random, too; for all of them only these two roles can act.
            return service.issuer.token(role, ["*"] if role in ("app", "auditor") else [COMPANY])

        def set(self, case: Any, data: str, context: Any) -> None:
            case.headers["Authorization"] = f"Bearer {data}"

    return schema


def _fill(service: InProcess) -> None:
    predictor, day = service.parts.watch.predictor, date.fromisoformat(REQUEST["index_date"])
    assert predictor is not None
    answer = predictor.predict_json(REQUEST["record"], day, tuple(OUTCOMES), day)
    store = service.parts.store
    write(store, *(scored(name, 0.1 + place / 50, answer=answer, companies=(COMPANY,), consents=scored().consents)
                   for place, name in enumerate(PERSONS)))  # fmt: skip
    for name in PERSONS[: len(PERSONS) // 2]:
        store.begin_care("clinician-1", name, "test", date.today())
