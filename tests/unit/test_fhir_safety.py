"""A safety answer that gives no row is kept beside the tables, once, and without an identity number."""

from __future__ import annotations

import json

import pytest

from data_contracts.readers.fhir_r4 import read_fhir_file
from tests.lib.fhir_bundles import LOINC, concept, observation, patient, response
from tests.lib.fhir_reading import IDENTITY_NUMBER, read

PATIENT = patient(identifier=[{"value": "p7"}])
PHQ_9_ITEM_9 = concept(LOINC, "44260-8")


@pytest.mark.parametrize(
    "resource",
    [
        response("phq9", {"item_9": 1}, status="in-progress"),
        response("phq9", {"item_9": 1}, status="stopped"),
        response("phq9", {"item_9": 1}, status="no status"),
        response("phq9", {"item_9": {"valueString": " 1 "}}),
        response("phq9", {"item_9": {"valueQuantity": {"value": 1}}}),
        response("phq9", {"item_9": 1, "item_1": {"valueString": IDENTITY_NUMBER}}),
        response("phq9", {"item_9": 1}, author=7),
        response("phq9", {"item_9": 1}, modifierExtension=[]),
        response("http://x/unknown", {"44260-8": 1}),
        response("PHQ-9", {"item_9": 1}),
        response("phq9", {}, item={"linkId": "item_9", "answer": [{"valueInteger": 0}, {"valueInteger": 1}]}),
        response("phq9", {}, item=[{"linkId": "g", "item": [{"linkId": "item_9", "answer": {"valueInteger": 1}}]}],
                 status="stopped"),
        response("http://loinc.org/q/44249-1", {"44260-8": {"valueCoding": {"code": "LA6569-3"}}}, status="stopped"),
        {**observation(code=PHQ_9_ITEM_9), "valueInteger": 1},
        observation(code=PHQ_9_ITEM_9, valueQuantity={"value": 1, "code": "{score}"}),
        observation(component=[{"code": PHQ_9_ITEM_9, "valueString": "1"}], status="preliminary"),
    ],
)  # fmt: skip
def test_a_safety_answer_that_gives_no_row_is_kept_beside_the_tables(resource):
    (person_id,) = read(PATIENT, resource).untaken_answers["person_id"].texts()
    assert person_id == "p7"
    assert IDENTITY_NUMBER not in repr(read(PATIENT, resource))


@pytest.mark.parametrize(
    "resource",
    [
        response("phq9", {"item_9": 1}),  # has its row
        response("phq9", {"item_9": 1}, status="entered-in-error"),  # its row deletes
        response("phq9", {"item_9": 0}, status="stopped"),
        response("phq9", {"item_8": 1}, status="stopped"),
        response("gad7", {"item_9": 1}, status="stopped"),
        response("phq9", {"item_9": {"valueString": "often"}}),
        observation(code=PHQ_9_ITEM_9, valueQuantity={"value": 0}),
        observation(code=PHQ_9_ITEM_9, valueQuantity={"value": 1}, status="entered-in-error"),
        {"resourceType": "QuestionnaireResponse", "item": [7, {"linkId": {}, "answer": [[]]}], "questionnaire": {}},
    ],
)
def test_nothing_is_kept_twice_and_no_harmless_answer(resource):
    assert read(PATIENT, resource).untaken_answers == {}


@pytest.mark.parametrize(
    ("subject", "person_id"),
    [
        ({"reference": "Patient/elsewhere"}, "elsewhere"),
        ({"reference": f"Patient/{IDENTITY_NUMBER}"}, None),
        ({"identifier": {"system": "urn:oid:2.16.578.1.12.4.1.4.1", "value": "9876543"}}, None),
        ({"identifier": {"system": [], "value": "p9"}}, "p9"),
        (None, None),
        ([], None),
    ],
)
def test_a_safety_answer_of_somebody_unknown_is_not_lost(subject, person_id):
    found = read(PATIENT, response("phq9", {"item_9": 1}, subject=subject))
    assert found.untaken_answers["person_id"].texts() == [person_id]


def test_a_line_of_a_bulk_export_is_looked_at_too(tmp_path):
    path = tmp_path / "q.ndjson"
    path.write_text(json.dumps(response("phq9", {"item_9": 1}, status="stopped")) + "\n")
    assert read_fhir_file(path).untaken_answers["person_id"].texts() == ["p"]
