"""The cut at the index date: cases 1-6, 8-10 of SEMANTICS.md as features, through tables."""

from __future__ import annotations

import numpy as np
import pytest

from data_contracts.time_windows import calendar_date, day_number
from features.as_of import as_of, doctor_stretches
from tests.lib.records import answers, consent, features_at, histories, lab, person, rows_of, spell

NAN = float("nan")


def assert_features(rows, t: str, **expected: float) -> None:
    found = features_at(rows, t)
    assert {name: found[name] for name in expected} == pytest.approx(expected, nan_ok=True)


def test_case_1_a_spell_that_begins_and_is_known_on_the_index_date_is_not_there():
    rows = rows_of(absence_spells=[spell("2026-03-01", "2026-03-25")])
    assert_features(rows, "2026-03-01", days_doctor_365=0, running_doctor=0, days_since_doctor=NAN)
    assert_features(rows, "2026-03-02", days_doctor_365=1, running_doctor=1, days_since_doctor=1)


@pytest.mark.parametrize(("t", "days"), [("2026-03-01", 0), ("2026-03-05", 0), ("2026-03-06", 10)])
def test_case_2_a_late_row_is_known_the_day_after_it_could_be_read(t, days):
    rows = rows_of(absence_spells=[spell("2026-02-01", "2026-02-10", "2026-03-05")])
    assert_features(rows, t, days_doctor_365=days)


@pytest.mark.parametrize(
    ("t", "days", "running", "since"),
    [("2026-02-05", 4, 1, 1), ("2026-02-12", 11, 1, 1), ("2026-02-13", 10, 0, 3), ("2026-02-20", 10, 0, 10)],
)
def test_case_3_a_correction_counts_from_the_day_after_it_became_known(t, days, running, since):
    rows = rows_of(
        absence_spells=[
            spell("2026-02-01", "2026-02-28", "2026-02-03"),
            spell("2026-02-01", "2026-02-10", "2026-02-12"),
        ]
    )
    assert_features(rows, t, days_doctor_365=days, running_doctor=running, days_since_doctor=since)


def test_case_4_only_the_days_inside_the_window_count():
    p = rows_of(absence_spells=[spell("2026-01-25", "2026-02-03", "2026-01-26")])
    assert_features(p, "2026-03-01", days_doctor_30=5, days_doctor_365=10, starts_doctor_90=1, longest_doctor_365=10)
    q = rows_of(absence_spells=[spell("2026-02-20", "2026-03-10", "2026-02-22")])
    assert_features(q, "2026-03-01", days_doctor_30=9, running_doctor=1)


def test_cases_5_and_6_an_answer_of_the_index_date_is_unknown_until_tomorrow():
    rows = rows_of(survey_answers=answers("who5", [3, 3, 3, 3, 3], "2026-03-01"))
    assert_features(rows, "2026-03-01", who5_wellbeing=NAN, who5_age_days=NAN)
    assert_features(rows, "2026-03-02", who5_wellbeing=60, who5_age_days=1)


def test_case_7_a_future_dated_sample_that_slipped_through_is_no_feature():
    rows = rows_of(lab_results=[lab("NPU27300", 40, "mmol/mol", "2026-05-01", known_from="2026-02-20")])
    assert_features(rows, "2026-03-01", hba1c=NAN)


def test_case_8_identical_rows_count_once():
    twice = [spell("2026-02-01", "2026-02-10", "2026-02-03")] * 2
    assert_features(rows_of(absence_spells=twice), "2026-03-01", days_doctor_365=10, starts_doctor_365=1)


@pytest.mark.parametrize(("t", "days"), [("2026-02-10", 9), ("2026-02-15", 14), ("2026-02-16", 0)])
def test_case_9_a_deletion_counts_from_the_day_after_it_became_known(t, days):
    known = spell("2026-02-01", "2026-02-20", "2026-02-03")
    rows = rows_of(absence_spells=[known, known | {"known_from": "2026-02-15", "is_deleted": True}])
    assert_features(rows, t, days_doctor_365=days)


def test_case_10_without_consent_a_source_is_missing_and_the_others_stay():
    consents = [consent("survey", withdrawn_on="2026-02-25"), consent("absence")]
    rows = rows_of(consents=consents, survey_answers=answers("who5", [3, 3, 3, 3, 3], "2026-02-01"))
    assert_features(rows, "2026-02-20", who5_wellbeing=60, days_doctor_365=0)
    assert_features(rows, "2026-03-01", who5_wellbeing=NAN, days_doctor_365=0)


def test_a_certificate_in_advance_is_nothing_before_its_first_day():
    rows = rows_of(absence_spells=[spell("2026-03-05", "2026-03-20", known_from="2026-02-25")])
    assert_features(rows, "2026-03-05", days_doctor_365=0, running_doctor=0)
    assert_features(rows, "2026-03-06", days_doctor_365=1, running_doctor=1)


def test_an_advance_version_replaced_before_it_began_never_counts():
    rows = rows_of(absence_spells=[spell("2026-03-05", None, "2026-02-25"), spell("2026-03-10", None, "2026-03-01")])
    assert_features(rows, "2026-03-08", days_doctor_365=0, running_doctor=0)
    assert_features(rows, "2026-03-11", days_doctor_365=1, running_doctor=1)


def test_one_index_date_per_person():
    rows = rows_of(
        persons=[person("p"), person("q")],
        absence_spells=[spell("2026-02-01", None), spell("2026-02-01", None, person_id="q")],
    )
    known = as_of(histories(rows), np.array([day_number("2026-02-03"), day_number("2026-02-01")]))
    assert known.absences["person"].tolist() == [0]
    assert calendar_date(known.absences["last"][0]).isoformat() == "2026-02-02"


def stretches(rows, d: str, chapter=None) -> list[tuple[str, str, int]]:
    _, first, last, grade = doctor_stretches(histories(rows), day_number(d), chapter)
    days = [
        (calendar_date(one).isoformat(), calendar_date(other).isoformat())
        for one, other in zip(first, last, strict=True)
    ]
    return [(*pair, percent) for pair, percent in zip(days, grade.tolist(), strict=True)]


def test_stretches_for_labels_are_disjoint_clipped_and_of_one_grade():
    rows = rows_of(
        absence_spells=[
            spell("2026-02-01", "2026-02-10", spell_id="A", grade_percent=50),
            spell("2026-02-11", "2026-02-12", spell_id="B", grade_percent=50),
            spell("2026-02-12", None, spell_id="C", grade_percent=100),
            spell("2026-02-01", "2026-02-27", spell_id="D", kind="self_certified"),
        ]
    )
    assert stretches(rows, "2026-02-15") == [("2026-02-01", "2026-02-11", 50), ("2026-02-12", "2026-02-14", 100)]


def test_stretches_of_one_chapter():
    rows = rows_of(
        absence_spells=[
            spell("2026-01-01", "2026-01-05", spell_id="A", diagnosis="P02"),
            spell("2026-01-04", "2026-01-08", spell_id="B", diagnosis="L03"),
            spell("2026-01-20", "2026-01-21", spell_id="C"),
            spell("2026-01-30", "2026-01-31", spell_id="D", diagnosis="R74"),
        ]
    )
    assert stretches(rows, "2026-03-01", "mental") == [("2026-01-01", "2026-01-05", 100)]
    assert stretches(rows, "2026-03-01", "musculoskeletal") == [("2026-01-04", "2026-01-08", 100)]
    assert stretches(rows, "2026-03-01", "respiratory") == [("2026-01-30", "2026-01-31", 100)]
    # Neither mental nor musculoskeletal: with the airways.
    others = [("2026-01-20", "2026-01-21", 100), ("2026-01-30", "2026-01-31", 100)]
    assert stretches(rows, "2026-03-01", "other") == others
    assert stretches(rows_of(), "2026-03-01") == []
