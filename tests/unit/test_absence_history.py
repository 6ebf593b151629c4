from __future__ import annotations

import numpy as np
import pytest

from data_contracts.time_windows import day_number
from features.absence_history import FEATURES
from features.as_of import absences_known, doctor_stretches
from features.build import build_features
from tests.lib.records import consent, features_at, histories, person, rows_of, session, spell

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
    known = {feature.name for feature in FEATURES if found[feature.name] == found[feature.name]}
    assert known == {"season_sin", "season_cos"}  # facts about the index date


def test_the_first_and_the_last_day_of_a_window():
    # [t-30, t) begins on 30 January; 29 January is outside.
    assert_features([spell("2026-01-29", "2026-01-29")], days_doctor_30=0, days_doctor_90=1)
    assert_features([spell("2026-01-30", "2026-01-30")], days_doctor_30=1, starts_doctor_90=1, days_since_doctor=30)
    assert_features([spell("2026-02-28", "2026-02-28")], days_doctor_30=1, days_since_doctor=1, running_doctor=0)


def test_a_period_starts_on_its_first_day_and_in_the_window_of_that_day():
    # [t-90, t) begins on 1 December, [t-365, t) on 1 March 2025, [t-730, t) on 1 March 2024.
    on = [spell("2024-03-01", "2024-03-05"), spell("2025-03-01", "2025-03-05", spell_id="B"),
          spell("2025-12-01", "2025-12-05", spell_id="C")]  # fmt: skip
    assert_features(on, starts_doctor_90=1, starts_doctor_365=2, starts_doctor_730=3)
    before = [spell("2024-02-29", "2024-03-05"), spell("2025-02-28", "2025-03-05", spell_id="B"),
              spell("2025-11-30", "2025-12-05", spell_id="C")]  # fmt: skip
    assert_features(before, starts_doctor_90=0, starts_doctor_365=1, starts_doctor_730=2)


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
    assert_features(spells, days_doctor_365=6, weighted_days_doctor_365=4.2, weighted_days_doctor_730=4.2)


def test_weighted_days_count_only_inside_the_window():
    # [t-365, t) begins on 1 March 2025: five of the ten days are inside.
    assert_features(
        [spell("2025-02-24", "2025-03-05", grade_percent=20)], weighted_days_doctor_365=1, weighted_days_doctor_730=2
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
    # 90 days from December 2024, of which 1-10 March are in the last year, and six in February.
    assert_features([spell("2024-12-11", "2025-03-10"), spell("2026-02-10", "2026-02-15", spell_id="B")],
                    longest_doctor_365=10, longest_doctor_730=90)  # fmt: skip
    assert_features([own("2025-02-20", "2025-03-02", "S"), own("2026-02-10", "2026-02-12", "B")], longest_self_365=3)


def test_chapter_groups_are_the_union_of_their_own_spells():
    # L 3-8 Feb overlaps P 1-5 Feb: the doctor-certified stretch is 1-8, each chapter keeps its own days.
    spells = [
        spell("2026-02-01", "2026-02-05", diagnosis="P76"),
        spell("2026-02-03", "2026-02-08", spell_id="B", diagnosis="L84"),
        spell("2026-02-20", "2026-02-21", spell_id="C"),
        spell("2026-02-21", "2026-02-22", spell_id="D", diagnosis="R74"),
        own("2026-02-25", "2026-02-25", "E", diagnosis="P02"),
    ]
    assert_features(spells, days_doctor_365=11, days_mental_365=5, days_musculoskeletal_365=6, days_respiratory_365=2,
                    days_other_diagnosis_365=2, starts_other_diagnosis_365=1, longest_mental_730=5,
                    days_since_mental=24, days_since_musculoskeletal=21, days_since_respiratory=7,
                    days_since_other_diagnosis=8)  # fmt: skip


def test_airways_in_either_system_of_codes():
    # J is the airways in ICD-10 and no chapter of ICPC-2; R is the airways in ICPC-2 and mere symptoms in ICD-10.
    spells = [
        spell("2026-02-01", "2026-02-02", diagnosis="J06.9", diagnosis_system="ICD-10"),
        spell("2026-02-05", "2026-02-07", spell_id="B", diagnosis="R74"),
        spell("2026-02-10", "2026-02-13", spell_id="C", diagnosis="R53", diagnosis_system="ICD-10"),
    ]
    assert_features(spells, days_respiratory_365=5, starts_respiratory_365=2, longest_respiratory_730=3,
                    days_since_respiratory=22, days_other_diagnosis_365=4)  # fmt: skip


def test_codes_of_icd10_go_where_nav_converts_them_not_where_their_letter_points():
    # Cough, a cancer of the lung: airways. A broken leg: musculoskeletal. Unrest: mental. Gout: metabolism, hence other.
    spells = [
        spell(f"2026-02-{2 * number + 1:02}", f"2026-02-{2 * number + 1:02}", spell_id=code, diagnosis=code,
              diagnosis_system="ICD-10")
        for number, code in enumerate(("R05", "C34", "S82.1", "R45", "M10.9"))
    ]  # fmt: skip
    assert_features(spells, starts_respiratory_365=2, starts_musculoskeletal_365=1, starts_mental_365=1,
                    starts_other_diagnosis_365=1, days_since_respiratory=26, days_since_musculoskeletal=24,
                    days_since_mental=22, days_since_other_diagnosis=20)  # fmt: skip


OF_PREGNANCY = [
    spell("2024-06-01", "2024-06-20", spell_id="W1", diagnosis="W78"),
    spell("2025-04-01", "2025-04-20", spell_id="W2", diagnosis="O80", diagnosis_system="ICD-10"),
    spell("2025-09-01", "2025-09-20", spell_id="W3", diagnosis="Z34", diagnosis_system="ICD-10"),
    own("2025-11-01", "2025-11-02", "W4", diagnosis="W"),
    spell("2026-02-01", None, spell_id="W5", diagnosis="W05"),
]
OTHERS = [
    spell("2025-05-01", "2025-05-10", diagnosis="P02"),
    spell("2026-02-10", "2026-02-12", spell_id="B"),
    own("2026-02-15", "2026-02-16", "C"),
]


def of_absence(spells) -> np.ndarray:
    found = features_at(rows_of(absence_spells=spells), T)
    return np.array([found[one.name] for one in FEATURES])


def test_spells_of_pregnancy_and_birth_count_in_no_feature():
    assert np.array_equal(of_absence(OF_PREGNANCY), of_absence([]), equal_nan=True)
    assert np.array_equal(of_absence([*OF_PREGNANCY, *OTHERS]), of_absence(OTHERS), equal_nan=True)
    # 10 + 3 days of the doctor in two stretches, 2 more of the person's own: 3 x 3 x 15.
    assert_features([*OF_PREGNANCY, *OTHERS], days_doctor_365=13, starts_doctor_365=2, bradford_365=135, running_doctor=0,
                    running_days_doctor=0, running_grade=0, gap_last_doctor=275, days_other_diagnosis_365=3,
                    trend_days_doctor=13, days_since_doctor=17, days_any_same_season=10)  # fmt: skip


def test_a_certificate_for_something_else_on_days_of_pregnancy_counts_as_ever():
    assert_features([*OF_PREGNANCY, spell("2026-02-20", None, spell_id="B", diagnosis="L03", grade_percent=50)],
                    days_doctor_365=9, days_musculoskeletal_365=9, running_days_doctor=9, running_grade=50)  # fmt: skip


def test_outcomes_see_spells_of_pregnancy_among_the_others():
    gathered = histories(rows_of(absence_spells=OF_PREGNANCY), consent_on=T)
    d = day_number(T)
    # 20 days three times, and 28 of the one that runs; the self-certified ones are nobody's certificate.
    for chapter in (None, "other"):
        _, first, last, _ = doctor_stretches(gathered, d, chapter)
        assert (last - first + 1).tolist() == [20, 20, 20, 28]
    assert len(doctor_stretches(gathered, d, "musculoskeletal")[0]) == 0
    assert len(absences_known(gathered, d)["person"]) == 5


def test_features_say_that_pregnancy_is_left_out():
    for one in FEATURES:
        assert ("W (pregnancy and birth)" in one.meaning) == (one.table == "absence_spells"), one.name
    of_chapter = [one for one in FEATURES if one.name.startswith("days_mental")]
    assert all("P (mental) ICPC-2 chapter (ICD-10 converted as NAV does)" in one.meaning for one in of_chapter)


def test_any_absence_is_the_union_of_self_and_doctor_certified_days():
    # Self 1-5 and doctor 4-8 February overlap, self on 9 touches: one period of nine days, then one of two.
    spells = [
        own("2026-02-01", "2026-02-05", "S"),
        spell("2026-02-04", "2026-02-08"),
        own("2026-02-09", "2026-02-09", "B"),
        own("2026-02-20", "2026-02-21", "C"),
    ]
    assert_features(spells, days_any_365=11, starts_any_365=2, days_self_365=6, days_doctor_365=5, starts_self_365=3)


def test_a_person_without_absence_among_others_has_none():
    everyone = [person("p"), person("q"), person("r")]
    rows = rows_of(
        persons=everyone,
        consents=[consent("absence", name) for name in "pqr"],
        absence_spells=[spell("2026-02-01", "2026-02-10") | {"person_id": "r"}],
    )
    matrix = build_features(histories(rows, consent_on=T), day_number(T))
    names = ("days_doctor_365", "starts_any_365", "days_since_doctor", "bradford_365")
    found = matrix.values[:, [matrix.names.index(name) for name in names]]
    assert np.array_equal(found, [[0, 0, NAN, 0], [0, 0, NAN, 0], [10, 1, 19, 10]], equal_nan=True)


def test_only_who_refuses_is_unknown():
    rows = rows_of(
        persons=[person("p"), person("q")],
        consents=[consent("absence", "q"), consent("survey", "q")],
        absence_spells=[spell("2026-02-01", "2026-02-10") | {"person_id": name} for name in "pq"],
        guidance_sessions=[session("2026-02-20") | {"person_id": name} for name in "pq"],
    )
    matrix = build_features(histories(rows, consent_on=T), day_number(T))
    for name, of_q in (("days_doctor_365", 10), ("days_since_doctor", 19), ("guidance_sessions_365", 1)):
        assert np.array_equal(matrix.values[:, matrix.names.index(name)], [NAN, of_q], equal_nan=True), name
