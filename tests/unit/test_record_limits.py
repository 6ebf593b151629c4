"""What a stranger sends to the record door must not hold the service up: neither many rows nor many faults."""

from __future__ import annotations

import time
from datetime import date
from typing import Any

import numpy as np
import pytest

from data_contracts.instruments import INSTRUMENTS
from data_contracts.readers.fhir_r4 import MOST_OBJECTS, read_bundle
from data_contracts.record_safety import record_safety_flags
from data_contracts.records import SurveyAnswer
from data_contracts.tables import Coded
from data_contracts.validation import MOST_ROWS, MOST_VIOLATIONS, check, check_record
from features.record import RecordViolation, tables_of_record
from serving.faults import problem_of
from serving.json_limits import JsonRefused, read_json

DAY = date(2026, 3, 1)
MIB = 2**20


def _record(rows: list[Any]) -> dict[str, Any]:
    return {"person": {"person_id": "p1"}, "survey_answers": rows}


def _problem(record: dict[str, Any]) -> Any:
    with pytest.raises(RecordViolation) as caught:
        tables_of_record(record, DAY)
    return problem_of(caught.value)


@pytest.mark.parametrize("row", ['{"a":1}', "{}", "1", '{"instrument":"phq9","item":"phq9_9","answer":3}'])
def test_a_mebibyte_of_garbage_takes_less_than_half_a_second(row: str) -> None:
    head = '{"person":{"person_id":"p1"},"survey_answers":['
    n = min((MIB - len(head) - 2) // (len(row) + 1), 99_000 // (row.count(",") + row.count("{") + 1))
    body = (head + ",".join([row] * n) + "]}").ljust(MIB).encode()
    began = time.process_time()
    problem = _problem(read_json(body))
    assert time.process_time() - began < 0.5
    assert problem.status == 422


def test_a_mebibyte_has_the_values_of_one_and_not_of_two() -> None:
    with pytest.raises(JsonRefused, match="values"):
        read_json(("[" + "1," * 150_000 + "1]").ljust(MIB).encode())


def test_too_many_rows_are_told_and_nothing_else() -> None:
    tables, violations = check_record(_record([{"a": 1}] * (MOST_ROWS + 1)), DAY)
    assert [(one.origin, one.rule) for one in violations] == [("record", "too many rows")]
    assert len(tables["survey_answers"]["answer"]) == 0


def test_rows_are_counted_over_all_tables() -> None:
    half = [{}] * (MOST_ROWS // 2 + 1)
    _, violations = check_record(_record(half) | {"lab_results": half}, DAY)
    assert [one.rule for one in violations] == ["too many rows"]


def test_faults_beyond_a_thousand_are_not_collected_and_the_answer_says_so() -> None:
    _, violations = check_record(_record([{"a": 1}] * 5_000), DAY)
    assert len(violations) == MOST_VIOLATIONS
    problem = _problem(_record([{"a": 1}] * 5_000))
    assert problem.detail.startswith("At least 1000 field(s)")
    assert len(problem.errors) == 100


def test_few_faults_are_counted_exactly() -> None:
    assert not _problem(_record([{"a": 1}])).detail.startswith("At least")


def test_rows_that_nobody_reads_still_say_that_a_human_must_look() -> None:
    row = {
        "instrument": "phq9",
        "item": _safety_item(),
        "answer": 3,
        "answered_on": "2026-01-01",
        "known_from": "2026-01-02",
    }
    assert record_safety_flags(_record([row, *[{"a": 1}] * MOST_ROWS]), DAY)


def test_a_file_has_no_limit_of_faults() -> None:
    n = MOST_ROWS + MOST_VIOLATIONS
    raw = {"item": Coded(np.zeros(n, dtype=np.int32), ("nothing",))}
    checked = check(SurveyAnswer, raw, received_on=DAY, origin="answers.csv")
    assert checked.n_quarantined == n
    assert len(checked.violations) > n


def test_a_bundle_of_very_many_items_is_refused_before_the_models_see_it() -> None:
    item = {"linkId": _safety_item(), "answer": [{"valueInteger": 3}]}
    response = {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": "urn:x/phq9",
        "item": [item] * (MOST_OBJECTS // 2),
    }
    bundle = {"resourceType": "Bundle", "entry": [{"resource": response}]}
    read_bundle({}, "loads the models")
    began = time.process_time()
    found = read_bundle(bundle, "bundle")
    assert time.process_time() - began < 0.5
    assert [one.rule for one in found.violations] == ["too many rows"]
    assert found.untaken_answers  # the answer about self-harm is not lost with the Bundle
    assert "too many rows" not in [one.rule for one in read_bundle(bundle, "file.json", None).violations]


def _safety_item() -> str:
    return str(INSTRUMENTS["phq9"].safety[0].item)
