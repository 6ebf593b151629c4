from __future__ import annotations

import pytest

from data_contracts.records import GuidanceSession, columns
from features.gathering import GUIDANCE_DOMAINS
from tests.lib.records import consent, features_at, person, rows_of, session

NAN = float("nan")
T = "2026-03-01"


def assert_features(t: str = T, rows=None, **expected: float) -> None:
    found = features_at(rows_of() if rows is None else rows, t)
    assert {name: found[name] for name in expected} == pytest.approx(expected, nan_ok=True)


def test_age_counts_calendar_years_up_to_the_last_day_of_a_year():
    assert_features("2025-12-31", age_years=45)
    assert_features("2026-01-01", age_years=46)


@pytest.mark.parametrize(
    ("level", "number"), [("basic", 1), ("secondary", 2), ("tertiary_short", 3), ("tertiary_long", 4), (None, NAN)]
)
def test_education_is_an_ordered_level(level, number):
    assert_features(rows=rows_of(persons=[person(education_level=level)]), education=number)


def test_sex():
    assert_features(rows=rows_of(persons=[person(sex="male")]), is_female=0)


def test_a_person_is_known_and_corrected_like_any_other_fact():
    versions = [person(known_from="2026-02-01"), person(known_from="2026-02-10", birth_year=1990, sex="male")]
    rows = rows_of(persons=versions)
    assert_features("2026-02-01", rows, age_years=NAN, is_female=NAN, education=NAN)
    assert_features("2026-02-10", rows, age_years=46, is_female=1)
    assert_features("2026-02-11", rows, age_years=36, is_female=0)


def test_guidance_in_the_last_year_and_quarter():
    # 2025-03-01 is the first day of [t-365, t), 2025-12-01 that of [t-90, t); the one of the index date is not known yet.
    held = ("2025-02-28", "2025-03-01", "2025-11-30", "2025-12-01", "2026-02-20", T)
    rows = rows_of(guidance_sessions=[session(one) for one in held])
    assert_features(rows=rows, guidance_sessions_365=4, guidance_sessions_90=2, guidance_domains_365=1,
                    days_since_guidance=9)  # fmt: skip


def test_domains_of_guidance_are_counted_once_and_only_in_the_last_year():
    sessions = [
        session("2025-02-28", domain="diet"),
        session("2025-06-01", domain="pain"),
        session("2026-02-20", domain="pain"),
        session("2026-02-20", domain="work"),
    ]
    assert_features(rows=rows_of(guidance_sessions=sessions), guidance_domains_365=2, guidance_sessions_365=3,
                    guidance_sessions_90=2, days_since_guidance=9)  # fmt: skip


def test_guidance_long_ago_leaves_only_the_days_since():
    rows = rows_of(guidance_sessions=[session("2024-03-01")])
    assert_features(rows=rows, guidance_sessions_365=0, guidance_domains_365=0, days_since_guidance=730)


def test_no_guidance_is_zero_with_consent_and_unknown_without():
    assert_features(guidance_sessions_365=0, guidance_sessions_90=0, guidance_domains_365=0, days_since_guidance=NAN)
    without = rows_of(consents=[consent("absence")], guidance_sessions=[session("2026-02-20")])
    assert_features(rows=without, guidance_sessions_365=NAN, guidance_domains_365=NAN, days_since_guidance=NAN,
                    age_years=46)  # fmt: skip


def test_domains_of_guidance_are_those_of_the_contract():
    (column,) = [column for column in columns(GuidanceSession) if column.name == "domain"]
    assert column.codes == GUIDANCE_DOMAINS
