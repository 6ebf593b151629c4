"""FHIR resources become the rows they say, and nothing is assumed or lost: patients, results, questionnaires, and the page."""

from __future__ import annotations

import json
import re
import time
from datetime import date
from pathlib import Path

import pytest

from data_contracts.fhir_codes import (
    EMPLOYER_EXTENSION,
    INDUSTRY_CODE,
    INDUSTRY_SYSTEM,
    JOB_CODE,
    JOB_SYSTEM,
    LOINC_ANSWERS,
    LOINC_PANELS,
    NAV_CERTIFICATES,
    OCCUPATION_SYSTEM,
    STATUSES,
)
from data_contracts.instruments import INSTRUMENTS
from data_contracts.readers.fhir_r4 import read_bundle
from data_contracts.rules import RULES
from data_contracts.tables import Coded
from tests.lib.fhir_bundles import (
    ICD10,
    ICPC2,
    LOINC,
    NLK,
    OURS,
    bundle,
    checked,
    concept,
    meta,
    noon,
    observation,
    patient,
    quantity,
    response,
    rows,
)
from tests.lib.fhir_reading import IDENTITY_NUMBER, RECEIVED_ON, faults, read

DOCS = Path(__file__).parents[2] / "docs" / "fhir.md"


# Patients


def test_a_patient_becomes_a_person():
    assert rows(read(patient("p7")), "persons") == [
        {"person_id": "p7", "birth_year": "1980", "sex": "female", "known_from": noon("2025-01-01")}
    ]


@pytest.mark.parametrize(
    ("identifiers", "person_id"),
    [
        ([{"system": "urn:mrn", "value": "7"}, {"system": f"{OURS}person", "value": "p7"}], "p7"),
        ([{"system": "urn:mrn", "value": "7"}], "7"),
        ([], "p"),
    ],
)
def test_which_identifier_is_the_pseudonym(identifiers, person_id):
    assert [row["person_id"] for row in rows(read(patient(identifier=identifiers)), "persons")] == [person_id]


def test_two_identifiers_of_foreign_systems_are_ambiguous():
    found = read(patient(identifier=[{"value": "a"}, {"value": "b"}]))
    assert faults(found) == [(1, "Patient.identifier", "required")]


@pytest.mark.parametrize("system", ["1", "2", "3"])
def test_the_systems_of_identity_numbers_are_refused_whatever_the_value_and_never_echoed(system):
    identifiers = [{"system": f"urn:oid:2.16.578.1.12.4.1.4.{system}", "value": "9876543"}]
    found = read(patient(identifier=identifiers), observation())
    assert faults(found) == [
        (1, "Patient.identifier.value", "national identity number"),
        (2, "Observation.subject", "person not in persons"),
    ]
    assert found.tables == {}
    assert "9876543" not in repr(found)


@pytest.mark.parametrize(
    ("resource", "column"),
    [
        (patient(name=[{"text": f"Kari ({IDENTITY_NUMBER})"}]), "Patient.name[0].text"),
        (observation(note=[{"text": "x" * 3000 + " " + IDENTITY_NUMBER}]), "Observation.note[0].text"),
        (observation(contained=[patient(IDENTITY_NUMBER)]), "Observation.contained[0].id"),
        ({"resourceType": "Practitioner", "id": IDENTITY_NUMBER}, "Practitioner.id"),
        (observation(subject={"identifier": {"value": IDENTITY_NUMBER}}), "Observation.subject.identifier.value"),
        (observation(**{IDENTITY_NUMBER: 1}), "Observation.[national identity number]"),
    ],
)
def test_an_identity_number_anywhere_in_a_resource_refuses_it_without_echo(resource, column):
    found = read(resource)
    assert column in [one.column for one in found.violations]
    assert found.tables == {}
    assert IDENTITY_NUMBER not in repr(found)


def test_a_logical_reference_names_the_person_but_not_by_identity_number():
    by_pseudonym = read(observation(subject={"identifier": {"value": "p9"}}))
    assert rows(by_pseudonym, "lab_results")[0]["person_id"] == "p9"
    system = "urn:oid:2.16.578.1.12.4.1.4.1"
    refused = read(observation(subject={"identifier": {"system": system, "value": "1000239"}}))
    assert faults(refused) == [(1, "Observation.subject.identifier.value", "national identity number")]


def test_a_patient_that_is_out_of_use_or_replaced_is_refused():
    other = {"other": {"reference": "Patient/x"}, "type": "replaced-by"}
    assert faults(read(patient(active=False))) == [(1, "Patient.active", "modifier")]
    assert faults(read(patient(link=[other]))) == [(1, "Patient.link", "modifier")]


# Observations


def test_a_norwegian_laboratory_result_with_all_its_cells():
    hba1c = observation(
        valueQuantity=quantity(15, "mmol/mol") | {"comparator": "<"},
        effectiveDateTime="2025-05-01T23:30:00Z",  # 2 May in Oslo
        performer=[{"reference": "Practitioner/7"}, {"reference": "Organization/lab1"}],
        referenceRange=[{"low": quantity(20, "mmol/mol"), "high": quantity(42.5, "mmol/mol")}],
    )
    tables, violations = checked(bundle(patient(), hba1c), RECEIVED_ON)
    assert violations == []
    (row,) = zip(*(cells.texts() if isinstance(cells, Coded) else cells.tolist()
                   for cells in tables["lab_results"].values()), strict=True)  # fmt: skip
    assert row == ("p", "NPU", "NPU27300", "<", 15.0, "mmol/mol", 20.0, 42.5, "lab1", date(2025, 5, 2),
                   date(2025, 5, 3), 0.0)  # fmt: skip


@pytest.mark.parametrize(
    ("codings", "chosen"),
    [
        ([{"system": LOINC, "code": "59261-8"}, {"system": NLK, "code": "NPU27300"}], ("NPU", "NPU27300")),
        ([{"system": NLK, "code": "NPU99999"}, {"system": LOINC, "code": "59261-8"}], ("LOINC", "59261-8")),
        ([{"system": NLK, "code": "NPU03835"}, {"system": LOINC, "code": "59261-8"}], ("LOINC", "59261-8")),  # a % code
        ([{"system": "http://npu-terminology.org", "code": "NPU27300"}], ("NPU", "NPU27300")),
        ([{"system": NLK, "code": "NPU99999"}], ("NPU", "NPU99999")),
    ],
)
def test_which_of_several_codings_counts(codings, chosen):
    (row,) = rows(read(patient(), observation(code={"coding": codings})), "lab_results")
    assert (row["code_system"], row["code"]) == chosen


def test_an_unknown_analyte_is_a_row_so_that_the_check_reports_it_and_another_system_is_counted():
    _, violations = checked(bundle(patient(), observation("NPU99999")), RECEIVED_ON)
    assert [(one.row, one.column, one.rule) for one in violations] == [(2, "code", "unknown code")]
    found = read(patient(), observation(code=concept("http://snomed.info/sct", "271649006")))
    assert found.notes == ["Observation values without an NPU, NLK or LOINC code, not taken: 1"]


def test_a_blood_pressure_panel_gives_two_rows_and_what_is_absent_is_counted():
    def component(code, **value):
        return {"code": concept(LOINC, code)} | value

    panel = observation(code=concept(LOINC, "85354-9"), component=[
        component("8480-6", valueQuantity=quantity(128, "mm[Hg]")),
        component("8462-4", valueQuantity=quantity(82, "mm[Hg]")),
        component("8478-0", dataAbsentReason=concept("http://x", "not-performed")),
    ])  # fmt: skip
    del panel["valueQuantity"]
    found = read(patient(), panel)
    assert [(row["code"], row["value"], row["unit"]) for row in rows(found, "lab_results")] == [
        ("8480-6", "128", "mm[Hg]"), ("8462-4", "82", "mm[Hg]")]  # fmt: skip
    assert found.row_numbers["lab_results"].tolist() == [2, 2]
    assert found.notes == ["Observation values that are absent, not taken: 1"]


def test_a_panel_with_members_gives_no_row_of_its_own():
    panel = observation(hasMember=[{"reference": "Observation/o"}], id="panel")
    del panel["valueQuantity"]
    found = read(patient(), panel, observation())
    assert found.row_numbers["lab_results"].tolist() == [3]
    assert found.notes == ["Observations that only group others, which are read on their own: 1"]


@pytest.mark.parametrize(("status", "fate"), STATUSES["Observation"].items())
def test_what_becomes_of_each_status(status, fate):
    found = read(patient(), observation(status=status, meta=meta("2025-06-01")))
    got = [(row.get("is_deleted"), row["known_from"][:10]) for row in rows(found, "lab_results")]
    assert got == {"taken": [(None, "2025-05-03")], "retracted": [("true", "2025-06-01")], "passed over": []}[fate]
    assert bool(found.notes) == (fate == "passed over")


def test_a_status_that_fhir_does_not_know_is_refused():
    assert faults(read(patient(), observation(status="done"))) == [(2, "Observation.status", "codes")]


def test_a_retraction_that_does_not_say_what_it_retracts_is_refused_and_not_merely_counted():
    empty = observation(status="entered-in-error")
    del empty["valueQuantity"]
    assert faults(read(patient(), empty)) == [(2, "Observation", "required")]


def test_no_date_is_ever_assumed():
    undated = observation()
    del undated["issued"], undated["effectiveDateTime"]
    _, violations = checked(bundle(patient(), undated), RECEIVED_ON)
    assert {(one.row, one.column, one.rule) for one in violations} == {
        (2, "sampled_on", "required"), (2, "known_from", "required")}  # fmt: skip


def test_the_dates_of_a_report_hold_for_results_that_have_none():
    undated = observation()
    del undated["issued"], undated["effectiveDateTime"]
    report = {"resourceType": "DiagnosticReport", "id": "r", "status": "final", "code": concept(LOINC, "24331-1"),
              "effectiveDateTime": "2025-05-04", "issued": noon("2025-05-06"),
              "result": [{"reference": "Observation/o"}, {"reference": "Observation/dated"}]}  # fmt: skip
    found = read(report, patient(), undated, observation(id="dated"))
    assert [(row["sampled_on"], row["known_from"][:10]) for row in rows(found, "lab_results")] == [
        ("2025-05-04", "2025-05-06"), ("2025-05-01", "2025-05-03")]  # fmt: skip


def test_a_quantity_without_ucum_gives_its_unit_as_written_and_reference_limits_only_in_that_unit():
    bare = observation(valueQuantity={"value": 1, "unit": "mmol/mol"}, referenceRange=[{"high": {"value": 42}}])
    (row,) = rows(read(patient(), bare), "lab_results")
    assert (row["unit"], row["reference_high"], "reference_low" in row) == ("mmol/mol", "42", False)
    of_the_old = {"high": quantity(60, "mmol/mol"), "age": {"low": quantity(70, "a")}}
    of_all = {"high": quantity(42, "mmol/mol"), "type": concept("http://x", "normal")}
    (row,) = rows(read(patient(), observation(referenceRange=[of_the_old, of_all])), "lab_results")
    assert row["reference_high"] == "42"
    for ranges in ([{"high": quantity(6, "%")}], [{"high": {"value": 42}}, {"high": {"value": 48}}]):
        found = read(patient(), observation(referenceRange=ranges))
        assert "reference_high" not in rows(found, "lab_results")[0]
        assert found.notes == ["reference intervals left out: several, or in another unit than the value: 1"]


# Questionnaires


@pytest.mark.parametrize(
    "canonical",
    ["https://example.org/Questionnaire/who5|1.0", "urn:balance-risk:questionnaire:who5", "Questionnaire/who5", "who5"],
)
def test_the_last_part_of_the_canonical_names_the_instrument(canonical):
    found = read(patient(), response(canonical, {"item_1": 3, "item_2": {"valueCoding": {"code": "4"}}}))
    assert [(row["instrument"], row["item"], row["answer"]) for row in rows(found, "survey_answers")] == [
        ("who5", "item_1", "3"), ("who5", "item_2", "4")]  # fmt: skip
    assert rows(found, "survey_answers")[0]["answered_on"] == "2025-05-01"
    assert rows(found, "survey_answers")[0]["known_from"] == noon("2025-05-02")


def test_a_survey_known_only_by_its_own_date_says_so():
    found = read(patient(), response("who5", {"item_1": 3}, meta={}))
    assert rows(found, "survey_answers")[0]["known_from"] == "2025-05-01"
    assert found.notes == ["QuestionnaireResponses without meta.lastUpdated, taken as known when authored: 1"]


@pytest.mark.parametrize("panel", LOINC_PANELS)
def test_loinc_panels_lead_to_our_items_in_order(panel):
    instrument, links = LOINC_PANELS[panel]
    answer = {"valueCoding": {"system": LOINC, "code": "LA6570-1"}} if instrument != "audit_c" else 2
    items = {f"/{link}": answer for link in links} | {"44261-6": 18}
    found = read(patient(), response(f"http://loinc.org/q/{panel}", items))
    got = [(row["instrument"], row["item"], row["answer"]) for row in rows(found, "survey_answers")]
    assert got == [(instrument, item.id, "2") for item in INSTRUMENTS[instrument].items[: len(links)]]
    assert found.notes == ["QuestionnaireResponse items that are total scores of a LOINC panel, not taken: 1"]
    _, violations = checked(bundle(patient(), response(f"http://loinc.org/q/{panel}", items)), RECEIVED_ON)
    assert violations == []


def test_loinc_answers_are_the_scores_of_their_lists():
    assert [LOINC_ANSWERS[code] for code in ("LA6568-5", "LA6569-3", "LA6570-1", "LA6571-9")] == [0, 1, 2, 3]
    assert set(LOINC_ANSWERS.values()) == {0, 1, 2, 3, 4}


def test_an_ordinal_value_is_the_answer_and_nested_items_are_found():
    ordinal = {"url": "http://hl7.org/fhir/StructureDefinition/ordinalValue", "valueDecimal": 5}
    coded = {"linkId": "item_1", "answer": [{"valueCoding": {"code": "LA6560-2", "extension": [ordinal]}}]}
    inner = {"linkId": "item_2", "answer": [{"valueInteger": 1}]}
    coded["answer"][0]["item"] = [inner]
    found = read(patient(), response("who5", {}, item=[{"linkId": "group", "item": [coded]}]))
    assert [(row["item"], row["answer"]) for row in rows(found, "survey_answers")] == [("item_1", "5"), ("item_2", "1")]


def test_free_text_is_counted_and_never_shown():
    found = read(patient(), response("who5", {"item_1": {"valueString": "my boss is Ola"}}))
    assert found.notes == ["QuestionnaireResponse answers of type valueString, not taken: 1"]
    assert found.tables.keys() == {"persons"}
    assert "Ola" not in repr(found)


def test_a_questionnaire_we_do_not_know_is_one_violation_and_none_at_all_another():
    assert faults(read(patient(), response("Questionnaire/gcs", {"a": 1, "b": 2}))) == [
        (2, "QuestionnaireResponse.questionnaire", "unknown instrument")]  # fmt: skip
    nameless = response("x", {})
    del nameless["questionnaire"]
    assert faults(read(patient(), nameless)) == [(2, "QuestionnaireResponse.questionnaire", "required")]


def test_two_answers_to_one_question_are_refused():
    item = {"linkId": "item_1", "answer": [{"valueInteger": 1}, {"valueInteger": 2}]}
    found = read(patient(), response("who5", {}, item=[item]))
    assert faults(found) == [(2, "QuestionnaireResponse.item.answer", "shape")]


# Speed and documents


def test_reading_is_fast_enough_for_ten_thousand_observations():
    document = bundle(patient(), *(observation(id=f"o{number}") for number in range(2_000)))
    begun = time.process_time()
    found = read_bundle(document, "b")
    assert len(found.row_numbers["lab_results"]) == 2_000
    assert time.process_time() - begun < 5  # a fifth of ten thousand, in five times what it takes


def test_the_example_on_the_page_is_read_without_a_fault():
    (example,) = re.findall(r"```json\n(.*?)```", DOCS.read_text(encoding="utf-8"), flags=re.DOTALL)
    tables, violations = checked(json.loads(example), RECEIVED_ON)
    assert violations == []
    counts = {name: len(table["known_from"]) for name, table in tables.items() if len(table["known_from"])}
    assert counts == {
        "persons": 1,
        "consents": 6,
        "survey_answers": 5,
        "lab_results": 3,
        "absence_spells": 3,
        "employments": 1,
    }


def test_the_page_names_every_system_status_and_rule():
    page = DOCS.read_text(encoding="utf-8")
    rules = [name for name, rule in RULES.items() if "FHIR" in rule.only_on_arrival]
    words = [JOB_CODE, INDUSTRY_CODE, JOB_SYSTEM, INDUSTRY_SYSTEM, OCCUPATION_SYSTEM, EMPLOYER_EXTENSION]
    words += [*rules, *LOINC_PANELS, *NAV_CERTIFICATES, NLK, ICPC2, ICD10]
    words += [status for of_type in STATUSES.values() for status in of_type]
    assert [word for word in words if f"`{word}`" not in page] == []
