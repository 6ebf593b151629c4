"""FHIR certificates, encounters and consents become the rows they say, and nothing is assumed or lost."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from data_contracts.fhir_codes import NAV_CERTIFICATES
from data_contracts.time_windows import today
from tests.lib.fhir_bundles import (
    ICD10,
    ICPC2,
    OURS,
    absence,
    bundle,
    certificate,
    checked,
    concept,
    condition,
    consent,
    meta,
    patient,
    rows,
)
from tests.lib.fhir_reading import RECEIVED_ON, faults, read

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
