"""The real service in a real process: what a client sees, what the log holds, and promotions while it runs."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.bundle import move_current
from tests.lib.deployment import LONGEST_START_SECONDS, PERSON, REQUEST, Deployment, wait_for
from tests.lib.models import boosted_model, linear_model

IDENTITY_NUMBER = "01818010008"  # synthetic: the month is raised by 80


@pytest.fixture(scope="module")
def empty(tmp_path_factory) -> Iterator[Deployment]:
    """A service that has started before anything was promoted."""
    service = Deployment(tmp_path_factory.mktemp("serving"))
    try:
        service.start()
        yield service
    finally:
        service.stop()


@pytest.fixture(scope="module")
def service(empty: Deployment) -> Deployment:
    """The same service after both outcomes were promoted."""
    assert empty.status("/readyz") == 503
    empty.promote(linear_model(), "1")
    empty.promote(boosted_model(), "1")
    wait_for(lambda: empty.version("burnout") == empty.version("long_sick_leave") == "1")
    return empty


def test_without_a_bundle_it_lives_and_says_what_is_missing(empty):
    assert empty.status("/livez") == 200
    for response in (empty.client.get("/readyz"), empty.post("/v1/risk", REQUEST)):
        assert response.status_code == 503
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["detail"] == "No model is promoted yet. Run: balance-risk promote"


def test_risks_are_those_of_the_models(service):
    response = service.post("/v1/risk", REQUEST)
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    answer = response.json()
    assert answer["index_date"] == REQUEST["index_date"]
    assert list(answer["outcomes"]) == REQUEST["outcomes"]
    for found in answer["outcomes"].values():
        assert 0 < found["interval"][0] <= found["interval"][1] < 1
        assert found["model"]["artifact_sha256"]
        assert len(found["reasons"]) == 8


def test_the_explanation_adds_up(service):
    risks = service.post("/v1/risk", REQUEST).json()["outcomes"]
    for name, found in service.post("/v1/explanation", REQUEST).json()["outcomes"].items():
        total = found["base"] + sum(reason["contribution"] for reason in found["reasons"])
        assert abs(total - found["log_odds"]) < 1e-9
        assert found["risk"] == risks[name]["risk"]


BAD_RECORD = {
    "employments": REQUEST["record"]["employments"],
    "person": {**REQUEST["record"]["person"], "person_id": IDENTITY_NUMBER},
    "lab_results": [{"code_system": "NPU", "code": "NPU27300", "value": 40, "unit": "%", "sampled_on": "2025-01-01",
                     "known_from": "2025-01-02"}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"{", 400, None),
        (b'{"record": "%s"' % IDENTITY_NUMBER.encode(), 400, None),
        (b"[" * 250 + b"]" * 250, 400, None),
        ({}, 422, "/index_date"),
        (REQUEST | {"index_date": IDENTITY_NUMBER}, 422, "/index_date"),
        (REQUEST | {"index_date": "2999-01-01"}, 422, "/index_date"),
        (REQUEST | {"outcomes": [IDENTITY_NUMBER]}, 422, "/outcomes"),
        (REQUEST | {"record": {}}, 422, "/record/person"),
        (REQUEST | {"record": BAD_RECORD}, 422, "/record/lab_results/0/unit"),
        (REQUEST | {"record": BAD_RECORD}, 422, "/record/person/person_id"),
        (REQUEST | {"record": {"person": [[[{"a": IDENTITY_NUMBER}]]]}}, 422, "/record/person"),
        (REQUEST | {"record": {"x": "y" * 2**20}}, 413, None),
    ],
)
def test_bad_requests_name_the_field_and_repeat_no_value(service, body, status, field):
    response = service.post("/v1/risk", body)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert IDENTITY_NUMBER not in response.text
    if field is not None:
        assert field in [error["field"] for error in response.json()["errors"]]


def test_other_ways_to_ask_wrongly(service):
    caller = {name: value for name, value in service.headers().items() if name != "content-type"}
    form = service.client.post("/v1/risk", data={"a": IDENTITY_NUMBER}, headers=caller)
    files = service.client.post("/v1/risk", files={"a": b"x"}, headers=caller)
    wrong_method = service.client.get("/v1/risk")
    nowhere = service.client.get(f"/v1/persons/{IDENTITY_NUMBER}")
    statuses = [response.status_code for response in (form, files, wrong_method, nowhere)]
    assert statuses == [415, 415, 405, 404]
    for response in (form, files, wrong_method, nowhere):
        assert response.headers["content-type"] == "application/problem+json"
        assert IDENTITY_NUMBER not in response.text


def test_the_pages_of_the_framework_are_shut_and_ours_are_true(service):
    assert {service.status(page) for page in ("/", "/docs.json", "/schema.json", "/static_content/x")} == {404}
    assert {"/v1/risk", "/v1/explanation"} <= set(service.client.get("/openapi.json").json()["paths"])


def test_metrics_count_by_declared_address_and_name_nobody(service):
    service.client.get(f"/v1/persons/{PERSON}/risk")
    text = service.client.get("/metrics").text
    assert 'balance_risk_model_in_service{outcome="burnout",version="1"} 1.0' in text
    assert 'route="/v1/risk"' in text
    assert PERSON not in text


def test_a_promotion_is_picked_up_while_requests_run(service):
    service.promote(linear_model(seed=70), "2")
    until = time.monotonic() + LONGEST_START_SECONDS
    seen = []
    while "2" not in seen:
        assert time.monotonic() < until
        seen.append(service.version("long_sick_leave"))
    assert set(seen) <= {"1", "2"}
    assert service.version("burnout") == "1"


def test_a_damaged_promotion_leaves_the_last_good_model(service):
    before = service.version("burnout")
    bundle = service.export(boosted_model(trees=7), "3")
    (bundle / "booster.txt").chmod(0o644)
    (bundle / "booster.txt").write_text("tree")
    move_current(service.root / "bundles", "burnout", bundle)
    wait_for(lambda: "burnout: promoted model refused" in service.log.read_text())
    assert service.version("burnout") == before
    told = service.client.get("/readyz")
    assert (told.status_code, told.json()["status"], list(told.json()["refused"])) == (200, "degraded", ["burnout"])
    assert 'balance_risk_bundle_refused{outcome="burnout"} 1.0' in service.client.get("/metrics").text


def test_the_log_holds_no_person_no_trace_and_nothing_unexpected(service):
    for body in (
        REQUEST,
        REQUEST | {"record": BAD_RECORD},
        REQUEST | {"record": {"person": {IDENTITY_NUMBER: 1}}},
        [1],
    ):
        service.post("/v1/risk", body)
    text = service.log.read_text()
    assert "is in service" in text or "goes into service" in text
    for value in (PERSON, IDENTITY_NUMBER, "Traceback", "unexpected", "input_value", "SYNTHETIC-c1"):
        assert value not in text
    assert not re.search(r"\b\d{11}\b", text)


def test_the_process_holds_neither_data_frames_nor_the_training_stack(service):
    if not Path("/proc/self/maps").exists():
        pytest.skip("this system has no /proc to look into")
    # Where there is one, a service without a child or a child without a map is a failure, not a reason to look away.
    maps = "".join((Path("/proc") / child / "maps").read_text() for child in map(str, service.workers()))
    assert "lib_lightgbm" in maps
    for library in ("/pandas/", "/pyarrow/", "/sklearn/", "/matplotlib/"):
        assert library not in maps
