"""A problem names the field by a JSON pointer and the rule, and never repeats what was sent."""

from __future__ import annotations

import json
from datetime import date

import pytest

from data_contracts.validation import check_record
from serving.body import parsed
from serving.problems import FieldError, Problem, Refused, contract_violation, of_status, pointer
from serving.requests import RiskRequest

SECRET = "01818010008"  # a synthetic identity number: the month is raised by 80
TODAY = date(2026, 3, 1)


def of_record(record) -> dict:
    _, violations = check_record(record, TODAY)
    return contract_violation(violations).document()


def of_body(body) -> dict | None:
    try:
        parsed(json.dumps(body).encode(), RiskRequest)
    except Refused as refused:
        return refused.problem.document()
    return None


def fields(document: dict) -> list[tuple[str, str]]:
    return [(error["field"], error["rule"]) for error in document["errors"]]


@pytest.mark.parametrize("changes", [{"index_date": "soon"}, {"outcomes": ["x"]}, {"note": 1}, {"outcomes": None}])
def test_a_wrong_form_carries_the_flags_of_the_record(changes):
    answer = {"instrument": "phq9", "item": "item_9", "answer": "3", "answered_on": "1/2/25"}
    body = {"index_date": "2026-01-01", "outcomes": ["burnout"], "record": {"survey_answers": [answer]}} | changes
    (flag,) = of_body(body)["safety_flags"]
    assert (flag["item"], flag["answered_on"]) == ("item_9", None)
    assert "safety_flags" not in of_body(body | {"record": {"survey_answers": [answer | {"answer": 0}]}})
    assert "safety_flags" not in of_body(["a list"])


def test_members_of_the_document():
    response = Problem(
        418, "teapot", "A teapot", "Short and stout.", [FieldError("/a", "b", "c")], (("X-A", "1"),)
    ).response()
    assert response.status_code == 418
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-a"] == "1"
    assert json.loads(response.body) == {
        "type": "urn:problem-type:balance-risk:teapot",
        "title": "A teapot",
        "status": 418,
        "detail": "Short and stout.",
        "errors": [{"field": "/a", "rule": "b", "reason": "c"}],
    }


@pytest.mark.parametrize(
    ("parts", "expected"), [([], ""), (["a", 0, "b"], "/a/0/b"), (["a/b", "m~n"], "/a~1b/m~0n"), ([""], "/")]
)
def test_pointers_are_those_of_rfc_6901(parts, expected):
    assert pointer(parts) == expected


def test_a_violation_points_into_the_record():
    document = of_record(
        {
            "person": {"person_id": "p", "birth_year": 1800, "sex": "female", "known_from": "2020-01-01"},
            "lab_results": [
                {"code_system": "NPU", "code": "NPU27300", "value": 40, "unit": unit, "sampled_on": "2026-01-01",
                 "known_from": "2026-01-02"}
                for unit in ("mmol/mol", "%")
            ],
            "employment": [],
        }
    )  # fmt: skip
    assert document["status"] == 422
    assert document["type"].endswith(":contract-violation")
    assert sorted(fields(document)) == [
        ("/record/employment", "unknown field"),
        ("/record/lab_results/1/unit", "unit mismatch"),
        ("/record/person/birth_year", "bounds"),
    ]


@pytest.mark.parametrize("record", [{}, {"person": 3}, {"person": {}}, {"person": {}, "lab_results": [3]}])
def test_a_record_of_the_wrong_shape(record):
    document = of_record(record)
    assert all(field.startswith("/record") for field, _ in fields(document))


def test_no_value_is_repeated():
    person = {"person_id": SECRET, "birth_year": SECRET, "sex": SECRET, "known_from": SECRET}
    rows = [{"instrument": SECRET, "item": SECRET, "answer": SECRET, "answered_on": SECRET, "known_from": SECRET}]
    absences = [{"spell_id": SECRET, "kind": SECRET, "diagnosis": SECRET, "first_day": SECRET, "known_from": SECRET}]
    labs = [{"code": SECRET, "code_system": SECRET, "unit": SECRET, "value": SECRET, "laboratory": SECRET}]
    document = of_record({"person": person, "survey_answers": rows, "absence_spells": absences, "lab_results": labs})
    assert len(document["errors"]) > 10
    assert SECRET not in json.dumps(document)
    body = of_body({"index_date": SECRET, "outcomes": [SECRET], "record": SECRET})
    assert len(body["errors"]) == 3
    assert SECRET not in json.dumps(body)
    for document in (of_body(GOOD | {SECRET: 1}), of_record({SECRET: 1, "person": {SECRET: 1}})):
        assert len(document["errors"]) >= 1
        assert SECRET not in json.dumps(document)


def test_a_long_list_of_faults_is_cut_and_counted():
    person = {"person_id": "p", "birth_year": 1980, "sex": "female", "known_from": "2020-01-01"}
    rows = [{"domain": "x", "held_on": "2026-01-01", "known_from": "2026-01-01"}] * 300
    document = of_record({"person": person, "guidance_sessions": rows})
    assert len(document["errors"]) == 100
    assert document["detail"] == "300 field(s) must be mended; see errors. The first 100 are listed."


GOOD = {"index_date": "2026-03-01", "outcomes": ["burnout"], "record": {}}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"index_date": "2026-02-30"}, "/index_date"),
        ({"index_date": "2026-03-01T00:00:00"}, "/index_date"),
        ({"index_date": "01.03.2026"}, "/index_date"),
        ({"index_date": 1772323200}, "/index_date"),
        ({"index_date": None}, "/index_date"),
        ({"index_date": "1815-03-01"}, "/index_date"),
        ({"outcomes": []}, "/outcomes"),
        ({"outcomes": "burnout"}, "/outcomes"),
        ({"outcomes": ["burnout", "burnout"]}, "/outcomes"),
        ({"outcomes": ["fatigue"]}, "/outcomes"),
        ({"outcomes": [3]}, "/outcomes/0"),
        ({"record": []}, "/record"),
        ({"extra": 1}, "/extra"),
    ],
)
def test_a_body_of_the_wrong_form(changes, field):
    document = of_body(GOOD | changes)
    assert document["status"] == 422
    assert [found for found, _ in fields(document)] == [field]


def test_a_body_of_the_right_form():
    assert of_body(GOOD) is None


@pytest.mark.parametrize("missing", sorted(GOOD))
def test_every_member_is_needed(missing):
    body = {name: value for name, value in GOOD.items() if name != missing}
    assert fields(of_body(body)) == [(f"/{missing}", "missing")]


@pytest.mark.parametrize("body", [[], None, 3, "x"])
def test_a_body_that_is_no_object(body):
    assert fields(of_body(body)) == [("", "model_type")]


@pytest.mark.parametrize("status", [400, 404, 405, 418, 500, 503, 599])
def test_any_status_has_a_document(status):
    document = of_status(status).document()
    assert document["status"] == status
    assert document["title"]
    assert document["detail"]


def test_the_schema_of_a_request_lists_every_table():
    schema = RiskRequest.model_json_schema()["properties"]["record"]
    assert list(schema["properties"])[:3] == ["person", "employments", "consents"]
    assert "person_id" not in schema["properties"]["survey_answers"]["items"]["required"]
