from __future__ import annotations

import pytest

from features.absence_history import FEATURES
from tests.lib.records import consent, features_at, rows_of, spell

NAN = float("nan")
T = "2026-03-01"


def assert_features(spells, **expected: float) -> None:
    found = features_at(rows_of(absence_spells=spells), T)
    assert {name: found[name] for name in expected} == pytest.approx(expected, nan_ok=True)


def own(first: str, last: str | None, spell_id: str, **others):
    return spell(first, last, spell_id=spell_id, kind="self_certified", **others)


def test_with_consent_and_no_rows_counts_are_zero_and_days_since_unknown():
    assert_features(
        [], days_doctor_365=0, starts_self_365=0, running_doctor=0, days_since_doctor=NAN, days_since_mental=NAN
    )


def test_without_consent_nothing_is_zero():
    rows = rows_of(consents=[consent("survey")], absence_spells=[spell("2026-02-01", "2026-02-10")])
    found = features_at(rows, T)
    assert all(found[feature.name] != found[feature.name] for feature in FEATURES)


def test_the_first_and_the_last_day_of_a_window():
    # [t-30, t) begins on 30 January; 29 January is outside.
    assert_features([spell("2026-01-29", "2026-01-29")], days_doctor_30=0, days_doctor_90=1)
    assert_features([spell("2026-01-30", "2026-01-30")], days_doctor_30=1, starts_doctor_30=1, days_since_doctor=30)
    assert_features([spell("2026-02-28", "2026-02-28")], days_doctor_30=1, days_since_doctor=1, running_doctor=0)


def test_overlapping_and_touching_spells_are_one_stretch():
    spells = [spell("2026-02-01", "2026-02-05"), spell("2026-02-04", "2026-02-08", spell_id="B")]
    assert_features([*spells, spell("2026-02-09", "2026-02-10", spell_id="C")],
                    days_doctor_365=10, starts_doctor_365=1, longest_doctor_365=10)  # fmt: skip
    assert_features([*spells, spell("2026-02-10", "2026-02-10", spell_id="C")],
                    days_doctor_365=9, starts_doctor_365=2, longest_doctor_365=8)  # fmt: skip


def test_a_day_has_the_highest_grade_covering_it():
    # 1-4 Feb at 50 %, 3-6 Feb at 80 %: 2 x 0.5 + 4 x 0.8 = 4.2 weighted days, not 2 + 3.2.
    spells = [
        spell("2026-02-01", "2026-02-04", grade_percent=50),
        spell("2026-02-03", "2026-02-06", spell_id="B", grade_percent=80),
    ]
    assert_features(spells, days_doctor_365=6, weighted_days_doctor_365=4.2, weighted_days_doctor_30=4.2)


def test_weighted_days_count_only_inside_the_window():
    assert_features(
        [spell("2026-01-25", "2026-02-03", grade_percent=20)], weighted_days_doctor_30=1, weighted_days_doctor_90=2
    )


def test_a_day_both_self_and_doctor_certified_is_doctor_certified():
    # Doctor 5-6 Feb inside self 3-8 Feb leaves two self-certified stretches: 3-4 and 7-8.
    spells = [own("2026-02-03", "2026-02-08", "S"), spell("2026-02-05", "2026-02-06", grade_percent=50)]
    assert_features(spells, days_self_365=4, starts_self_365=2, longest_self_365=2, days_since_self=21,
                    days_doctor_365=2, weighted_days_doctor_365=1, starts_doctor_365=1)  # fmt: skip


def test_self_certified_days_that_turn_into_a_certificate_touch_but_do_not_merge():
    spells = [own("2026-02-01", "2026-02-03", "S"), spell("2026-02-04", "2026-02-10")]
    assert_features(spells, days_self_365=3, days_doctor_365=7, starts_doctor_365=1, longest_doctor_365=7)


def test_longest_is_counted_inside_the_window_only():
    assert_features([spell("2025-11-01", "2026-02-03"), spell("2026-02-10", "2026-02-15", spell_id="B")],
                    longest_doctor_30=6, longest_doctor_365=95)  # fmt: skip


def test_chapter_groups_are_the_union_of_their_own_spells():
    # L 3-8 Feb overlaps P 1-5 Feb: the doctor-certified stretch is 1-8, each chapter keeps its own days.
    spells = [
        spell("2026-02-01", "2026-02-05", diagnosis="P76"),
        spell("2026-02-03", "2026-02-08", spell_id="B", diagnosis="L84"),
        spell("2026-02-20", "2026-02-21", spell_id="C"),
        spell("2026-02-21", "2026-02-22", spell_id="D", diagnosis="R74"),
        own("2026-02-25", "2026-02-25", "E", diagnosis="P02"),
    ]
    assert_features(spells, days_doctor_365=11, days_mental_365=5, days_musculoskeletal_365=6,
                    days_other_diagnosis_365=3, starts_other_diagnosis_365=1, longest_mental_90=5,
                    days_since_mental=24, days_since_musculoskeletal=21, days_since_other_diagnosis=7)  # fmt: skip


def test_a_running_spell_of_either_kind_is_marked():
    assert_features([spell("2026-02-01", None)], running_doctor=1, running_self=0, days_doctor_365=28)
    assert_features([own("2026-02-27", "2026-03-01", "S")], running_doctor=0, running_self=1, days_self_365=2)
    assert_features([own("2026-02-27", "2026-02-28", "S")], running_self=0, days_since_self=1)
