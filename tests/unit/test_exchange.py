"""No answer without a caller who may have it and without its event in the log; no problem that quotes what was sent."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from concurrent.futures import Future
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from serving import body as body_module
from serving.access.policy import Action
from serving.access.quotas import Rate
from serving.access.tokens import KeysUnavailable
from serving.audit.errors import AuditUnavailable
from serving.call import Endpoint
from serving.endpoints import ENDPOINTS
from serving.exchange import Exchange
from serving.gate import Gate
from serving.handlers.models import ModelsResponse
from serving.handlers.risk_bodies import BatchResponse
from serving.predictor import Predictor
from serving.problems import Refused
from serving.requests import RiskRequest
from serving.responses import RiskResponse
from serving.settings import Settings
from serving.store import StoreUnavailable
from tests.lib.deployment import COMPANY, PERSON, REQUEST
from tests.lib.in_process import running

SECRET = "01818010008"  # a synthetic identity number: the month is raised by 80
ASKED = REQUEST | {"outcomes": ["long_sick_leave"]}
GOOD = {"index_date": "2026-03-01", "outcomes": ["burnout"], "record": {"person": {"person_id": SECRET}}}


def _fail(call: Any) -> Any:
    raise RuntimeError(f"cannot handle {SECRET}")


def _wait(call: Any) -> Any:
    threading.Event().wait(0.2)
    return ModelsResponse(models=(), refused={})


FAILS = Endpoint("POST", "/v1/fails", Action.SCORE, _fail, RiskResponse, "Fails.", body=RiskRequest,
                 subjects=ENDPOINTS[0].subjects)  # fmt: skip
SLOW = Endpoint("GET", "/v1/slow", Action.READ_MODELS, _wait, ModelsResponse, "Takes long.")


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with running(tmp_path_factory.mktemp("service"), (*ENDPOINTS, FAILS, SLOW)) as found:
        yield found


@pytest.fixture
def alone(tmp_path):
    with running(tmp_path) as found:
        yield found


def kind(response: httpx.Response) -> str:
    assert response.headers["content-type"] == "application/problem+json"
    document = response.json()
    assert document["status"] == response.status_code
    assert SECRET not in response.text
    return document["type"].rsplit(":", 1)[1]


# Who may


def test_an_answer_and_its_event(alone):
    response = alone.post("/v1/risk", REQUEST)
    assert response.status_code == 200
    assert set(response.json()["outcomes"]) == set(REQUEST["outcomes"])
    (event,) = alone.events()
    assert event["person_id"] == PERSON
    assert (event["caller"], event["role"], event["action"], event["decision"]) == ("app-1", "app", "score", "allowed")
    assert event["request_id"] == response.headers["x-request-id"]
    assert "long_sick_leave:" in str(event["models"])


@pytest.mark.parametrize(
    ("headers", "status", "expected"),
    [
        ({"authorization": None}, 401, "unauthenticated"),
        ({"authorization": "Basic YTpi"}, 401, "unauthenticated"),
        ({"authorization": f"Bearer {SECRET}"}, 401, "unauthenticated"),
        ({"x-purpose-of-use": None}, 403, "forbidden"),
        ({"x-purpose-of-use": SECRET}, 403, "forbidden"),
        ({"x-purpose-of-use": "quality"}, 403, "forbidden"),
    ],
)
def test_whoever_may_not_is_told_so_and_logged(alone, headers, status, expected):
    response = alone.post("/v1/risk", REQUEST, **headers)
    assert (response.status_code, kind(response)) == (status, expected)
    assert ("www-authenticate" in response.headers) == (status == 401)
    (event,) = alone.events()
    assert (event["decision"], event["person_id"]) == ("denied", None)


@pytest.mark.parametrize("role", ["employer", "auditor", "clinician"])
def test_other_roles_get_no_risk_from_a_record(alone, role):
    response = alone.post("/v1/risk", REQUEST, **alone.headers(role))
    assert (response.status_code, kind(response)) == (403, "forbidden")
    assert {event["decision"] for event in alone.events()} == {"denied"}


def test_a_person_of_another_company_is_denied_by_name_in_the_log(alone):
    response = alone.post("/v1/risk", REQUEST, **alone.headers(organisations=["another"]))
    assert (response.status_code, kind(response)) == (403, "forbidden")
    (event,) = alone.events()
    assert (event["decision"], event["reason"], event["person_id"]) == ("denied", "other_organisation", PERSON)


def test_a_company_that_she_has_left_does_not_count(alone):
    left = [row | {"end_date": "2025-06-30"} for row in REQUEST["record"]["employments"]]
    record = REQUEST["record"] | {"employments": left}
    assert alone.post("/v1/risk", REQUEST | {"record": record}).status_code == 403


def test_one_stranger_in_a_batch_and_nobody_is_answered(alone):
    stranger = REQUEST["record"] | {"person": REQUEST["record"]["person"] | {"person_id": "p2"}, "employments": []}
    stranger = {name: rows for name, rows in stranger.items() if name in ("person", "employments")}
    batch = {name: REQUEST[name] for name in ("index_date", "outcomes")}
    response = alone.post("/v1/risk/batch", batch | {"records": [REQUEST["record"], stranger]})
    assert (response.status_code, kind(response)) == (403, "forbidden")
    assert [(one["person_id"], one["decision"]) for one in alone.events()] == [(PERSON, "allowed"), ("p2", "denied")]


def test_a_batch_answers_each_record_as_alone_and_logs_each(alone):
    broken = REQUEST["record"] | {"absence_spells": [{"spell_id": SECRET}]}
    batch = {name: REQUEST[name] for name in ("index_date", "outcomes")}
    response = alone.post("/v1/risk/batch", batch | {"records": [REQUEST["record"], broken]})
    first, second = response.json()["results"]
    assert first["answer"] == alone.post("/v1/risk", REQUEST).json()
    assert (second["status"], second["answer"]) == (422, None)
    assert second["problem"]["type"].endswith("contract-violation")
    assert SECRET not in response.text
    assert len(alone.events()) == 3


def test_explanations_have_a_quota(service):
    headers = service.headers(sub="eager")
    responses = service.call(*[{"method": "POST", "url": "/v1/explanation", "headers": headers, "json": ASKED}] * 25)
    refused = [response for response in responses if response.status_code == 429]
    assert len(refused) == 5
    assert {kind(response) for response in refused} == {"quota-spent"}
    assert all(int(response.headers["retry-after"]) >= 1 for response in refused)


def test_floods_without_a_token_do_not_flood_the_log(alone, monkeypatch):
    monkeypatch.setattr("serving.access.quotas.DENIED", Rate(per_minute=1, burst=3))
    statuses = [alone.post("/v1/risk", GOOD, authorization=None).status_code for _ in range(10)]
    assert statuses == [401] * 3 + [429] * 7
    assert [one["reason"] for one in alone.events()] == ["no_token"] * 3 + ["further_tries_not_logged"]


# Consent at the time of the request


def _consenting(until: str | None, known_from: str = "2021-01-05") -> dict[str, Any]:
    rows = [row | {"withdrawn_on": until, "known_from": known_from} for row in REQUEST["record"]["consents"]]
    return ASKED | {"record": REQUEST["record"] | {"consents": rows}}


def test_consent_that_ended_after_the_index_date_has_ended(alone):
    """The morning asked for is long past; the person has withdrawn since, and the request is of today."""
    assert alone.post("/v1/risk", _consenting(None)).json()["outcomes"]["long_sick_leave"]["risk"] is not None
    answer = alone.post("/v1/risk", _consenting("2026-01-15", "2026-01-15")).json()["outcomes"]["long_sick_leave"]
    assert answer["risk"] is None
    assert "no_consent" in {warning["code"] for warning in answer["warnings"]}


def test_a_withdrawal_brought_to_the_service_counts_at_once(alone):
    path = f"/v1/persons/{PERSON}/withdrawals"
    assert alone.post("/v1/risk", ASKED).json()["outcomes"]["long_sick_leave"]["risk"] is not None
    assert alone.post(path, {"source": None}, **alone.headers(organisations=["*"])).status_code == 200
    for route in ("/v1/risk", "/v1/explanation"):
        assert alone.post(route, ASKED).json()["outcomes"]["long_sick_leave"]["risk"] is None


# No answer without its event


def test_without_a_log_there_is_no_answer(service, monkeypatch):
    def refused(events: Any) -> Future[int]:
        future: Future[int] = Future()
        future.set_exception(AuditUnavailable("x"))
        return future

    monkeypatch.setattr(service.parts.journal, "append", refused)
    for response in (service.post("/v1/risk", REQUEST), service.post("/v1/risk", REQUEST, authorization=None)):
        assert (response.status_code, kind(response)) == (503, "audit-unavailable")
        assert "outcomes" not in response.text
        assert response.headers["retry-after"]


def test_the_answer_waits_for_the_commit(service, monkeypatch):
    committed: Future[int] = Future()
    monkeypatch.setattr(service.parts.journal, "append", lambda events: committed)

    async def ask() -> list[bool]:
        transport = httpx.ASGITransport(service.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            asked = asyncio.create_task(client.post("/v1/risk", json=ASKED, headers=service.headers()))
            await asyncio.sleep(0.4)
            before = asked.done()
            committed.set_result(1)
            await asked
            return [before, asked.result().status_code == 200]

    assert asyncio.run(ask()) == [False, True]


DECIDED = {"score_id": "0" * 32, "outcome": "burnout", "verdict": "agree", "reason": "fits what she told"}


@pytest.mark.parametrize(
    ("role", "route", "body"),
    [("app", "withdrawals", {"source": None}), ("clinician", "care-relation", {"reason": "referred"}),
     ("clinician", "decisions", DECIDED)],
)  # fmt: skip
def test_what_cannot_be_logged_is_not_written(alone, monkeypatch, role, route, body):
    written: list[str] = []
    monkeypatch.setattr("serving.store.Store.companies_of", lambda *args: frozenset({COMPANY}))
    monkeypatch.setattr("serving.store.Store.memberships_of", lambda *args: frozenset({COMPANY}))
    monkeypatch.setattr("serving.store.Store.has_care_relation", lambda *args: True)
    for name in ("withdraw", "begin_care", "score", "record_decision"):
        monkeypatch.setattr(f"serving.store.Store.{name}", lambda *args, name=name: written.append(name))
    future: Future[int] = Future()
    future.set_exception(AuditUnavailable("x"))
    monkeypatch.setattr(alone.parts.journal, "append", lambda events: future)
    response = alone.post(f"/v1/persons/{PERSON}/{route}", body, **alone.headers(role))
    assert (response.status_code, kind(response)) == (503, "audit-unavailable")
    assert written == []


def test_what_writes_is_declared_so():
    writes = {one.action for one in ENDPOINTS if one.writes}
    assert writes == {Action.RECORD_DECISION, Action.BEGIN_CARE, Action.WITHDRAW, Action.ACKNOWLEDGE_ALERT}


def test_a_withdrawal_for_somebody_unknown_and_of_another_company_are_denied_alike(alone, monkeypatch):
    where = {"known": frozenset({"another"})}
    monkeypatch.setattr("serving.store.Store.memberships_of", lambda self, who: where.get(who, frozenset()))
    told = [alone.post(f"/v1/persons/{who}/withdrawals", {"source": None}) for who in ("known", "unknown")]
    assert [one.status_code for one in told] == [403, 403]
    assert told[0].content == told[1].content


def test_the_log_names_the_models_that_answered_and_no_others(alone):
    alone.post("/v1/risk", ASKED)
    alone.get(f"/v1/persons/{PERSON}/accesses", "auditor", "audit", organisations=["*"])
    risk, log = alone.events()
    assert str(risk["models"]).count(":") == 2
    assert "long_sick_leave:" in str(risk["models"])
    assert risk["data_version"].startswith("sha256:")
    assert ":" not in str(log["models"])
    assert log["data_version"] == ""


def test_no_digest_of_a_short_body_is_kept(alone):
    """Whoever can guess what a body of a few words said could check the guess by its digest."""
    for organisations in (["*"], ["another"]):
        headers = alone.headers(organisations=organisations)
        alone.post(f"/v1/persons/{PERSON}/withdrawals", {"source": "lab"}, **headers)
    assert [(one["decision"], one["data_version"]) for one in alone.events()] == [("allowed", ""), ("denied", "")]


# Refusals before the work


FLAGGED = {"instrument": "phq9", "item": "item_9", "answer": 1, "answered_on": "2025-01-01",
           "known_from": "2025-01-01"}  # fmt: skip
WORRYING = REQUEST["record"] | {"survey_answers": [FLAGGED]}


def _early(service: Any, monkeypatch: Any, why: str, **claims: Any) -> httpx.Response:
    asked = ASKED | {"record": WORRYING} | ({"note": 1} if why == "form" else {})
    if why == "model":
        monkeypatch.setattr(service.parts.watch, "predictor", None)
    return service.post("/v1/risk" + ("?x=1" if why == "query" else ""), asked, **service.headers(**claims))


@pytest.mark.parametrize(("why", "status"), [("form", 422), ("query", 422), ("model", 503)])
def test_a_refusal_with_flags_is_an_access_of_who_may_ask(alone, monkeypatch, why, status):
    response = _early(alone, monkeypatch, why)
    assert response.status_code == status
    assert [flag["item"] for flag in response.json()["safety_flags"]] == ["item_9"]
    (event,) = alone.events()
    assert (event["person_id"], event["decision"]) == (PERSON, "allowed")


@pytest.mark.parametrize("why", ["form", "query", "model"])
def test_who_may_not_ask_about_her_gets_no_flags_by_a_broken_request(alone, monkeypatch, why):
    response = _early(alone, monkeypatch, why, organisations=["another"])
    assert (response.status_code, kind(response)) == (403, "forbidden")
    assert "safety_flags" not in response.json()
    (event,) = alone.events()
    assert (event["person_id"], event["decision"]) == (PERSON, "denied")


@pytest.mark.parametrize("why", ["form", "query", "model"])
def test_while_nobody_can_say_if_the_caller_may_there_are_no_flags(alone, monkeypatch, why):
    def gone(*args: Any) -> Any:
        raise StoreUnavailable("gone")

    monkeypatch.setattr("serving.store.Store.memberships_of", gone)
    response = _early(alone, monkeypatch, why, role="clinician")
    assert (response.status_code, kind(response)) == (503, "store-unavailable")
    assert "safety_flags" not in response.json()
    (event,) = alone.events()
    assert (event["person_id"], event["decision"], event["reason"]) == (None, "denied", "store_unavailable")


@pytest.mark.parametrize(
    ("path", "content", "told", "reason"),
    [("/v1/risk", b"{", {}, "invalid_json"), ("/v1/risk", b"{}", {"content-type": "text/plain"}, "not_json"),
     ("/v1/fhir/risk", b"{}", {}, "invalid_request"), ("/v1/risk", b"[]", {}, "invalid_request")],
)  # fmt: skip
def test_what_is_refused_unread_is_an_event_about_nobody(alone, path, content, told, reason):
    alone.post(path, content, **told)
    assert [(one["person_id"], one["decision"], one["reason"]) for one in alone.events()] == [(None, "denied", reason)]


# Whose word counts


def test_an_older_version_of_an_employment_does_not_open_her_record_to_who_employed_her(alone):
    (job,) = REQUEST["record"]["employments"]
    ended = job | {"end_date": "2025-06-30", "known_from": "2025-06-30"}
    deleted = job | {"is_deleted": True, "known_from": "2025-06-30"}
    for newer in (ended, deleted):
        record = REQUEST["record"] | {"employments": [newer, job]}
        assert alone.post("/v1/risk", ASKED | {"record": record}).status_code == 403


def test_who_has_left_by_today_has_left_whatever_morning_is_asked_for(alone):
    (job,) = REQUEST["record"]["employments"]
    left = REQUEST["record"] | {"employments": [job | {"end_date": "2026-03-31"}]}
    assert alone.post("/v1/risk", ASKED | {"record": left, "index_date": "2026-03-01"}).status_code == 403


def test_a_clinician_is_believed_by_the_store_and_not_by_the_record(alone, monkeypatch):
    monkeypatch.setattr("serving.store.Store.has_care_relation", lambda *args: True)
    headers = alone.headers("clinician")
    assert alone.post("/v1/risk", ASKED, **headers).status_code == 403
    monkeypatch.setattr("serving.store.Store.memberships_of", lambda *args: frozenset({COMPANY}))
    assert alone.post("/v1/risk", ASKED, **headers).status_code == 200


# What cannot be answered


def test_no_model_at_all_and_none_for_this_outcome(service, monkeypatch):
    absent = service.post("/v1/risk", REQUEST | {"outcomes": ["absence_days"]})
    assert (absent.status_code, kind(absent)) == (503, "not-ready")
    monkeypatch.setattr(service.parts.watch, "predictor", None)
    response = service.post("/v1/risk", REQUEST)
    assert (response.status_code, kind(response)) == (503, "not-ready")
    assert "balance-risk promote" in response.json()["detail"]
    assert service.get("/v1/models").json()["models"] == []


def test_tomorrow_may_be_asked_for_and_no_later_day(service):
    tomorrow = date.today() + timedelta(days=1)
    assert service.post("/v1/risk", ASKED | {"index_date": tomorrow.isoformat()}).status_code == 200
    late = service.post("/v1/risk", ASKED | {"index_date": (tomorrow + timedelta(days=2)).isoformat()})
    assert (late.status_code, kind(late)) == (422, "invalid-request")
    assert late.json()["errors"][0]["field"] == "/index_date"


def test_a_broken_record(service):
    response = service.post("/v1/risk", ASKED | {"record": {"person": {"person_id": SECRET}}})
    assert response.status_code in (403, 422)
    nameless = service.post("/v1/risk", ASKED | {"record": {}})
    assert (nameless.status_code, kind(nameless)) == (422, "contract-violation")


def test_the_unexpected_is_not_repeated(service, caplog):
    with caplog.at_level(logging.DEBUG):
        response = service.post("/v1/fails", REQUEST)
    assert (response.status_code, kind(response)) == (500, "unexpected")
    assert "RuntimeError" in caplog.text
    assert SECRET not in caplog.text
    assert "Traceback" not in caplog.text


def test_no_problem_hides_a_safety_flag(service, monkeypatch):
    answer = {"instrument": "phq9", "item": "item_9", "answer": 1, "answered_on": "2025-01-01",
              "known_from": "2025-01-01"}  # fmt: skip
    record = REQUEST["record"] | {"survey_answers": [answer]}
    asked = ASKED | {"record": record}
    later = (date.today() + timedelta(days=3)).isoformat()
    responses = [service.post("/v1/risk", asked | {"outcomes": ["absence_days"]}),
                 service.post("/v1/risk", asked | {"index_date": later}),
                 service.post("/v1/fails", asked),
                 service.post("/v1/risk", asked | {"record": record | {"absence_spells": [None]}}),
                 service.post("/v1/risk", asked | {"note": 1})]  # fmt: skip
    monkeypatch.setattr(service.parts.watch, "predictor", None)
    responses.append(service.post("/v1/risk", asked))
    assert [one.status_code for one in responses] == [503, 422, 500, 422, 422, 503]
    assert [[flag["item"] for flag in one.json()["safety_flags"]] for one in responses] == [["item_9"]] * 6


def test_a_parameter_that_is_not_known(service):
    response = service.get(f"/v1/models?fnr={SECRET}")
    assert (response.status_code, kind(response)) == (422, "invalid-request")


@pytest.mark.parametrize(("method", "url", "status"), [("GET", "/nowhere", 404), ("GET", "/v1/risk", 405)])
def test_what_is_not_there(service, method, url, status):
    (response,) = service.call({"method": method, "url": url})
    assert response.status_code == status
    kind(response)
    assert status != 405 or response.headers["allow"] == "POST"


def test_too_many_at_once_are_told_to_come_back(service, monkeypatch):
    monkeypatch.setattr(service.gate, "most_at_once", 3)
    responses = service.call(*[{"method": "GET", "url": "/v1/slow", "headers": service.headers()}] * 10)
    assert {response.status_code for response in responses} == {200, 429}
    refused = [response for response in responses if response.status_code == 429]
    assert {(kind(one), one.headers["retry-after"]) for one in refused} == {("overloaded", "1")}
    assert service.gate.in_flight == 0


def test_work_that_takes_too_long_is_told_so(service, monkeypatch):
    monkeypatch.setattr("serving.gate.LONGEST_SECONDS", 0.05)
    response = service.get("/v1/slow")
    assert (response.status_code, kind(response)) == (503, "timed-out")


# Bodies


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"nonsense", b'{"a": NaN}', b'{"a": -Infinity}', b'"\xff"', b'["\\ud800"]', b"[" * 300 + b"]" * 300,
     b"9" * 5000, b'{"a": "%s" x}' % SECRET.encode(), b"\xef\xbb\xbf{}", '{"a": 1}'.encode("utf-16")],
)  # fmt: skip
def test_what_is_not_json(service, content):
    response = service.post("/v1/risk", content)
    assert (response.status_code, kind(response)) == (400, "invalid-json")


@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_what_does_not_call_itself_json(service, content_type):
    response = service.post("/v1/risk", ASKED, **{"content-type": content_type})
    assert (response.status_code, kind(response)) == (415, "not-json")


def test_a_content_type_with_parameters(service):
    told = {"content-type": "Application/JSON; charset=utf-8"}
    assert service.post("/v1/risk", ASKED, **told).status_code == 200


def test_a_body_over_one_mebibyte_announced_or_not(service):
    large = b'{"record": "' + b"y" * 2**20 + b'"}'

    async def chunks():
        for start in range(0, len(large), 65536):
            yield large[start : start + 65536]

    announced = service.post("/v1/risk", large)
    assert (announced.status_code, kind(announced)) == (413, "too-large")
    streamed = service.post("/v1/risk", chunks())
    assert "content-length" not in streamed.request.headers
    assert (streamed.status_code, kind(streamed)) == (413, "too-large")


def test_a_body_that_never_ends(service, monkeypatch):
    monkeypatch.setattr(body_module, "BODY_SECONDS", 0.05)

    async def slow():
        yield b"{"
        await asyncio.sleep(5)

    response = service.post("/v1/risk", slow())
    assert (response.status_code, kind(response)) == (408, "body-too-slow")


def test_an_answer_that_cannot_be_changed(service):
    changes = [{"instrument": "phq9", "item": "none", "answer": 1}]
    response = service.post("/v1/what-if", ASKED | {"changes": changes})
    assert (response.status_code, kind(response)) == (422, "change-refused")


def test_a_wrong_form_is_named(service):
    response = service.post("/v1/risk", ASKED | {"index_date": SECRET})
    assert (response.status_code, kind(response)) == (422, "invalid-request")
    assert response.json()["errors"][0]["field"] == "/index_date"


@pytest.mark.parametrize("encoding", ["gzip", "br", "identity, gzip"])
def test_a_compressed_body_is_not_unpacked(service, encoding):
    response = service.post("/v1/risk", b"x", **{"content-encoding": encoding})
    assert (response.status_code, kind(response)) == (415, "not-json")


def test_only_fhir_may_call_itself_fhir(service):
    told = {"content-type": "application/fhir+json"}
    assert service.post("/v1/risk", ASKED, **told).status_code == 415
    assert service.post("/v1/fhir/risk", {}, **told).status_code == 422


def test_two_members_of_one_name(service):
    body = json.dumps(ASKED).encode()[:-1] + b', "record": {}}'
    response = service.post("/v1/risk", body)
    assert (response.status_code, kind(response)) == (400, "invalid-json")


# What is said twice, or in a way that somebody in between may read otherwise


@pytest.mark.parametrize(("name", "status"), [("authorization", 401), ("x-purpose-of-use", 403), ("content-type", 415)])
def test_a_header_that_is_sent_twice_counts_as_not_sent(service, name, status):
    headers = service.headers()
    twice = [*headers.items(), (name, headers[name])]
    (response,) = service.call({"method": "POST", "url": "/v1/risk", "json": ASKED, "headers": twice})
    assert response.status_code == status
    kind(response)


def test_a_parameter_that_is_sent_twice(service):
    headers = service.headers("clinician")
    (response,) = service.call({"method": "GET", "url": "/v1/worklist?capacity=1&capacity=2", "headers": headers})
    assert (response.status_code, kind(response)) == (422, "invalid-request")


@pytest.mark.parametrize("query", ["?%ff=%fe", "?=", "?x", "?&&&", "?" + "x=1&" * 500])
def test_a_query_that_is_no_text(service, query):
    assert service.get("/v1/models" + query).status_code in (200, 422)


@pytest.mark.parametrize("name", ["authorization", "x-purpose-of-use", "content-type", "content-encoding"])
def test_a_header_that_is_no_text(service, name):
    headers = [(key.encode(), value.encode()) for key, value in (service.headers() | {name: ""}).items() if key != name]
    (response,) = service.call(
        {"method": "POST", "url": "/v1/risk", "json": ASKED, "headers": [*headers, (name.encode(), b"\xff\xfe\x80")]}
    )
    assert response.status_code in (401, 403, 415)


@pytest.mark.parametrize("person", ["a%2Fb", "%2e%2e", "..%2f..", "a%00b", "%ff", SECRET, "a" * 300])
def test_a_person_in_the_address_who_cannot_be_one(service, person):
    headers = service.headers("clinician")
    (response,) = service.call({"method": "GET", "url": f"/v1/persons/{person}/risk", "headers": headers})
    assert response.status_code in (404, 422)
    kind(response)


def test_no_address_is_corrected_by_a_redirect(service):
    for url in ("/v1/models/", "/v1//models", "/V1/models"):
        assert service.get(url).status_code == 404


def test_head_and_options(service):
    headers = service.headers()
    head, wrong, options = service.call(
        {"method": "HEAD", "url": "/v1/models", "headers": headers},
        {"method": "HEAD", "url": "/v1/risk", "headers": headers},
        {"method": "OPTIONS", "url": "/v1/risk", "headers": headers},
    )
    assert [head.status_code, wrong.status_code, options.status_code] == [200, 405, 405]
    assert options.headers["allow"] == "POST"


def test_an_identity_number_sent_as_a_pseudonym_is_not_kept(alone):
    record = REQUEST["record"] | {"person": REQUEST["record"]["person"] | {"person_id": SECRET}}
    response = alone.post("/v1/risk", REQUEST | {"record": record})
    assert (response.status_code, kind(response)) == (422, "contract-violation")
    assert SECRET not in str(alone.events())


# Whoever goes away, and whoever takes long


def test_a_client_that_goes_away_frees_its_place(service):
    scope = {"type": "http", "path": "/v1/risk", "method": "POST", "query_string": b"", "path_params": {},
             "headers": [(name.encode(), value.encode()) for name, value in service.headers().items()]}  # fmt: skip
    sent: list[Any] = []

    async def gone() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(Exchange(ENDPOINTS[0], service.parts, service.gate)(scope, gone, send))
    assert (sent, service.gate.in_flight) == ([], 0)


def test_batches_take_turns_and_leave_the_threads_to_single_requests(service, monkeypatch):
    at_once, most = [0], [0]

    def slow(call: Any) -> Any:
        at_once[0] += 1
        most[0] = max(most[0], at_once[0])
        threading.Event().wait(0.3)
        at_once[0] -= 1
        return ModelsResponse(models=(), refused={})

    bulk = Exchange(replace(SLOW, handle=slow, is_bulk=True), service.parts, service.gate)

    async def ask() -> tuple[list[int], bool]:
        async with (
            httpx.AsyncClient(transport=httpx.ASGITransport(bulk), base_url="http://test") as batches,
            httpx.AsyncClient(transport=httpx.ASGITransport(service.app), base_url="http://test") as singles,
        ):
            asked = [service.headers(sub=f"app-{n % 3}") for n in range(6)]
            running = [asyncio.create_task(batches.get("/x", headers=headers)) for headers in asked]
            await asyncio.sleep(0.05)
            single = await singles.post("/v1/risk", json=ASKED, headers=service.headers())
            first = sum(task.done() and task.result().status_code == 200 for task in running)
            return sorted([(await task).status_code for task in running]), single.status_code == 200 and first <= 1

    statuses, single_was_first = asyncio.run(ask())
    assert statuses == [200] * 2 + [429] * 4
    assert single_was_first
    assert most == [1]
    assert service.gate.bulk_in_flight == 0


def test_work_that_nobody_waits_for_any_more_is_not_begun(monkeypatch):
    monkeypatch.setattr("serving.gate.LONGEST_SECONDS", 0.05)
    gate, begun = Gate(threads=1), []

    async def ask() -> None:
        first = asyncio.create_task(gate.run(lambda: threading.Event().wait(0.3)))
        await asyncio.sleep(0.01)
        with pytest.raises(Refused):
            await gate.run(lambda: begun.append(1))
        with pytest.raises(Refused):
            await first

    asyncio.run(ask())
    gate.close()
    assert begun == []


def test_a_service_that_stops_says_so(tmp_path):
    with running(tmp_path) as stopping:
        stopping.gate.close()
        response = stopping.post("/v1/risk", REQUEST)
        assert (response.status_code, kind(response)) == (503, "stopping")


def test_a_record_that_breaks_the_code_costs_the_others_nothing(service, monkeypatch):
    whole, n = Predictor.predict_json, iter(range(9))

    def sometimes(*given: Any, **named: Any) -> Any:
        if next(n) == 1:
            raise RuntimeError(SECRET)
        return whole(*given, **named)

    monkeypatch.setattr(Predictor, "predict_json", sometimes)
    batch = {name: ASKED[name] for name in ("index_date", "outcomes")} | {"records": [ASKED["record"]] * 3}
    response = service.post("/v1/risk/batch", batch)
    assert [one["status"] for one in response.json()["results"]] == [200, 500, 200]
    BatchResponse.model_validate_json(response.content)
    assert SECRET not in response.text


# The store, the keys


def test_without_a_store_or_a_score(service, monkeypatch):
    headers = service.headers("clinician")
    url = "/v1/persons/p-1/risk"
    monkeypatch.setattr("serving.store.Store.companies_of", lambda *args: frozenset({COMPANY}))
    monkeypatch.setattr("serving.store.Store.has_care_relation", lambda *args: True)
    (none,) = service.call({"method": "GET", "url": url, "headers": headers})
    assert (none.status_code, kind(none)) == (404, "no-score")
    (night,) = service.call({"method": "GET", "url": "/v1/worklist", "headers": headers})
    assert (night.status_code, kind(night)) == (404, "no-night")
    employer = service.headers("employer", "aggregate_reporting")
    (report,) = service.call({"method": "GET", "url": f"/v1/companies/{COMPANY}/report", "headers": employer})
    assert (report.status_code, kind(report)) == (404, "no-report")

    def gone(*args: Any) -> Any:
        raise StoreUnavailable("gone")

    monkeypatch.setattr("serving.store.Store.companies_of", gone)
    (response,) = service.call({"method": "GET", "url": url, "headers": headers})
    assert (response.status_code, kind(response)) == (503, "store-unavailable")


def test_without_the_keys_of_the_issuer(service, monkeypatch):
    def unknown(token: str) -> Any:
        raise KeysUnavailable("no keys")

    monkeypatch.setattr(service.parts.tokens, "verify", unknown)
    response = service.post("/v1/risk", REQUEST)
    assert (response.status_code, kind(response)) == (503, "keys-unavailable")


# Readiness and settings


def test_what_is_lacking_is_said_not_raised(tmp_path):
    from serving.parts import Parts

    parts = Parts.build(replace(Settings(), audit_key=tmp_path / "none", audit=f"sqlite:///{tmp_path / 'a.db'}"))
    told = parts.not_ready_because()
    assert "BALANCE_RISK_ISSUER" in told
    assert "balance-risk audit key" in told


def test_settings_come_from_the_environment():
    assert Settings.from_environment({}) == Settings()
    found = Settings.from_environment({"BALANCE_RISK_BUNDLES": "/b", "BALANCE_RISK_VERIFY_KEY": ""})
    assert (str(found.bundles), found.verify_key) == ("/b", Settings().verify_key)


def test_slow_bodies_of_one_caller_take_no_place_from_those_who_work(alone, monkeypatch):
    monkeypatch.setattr("serving.gate.MOST_BODIES_OF_ONE", 3)
    monkeypatch.setattr(alone.gate, "most_at_once", 1)
    monkeypatch.setattr(body_module, "BODY_SECONDS", 1.0)

    async def slow():
        yield b"{"
        await asyncio.sleep(3)

    slowly = {"method": "POST", "url": "/v1/risk", "headers": alone.headers(sub="slow")}
    requests = [slowly | {"content": slow()} for _ in range(5)]
    requests.append({"method": "POST", "url": "/v1/risk", "headers": alone.headers(sub="quick"), "json": REQUEST})
    *slow_ones, quick = alone.call(*requests)
    assert sorted(response.status_code for response in slow_ones) == [408, 408, 408, 429, 429]
    assert quick.status_code == 200
    assert not alone.gate.bodies


def test_a_caller_has_one_place_for_bulk_and_leaves_the_other_to_others():
    gate = Gate()
    with gate.bulk_place("one"):
        with pytest.raises(Refused), gate.bulk_place("one"):
            pass
        with gate.bulk_place("other"):
            assert gate.bulk_in_flight == 2
    with gate.bulk_place("one"):
        assert (gate.bulk_in_flight, gate.in_flight) == (1, 1)
    gate.close()
