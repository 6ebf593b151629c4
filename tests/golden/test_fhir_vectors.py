"""HL7's own R4 example resources (CC0): each is read without a crash, and gives the verdict that a reader of it expects."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from data_contracts.readers.fhir_r4 import read_fhir_file
from tests.lib.fhir_bundles import checked, rows

VECTORS = Path(__file__).parents[2] / "../shared/vectors/fhir_r4"
EXAMPLES = sorted(path.stem for path in VECTORS.glob("*-*.json"))
RECEIVED_ON = date(2026, 3, 1)

NOT_TAKEN = ("AuditEvent", "Provenance", "Questionnaire", "RiskAssessment")
ONE_ROW = {  # Observations with one quantity under a LOINC code
    "bmd", "bmi-using-related", "bmi", "body-height", "body-length", "body-temperature", "example", "f001", "f002", "f003",
    "f004", "f005", "f202", "f203", "gcs-qa", "glasgow", "head-circumference", "heart-rate", "map-sitting", "mbp",
    "respiratory-rate", "satO2",
}  # fmt: skip
REFUSED = {
    **{
        f"Observation-{minute}minute-apgar-score": ("Observation.subject.reference", "reference")
        for minute in (1, 2, 5, 10, 20)
    },
    "Observation-decimal": ("Observation.subject", "required"),
    "Observation-herd1": ("Observation.subject.reference", "reference"),
    "QuestionnaireResponse-3141": ("QuestionnaireResponse.subject.reference", "reference"),
    "QuestionnaireResponse-bb": ("QuestionnaireResponse.questionnaire", "required"),
    "QuestionnaireResponse-f201": ("QuestionnaireResponse.questionnaire", "required"),
    "QuestionnaireResponse-gcs": ("QuestionnaireResponse.questionnaire", "unknown instrument"),
}
"""A subject inside the resource, a group, none at all; a questionnaire unnamed or not ours."""

LAB_ROWS = {
    **{f"Observation-{name}": 1 for name in ONE_ROW},
    "Observation-blood-pressure": 2,
    "Observation-blood-pressure-dar": 1,  # the diastolic one was not performed
    "Observation-f205": 2,
    "Bundle-lipids": 4,
}

if not EXAMPLES:
    pytest.skip("HL7's examples are not here: ../shared/vectors/fhir_r4", allow_module_level=True)


def read(name):
    return read_fhir_file(VECTORS / f"{name}.json")


def test_all_examples_are_here():
    assert len(EXAMPLES) == 109
    assert REFUSED.keys() | LAB_ROWS.keys() <= set(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_verdict_on_each_example(name):
    found = read(name)
    assert [(one.column, one.rule) for one in found.violations] == ([REFUSED[name]] if name in REFUSED else [])
    assert {table: len(numbers) for table, numbers in found.row_numbers.items()} == (
        {"lab_results": LAB_ROWS[name]} if name in LAB_ROWS else {}
    )
    assert found.notes or name in REFUSED, "what gives no row is refused or counted"


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name.split("-")[0] in NOT_TAKEN])
def test_types_that_are_not_taken_are_counted_by_name(name):
    assert read(name).notes == [f"resources of type {name.split('-')[0]}, not taken: 1"]


def test_the_lipid_panel_gives_its_four_results_with_the_dates_of_its_report():
    found = read("Bundle-lipids")
    shared = {"person_id": "pat2", "code_system": "LOINC", "unit": "mmol/L", "sampled_on": "2011-03-04T08:30:00+11:00",
              "known_from": "2013-01-27T11:45:33+11:00", "laboratory": "1832473e-2fe0-452d-abe9-3cdb9879522f"}  # fmt: skip
    assert rows(found, "lab_results") == [
        shared | {"code": "35200-5", "value": "6.3", "reference_high": "4.5"},
        shared | {"code": "35217-9", "value": "1.3", "reference_high": "2.0"},
        shared | {"code": "2085-9", "value": "1.3", "reference_low": "1.5"},
        shared | {"code": "13457-7", "value": "4.6", "reference_high": "3.0"},
    ]
    assert found.row_numbers["lab_results"].tolist() == [2, 3, 4, 5]


def test_the_lipid_panel_passes_the_check_into_oslo_days():
    tables, violations = checked(json.loads((VECTORS / "Bundle-lipids.json").read_text()), RECEIVED_ON)
    assert violations == []
    # 08:30 on 4 March in Melbourne was still the evening of the 3rd in Oslo
    assert [day.isoformat() for day in tables["lab_results"]["sampled_on"].tolist()] == ["2011-03-03"] * 4


def test_a_cancelled_measurement_and_an_absent_value_give_no_number():
    assert read("Observation-blood-pressure-cancel").notes == ["Observations of status cancelled, not taken: 1"]
    (row,) = rows(read("Observation-blood-pressure-dar"), "lab_results")
    assert (row["code"], row["value"]) == ("8480-6", "107")


def test_a_result_entered_in_error_is_a_deletion():
    (row,) = rows(read("Observation-f202"), "lab_results")
    assert row["is_deleted"] == "true"


def test_examples_without_a_date_of_publication_are_refused_by_the_check_and_no_date_is_made_up():
    _, violations = checked(json.loads((VECTORS / "Observation-bmi.json").read_text()), RECEIVED_ON)
    assert [(one.column, one.rule) for one in violations] == [("known_from", "required")]
