"""Bundles, references and files: nothing that arrives can harm, hit another person, or get out in a message."""

from __future__ import annotations

import json
from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.errors import MissingInputError, SourceFileError
from data_contracts.readers.fhir_r4 import read_bundle, read_fhir_file
from tests.lib.fhir_bundles import (
    ICPC2,
    absence,
    bundle,
    certificate,
    checked,
    condition,
    consent,
    observation,
    patient,
    response,
    rows,
)
from tests.lib.fhir_reading import FEW_EXAMPLES, RECEIVED_ON, faults, read

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
