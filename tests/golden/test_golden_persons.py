"""Three persons whose features were calculated by hand, with pencil and calendar, from the rows below. t is 1 March
2026."""

from __future__ import annotations

import math

import pytest

from features.catalogue import COLUMNS, POSITIONS
from features.workplace_context import GROUP as CONTEXT
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
        # Ten days for the airways in June 2024, four self-certified ones at the end of May 2025.
        spell("2024-06-10", "2024-06-19", spell_id="F", diagnosis="R74"),
        spell("2025-05-28", "2025-05-31", spell_id="G", kind="self_certified"),
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
        *answers("who5", [4, 4, 4, 4, 4], "2025-02-15"),
        *answers("who5", [3, 3, 3, 3, 3], "2025-08-15"),
        *answers("who5", [2, 2, 3, 2, 2], "2026-02-15"),
        *answers("srh", [3], "2026-02-15"),
        *answers("hscl10", [1] * 10, "2026-02-15"),
        # Personal 75 75 50 50 50 25 = 325/6; work: six 50 and the reversed item 25 (counts 75) = 375/7; no clients.
        *answers("cbi", [75, 75, 50, 50, 50, 25] + [50] * 6 + [25] + [NAN] * 6, "2026-02-15"),
    ],
    lab_results=[
        lab("NPU27300", 38, "mmol/mol", "2026-01-10"),
        lab("NPU19763", 12, "ug/L", "2026-01-10", reference_low=15, reference_high=160),
        # CRP with 90 days between; the limit is 5.
        lab("NPU19748", 2, "mg/L", "2025-07-14"),
        lab("NPU19748", 9, "mg/L", "2025-10-12"),
        lab("NPU19748", 8, "mg/L", "2026-01-10"),
        lab("NPU57947", 154, "mm[Hg]", "2025-12-01"),
        lab("NPU03794", 1.70, "m", "2024-06-01"),
        lab("NPU03804", 86.7, "kg", "2026-02-15"),
        lab("NOR25909", 90, "mL/min/{1.73_m2}", "2026-01-10", comparator=">"),
    ],
    workplace_events=[
        event("leader_change", "2025-12-01", unit_id="u1"),
        event("leader_change", "2025-12-15", unit_id="u2"),
        event("reorganisation", "2025-06-01"),
    ],
    guidance_sessions=[session("2026-02-20"), session("2025-11-15", domain="pain"), session("2025-02-01")],
)  # fmt: skip

KARIS_FEATURES = {
    "age_years": 45, "is_female": 1, "education": 3,
    # [t-90, t) begins on 1 December 2025, after the session of November; that of February 2025 is over a year ago.
    "guidance_sessions_365": 2, "guidance_sessions_90": 1, "guidance_domains_365": 2, "days_since_guidance": 9,
    # 20 + 22 days in autumn, 5 in February; weighted 20 + 11 + 5; ten more the year before.
    "days_doctor_365": 47, "weighted_days_doctor_365": 36, "starts_doctor_365": 2, "longest_doctor_365": 42,
    "days_doctor_730": 57, "weighted_days_doctor_730": 46, "starts_doctor_730": 3, "longest_doctor_730": 42,
    # [t-180, t) begins on 2 September 2025: the first autumn day is outside.
    "days_doctor_180": 46, "days_doctor_90": 5, "starts_doctor_90": 1, "days_doctor_30": 5, "days_since_doctor": 21,
    # 28-31 May 2025 and 2-3 February: the 4th is the doctor's.
    "days_self_90": 2, "days_self_365": 6, "days_self_730": 6, "starts_self_90": 1, "starts_self_365": 2,
    "starts_self_730": 2, "longest_self_365": 4, "days_since_self": 26,
    "days_mental_365": 5, "starts_mental_365": 1, "longest_mental_730": 5, "days_since_mental": 21,
    "days_musculoskeletal_365": 42, "days_musculoskeletal_730": 42, "starts_musculoskeletal_730": 1,
    "longest_musculoskeletal_730": 42, "days_since_musculoskeletal": 140,
    # 19 June 2024 to 19 June 2025: 365; to 19 February: 245; to 1 March: 10.
    "days_respiratory_365": 0, "days_respiratory_730": 10, "starts_respiratory_365": 0, "starts_respiratory_730": 1,
    "longest_respiratory_730": 10, "days_since_respiratory": 620,
    "days_other_diagnosis_365": 0, "days_other_diagnosis_730": 0, "days_since_other_diagnosis": NAN,
    # Any: 4 in May, 42 in autumn, 2-8 February 7, hence 53 in 3 stretches; 3 x 3 x 53.
    "days_any_365": 53, "starts_any_365": 3, "bradford_365": 477,
    "running_doctor": 0, "running_self": 0, "running_days_doctor": 0, "running_grade": 0,
    # 47 days of the last year less the 10 of the year before; 6 less none.
    "trend_days_doctor": 37, "trend_days_self": 6,
    # 13 October to 3 February: 19 + 30 + 31 + 31 + 3. Before: 11 in June 2024, 184 to New Year, 243 to August: 438.
    "gap_last_doctor": 114, "gap_mean_doctor_730": (114 + 438) / 2,
    "quota_days_used_365": 6 / 24, "quota_times_used_365": 2 / 4,
    # [t-365, t-275) ends with 29 May 2025: two of the four days. 1 March is day 31 + 28 + 1 of the year.
    "days_any_same_season": 2, "season_sin": math.sin(2 * math.pi * 60 / 365.25),
    "season_cos": math.cos(2 * math.pi * 60 / 365.25),
    # 80, 60 and 44, 365 and 184 days and none before the latest: sum of x -549, of y 184, of xy -29200 - 11040 = -40240, of
    # xx 133225 + 33856 = 167081; (3 x -40240 + 549 x 184) / (3 x 167081 - 549 x 549) = -19704 / 199842 a day.
    "who5_wellbeing": 44, "who5_wellbeing_change": -16, "who5_wellbeing_slope": -19704 / 199842 * 365.25,
    "who5_age_days": 14, "srh_self_rated_health": 3, "srh_self_rated_health_change": NAN, "srh_age_days": 14,
    "cbi_personal": 325 / 6, "cbi_work": 375 / 7, "cbi_client": NAN, "cbi_age_days": 14, "cbi_work_slope": NAN,
    "hscl10_distress": 1, "hscl25_distress": NAN, "hscl25_age_days": NAN,
    # On the last of the three days WHO-5 5 of 5, SRH 1 of 1, HSCL 10 of 10, CBI 13 of 19: 29 of 35. Of the three with five
    # answers or more, HSCL has one code throughout.
    "survey_days_730": 3, "days_since_survey": 14, "instruments_answered": 4, "survey_items_missing_share": 6 / 35,
    "straight_lining_share": 1 / 3,
    "hba1c": 38, "hba1c_distance": 0, "hba1c_change": NAN,
    # (12 - 15) / 15; (8 - 5) / 5; (154 - 140) / 140; 86.7 / (1.7 x 1.7) = 30 and (30 - 25) / 25.
    "ferritin": 12, "ferritin_distance": -0.2, "crp": 8, "crp_distance": 0.6, "systolic_bp": 154,
    "systolic_bp_distance": 0.1, "bmi": 30, "bmi_distance": 0.2, "height": 170, "weight": 86.7,
    # Over 90 of 90 is inside for sure. The middle one of three at equal distances has no part in the slope.
    "egfr": 90, "egfr_distance": 0, "crp_change": -1, "crp_slope": (8 - 2) / 180 * 365.25, "bmi_change": NAN, "ldl": NAN,
    "blood_sample_age_days": 50, "blood_pressure_age_days": 90, "body_measure_age_days": 14,
    # HbA1c, ferritin, CRP, systolic, height, weight, eGFR; the body mass index is not measured.
    "lab_bounds_count": 1, "analytes_measured_730": 7,
    "employed": 1, "n_jobs": 1, "position_percent": 80, "tenure_years": 1461 / 365.25, "shift_work": 1, "is_leader": 0,
    "industry_health_and_social": 1, "industry_education": 0, "occupation_professional": 1,
    "events_leader_change_365": 1, "events_reorganisation_365": 1, "events_downsizing_365": 0,
    "days_since_leader_change": 90, "company_persons": NAN, "unit_cbi_work": NAN,
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
    "days_since_doctor": 1, "days_respiratory_365": 5, "days_since_respiratory": 15, "days_other_diagnosis_365": 2,
    "days_mental_365": 0, "days_self_365": 0, "days_since_self": NAN,
    # The 27th and the 28th, half time. Two stretches: 2 x 2 x 7; the 15th to the 26th lie between.
    "running_doctor": 1, "running_self": 0, "running_days_doctor": 2, "running_grade": 50, "bradford_365": 28,
    "gap_last_doctor": 12, "gap_mean_doctor_730": 12, "trend_days_doctor": 7, "trend_days_self": 0,
    "quota_days_used_365": 0, "quota_times_used_365": 0,
    "who5_wellbeing": NAN, "survey_days_730": NAN, "hba1c": NAN, "lab_bounds_count": NAN,
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


def test_the_golden_persons_cover_every_group_that_one_person_can_tell_of():
    known = {POSITIONS[name] for name, value in KARIS_FEATURES.items() if value == value and value != 0}
    silent = {group.name for group, columns in COLUMNS if not known & set(range(columns.start, columns.stop))}
    assert silent == {CONTEXT.name}


def test_of_a_person_known_from_today_without_consent_only_the_season_is_known():
    found = features_at(NOBODY_KNOWS, T)
    assert {name for name, value in found.items() if value == value} == {"season_sin", "season_cos"}
