"""The guard refuses before the framework can log or leak, and what the service says never carries a value."""

from __future__ import annotations

import asyncio
import json
import logging
import warnings
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from data_contracts.errors import ArtifactError
from models.artifact import save
from models.bundle import create_keys, export_bundle, move_current
from serving import guard as guard_module
from serving.bundle_watch import BundleWatch
from serving.guard import Guard
from serving.predictor import Predictor
from serving.requests import RiskRequest
from serving.settings import Settings
from tests.lib.models import boosted_model, linear_model

SECRET = "01818010008"  # a synthetic identity number: the month is raised by 80
REQUEST = json.loads((Path(__file__).parents[2] / "examples" / "request.json").read_text())
JSON_TYPE = {"content-type": "application/json"}
GOOD = {"index_date": "2026-03-01", "outcomes": ["burnout"], "record": {"person": {"person_id": SECRET}}}


async def _echo(request: Request) -> JSONResponse:
    return JSONResponse(await request.json())


async def _take_long(request: Request) -> JSONResponse:
    await asyncio.sleep(0.1)
    return JSONResponse({})


async def _fail(request: Request) -> JSONResponse:
    raise RuntimeError(f"cannot handle {SECRET}")


async def _own_error(request: Request) -> JSONResponse:
    return JSONResponse({"error": f"bad value {SECRET}"}, status_code=400)


async def _not_ready(request: Request) -> JSONResponse:
    raise HTTPException(503, "not ready")


def app() -> Guard:
    framework = Starlette(
        routes=[
            Route("/v1/risk", _echo, methods=["POST"]),
            Route("/v1/slow", _take_long, methods=["POST"]),
            Route("/v1/fails", _fail, methods=["POST"]),
            Route("/own-error", _own_error),
            Route("/readyz", _not_ready),
        ]
    )
    bodies = {"/v1/risk": RiskRequest, "/v1/fails": RiskRequest, "/v1/slow": RiskRequest}
    return Guard(framework, bodies, not_ready_because=lambda: "No model is promoted yet.")


def call(*requests: dict[str, Any], guarded: Guard | None = None) -> list[httpx.Response]:
    async def together() -> list[httpx.Response]:
        transport = httpx.ASGITransport(guarded or app())
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await asyncio.gather(*(client.request(**request) for request in requests))

    return asyncio.run(together())


def post(
    content: bytes | str, path: str = "/v1/risk", headers: dict[str, str] = JSON_TYPE, **others: Any
) -> httpx.Response:
    (response,) = call({"method": "POST", "url": path, "content": content, "headers": headers}, **others)
    return response


def kind(response: httpx.Response) -> str:
    assert response.headers["content-type"] == "application/problem+json"
    document = response.json()
    assert document["status"] == response.status_code
    assert SECRET not in response.text
    return document["type"].rsplit(":", 1)[1]


def test_a_sound_request_reaches_the_service_unchanged():
    response = post(json.dumps(GOOD))
    assert (response.status_code, response.json()) == (200, GOOD)
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"nonsense", b'{"a": NaN}', b'{"a": -Infinity}', b'"\xff"', b'["\\ud800"]', b"[" * 300 + b"]" * 300,
     b"9" * 5000, b'{"a": "%s" x}' % SECRET.encode(), b"\xef\xbb\xbf{}", '{"a": 1}'.encode("utf-16")],
)  # fmt: skip
def test_what_is_not_json(content):
    response = post(content)
    assert (response.status_code, kind(response)) == (400, "invalid-json")


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_what_does_not_call_itself_json(content_type):
    headers = {"content-type": content_type} if content_type else {}
    response = post(json.dumps(GOOD), headers=headers)
    assert (response.status_code, kind(response)) == (415, "not-json")


def test_a_content_type_with_parameters():
    assert post(json.dumps(GOOD), headers={"content-type": "Application/JSON; charset=utf-8"}).status_code == 200


def test_a_body_over_one_mebibyte_announced_or_not():
    large = json.dumps(GOOD | {"record": {"x": "y" * 2**20}}).encode()

    async def chunks():
        for start in range(0, len(large), 65536):
            yield large[start : start + 65536]

    announced = post(large)
    assert (announced.status_code, kind(announced)) == (413, "too-large")
    streamed = post(chunks())
    assert "content-length" not in streamed.request.headers
    assert (streamed.status_code, kind(streamed)) == (413, "too-large")


def test_a_body_that_never_ends(monkeypatch):
    monkeypatch.setattr(guard_module, "BODY_SECONDS", 0.05)

    async def slow():
        yield b"{"
        await asyncio.sleep(5)

    response = post(slow())
    assert (response.status_code, kind(response)) == (408, "body-too-slow")


def test_a_wrong_form_is_named():
    response = post(json.dumps(GOOD | {"index_date": SECRET}))
    assert (response.status_code, kind(response)) == (422, "invalid-request")
    assert response.json()["errors"][0]["field"] == "/index_date"


@pytest.mark.parametrize(
    ("method", "url", "status", "expected"),
    [("GET", "/nowhere", 404, "not-found"), ("GET", "/v1/risk", 405, "method-not-allowed"),
     ("GET", "/own-error", 400, "bad-request"), ("GET", "/readyz", 503, "not-ready")],
)  # fmt: skip
def test_the_errors_of_the_framework_become_problems(method, url, status, expected):
    (response,) = call({"method": method, "url": url})
    assert (response.status_code, kind(response)) == (status, expected)
    if status == 405:
        assert response.headers["allow"] == "POST"
    if status == 503:
        assert response.json()["detail"] == "No model is promoted yet."


def test_a_failure_answers_at_once_and_logs_no_value(caplog):
    with caplog.at_level(logging.DEBUG):
        response = post(json.dumps(GOOD), "/v1/fails")
    assert (response.status_code, kind(response)) == (500, "unexpected")
    assert "RuntimeError" in caplog.text
    assert SECRET not in caplog.text
    assert "Traceback" not in caplog.text


def test_too_many_at_once_are_told_to_come_back(monkeypatch):
    monkeypatch.setattr(guard_module, "MOST_AT_ONCE", 3)
    guarded = app()
    request = {"method": "POST", "url": "/v1/slow", "content": json.dumps(GOOD), "headers": JSON_TYPE}
    responses = call(*[request] * 10, guarded=guarded)
    statuses = [response.status_code for response in responses]
    assert set(statuses) == {200, 429}
    assert {response.headers["retry-after"] for response in responses if response.status_code == 429} == {"1"}
    assert guarded.in_flight == 0
    assert post(json.dumps(GOOD), guarded=guarded).status_code == 200


# The handler behind the guard


@pytest.fixture(scope="module")
def service():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a dependency of the framework calls what another one deprecates
        from serving import service as module
    return module


@pytest.fixture
def served(service, monkeypatch):
    models = {"long_sick_leave": linear_model()}
    monkeypatch.setattr(service.WATCH, "predictor", Predictor(models))
    return service


def ask(service, method=Predictor.predict, **changes: Any) -> Any:
    body = {**REQUEST, "outcomes": ["long_sick_leave"], **changes}
    return service.answer(RiskRequest.model_validate(body), method)


def problem(response: Any) -> tuple[int, str]:
    document = json.loads(response.body)
    return document["status"], document["type"].rsplit(":", 1)[1]


def test_an_answer_and_an_explanation(served):
    assert ask(served).outcomes["long_sick_leave"].risk is not None
    assert ask(served, Predictor.explain).outcomes["long_sick_leave"].log_odds is not None


def test_no_model_at_all_and_none_for_this_outcome(served, monkeypatch):
    assert problem(ask(served, outcomes=["burnout"])) == (503, "not-ready")
    monkeypatch.setattr(served.WATCH, "predictor", None)
    assert problem(ask(served)) == (503, "not-ready")


def test_tomorrow_may_be_asked_for_and_no_later_day(served, monkeypatch):
    tomorrow = date.today() + timedelta(days=1)
    assert not hasattr(ask(served, index_date=tomorrow.isoformat()), "body")
    late = ask(served, index_date=(tomorrow + timedelta(days=2)).isoformat())
    assert problem(late) == (422, "invalid-request")
    assert json.loads(late.body)["errors"][0]["field"] == "/index_date"


def test_a_broken_record(served):
    response = ask(served, record={"person": {"person_id": SECRET}})
    assert problem(response) == (422, "contract-violation")
    assert SECRET not in response.body.decode()


def test_the_unexpected_is_not_raised_and_not_repeated(served, caplog):
    def fails(*_, **__):
        raise RuntimeError(SECRET)

    assert problem(ask(served, fails)) == (500, "unexpected")
    assert "RuntimeError" in caplog.text
    assert SECRET not in caplog.text


def test_no_problem_hides_a_safety_flag(served, monkeypatch):
    answer = {"instrument": "phq9", "item": "item_9", "answer": 1, "answered_on": "2025-01-01",
              "known_from": "2025-01-01"}  # fmt: skip
    record = REQUEST["record"] | {"survey_answers": [answer]}

    def fails(*_, **__):
        raise RuntimeError

    later = (date.today() + timedelta(days=3)).isoformat()
    responses = [ask(served, record=record, outcomes=["burnout"]), ask(served, record=record, index_date=later)]
    responses += [ask(served, fails, record=record), ask(served, record=record | {"absence_spells": [None]})]
    monkeypatch.setattr(served.WATCH, "predictor", None)
    responses += [ask(served, record=record), post(json.dumps({**REQUEST, "record": record, "note": 1}))]
    found = [json.loads(getattr(one, "body", None) or one.content) for one in responses]
    assert [one["status"] for one in found] == [503, 422, 500, 422, 503, 422]
    assert [[flag["item"] for flag in one["safety_flags"]] for one in found] == [["item_9"]] * 6


def test_settings_come_from_the_environment():
    assert Settings.from_environment({}) == Settings(Path("bundles"), Path("keys/verify.key"))
    environment = {"BALANCE_RISK_BUNDLES": "/b", "BALANCE_RISK_VERIFY_KEY": ""}
    assert Settings.from_environment(environment) == Settings(Path("/b"), Path("keys/verify.key"))


# Following promotions


class Promotions:
    def __init__(self, root: Path) -> None:
        self.root, self.bundles = root, root / "bundles"
        self.signing, self.verify = create_keys(root / "keys")
        self.watch = BundleWatch(self.bundles, self.verify)

    def promote(self, model, version: str) -> Path:
        save(model, self.root / model.outcome)
        bundle = export_bundle(self.root / model.outcome, self.bundles, model.outcome, version, self.signing)
        move_current(self.bundles, model.outcome, bundle)
        return bundle

    def served(self) -> dict[str, str]:
        return {} if self.watch.predictor is None else {k: m.version for k, m in self.watch.predictor.models.items()}


def test_promotions_are_followed_and_the_last_good_model_is_kept(tmp_path, caplog):
    promotions = Promotions(tmp_path)
    promotions.watch.check()
    assert promotions.served() == {}
    assert "balance-risk promote" in promotions.watch.not_ready_because()
    promotions.promote(linear_model(), "1")
    promotions.promote(boosted_model(trees=5), "1")
    promotions.watch.check()
    first = promotions.watch.predictor
    assert promotions.served() == {"long_sick_leave": "1", "burnout": "1"}
    promotions.watch.check()
    assert promotions.watch.predictor is first

    bad = promotions.promote(linear_model(seed=50), "2")
    (bad / "model.json").chmod(0o644)
    (bad / "model.json").write_bytes(b"{}")
    promotions.watch.check()
    assert promotions.served() == {"long_sick_leave": "1", "burnout": "1"}
    assert "long_sick_leave: promoted model refused" in caplog.text

    promotions.promote(linear_model(seed=60), "3")
    promotions.watch.check()
    assert promotions.served() == {"long_sick_leave": "3", "burnout": "1"}
    assert {name: model.version for name, model in first.models.items()} == {"long_sick_leave": "1", "burnout": "1"}


def test_a_refused_bundle_is_tried_again_later_not_at_every_look(tmp_path, monkeypatch):
    promotions = Promotions(tmp_path)
    promotions.promote(linear_model(), "1")
    key = promotions.verify.read_bytes()
    promotions.verify.unlink()
    tries = []
    opened = Predictor.from_bundles.__globals__["open_bundle"]

    def counted(*arguments):
        tries.append(1)
        return opened(*arguments)

    monkeypatch.setattr("serving.bundle_watch.open_bundle", counted)
    promotions.watch.check()
    promotions.watch.check()
    assert len(tries) == 1
    assert "verify.key" in promotions.watch.not_ready_because()
    promotions.verify.write_bytes(key)
    monkeypatch.setattr("serving.bundle_watch.RETRY_SECONDS", -1.0)
    promotions.watch.check()
    assert promotions.served() == {"long_sick_leave": "1"}


def test_a_watch_survives_whatever_a_look_raises(tmp_path, monkeypatch):
    watch = BundleWatch(tmp_path, tmp_path)
    looks = []

    def look() -> None:
        looks.append(1)
        if len(looks) > 2:
            watch.stop()
        raise ArtifactError("x")

    monkeypatch.setattr(watch, "check", look)
    monkeypatch.setattr("serving.bundle_watch.POLL_SECONDS", 0.01)
    watch._watch()
    assert len(looks) == 3
