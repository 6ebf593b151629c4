"""What of a person's record a night keeps: all that her score is made of, and nothing else but safety flags."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from data_contracts.consent import SOURCES
from features.record import tables_of_record
from serving.predictor import case_of
from serving.store.records import kept_record
from tests.lib.records import answer, answers, consent, job, lab, person, spell

TODAY = date(2026, 3, 1)
FLAGGED = answer("phq9", "item_9", 2, "2026-01-10")
"""An answer with a safety flag."""


def whole(*without: str):
    """A record with rows of every source; no consent for some of them."""
    spells = [
        spell("2025-03-01", "2025-03-20", spell_id="A", diagnosis="P76", diagnosis_system="ICPC-2"),
        spell("2025-06-01", "2025-06-20", spell_id="B", diagnosis="M54.5", diagnosis_system="ICD-10"),
        spell("2025-09-01", "2025-09-20", spell_id="C"),
    ]
    return {
        "person": person("p"),
        "consents": [consent(source) for source in SOURCES if source not in without],
        "employments": [job()],
        "survey_answers": [*answers("phq9", [1] * 8 + [0], "2026-01-09"), FLAGGED],
        "lab_results": [lab("NPU04094", 5.0, "mmol/L", "2026-01-10")],
        "absence_spells": spells,
        "workplace_events": None,
    }


def case_of_record(record):
    return case_of(tables_of_record(record, TODAY), TODAY, TODAY)


def test_nothing_is_kept_of_a_source_without_consent_but_answers_with_a_safety_flag():
    record = whole("survey", "lab", "employment")
    kept = kept_record(record, case_of_record(record))
    assert {name for name, rows in kept.items() if rows} == {"person", "consents", "survey_answers", "absence_spells"}
    assert kept["survey_answers"] == [FLAGGED]
    assert (kept["lab_results"], kept["workplace_events"]) == ([], None), "no rows, and no table"
    record["survey_answers"] = [FLAGGED | {"answered_on": "2026-01-10T09:30:00"}]
    assert kept_record(record, case_of_record(record))["survey_answers"] == record["survey_answers"]


def test_of_a_diagnosis_its_chapter_is_kept():
    record = whole()
    kept = kept_record(record, case_of_record(record))
    assert [one.get("diagnosis") for one in kept["absence_spells"]] == ["P", "L", None]
    assert {name: rows for name, rows in kept.items() if name != "absence_spells"} == {
        name: rows for name, rows in record.items() if name != "absence_spells"
    }


@pytest.mark.parametrize("without", [(), ("survey",), ("absence", "lab"), ("employment",), SOURCES])
def test_what_is_kept_says_all_that_a_score_is_made_of(without):
    record = whole(*without)
    case = case_of_record(record)
    kept = case_of_record(kept_record(record, case))
    np.testing.assert_array_equal(kept.values, case.values)
    assert kept.safety_flags == case.safety_flags
    assert len(case.safety_flags) == 1
    assert [kept.told(source) for source in SOURCES] == [case.told(source) for source in SOURCES]
