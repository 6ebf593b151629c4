"""Three persons whose features were calculated by hand, with pencil and calendar, from the rows below. t is 1 March
2026."""

from __future__ import annotations

import pytest

from tests.lib.records import answers, consent, event, features_at, job, lab, person, rows_of, session, spell

T = "2026-03-01"
NAN = float("nan")

KARI = rows_of(
    persons=[person(birth_year=1981, education_level="tertiary_short")],
    employments=[
        job("2022-03-01", unit_id="u1", position_percent=80, shift_work=True, is_leader=False,
            industry_code="86.101", occupation_code="2223"),
    ],
    absence_spells=[
        # Autumn 2025: 1-20 Sept for the back (full), then 50 % until 12 Oct; the two touch.
        spell("2025-09-01", "2025-09-20", spell_id="A", diagnosis="L84"),
        spell("2025-09-21", "2025-10-12", spell_id="B", diagnosis="L84", grade_percent=50),
        # Self-certified 2-4 Feb; the doctor took over on 4 Feb until 8 Feb.
        spell("2026-02-02", "2026-02-04", spell_id="C", kind="self_certified"),
        spell("2026-02-04", "2026-02-08", spell_id="D", diagnosis="P02"),
        # A certificate for April, issued early: nothing yet.
        spell("2026-03-10", "2026-03-20", "2026-02-27", spell_id="E", diagnosis="P02"),
    ],
    survey_answers=[
        *answers("who5", [3, 3, 3, 3, 3], "2025-08-15"),
        *answers("who5", [2, 2, 3, 2, 2], "2026-02-15"),
        *answers("srh", [3], "2026-02-15"),
        # Personal 75 75 50 50 50 25 = 325/6; work: six 50 and the reversed item 25 (counts 75) = 375/7; no clients.
        *answers("cbi", [75, 75, 50, 50, 50, 25] + [50] * 6 + [25] + [NAN] * 6, "2026-02-15"),
    ],
    lab_results=[
        lab("NPU27300", 38, "mmol/mol", "2026-01-10"),
        lab("NPU19763", 12, "ug/L", "2026-01-10", reference_low=15, reference_high=160),
    ],
    workplace_events=[
        event("leader_change", "2025-12-01", unit_id="u1"),
        event("leader_change", "2025-12-15", unit_id="u2"),
        event("reorganisation", "2025-06-01"),
    ],
    guidance_sessions=[session("2026-02-20"), session("2025-02-01")],
)  # fmt: skip

KARIS_FEATURES = {
    "age_years": 45, "is_female": 1, "education": 3, "guidance_sessions_365": 1, "days_since_guidance": 9,
    # 20 + 22 days in autumn, 5 in February; weighted 20 + 11 + 5.
    "days_doctor_365": 47, "weighted_days_doctor_365": 36, "starts_doctor_365": 2, "longest_doctor_365": 42,
    # [t-180, t) begins on 2 September 2025: the first autumn day is outside, so the stretch did not start inside.
    "days_doctor_180": 46, "weighted_days_doctor_180": 35, "starts_doctor_180": 1, "longest_doctor_180": 41,
    "days_doctor_30": 5, "days_since_doctor": 21, "running_doctor": 0,
    "days_self_365": 2, "starts_self_365": 1, "longest_self_365": 2, "days_since_self": 26,
    "days_mental_365": 5, "days_musculoskeletal_365": 42, "days_musculoskeletal_90": 0, "days_other_diagnosis_365": 0,
    "days_since_mental": 21, "days_since_musculoskeletal": 140, "days_since_other_diagnosis": NAN,
    "who5_wellbeing": 44, "who5_wellbeing_change": -16, "who5_wellbeing_age_days": 14,
    "srh_self_rated_health": 3, "srh_self_rated_health_change": NAN,
    "cbi_personal": 325 / 6, "cbi_work": 375 / 7, "cbi_client": NAN,
    "hba1c": 38, "hba1c_distance": 0, "ferritin": 12, "ferritin_distance": -0.2, "ldl": NAN, "blood_sample_age_days": 50,
    "employed": 1, "position_percent": 80, "tenure_years": 1461 / 365.25, "shift_work": 1, "is_leader": 0,
    "industry_health_and_social": 1, "industry_education": 0, "occupation_professional": 1,
    "events_leader_change_365": 1, "events_reorganisation_365": 1, "events_downsizing_365": 0,
    "days_since_leader_change": 90,
}  # fmt: skip

OLA = rows_of(
    persons=[person(birth_year=1999, sex="male")],
    consents=[consent("absence"), consent("employment")],
    employments=[
        job("2024-03-01", "2025-02-28", company_id="a", position_percent=100),
        job("2025-03-01", company_id="b", position_percent=50, industry_code="41.200"),
        job("2025-09-01", company_id="c", position_percent=70, industry_code="45"),
    ],
    absence_spells=[
        # Recorded as 10-28 Feb, corrected on the 20th to 10-14 Feb, corrected again on 1 March (not known yet).
        spell("2026-02-10", "2026-02-28", "2026-02-11", spell_id="A", diagnosis="R74"),
        spell("2026-02-10", "2026-02-14", "2026-02-20", spell_id="A", diagnosis="R74"),
        spell("2026-02-10", "2026-02-25", "2026-03-01", spell_id="A", diagnosis="R74"),
        # Two days taken back, and a running one since 27 February, half time.
        spell("2025-12-01", "2025-12-02", "2025-12-03", spell_id="B", kind="self_certified"),
        spell("2025-12-01", "2025-12-02", "2025-12-20", spell_id="B", kind="self_certified", is_deleted=True),
        spell("2026-02-27", None, spell_id="C", grade_percent=50),
    ],
    survey_answers=answers("who5", [3, 3, 3, 3, 3], "2026-02-15"),
    lab_results=[lab("NPU27300", 38, "mmol/mol", "2026-01-10")],
)

OLAS_FEATURES = {
    "age_years": 27, "is_female": 0, "education": NAN, "guidance_sessions_365": NAN,
    "days_doctor_365": 7, "weighted_days_doctor_365": 6, "starts_doctor_365": 2, "longest_doctor_365": 5,
    "days_since_doctor": 1, "running_doctor": 1, "days_other_diagnosis_365": 7, "days_mental_365": 0,
    "days_self_365": 0, "days_since_self": NAN, "running_self": 0,
    "who5_wellbeing": NAN, "hba1c": NAN,
    "employed": 1, "n_jobs": 2, "position_percent": 100, "tenure_years": 181 / 365.25,
    "industry_trade": 1, "industry_construction": 0, "occupation_manual": NAN, "shift_work": NAN,
    "events_leader_change_365": 0, "days_since_leader_change": NAN,
}  # fmt: skip

NOBODY_KNOWS = rows_of(persons=[person(known_from=T)], consents=[], absence_spells=[spell("2026-02-01", "2026-02-10")])


@pytest.mark.parametrize(("rows", "expected"), [(KARI, KARIS_FEATURES), (OLA, OLAS_FEATURES)], ids=["Kari", "Ola"])
def test_golden_person(rows, expected):
    found = features_at(rows, T)
    wrong = {
        name: (found[name], wanted)
        for name, wanted in expected.items()
        if found[name] != pytest.approx(wanted, rel=1e-6, nan_ok=True)
    }
    assert wrong == {}


def test_of_a_person_known_from_today_without_consent_every_feature_is_unknown():
    assert {name: value for name, value in features_at(NOBODY_KNOWS, T).items() if value == value} == {}
