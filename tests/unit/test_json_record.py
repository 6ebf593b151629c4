"""Whatever arrives as JSON comes out as tables or as violations, never as an exception."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from data_contracts.records import TABLES, columns
from data_contracts.tables import n_rows
from data_contracts.time_windows import day_number
from data_contracts.validation import check_record
from features.build import build_features
from features.histories import Histories
from tests.lib.sound_rows import RECEIVED_ON

PERSON = {"person_id": "p1", "birth_year": 1980, "sex": "female", "known_from": "2025-01-01"}
ANSWER = {"instrument": "who5", "item": "item_1", "answer": 3, "answered_on": "2025-05-01", "known_from": "2025-05-01"}
EVENT = {"company_id": "c1", "kind": "downsizing", "occurred_on": "2025-05-01", "known_from": "2025-05-01"}
IDENTITY_NUMBER = "01010750160"


def found(record):
    """(origin, row, column, rule) of each violation."""
    return [violation[:4] for violation in check_record(record, RECEIVED_ON)[1]]


def test_all_eight_tables_come_out_with_the_person_filled_in():
    tables, violations = check_record(
        {"person": PERSON, "survey_answers": [ANSWER], "workplace_events": [EVENT]}, RECEIVED_ON
    )
    assert violations == []
    assert {name: n_rows(table) for name, table in tables.items() if n_rows(table)} == {
        "persons": 1, "survey_answers": 1, "workplace_events": 1,
    }  # fmt: skip
    assert list(tables) == list(TABLES)
    assert tables["survey_answers"]["person_id"].texts() == ["p1"]
    assert tables["survey_answers"]["answer"].tolist() == [3.0]
    assert "person_id" not in tables["workplace_events"]


@pytest.mark.parametrize(("cells", "column", "rule"), [
    ({"answer": "3"}, "answer", "type"),
    ({"answer": True}, "answer", "type"),
    ({"answer": [3]}, "answer", "type"),
    ({"answer": float("nan")}, "answer", "type"),
    ({"answer": 10**400}, "answer", "type"),
    ({"answer": None}, "answer", "required"),
    ({"item": 1}, "item", "type"),
    ({"item": {"id": 1}}, "item", "type"),
    ({"item": "\ud800"}, "item", "unknown item"),
    ({"answered_on": 20250501}, "answered_on", "type"),
    ({"is_deleted": 0}, "is_deleted", "type"),
    ({"is_deleted": "false"}, "is_deleted", "type"),
    ({"person_id": "p2"}, "person_id", "other person"),
    ({"person_id": 1}, "person_id", "type"),
    ({"anser": 3}, "anser", "unknown field"),
])  # fmt: skip
def test_a_cell_of_the_wrong_json_type_is_named_by_list_index(cells, column, rule):
    record = {"person": PERSON, "survey_answers": [ANSWER, ANSWER | {"item": "item_2"} | cells]}
    assert found(record) == [("record.survey_answers", 1, column, rule)]


@pytest.mark.parametrize("record", [None, 5, "x", [], [{}], True])
def test_a_record_that_is_no_object_is_a_violation(record):
    assert found(record) == [("record", 0, "", "shape")]


@pytest.mark.parametrize("rows", [5, "x", {}, True, [None], [[]], ["x"]])
def test_rows_of_the_wrong_shape_are_a_violation(rows):
    assert ("record.survey_answers", 0, "", "shape") in found({"person": PERSON, "survey_answers": rows})


def test_a_person_is_required_and_must_be_an_object():
    assert found({}) == [("record", 0, "person", "required")]
    assert found({"person": [PERSON]}) == [("record.person", 0, "", "shape")]


def test_null_or_absent_lists_are_empty():
    assert found({"person": PERSON, "survey_answers": None, "lab_results": []}) == []


def test_of_rows_of_the_wrong_shape_only_these_are_lost_and_the_others_keep_their_numbers():
    record = {"person": PERSON, "survey_answers": [None, ANSWER, [ANSWER], ANSWER | {"item": "item_2", "answer": "3"},
                                                   ANSWER | {"item": "item_3", "answer": 99}]}  # fmt: skip
    tables, violations = check_record(record, RECEIVED_ON)
    assert tables["survey_answers"]["item"].texts() == ["item_1"]
    assert [one[1:4] for one in violations] == [
        (0, "", "shape"), (2, "", "shape"), (3, "answer", "type"), (4, "answer", "unknown answer code")
    ]  # fmt: skip


def test_an_unknown_part_of_the_record_is_a_violation():
    assert found({"person": PERSON, "answers": []}) == [("record", 0, "answers", "unknown field")]


def test_a_national_identity_number_is_never_echoed_not_even_as_a_name():
    record = {"person": PERSON | {IDENTITY_NUMBER: 1}, IDENTITY_NUMBER: 1,
              "survey_answers": [ANSWER | {"person_id": IDENTITY_NUMBER}, ANSWER | {"answer": int(IDENTITY_NUMBER)},
                                 ANSWER | {"answer": IDENTITY_NUMBER, "item": "item_2"}]}  # fmt: skip
    outcome = check_record(record, RECEIVED_ON)
    assert len(outcome[1]) >= 5
    assert IDENTITY_NUMBER not in repr(outcome)
    assert IDENTITY_NUMBER.lstrip("0") not in repr(outcome)


def test_violations_can_be_sent_as_json():
    record = {"person": PERSON | {"sex": "\udfff"}, "\ud800": 1, "survey_answers": [ANSWER | {"answer": float("inf")}]}
    violations = check_record(record, RECEIVED_ON)[1]
    assert len(violations) == 3
    json.dumps([violation._asdict() for violation in violations], allow_nan=False).encode()


def test_whole_numbers_may_be_written_with_a_point():
    record = {
        "person": PERSON | {"birth_year": 1980.0},
        "survey_answers": [ANSWER, ANSWER | {"answer": 3.0, "item": "item_2"}],
    }
    tables, violations = check_record(record, RECEIVED_ON)
    assert violations == []
    np.testing.assert_array_equal(tables["survey_answers"]["answer"], [3.0, 3.0])


def test_an_empty_text_in_any_optional_column_is_the_same_as_no_text():
    request = json.loads((Path(__file__).parents[2] / "examples" / "request.json").read_text())
    record, day = request["record"], date.fromisoformat(request["index_date"])
    emptied = json.loads(json.dumps(record))
    for table, declaration in TABLES.items():
        optional = [c.name for c in columns(declaration) if not c.required and c.kind in ("text", "code")]
        for row in [emptied["person"]] if table == "persons" else emptied[table]:
            row |= {name: "" for name in optional if name not in row}
    features = [
        build_features(Histories.from_record(one, consent_on=day, received_on=day), day_number(day)).values.tobytes()
        for one in (record, emptied)
    ]
    assert features[0] == features[1]
