"""What cannot be answered is refused with a problem that quotes nothing of what was sent."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import date, timedelta

import pytest

from serving import body as body_module
from tests.lib.deployment import REQUEST
from tests.lib.exchanged import ASKED, SECRET, kind

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
