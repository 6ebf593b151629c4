"""FHIR resources become the rows they say, nothing is assumed or lost, and nothing that arrives can harm."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from copy import deepcopy
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.analytes import ANALYTES
from data_contracts.errors import MissingInputError, SourceFileError
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
from data_contracts.readers.fhir_r4 import read_bundle, read_fhir_file
from data_contracts.rules import RULES
from data_contracts.tables import Coded
from data_contracts.time_windows import today
from data_contracts.validation import check_record
from tests.lib.fhir_bundles import (
    ICD10,
    ICPC2,
    LOINC,
    NLK,
    OURS,
    absence,
    bundle,
    bundle_of,
    certificate,
    checked,
    concept,
    condition,
    consent,
    meta,
    noon,
    observation,
    patient,
    quantity,
    response,
    rows,
)

RECEIVED_ON = date(2026, 3, 1)
DOCS = Path(__file__).parents[2] / "docs" / "fhir.md"
IDENTITY_NUMBER = "01010750160"  # synthetic: the month is real, the number was never issued

FEW_EXAMPLES = settings(max_examples=60, deadline=None, derandomize=True)


def read(*resources):
    return read_bundle(bundle(*resources), "b")


def faults(found):
    return [(one.row, one.column, one.rule) for one in found.violations]


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


# Absence


@pytest.mark.parametrize("canonical", [*NAV_CERTIFICATES, f"{NAV_CERTIFICATES[0]}|1.0"])
def test_navs_certificate_gives_one_spell_per_period_of_absence(canonical):
    sheet = certificate(
        {"type": "AKTIVITET_IKKE_MULIG", "fom": "2025-03-01", "tom": "2025-03-14"},
        {"type": "GRADERT", "fom": "2025-03-15", "tom": "2025-03-31", "grad": 60},
        {"type": "AVVENTENDE", "fom": "2025-04-01", "tom": "2025-04-05"},
        diagnosis={"system": ICPC2, "code": "P76"},
        questionnaire=canonical,
    )
    found = read(patient(), sheet)
    shared = {"person_id": "p", "known_from": "2025-03-01T09:30:00+01:00", "kind": "doctor_certified",
              "diagnosis": "P76", "diagnosis_system": "ICPC-2"}  # fmt: skip
    assert rows(found, "absence_spells") == [
        shared | {"spell_id": "s1.1", "grade_percent": "100", "first_day": "2025-03-01", "last_day": "2025-03-14"},
        shared | {"spell_id": "s1.2", "grade_percent": "60", "first_day": "2025-03-15", "last_day": "2025-03-31"},
    ]
    assert found.notes == ["periods of a certificate of type AVVENTENDE, which are no absence: 1"]
    assert checked(bundle(patient(), sheet), RECEIVED_ON)[1] == []


@pytest.mark.parametrize(
    ("system", "code", "expected"),
    [(ICPC2, "L03", ("L03", "ICPC-2")), (ICD10, "M54.5", ("M54.5", "ICD-10")),
     ("urn:oid:2.16.578.1.12.4.1.1.7171", "L03.0007", ("L03", "ICPC-2"))],
)  # fmt: skip
def test_diagnoses_of_certificates(system, code, expected):
    period = {"type": "AKTIVITET_IKKE_MULIG", "fom": "2025-03-01", "tom": "2025-03-14"}
    (row,) = rows(read(patient(), certificate(period, diagnosis={"system": system, "code": code})), "absence_spells")
    assert (row["diagnosis"], row["diagnosis_system"]) == expected


def test_a_certificate_without_diagnosis_takes_that_of_its_consultation():
    visit = absence(id="v", diagnosis=[{"condition": {"reference": "Condition/d"}}])
    visit["type"] = []
    period = {"type": "AKTIVITET_IKKE_MULIG", "fom": "2025-03-01", "tom": "2025-03-14"}
    sheet = certificate(period, encounter={"reference": "Encounter/v"})
    (row,) = rows(read(sheet, visit, condition(ICD10, "F32.0"), patient()), "absence_spells")
    assert (row["diagnosis"], row["diagnosis_system"]) == ("F32.0", "ICD-10")
    stated = {"system": "http://snomed.info/sct", "code": "35489007"}
    sheet = certificate(period, diagnosis=stated, encounter={"reference": "Encounter/v"})
    assert "diagnosis" not in rows(read(sheet, visit, condition(ICD10, "F32.0"), patient()), "absence_spells")[0]


@pytest.mark.parametrize(
    ("period", "column", "rule"),
    [
        ({"type": "FERIE", "fom": "2025-03-01", "tom": "2025-03-14"}, "aktivitet-type", "codes"),
        ({"type": "GRADERT", "fom": "2025-03-01", "grad": 50}, "aktivitet-tom", "required"),
    ],
)
def test_a_certificate_that_leaves_open_what_it_certifies_is_refused(period, column, rule):
    found = read(patient(), certificate(period))
    assert faults(found) == [(2, f"QuestionnaireResponse.item.{column}", rule)]
    assert "absence_spells" not in found.tables


def test_a_graded_period_without_grade_is_reported_by_the_check():
    period = {"type": "GRADERT", "fom": "2025-03-01", "tom": "2025-03-14"}
    _, violations = checked(bundle(patient(), certificate(period)), RECEIVED_ON)
    assert [(one.row, one.column, one.rule) for one in violations] == [(2, "grade_percent", "required")]


def test_an_encounter_of_our_kind_is_an_absence_and_runs_while_it_has_no_end():
    graded = absence("doctor_certified", end=None, id="e2", identifier=[{"value": "case-9"}],
                     diagnosis=[{"condition": {"reference": "Condition/d"}}])  # fmt: skip
    graded["type"].append(concept(f"{OURS}absence-grade", "50"))
    found = read(patient(), absence(), graded, condition(ICPC2, "P29"))
    first, second = rows(found, "absence_spells")
    assert (first["spell_id"], first["kind"], first["grade_percent"], first["last_day"]) == (
        "e1", "self_certified", "100", "2025-03-03")  # fmt: skip
    assert (second["spell_id"], second["grade_percent"], second["diagnosis"]) == ("case-9", "50", "P29")
    assert "last_day" not in second


def test_the_first_ranked_condition_that_still_holds_is_the_diagnosis_and_icpc2_is_preferred():
    both = [{"system": ICD10, "code": "F43.0"}, {"system": ICPC2, "code": "P02"}]
    ranked = [
        {"condition": {"reference": f"Condition/{name}"}, "rank": rank} for rank, name in ((3, "x"), (2, "y"), (1, "z"))
    ]
    refuted = {"verificationStatus": concept("http://x", "refuted")}
    conditions = [
        condition(ICPC2, "L03", id="x"),
        condition(ICD10, "", id="y") | {"code": {"coding": both}},
        condition(ICPC2, "A04", id="z", **refuted),
    ]
    (row,) = rows(read(patient(), absence(diagnosis=ranked), *conditions), "absence_spells")
    assert (row["diagnosis"], row["diagnosis_system"]) == ("P02", "ICPC-2")


def test_a_diagnosis_that_did_not_come_along_or_is_in_another_system_is_counted():
    missing = absence(diagnosis=[{"condition": {"reference": "Condition/none"}}])
    found = read(patient(), missing)
    assert found.notes == ["diagnoses of Encounters that are not in the bundle, or not in ICPC-2 or ICD-10: 1"]
    period = {"type": "AKTIVITET_IKKE_MULIG", "fom": "2025-03-01", "tom": "2025-03-14"}
    found = read(patient(), certificate(period, diagnosis={"system": "http://snomed.info/sct", "code": "35489007"}))
    assert found.notes == ["diagnoses of certificates that are neither in ICPC-2 nor in ICD-10, left out: 1"]


def test_a_doctors_grade_is_not_assumed():
    _, violations = checked(bundle(patient(), absence("doctor_certified")), RECEIVED_ON)
    assert [(one.row, one.column, one.rule) for one in violations] == [(2, "grade_percent", "required")]


def test_other_encounters_are_counted_and_a_cancelled_absence_is_a_deletion():
    visit = absence()
    visit["type"] = []
    assert read(patient(), visit).notes == ["Encounters that stand for no absence: 1"]
    assert rows(read(patient(), absence(status="cancelled")), "absence_spells")[0]["is_deleted"] == "true"


# Consents


def test_a_consent_gives_every_source_for_every_purpose():
    found = read(patient(), consent(["survey", "lab"], ["risk_scoring", "model_training"]))
    assert Counter((row["source"], row["purpose"]) for row in rows(found, "consents")) == Counter(
        (source, purpose) for source in ("survey", "lab") for purpose in ("risk_scoring", "model_training"))  # fmt: skip
    assert rows(found, "consents")[0]["given_on"] == rows(found, "consents")[0]["known_from"] == "2025-01-10"


def versions(provision=None, **others):
    found = read(patient(), consent(["lab"], ["risk_scoring"], provision, **others))
    return [(row.get("withdrawn_on", "")[:10], row["known_from"][:10]) for row in rows(found, "consents")]


def test_a_consent_that_has_ended_was_in_force_until_then():
    assert versions({"period": {"start": "2025-01-01", "end": "2025-06-30"}}) == [
        ("", "2025-01-10"), ("2025-06-30", "2025-06-30")]  # fmt: skip


def test_a_withdrawn_consent_ends_at_the_earlier_of_its_end_and_the_day_it_became_inactive():
    inactive = {"status": "inactive", "meta": meta("2025-06-01")}
    assert versions(**inactive) == [("2025-06-01", "2025-06-01")]
    assert versions({"period": {"end": "2030-01-01"}}, **inactive) == [("2025-06-01", "2025-06-01")]
    assert versions({"period": {"end": "2025-05-01"}}, **inactive) == [("2025-05-01", "2025-06-01")]
    found = read(patient(), consent(["lab"], ["risk_scoring"], status="inactive"))
    assert faults(found) == [(2, "Consent.provision.period.end", "required")]


def test_a_consent_entered_in_error_is_deleted_whatever_its_end():
    period = {"start": "2025-01-01", "end": "2025-06-30"}
    sheet = consent(["lab"], ["risk_scoring"], {"period": period}, status="entered-in-error", meta=meta("2025-07-02"))
    (row,) = rows(read(patient(), sheet), "consents")
    assert (row["given_on"], row["known_from"][:10], row["is_deleted"]) == ("2025-01-01", "2025-07-02", "true")


def test_a_consent_that_is_yet_to_end_is_not_stored_as_if_it_never_ended():
    end = (today() + timedelta(days=30)).isoformat()
    sheet = consent(["lab"], ["risk_scoring"], {"period": {"start": "2025-01-01", "end": end}})
    tables, violations = checked(bundle(patient(), sheet), today())
    assert [one.rule for one in violations] == ["event after known_from"]
    assert len(tables["consents"]["source"]) == 0


@pytest.mark.parametrize(
    ("provision", "column", "rule"),
    [
        ({"provision": [{"type": "deny"}]}, "Consent.provision.provision", "restricted consent"),
        ({"actor": [{"role": concept("http://x", "y"), "reference": {"reference": "Organization/1"}}]},
         "Consent.provision.actor", "restricted consent"),
        ({"dataPeriod": {"start": "2025-01-01"}}, "Consent.provision.dataPeriod", "restricted consent"),
        ({"type": None}, "Consent.provision.type", "restricted consent"),
        ({"type": "deny"}, "Consent.provision.type", "restricted consent"),
        ({"purpose": []}, "Consent.provision.purpose", "required"),
    ],
)  # fmt: skip
def test_a_consent_narrower_than_our_columns_is_refused(provision, column, rule):
    found = read(patient(), consent(["lab"], ["risk_scoring"], provision))
    assert faults(found) == [(2, column, rule)]
    assert "consents" not in found.tables


@pytest.mark.parametrize(
    "others",
    [
        {"status": "draft"},
        {"status": "rejected"},
        {"category": [concept("http://x", "y")]},
    ],
)
def test_what_permits_nothing_gives_no_row_and_is_counted(others):
    found = read(patient(), consent(["lab"], ["risk_scoring"]) | others)
    assert "consents" not in found.tables
    assert len(found.notes) == 1


# Bundles and references


def test_rows_follow_their_subject_reference_by_full_url_and_by_id():
    document = bundle(patient("a"), patient("b"), observation(subject={"reference": "urn:uuid:1"}),
                      observation(subject={"reference": "Patient/b/_history/2"}))  # fmt: skip
    document["entry"][0]["fullUrl"] = "urn:uuid:1"
    found = read_bundle(document, "b")
    assert [row["person_id"] for row in rows(found, "lab_results")] == ["a", "b"]
    assert found.row_numbers["lab_results"].tolist() == [3, 4]


def test_a_reference_out_of_a_bundle_with_patients_is_refused_lest_it_hit_another_persons_identifier():
    found = read(patient("1", identifier=[{"value": "2"}]), observation(subject={"reference": "Patient/2"}))
    assert faults(found) == [(2, "Observation.subject.reference", "reference")]
    assert found.violations[0].value is None, "a message never says whose row it is about"


def test_where_no_patient_came_along_the_id_names_the_person_and_that_is_said():
    found = read_bundle(observation(subject={"reference": "https://example.org/fhir/Patient/p5"}), "b")
    assert rows(found, "lab_results")[0]["person_id"] == "p5"
    assert found.notes == ["resources whose person is known only by an id, as no Patient came along: 1"]


@pytest.mark.parametrize(
    ("subject", "rule"),
    [({"reference": "#p1"}, "reference"), ({"reference": "Group/g"}, "reference"), ({"display": "Kari"}, "required"),
     ({"reference": "Observation/o"}, "reference"), ({"reference": "Patient?identifier=1"}, "reference")],
)  # fmt: skip
def test_a_subject_that_is_no_patient_is_refused(subject, rule):
    assert [one.rule for one in read(observation(subject=subject)).violations] == [rule]


def test_the_same_patient_twice_is_one_person_and_two_that_differ_conflict():
    tables, violations = checked(bundle(patient(), patient(), observation()), RECEIVED_ON)
    assert (len(tables["persons"]["sex"]), len(tables["lab_results"]["code"]), violations) == (1, 1, [])
    _, violations = checked(bundle(patient(), patient(gender="male")), RECEIVED_ON)
    assert [(one.row, one.rule) for one in violations] == [(1, "conflicting versions"), (2, "conflicting versions")]


def test_two_patients_behind_one_reference_give_no_row_to_either():
    document = bundle(patient("x", identifier=[{"value": "a"}]), patient("x", identifier=[{"value": "b"}]),
                      observation(subject={"reference": "Patient/x"}))  # fmt: skip
    found = read_bundle(document, "b")
    assert "lab_results" not in found.tables
    for place in (0, 1):
        document["entry"][place]["fullUrl"] = f"https://server{place}/Patient/x"
    assert faults(read_bundle(document, "b")) == [(3, "Observation.subject.reference", "reference")]


def test_entries_that_share_a_full_url_must_be_equal_or_versions():
    document = bundle(patient(), observation(), observation(value=39))
    for entry in document["entry"][1:]:
        entry["fullUrl"] = "urn:uuid:1"
    assert faults(read_bundle(document, "b")) == [
        (2, "Bundle.entry.fullUrl", "repeated fullUrl"), (3, "Bundle.entry.fullUrl", "repeated fullUrl")]  # fmt: skip
    document["entry"].append(document["entry"][1])
    del document["entry"][2]
    assert len(rows(read_bundle(document, "b"), "lab_results")) == 2
    document["entry"][2] = {"fullUrl": "urn:uuid:1", "resource": observation(value=39, meta={"versionId": "2"})}
    assert len(rows(read_bundle(document, "b"), "lab_results")) == 2


def test_what_is_not_taken_is_counted_by_type():
    document = bundle({"resourceType": "AuditEvent"}, {"resourceType": "AuditEvent"}, {"resourceType": "Specimen"})
    document["entry"].append({"request": {"method": "DELETE", "url": "Observation/1"}})
    assert read_bundle(document, "b").notes == [
        "entries without a resource: 1", "resources of type AuditEvent, not taken: 2",
        "resources of type Specimen, not taken: 1"]  # fmt: skip


# What must not get in, or must not get out


@pytest.mark.parametrize("document", [None, 1, "{}", [], [observation()], True, float("nan")])
def test_what_is_no_object_is_one_violation(document):
    assert faults(read_bundle(document, "b")) == [(0, "", "shape")]


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"resourceType": 5},
        {"resourceType": [[[]]]},
        {"resourceType": "Nope"},
        {"resourceType": "Element"},
        {"resourceType": "x" * 10**6},
    ],
)
def test_a_wrong_resource_type_is_refused(document):
    assert [(one.row, one.column) for one in read_bundle(document, "b").violations] == [(1, "resourceType")]


@pytest.mark.parametrize("entry", [{}, 5, [5], [None], [{"resource": 5}], [{"resource": []}]])
def test_a_bundle_whose_entries_are_no_entries_is_refused(entry):
    assert [one.rule for one in read_bundle({"resourceType": "Bundle", "entry": entry}, "b").violations] == ["shape"]


def nested(depth):
    item = {"linkId": "a"}
    for _ in range(depth):
        item = {"linkId": "a", "item": [item]}
    return item


@pytest.mark.parametrize(
    ("resource", "column", "rule"),
    [
        (observation(modifierExtension=[{"url": "http://x"}]), "Observation.modifierExtension", "modifier"),
        (observation(implicitRules="http://x"), "Observation.implicitRules", "modifier"),
        (observation(component=[{"code": {}, "modifierExtension": []}]),
         "Observation.component[0].modifierExtension", "modifier"),
        (observation(value=float("nan")), "Observation.valueQuantity.value", "type"),
        (observation(value=float("inf")), "Observation.valueQuantity.value", "type"),
        (observation(value=10**400), "Observation.valueQuantity.value", "type"),
        (observation(value=b"1"), "Observation.valueQuantity.value", "type"),
        (observation(note=[{"text": "x" * 10**7}]), "Observation.note[0].text", "not FHIR R4"),
        (observation(note=[{"text": "\ud800"}]), "Observation.note[0].text", "not FHIR R4"),
        (observation(secret="SECRET"), "Observation.secret", "unknown field"),
        (observation(note=[{"text": "x", "x" * 10**6: 1}]), "Observation.note[0]", "unknown field"),
        (observation(effectiveDateTime="SECRET"), "Observation.effectiveDateTime", "not FHIR R4"),
        (observation(valueString="SECRET"), "Observation", "not FHIR R4"),
        (observation(value="SECRET"), "Observation.valueQuantity.value", "not FHIR R4"),
        (observation(valueQuantity='{"value": 1}'), "Observation.valueQuantity", "shape"),
        (observation(code=[]), "Observation.code", "not FHIR R4"),
        ({"resourceType": "Observation", "code": {}}, "Observation.status", "required"),
        (response("who5", {}, item=[nested(5000)]), None, "shape"),
    ],
)  # fmt: skip
def test_each_fault_of_a_resource_names_entry_and_element_and_quotes_nothing(resource, column, rule):
    found = read(patient(), resource)
    assert (2, rule) in [(one.row, one.rule) for one in found.violations]
    assert column is None or column in [one.column for one in found.violations]
    assert found.tables.keys() == {"persons"}
    assert "SECRET" not in repr(found)
    assert all(len(one.column) < 100 and len(one.reason) < 1000 for one in found.violations)


def test_ten_thousand_faults_give_a_short_list():
    resource = observation(modifierExtension=[{"modifierExtension": []}] * 10_000)
    assert len(read(resource).violations) <= 25


def test_contained_resources_are_counted_and_not_read():
    found = read(patient(), observation(contained=[{"resourceType": "Nope"}, {"resourceType": "Patient"}]))
    assert found.notes == ["contained resources, not read: 2"]
    assert len(rows(found, "lab_results")) == 1


SEED = bundle(
    patient(), observation(), consent(["lab"], ["risk_scoring"]), absence(), condition(ICPC2, "P76"),
    response("who5", {"item_1": 3}), certificate({"type": "GRADERT", "fom": "2025-03-01", "tom": "2025-03-02", "grad": 50}),
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6)
    | st.sampled_from(["Patient/p", "2025-01-01", "{}", "entered-in-error"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=6), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip


def places(value, path=()):
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from places(one, (*path, key))


PLACES = [path for path in places(SEED) if path]


@settings(FEW_EXAMPLES, max_examples=300)
@given(st.lists(st.tuples(st.sampled_from(PLACES), JSON), min_size=1, max_size=3))
def test_no_change_to_a_sound_bundle_makes_the_reader_fail(changes):
    document = deepcopy(SEED)
    for path, value in changes:
        parent = document
        try:
            for step in path[:-1]:
                parent = parent[step]
            parent[path[-1]] = value
        except (TypeError, KeyError, IndexError):
            continue
    checked(document, RECEIVED_ON)


# Files


def test_a_file_is_read_as_the_document_in_it(tmp_path):
    path = tmp_path / "b.json"
    path.write_text("\ufeff" + json.dumps(SEED))
    assert rows(read_fhir_file(path), "lab_results") == rows(read_bundle(SEED, "b.json"), "lab_results")


def test_a_bulk_export_is_read_line_by_line_under_its_line_numbers(tmp_path):
    path = tmp_path / "all.ndjson"
    lines = [json.dumps(patient()), "", json.dumps(observation()), '{"resourceType": "Pat', '{"resourceType": NaN}', ""]
    path.write_text("\n".join(lines))
    found = read_fhir_file(path)
    assert found.row_numbers["lab_results"].tolist() == [3]
    assert faults(found) == [(4, "", "shape"), (5, "", "shape")]


@pytest.mark.parametrize(
    "content",
    [b"", b'{"resourceType": "Bundle"', b'{"a": NaN}', b'{"a": -Infinity}', b"[" * 200_000, b'{"a":' * 100_000,
     b'{"a": ' + b"9" * 5000 + b"}", b"\xff\xfe{\x00}\x00", b'{"a": "\xe6"}', b"PK\x03\x04"],
    ids=["empty", "truncated", "NaN", "Infinity", "deep list", "deep object", "long number", "UTF-16", "Latin-1", "zip"],
)  # fmt: skip
def test_a_file_that_is_no_json_is_refused_with_a_plain_word(tmp_path, content):
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(SourceFileError, match=r"x\.json"):
        read_fhir_file(path)


def test_a_missing_and_a_huge_file_are_refused(tmp_path):
    with pytest.raises(MissingInputError):
        read_fhir_file(tmp_path / "none.json")
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.truncate(201 * 2**20)  # sparse: takes no room
    with pytest.raises(SourceFileError, match="200 MB"):
        read_fhir_file(path)


# The same facts through two doors


def days(first="2024-01-01", last="2026-02-01"):
    return st.dates(date.fromisoformat(first), date.fromisoformat(last)).map(date.isoformat)


def later(day, n_days):
    return (date.fromisoformat(day) + timedelta(days=n_days)).isoformat()


@st.composite
def answers(draw):
    instrument = draw(st.sampled_from(list(INSTRUMENTS.values())))
    item = draw(st.sampled_from(instrument.items))
    day = draw(days())
    return {"instrument": instrument.name, "item": item.id, "answer": draw(st.sampled_from(item.answers[:20])),
            "answered_on": day, "known_from": later(day, draw(st.integers(-3, 30))),
            "is_deleted": draw(st.booleans())}  # fmt: skip


@st.composite
def results(draw):
    analyte = draw(st.sampled_from(ANALYTES))
    code = draw(st.sampled_from(analyte.codes))
    day = draw(days())
    row = {"code_system": code.code_system, "code": code.code, "unit": code.unit,
           "value": draw(st.integers(-10, 1000) | st.floats(0, 1000)), "sampled_on": day,
           "known_from": later(day, draw(st.integers(-3, 30)))}  # fmt: skip
    return row | draw(st.sampled_from([{}, {"comparator": "<"}, {"reference_low": 1, "reference_high": 2.5}]))


@st.composite
def spells(draw):
    day = draw(days())
    diagnosis = draw(
        st.sampled_from([(None, None), ("P76", "ICPC-2"), ("L", "ICPC-2"), ("M54.5", "ICD-10"), ("?", "ICPC-2")])
    )
    return {"spell_id": draw(st.sampled_from("abc")), "kind": draw(st.sampled_from(["self_certified", "doctor_certified"])),
            "grade_percent": draw(st.integers(0, 101)), "diagnosis": diagnosis[0], "diagnosis_system": diagnosis[1],
            "first_day": day, "last_day": draw(st.none() | st.integers(-2, 90).map(lambda n: later(day, n))),
            "known_from": later(day, draw(st.integers(-20, 20)))}  # fmt: skip


@st.composite
def consents(draw):
    given_on = draw(days())
    known_from = later(given_on, draw(st.integers(-3, 20)))
    ended = draw(st.none() | st.integers(0, 10))
    return {"source": draw(st.sampled_from(["survey", "lab", "absence", "nonsense"])), "purpose": "risk_scoring",
            "given_on": given_on, "known_from": known_from,
            "withdrawn_on": None if ended is None else later(known_from, -ended)}  # fmt: skip


@st.composite
def employments(draw):
    start = draw(days())
    row = {"company_id": draw(st.sampled_from(["c1", "c 2"])), "position_percent": draw(st.sampled_from([80, 100.0, 0, 101])),
           "start_date": start, "known_from": later(start, draw(st.integers(-300, 20))),
           "end_date": draw(st.none() | st.integers(-2, 90).map(lambda n: later(start, n)))}  # fmt: skip
    codes = {"occupation_code": draw(st.sampled_from([None, "2223", "22"])),
             "industry_code": draw(st.sampled_from([None, "86.101"]))}  # fmt: skip
    flags = {name: draw(st.sampled_from([None, True, False])) for name in ("shift_work", "is_leader")}
    return row | codes | flags | {"unit_id": draw(st.sampled_from([None, "u2"]))}


PERSON = {"person_id": "p1", "birth_year": 1975, "sex": "male", "known_from": "2024-01-01"}
RECORDS = st.fixed_dictionaries({
    "person": st.just(PERSON),
    "survey_answers": st.lists(answers(), max_size=5),
    "lab_results": st.lists(results(), max_size=5),
    "absence_spells": st.lists(spells(), max_size=5),
    "consents": st.lists(consents(), max_size=4),
    "employments": st.lists(employments(), max_size=3),
})  # fmt: skip


def plain(table):
    return {name: values.texts() if isinstance(values, Coded) else values.tolist() for name, values in table.items()}


@FEW_EXAMPLES
@given(RECORDS)
def test_a_bundle_and_a_json_record_of_the_same_facts_give_the_same_tables_and_violations(record):
    by_json, json_violations = check_record(record, RECEIVED_ON)
    by_fhir, fhir_violations = checked(bundle_of(record), RECEIVED_ON)
    for name in by_json:
        np.testing.assert_equal(plain(by_fhir[name]), plain(by_json[name]))
    # An instant in one door is a day in the other.
    day_of = re.compile(r"T12:00:00.*")
    by_door = [
        Counter((one.column, one.rule, day_of.sub("", one.value or ""), one.reason) for one in violations)
        for violations in (fhir_violations, json_violations)
    ]
    assert by_door[0] == by_door[1]


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


# Safety answers that give no row


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
