"""No answer without a caller who may have it, without consent at the time, and without its event in the log."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import Any

import httpx
import pytest

from serving.access.policy import Action
from serving.access.quotas import Rate
from serving.audit.errors import AuditUnavailable
from serving.endpoints import ENDPOINTS
from serving.store import StoreUnavailable
from tests.lib.deployment import COMPANY, PERSON, REQUEST
from tests.lib.exchanged import ASKED, SECRET, kind

GOOD = {"index_date": "2026-03-01", "outcomes": ["burnout"], "record": {"person": {"person_id": SECRET}}}


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
