"""One card at most, none that is not worth an interruption, and nothing is ever fetched from the caller's server."""

from __future__ import annotations

import copy
import json
import re
import socket
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from serving.access.policy import Subject
from serving.handlers import cds_hooks
from serving.handlers.cds_bodies import CARDS_ANSWER, DISCOVERY_ANSWER, LONGEST_SUMMARY, CdsRequest
from serving.notices import SAFETY
from serving.predictor import Predictor
from serving.problems import Problem, Refused
from tests.lib.calls import call
from tests.lib.fhir_bundles import bundle_of, response
from tests.lib.models import boosted_model, linear_model

REQUEST = json.loads((Path(__file__).parents[2] / "examples" / "request.json").read_text())
TODAY = date(2025, 12, 1)
MODELS = {model.outcome: model for model in (linear_model(), boosted_model())}
RAISED = Predictor(MODELS)
CALM = Predictor({name: replace(model, reference_risk=0.9) for name, model in MODELS.items()})
KEYS = {"Patient": "patient", "Consent": "consents", "QuestionnaireResponse": "answers", "Observation": "results",
        "Encounter": "absences", "Condition": "diagnoses"}  # fmt: skip
PHQ_9_ITEM_9 = response("https://example.org/Questionnaire/phq9", {"item_9": 1}, id="phq9",
                        subject={"reference": "Patient/SYNTHETIC-example"})  # fmt: skip


@pytest.fixture
def request_json() -> dict[str, Any]:
    record = copy.deepcopy({name: rows for name, rows in REQUEST["record"].items() if name != "workplace_events"})
    found: dict[str, Any] = {key: {"resourceType": "Bundle", "type": "searchset", "entry": []} for key in KEYS.values()}
    for entry in bundle_of(record)["entry"]:
        key = KEYS[entry["resource"]["resourceType"]]
        if key == "patient":
            found[key] = entry["resource"]
        else:
            found[key]["entry"].append(entry)
    context = {"userId": "Practitioner/1", "patientId": "SYNTHETIC-example", "encounterId": "e1"}
    return {"hook": "patient-view", "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea", "context": context,
            "prefetch": found}  # fmt: skip


def cards(
    document: dict[str, Any], predictor: Predictor | None = RAISED, url: str = "https://risk.example/"
) -> list[Any]:
    found = json.loads(cds_hooks.cards(call(CdsRequest(**document), predictor, TODAY, url)).body)
    Draft202012Validator(CARDS_ANSWER).validate(found)
    return found["cards"]


def refused(document: dict[str, Any], predictor: Predictor | None = RAISED) -> Problem:
    with pytest.raises(Refused) as error:
        cards(document, predictor)
    return error.value.problem


def test_a_raised_risk_is_one_card_that_informs(request_json):
    (card,) = cards(request_json)
    assert card["indicator"] == "info"
    assert len(card["summary"]) < LONGEST_SUMMARY
    assert card["summary"].startswith("SYNTHETIC · 98 av 100 med lignende profil (referansegruppen 12)")
    assert card["detail"].count("**") == 4, "both outcomes, the more raised one first"
    assert card["links"] == [{"label": "Åpne Balance@Work", "url": "https://risk.example/ui", "type": "absolute"}]
    assert {one["code"] for one in card["overrideReasons"]} >= {"disagree", "not-relevant"}
    assert "SYNTHETIC-example" not in json.dumps(card), "the client knows whose card it is"


def test_nobody_is_interrupted_for_a_risk_like_that_of_others(request_json):
    assert cards(request_json, CALM) == []


def test_where_the_model_abstains_there_is_no_card(request_json):
    request_json["prefetch"]["results"] = None  # and with the results the job is gone
    assert cards(request_json) == []


def test_an_answer_that_must_be_seen_today_is_a_warning_whatever_the_risk(request_json):
    request_json["prefetch"]["answers"]["entry"].append({"resource": PHQ_9_ITEM_9})
    for predictor in (RAISED, CALM, None):
        (card,) = cards(request_json, predictor)
        assert (card["indicator"], card["summary"]) == ("warning", SAFETY.message["nb"])
    assert len(SAFETY.message["nb"]) < LONGEST_SUMMARY


def test_not_even_a_fault_hides_such_an_answer(request_json):
    request_json["prefetch"]["answers"]["entry"].append({"resource": PHQ_9_ITEM_9})
    request_json["prefetch"]["results"]["entry"].append({"resource": {"resourceType": "Observation"}})
    (card,) = cards(request_json)
    assert (card["indicator"], "ikke leses" in card["detail"]) == ("warning", True)


def test_a_card_about_nobody_is_none_and_the_problem_carries_the_flag(request_json):
    request_json["prefetch"]["answers"]["entry"].append({"resource": PHQ_9_ITEM_9})
    request_json["prefetch"]["patient"]["active"] = False
    for key in ("consents", "answers", "results", "absences", "diagnoses"):
        for entry in request_json["prefetch"][key]["entry"][: -1 if key == "answers" else None]:
            entry["resource"]["status"] = "nonsense"
    problem = refused(request_json)
    assert (problem.status, [one.item for one in problem.safety_flags]) == (422, ["item_9"])


def test_a_fault_is_named_at_its_place_in_the_prefetch(request_json):
    results = request_json["prefetch"]["results"]["entry"]
    results.append(
        {"resource": {"resourceType": "Observation", "status": "final", "subject": {"reference": "Patient/x1"}}}
    )
    fields = [one.field for one in refused(request_json).errors]
    assert fields == [f"/prefetch/results/entry/{len(results) - 1}/resource/code"]
    request_json["prefetch"]["patient"]["gender"] = 7
    assert "/prefetch/patient/gender" in [one.field for one in refused(request_json).errors]


def test_resources_of_another_patient_than_the_context_are_refused(request_json):
    request_json["context"]["patientId"] = "somebody-else"
    (error,) = refused(request_json).errors
    assert (error.field, error.rule) == ("/prefetch/patient/id", "other person")


def test_a_prefetch_without_a_patient_is_refused(request_json):
    request_json["prefetch"] = {"patient": None}
    assert refused(request_json).status == 422


def test_without_a_model_there_is_no_answer(request_json):
    assert refused(request_json, None).status == 503


def test_an_empty_last_page_says_that_nothing_happened_and_a_missing_one_does_not(request_json):
    def told(document: dict[str, Any]) -> bool:
        return "absence_spells" in CdsRequest(**document).read(TODAY).tables

    request_json["prefetch"]["absences"] = {"resourceType": "Bundle", "type": "searchset"}
    assert told(request_json)
    request_json["prefetch"]["absences"]["link"] = [{"relation": "next", "url": "https://ehr.example/page2"}]
    assert not told(request_json)
    request_json["prefetch"]["absences"] = None
    assert not told(request_json)


def test_the_callers_server_is_never_asked(request_json, monkeypatch):
    # A server that any caller may name would be asked in our name for what it likes.
    request_json |= {"fhirServer": "http://169.254.169.254/", "fhirAuthorization": {"access_token": "t"}}

    def no_network(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    assert len(cards(request_json)) == 1
    assert "fhir_server" not in CdsRequest.model_fields


def test_without_a_public_address_there_is_no_link(request_json):
    (card,) = cards(request_json, url="")
    assert "links" not in card


def test_whom_the_card_is_about(request_json):
    (subject,) = cds_hooks.subject(call(CdsRequest(**request_json), RAISED, TODAY))
    assert subject == Subject("SYNTHETIC-example", frozenset({"SYNTHETIC-c1"}))


@pytest.mark.parametrize(
    "change",
    [{"hook": "order-sign"}, {"hookInstance": None}, {"context": {"userId": "u"}}, {"prefetch": []},
     {"prefetch": {f"k{n}": None for n in range(7)}}, {"prefetch": {"patient": "Patient/1"}}],
)  # fmt: skip
def test_what_is_no_call_of_the_hook_is_refused_without_quoting_it(request_json, change):
    with pytest.raises(ValidationError) as error:
        CdsRequest(**request_json | change)
    assert "input_value" not in str(error.value)


def test_the_discovery_names_one_service_and_what_it_wants():
    found = json.loads(cds_hooks.services(call(None, None, TODAY)).body)
    Draft202012Validator(DISCOVERY_ANSWER).validate(found)
    (service,) = found["services"]
    assert (service["hook"], service["id"]) == ("patient-view", "balance-risk")
    assert service["prefetch"]["patient"] == "Patient/{{context.patientId}}"
    assert set(re.findall(r"{{(.*?)}}", json.dumps(found))) == {"context.patientId"}
    Draft202012Validator.check_schema(CdsRequest.model_json_schema())


def test_no_text_tells_of_causes(request_json):
    (card,) = cards(request_json)
    forbidden = r"forårsak|skyldes|skade|farlig|alarm|caus|danger|due to|leads to|injur|fører til|kritisk"
    assert not re.search(forbidden, json.dumps(card, ensure_ascii=False), re.IGNORECASE)
