"""A job comes in as HL7's PastOrPresentJob, because without employment nobody can be scored; half a job does not come in."""

from __future__ import annotations

from datetime import date

import pytest

from data_contracts.fhir_codes import EMPLOYER_EXTENSION, IDENTITY_NUMBER_SYSTEMS, JOB_CODE
from data_contracts.readers.fhir_r4 import read_bundle
from tests.lib.fhir_bundles import LOINC, bundle, checked, concept, job, noon, observation, patient, quantity, rows

RECEIVED_ON = date(2026, 3, 1)


def read(*resources):
    return read_bundle(bundle(patient(), *resources), "b")


def with_employer(**reference):
    return job(extension=[{"url": EMPLOYER_EXTENSION, "valueReference": reference}])


def test_a_job_with_all_its_cells():
    full = job("c1", 80, "2019-08-01", end="2025-05-31", occupation="2223", industry="86.101", issued=noon("2021-01-04"),
               components={"shift-work": {"valueBoolean": True}, "leader": {"valueBoolean": False},
                           "unit": {"valueString": "u2"}})  # fmt: skip
    found = read(full)
    assert found.violations == []
    assert rows(found, "employments") == [
        {"person_id": "p", "known_from": noon("2021-01-04"), "company_id": "c1", "unit_id": "u2", "occupation_code": "2223",
         "industry_code": "86.101", "position_percent": "80", "shift_work": "true", "is_leader": "false",
         "start_date": "2019-08-01", "end_date": "2025-05-31"}
    ]  # fmt: skip
    assert "lab_results" not in found.tables, "a job is no measurement"


def test_a_running_job_has_no_end_and_passes_the_check():
    tables, violations = checked(bundle(patient(), job()), RECEIVED_ON)
    assert violations == []
    assert str(tables["employments"]["end_date"][0]) == "NaT"


@pytest.mark.parametrize(
    "reference",
    [{"reference": "Organization/c1"}, {"identifier": {"value": "c1"}}, {"reference": "https://ehr.example/Organization/c1"},
     {"reference": "Organization/c1/_history/2"}],
)  # fmt: skip
def test_the_employer_is_named_by_identifier_or_by_id(reference):
    (row,) = rows(read(with_employer(**reference)), "employments")
    assert row["company_id"] == "c1"


@pytest.mark.parametrize("reference", [{"display": "a firm"}, {"reference": "urn:uuid:0b4d6a0e-2f0c-4f7e-9d58-6f1c5f6a0001"},
                                       {"reference": "Practitioner/c1"}])  # fmt: skip
def test_an_employer_without_a_pseudonym_is_refused(reference):
    found = read(with_employer(**reference))
    assert [(one.row, one.column, one.rule) for one in found.violations] == [
        (2, "Observation.extension.valueReference", "required")
    ]
    assert "employments" not in found.tables


def test_an_employer_named_by_an_identity_number_is_refused_unseen():
    system = next(iter(IDENTITY_NUMBER_SYSTEMS))
    (fault,) = read(with_employer(identifier={"system": system, "value": "12345"})).violations
    assert fault.rule == "national identity number"
    assert "12345" not in str(fault)


def test_a_job_without_the_share_of_the_position_is_counted_for_it_comes_from_somebody_else():
    # ODH has no such component: an occupation noted at a consultation is not an employment of ours.
    foreign = observation(code=concept(LOINC, JOB_CODE), valueCodeableConcept=concept("urn:x", "3600"))
    del foreign["valueQuantity"]
    found = read(foreign)
    assert (found.violations, "employments" in found.tables) == ([], False)
    assert "Observations of a job without our component position-percent, not taken: 1" in found.notes


def test_codes_of_other_systems_are_left_out_and_counted():
    found = read(job(valueCodeableConcept=concept("urn:x", "3600")))
    assert "occupation_code" not in rows(found, "employments")[0]
    assert "occupations and industries of jobs in other code systems, left out: 1" in found.notes


def test_a_component_that_comes_twice_is_refused_because_nothing_says_which_counts():
    twice = job()
    twice["component"] *= 2
    assert [one.rule for one in read(twice).violations] == ["shape"]


def test_a_job_entered_in_error_is_a_deletion_and_a_preliminary_one_is_none():
    found = read(job(status="entered-in-error"), job(status="preliminary", id="k"))
    assert [row["is_deleted"] for row in rows(found, "employments")] == ["true"]


@pytest.mark.parametrize(("others", "column"), [({"start": None}, "start_date"), ({"start": "2020"}, "start_date"),
                                                 ({"percent": 0}, "position_percent")])  # fmt: skip
def test_a_job_that_lacks_what_the_contract_demands_is_refused_by_the_check(others, column):
    _, violations = checked(bundle(patient(), job(**others)), RECEIVED_ON)
    assert [one.column for one in violations] == [column]


def test_a_share_of_one_is_refused_for_it_would_pass_for_less_than_one_percent():
    (fault,) = read(job(components={"position-percent": {"valueQuantity": quantity(0.8, "1")}})).violations
    assert (fault.column, fault.reason) == ("Observation.component.valueQuantity.code", "must be %")
