"""A Bundle gets the risk that a record of the same facts gets, as FHIR that others accept, or a problem by element."""

from __future__ import annotations

import copy
import json
import re
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.riskassessment import RiskAssessment
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from serving.access.policy import Subject
from serving.fhir.risk_assessments import EXPECTED_DAYS, INTERVAL, NOTICE_CODE, answer_resource, is_starter
from serving.handlers import fhir
from serving.handlers.fhir_bodies import ANSWER, QUERY, FhirBundle
from serving.predictor import Predictor
from serving.problems import Problem, Refused
from serving.responses import RiskResponse
from tests.lib.calls import call
from tests.lib.fhir_bundles import bundle_of, job, observation, patient, response
from tests.lib.models import boosted_model, linear_model

REQUEST = json.loads((Path(__file__).parents[2] / "examples" / "request.json").read_text())
INDEX_DATE = date.fromisoformat(REQUEST["index_date"])
TODAY = date(2025, 12, 2)
PREDICTOR = Predictor({model.outcome: model for model in (linear_model(), boosted_model())})
TABLES = ("person", "employments", "consents", "survey_answers", "lab_results", "absence_spells")
NO_CAUSE = re.compile(
    r"forårsak|skyldes|skade|farlig|fare for|alarm|syk er|caus|danger|due to|leads to|injur|fører til|senker risiko",
    re.IGNORECASE,
)
PHQ_9_ITEM_9 = response("https://example.org/Questionnaire/phq9", {"item_9": 1})


@pytest.fixture
def document() -> dict[str, Any]:
    record = copy.deepcopy({name: REQUEST["record"][name] for name in TABLES})
    record["person"].pop("education_level", None)
    found = bundle_of(record)
    for number, entry in enumerate(found["entry"]):
        entry["fullUrl"] = f"https://ehr.example/{entry['resource']['resourceType']}/{number}"
        entry["resource"].setdefault("id", f"r{number}")
    return found


def response_of(document: Any, predictor: Predictor | None = PREDICTOR, **query: list[str]) -> Any:
    query = {"index_date": [REQUEST["index_date"]]} | query
    return fhir.risk(call(FhirBundle(document), predictor, TODAY, **query))


def answered(document: Any, predictor: Predictor | None = PREDICTOR, **query: list[str]) -> dict[str, Any]:
    return json.loads(response_of(document, predictor, **query).body)


def refused(document: Any, predictor: Predictor | None = PREDICTOR, **query: list[str]) -> Problem:
    with pytest.raises(Refused) as error:
        answered(document, predictor, **query)
    return error.value.problem


def codes(assessment: dict[str, Any]) -> list[str]:
    return [note["extension"][0]["valueCode"] for note in assessment["note"]]


def add(document: dict[str, Any], resource: dict[str, Any], **others: Any) -> None:
    about = document["entry"][1]["resource"]
    subject = about.get("subject") or about["patient"]
    document["entry"].append({"resource": resource | {"subject": subject} | others})


def test_the_risks_are_those_of_a_record_of_the_same_facts(document):
    record = {name: REQUEST["record"][name] for name in TABLES}
    record["person"] = {name: cell for name, cell in record["person"].items() if name != "education_level"}
    by_json = PREDICTOR.predict(record, INDEX_DATE, tuple(PREDICTOR.models), received_on=TODAY)
    for entry in answered(document)["entry"]:
        assessment = entry["resource"]
        there = by_json.outcomes[assessment["code"]["coding"][0]["code"]]
        (prediction,) = assessment["prediction"]
        assert prediction["probabilityDecimal"] == pytest.approx(100 * there.risk, abs=1e-6), "a percentage"
        assert prediction["qualitativeRisk"]["coding"][0]["code"] == there.band.name
        bounds = next(one for one in prediction["extension"] if one["url"] == INTERVAL)["valueRange"]
        assert (bounds["low"]["value"], bounds["high"]["value"]) == pytest.approx([100 * one for one in there.interval])
        assert [code for code in codes(assessment) if code.startswith("not_sent")] == [
            one.code for one in there.warnings if one.code.startswith("not_sent")
        ]


def test_the_answer_is_valid_fhir_with_one_outcome_and_with_several(document):
    several, one = answered(document), answered(document, outcome=["burnout"])
    assert (several["type"], len(several["entry"])) == ("collection", 2)
    Bundle.model_validate(several)
    assert one["resourceType"] == "RiskAssessment"
    RiskAssessment.model_validate(one)
    assert response_of(document).media_type == "application/fhir+json"
    Draft202012Validator(ANSWER).validate(several)
    Draft202012Validator(ANSWER).validate(one)


def test_what_an_assessment_says(document):
    one = answered(document, outcome=["burnout"])
    assert (one["status"], one["occurrenceDateTime"], one["performer"]) == (
        "final", REQUEST["index_date"], {"reference": "#model"},
    )  # fmt: skip
    assert one["subject"] == {
        "type": "Patient", "identifier": {"system": "urn:balance-risk:person", "value": "SYNTHETIC-example"},
    }  # fmt: skip
    assert one["contained"][0]["deviceName"] == [{"name": "balance-risk lightgbm", "type": "model-name"}]
    assert one["method"]["coding"][0]["code"] == "lightgbm"
    (prediction,) = one["prediction"]
    assert prediction["whenPeriod"] == {"start": "2025-12-01", "end": "2027-01-04"}, "400 days, both included"
    assert prediction["relativeRisk"] == pytest.approx(prediction["probabilityDecimal"] / 20)
    assert codes(one)[-2:] == ["association_only", "synthetic_model"]
    assert one["meta"]["security"][0]["code"] == "HTEST"


def test_the_basis_is_what_was_known_and_may_be_used(document):
    kinds = {reference["reference"].split("/")[-2] for reference in answered(document, outcome=["burnout"])["basis"]}
    assert kinds == {"Observation", "QuestionnaireResponse", "Encounter"}
    late = observation(id="late", issued="2025-12-01T08:00:00+01:00", effectiveDateTime="2025-11-30")
    add(document, late)
    add(document, observation(id="early", issued="2025-11-01T08:00:00+01:00", effectiveDateTime="2025-10-30"))
    basis = [one["reference"] for one in answered(document, outcome=["burnout"])["basis"]]
    assert "Observation/late" not in basis, "known on the index date is not known before it"
    assert basis[-1] == "Observation/early", "by its id where it has no fullUrl"


def test_without_consent_a_source_is_no_basis(document):
    document["entry"] = [
        entry
        for entry in document["entry"]
        if entry["resource"]["resourceType"] != "Consent" or "survey" not in json.dumps(entry["resource"]["category"])
    ]
    one = answered(document, outcome=["long_sick_leave"])
    assert not any("QuestionnaireResponse" in reference["reference"] for reference in one["basis"])
    assert "no_consent_survey" in codes(one)


def test_where_the_model_abstains_there_is_no_number_and_the_note_says_why(document):
    document["entry"] = [entry for entry in document["entry"] if "11341-5" not in json.dumps(entry)]
    one = answered(document, outcome=["burnout"])
    RiskAssessment.model_validate(one)
    (prediction,) = one["prediction"]
    assert not {"probabilityDecimal", "qualitativeRisk", "relativeRisk", "rationale"} & prediction.keys()
    assert INTERVAL not in json.dumps(prediction)
    assert codes(one)[0] == "not_employed"
    assert "mitigation" not in one


def test_what_is_missing_is_unknown_unless_the_sender_says_that_nothing_happened(document):
    document["entry"] = [entry for entry in document["entry"] if entry["resource"]["resourceType"] != "Encounter"]
    assert "not_sent_absence" in codes(answered(document, outcome=["long_sick_leave"]))
    told = answered(document, outcome=["long_sick_leave"], complete=["absence_spells"])
    assert "not_sent_absence" not in codes(told)
    assert refused(document, complete=["persons"]).status == 422


def test_expected_days_are_no_probability(document):
    by_json = PREDICTOR.predict(REQUEST["record"], INDEX_DATE, ["burnout"], received_on=TODAY)
    days = by_json.outcomes["burnout"].model_copy(
        update={"target": "days", "risk": None, "interval": None, "reference_risk": None, "expected_days": 12.5,
                "expected_days_interval": (10.0, 14.0), "reference_days": 9.0}
    )  # fmt: skip
    answer = RiskResponse(index_date=INDEX_DATE, safety_flags=(), outcomes={"absence_days": days})
    one = answer_resource(answer, "p", [], "request")
    RiskAssessment.model_validate(one)
    assert "probabilityDecimal" not in one["prediction"][0]
    assert EXPECTED_DAYS in json.dumps(one)
    assert "basis" not in one, "FHIR has no empty lists"


def test_what_is_not_known_is_no_starting_point_for_a_conversation():
    by_json = PREDICTOR.explain(REQUEST["record"], INDEX_DATE, ["burnout"], received_on=TODAY)
    reasons = [one for one in by_json.outcomes["burnout"].reasons if one.modifiable and one.direction == "raises"]
    assert reasons
    known = replace(reasons[0], missing=False)
    assert is_starter(known)
    assert not is_starter(replace(known, missing=True))
    assert not is_starter(replace(known, direction="lowers"))
    assert not is_starter(replace(known, modifiable=False))


def test_a_safety_answer_stands_first_in_every_note_even_one_that_could_not_become_a_row(document):
    add(document, PHQ_9_ITEM_9, status="in-progress")
    for entry in answered(document)["entry"]:
        assert codes(entry["resource"])[0] == "safety"
    add(document, observation(), status="nonsense")
    problem = refused(document)
    assert [one.item for one in problem.safety_flags] == ["item_9"]


def test_each_fault_is_at_the_place_of_its_element_and_quotes_nothing(document):
    last = len(document["entry"])
    add(document, observation(), valueQuantity={"value": 3.25, "unit": "mg", "code": "mg"})
    add(document, observation(id="x"), subject={"reference": "Patient/nobody-here"})
    problem = refused(document)
    assert problem.kind == "contract-violation"
    found = {one.field: one for one in problem.errors}
    assert found[f"/entry/{last}/resource"].reason.startswith("lab_results.unit: ")
    assert found[f"/entry/{last + 1}/resource/subject/reference"].rule == "reference"
    assert not re.search(r"3\.25|nobody-here", json.dumps(problem.document()))


def test_a_bundle_is_about_exactly_one_patient(document):
    subject = fhir.subject(call(FhirBundle(document), PREDICTOR, TODAY))
    assert subject == (Subject("SYNTHETIC-example", frozenset({"SYNTHETIC-c1"})),)
    other = copy.deepcopy(document)
    other["entry"].append({"resource": patient("p2")})
    assert [one.rule for one in refused(other).errors] == ["one person"]
    assert fhir.subject(call(FhirBundle(other), PREDICTOR, TODAY)) == (Subject(None, frozenset()),)
    nobody = document | {"entry": document["entry"][1:]}
    assert refused(nobody).status == 422
    assert [one.field for one in refused({"resourceType": "Bundle", "entry": []}).errors] == ["/entry"]


def test_a_job_that_has_ended_is_no_company_of_hers(document):
    add(document, job("old", end="2025-01-01", start="2018-01-01", id="old"))
    (subject,) = fhir.subject(call(FhirBundle(document), PREDICTOR, TODAY))
    assert subject.companies == {"SYNTHETIC-c1"}


@pytest.mark.parametrize("query", [{"index_date": ["01.12.2025"]}, {"index_date": ["2025-12-01", "2025-12-02"]},
                                   {"index_date": ["2999-01-01"]}, {"index_date": ["0001-01-01"]}, {"outcome": ["x"]},
                                   {"outcome": ["burnout", "burnout"]}, {"complete": ["x"]}])  # fmt: skip
def test_a_query_that_says_nothing_is_refused_without_quoting_it(document, query):
    problem = refused(document, **query)
    assert problem.status == 422
    assert "2999" not in problem.detail


def test_without_an_index_date_it_is_the_morning_of_today(document):
    found = fhir.risk(call(FhirBundle(document), PREDICTOR, TODAY, outcome=["burnout"]))
    assert json.loads(found.body)["occurrenceDateTime"] == TODAY.isoformat()


def test_no_model_hides_no_safety_answer(document):
    add(document, PHQ_9_ITEM_9)
    problem = refused(document, None)
    assert (problem.status, [one.item for one in problem.safety_flags]) == (503, ["item_9"])


@pytest.mark.parametrize("head", [{"resourceType": "Patient"}, {"resourceType": None}, {"id": "01010750160"},
                                  {"implicitRules": "https://example.org/rules"}])  # fmt: skip
def test_a_fault_of_the_bundle_itself_hides_no_safety_answer(document, head):
    add(document, PHQ_9_ITEM_9)
    problem = refused(document | head)
    assert [one.item for one in problem.safety_flags] == ["item_9"]
    assert "01010750160" not in json.dumps(problem.document())


@pytest.mark.parametrize("body", [[], {}, {"resourceType": "Patient"}, {"resourceType": "Bundle"}, "x",
                                  {"resourceType": "Bundle", "entry": {}},
                                  {"resourceType": "Bundle", "entry": [{}] * 5001}])  # fmt: skip
def test_what_is_no_bundle_is_refused_as_a_body(body):
    with pytest.raises(ValidationError) as error:
        FhirBundle.model_validate(body)
    assert "input_value" not in str(error.value)


JUNK = st.sampled_from(
    [None, 0, -1, 1e308, True, "", "x", [], {}, [{}], {"reference": "Patient/x"}, "2999-01-01", "\ud800"]
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for name, one in inner for found in places(one, (*path, name)))]


def as_sent() -> dict[str, Any]:
    record = copy.deepcopy({name: REQUEST["record"][name] for name in TABLES})
    record["person"].pop("education_level", None)
    return bundle_of(record)


PLACES = places(as_sent())[1:]


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.sampled_from(PLACES), JUNK), min_size=1, max_size=3))
def test_whatever_arrives_is_answered_by_valid_fhir_or_refused(changes):
    found = as_sent()
    for path, junk in changes:
        inner: Any = found
        with suppress(KeyError, IndexError, TypeError):  # an earlier change has taken the place away
            for step in path[:-1]:
                inner = inner[step]
            inner[path[-1]] = junk
    status = 200
    try:
        RiskAssessment.model_validate(answered(found, outcome=["long_sick_leave"]))
    except Refused as refused:
        status = refused.problem.status
    except ValidationError as error:  # of the body, not of the answer
        status = 422 if error.title == "FhirBundle" else 500
    assert status in (200, 422)


def test_no_text_tells_of_causes_or_promises(document):
    found = answered(document)
    texts = [
        entry["resource"][name] for entry in found["entry"] for name in ("mitigation",) if name in entry["resource"]
    ]
    texts += [note["text"] for entry in found["entry"] for note in entry["resource"]["note"]]
    texts += [entry["resource"]["prediction"][0]["rationale"] for entry in found["entry"]]
    assert len(texts) > 4
    assert [text for text in texts if NO_CAUSE.search(text)] == []


def test_the_schemas_are_valid_and_codes_are_urns_of_ours():
    Draft202012Validator.check_schema(FhirBundle.model_json_schema())
    for schema in (ANSWER, *QUERY.values()):
        Draft202012Validator.check_schema(schema)
    assert NOTICE_CODE.startswith("urn:balance-risk:")
