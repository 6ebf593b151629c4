"""Schemathesis over the whole OpenAPI document: no 5xx, no answer that is not declared, nothing refused that is sound or the
other way round, and no address that forgets to ask who calls. Seeds are fixed: a failure is the same everywhere."""

from __future__ import annotations

import pytest

from serving.endpoints import ENDPOINTS
from tests.lib.fuzzing import fuzzed_service, run

SAME_BODY = ("/v1/risk/batch", "/v1/explanation", "/v1/profile")
"""Take the record of /v1/risk: its hundreds of systematic faults are sent to all of them in the long run only."""


@pytest.fixture
def schema(tmp_path, monkeypatch):
    with fuzzed_service(tmp_path, monkeypatch) as found:
        yield found


def faults(findings):
    return "\n\n".join(f"{name}\n{text}" for name, text in findings.faults.items())


def test_a_bounded_run(schema):
    findings = run(schema, seed=1, examples=10, steps=5, phases=("fuzzing", "stateful"))
    assert not findings.faults, faults(findings)
    assert findings.cases["fuzzing"] > 100
    # Stateful: from the worklist to a person, into care, and to a decision about the score.
    answered = {label for (label, status) in findings.statuses if status == 200}
    assert "POST /v1/persons/{person_id}/care-relation" in answered
    assert "GET /v1/persons/{person_id}/risk" in answered


def test_every_fault_of_each_parameter_and_field(schema):
    few = schema.exclude(path=[*SAME_BODY, "/v1/what-if"])
    findings = run(few, seed=1, examples=10, steps=5, phases=("coverage",))
    assert not findings.faults, faults(findings)
    assert findings.cases["coverage"] > 800
    # Without a token nobody is answered, whatever else is sent.
    asked = {label for label, _ in findings.statuses}
    guarded = {f"{one.method} {one.path}" for one in ENDPOINTS if not one.is_public} & asked
    assert {label for label, status in findings.statuses if status == 401} == guarded


@pytest.mark.long
def test_five_thousand_cases(schema):
    findings = run(schema, seed=7, examples=100, steps=8)
    assert not findings.faults, faults(findings)
    assert sum(findings.cases.values()) >= 5000
    assert not [status for _, status in findings.statuses if status >= 500]
