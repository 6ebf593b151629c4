from __future__ import annotations

import numpy as np
import pytest

from data_contracts.time_windows import NO_DAY, calendar_date, day_number
from features.build import build_features
from features.workplace import FEATURES, employed_on, employment_end
from tests.lib.records import consent, event, features_at, histories, job, person, rows_of

NAN = float("nan")
T = "2026-03-01"


def assert_features(employments, events=(), t: str = T, **expected: float) -> None:
    found = features_at(rows_of(employments=employments, workplace_events=events), t)
    assert {name: found[name] for name in expected} == pytest.approx(expected, nan_ok=True)


def test_one_job():
    main = job("2025-03-01", industry_code="86.101", occupation_code="5321", shift_work=True)
    assert_features([main], employed=1, n_jobs=1, position_percent=100, tenure_years=365 / 365.25, shift_work=1,
                    is_leader=NAN, industry_health_and_social=1, industry_education=0, occupation_service=1,
                    occupation_manual=0)  # fmt: skip


def test_employed_on_the_first_and_the_last_day():
    ended = [job("2026-01-01", "2026-02-15")]
    assert_features(ended, t="2026-02-15", employed=1)
    assert_features(ended, t="2026-02-16", employed=0, n_jobs=0, position_percent=NAN, tenure_years=NAN, shift_work=NAN)
    starts_today = [job(T, known_from="2026-02-01")]
    assert_features(starts_today, employed=1, tenure_years=0)


def test_an_employment_is_known_like_any_other_fact():
    assert_features([job("2026-01-01", known_from=T)], employed=0)
    corrected = [job("2026-01-01"), job("2026-01-01", "2026-02-10", known_from="2026-02-20")]
    assert_features(corrected, t="2026-02-20", employed=1)
    assert_features(corrected, t="2026-02-21", employed=0)


def test_without_consent_for_employment_nothing_is_known():
    rows = rows_of(
        consents=[consent("survey")], employments=[job()], workplace_events=[event("downsizing", "2026-02-01")]
    )
    found = features_at(rows, T)
    assert all(np.isnan(found[feature.name]) for feature in FEATURES)


def test_the_main_job_is_the_largest_then_the_oldest_then_the_first_by_name():
    small = job("2020-01-01", company_id="a", position_percent=40, is_leader=True)
    large = job("2024-01-01", company_id="b", position_percent=60, is_leader=False)
    assert_features([small, large], n_jobs=2, position_percent=100, is_leader=0)
    assert_features([small | {"position_percent": 60}, large], position_percent=100, is_leader=1)
    twins = [job("2024-01-01", company_id=name, is_leader=name == "a10") for name in ("a9", "a10", "b")]
    assert_features(twins, n_jobs=3, position_percent=100, is_leader=1)


def test_tenure_runs_through_touching_employments_of_the_company_only():
    moved = [job("2023-03-01", "2024-12-31", unit_id="u1"), job("2025-01-01", unit_id="u2")]
    assert_features(moved, tenure_years=1096 / 365.25)
    gap = [job("2023-03-01", "2024-12-30"), job("2025-01-01")]
    assert_features(gap, tenure_years=424 / 365.25)
    other = [job("2023-03-01", "2024-12-31", company_id="d"), job("2025-01-01")]
    assert_features(other, tenure_years=424 / 365.25)


def test_events_of_the_own_unit_and_of_the_whole_company_count():
    events = [
        event("leader_change", "2026-01-01", unit_id="u1"),
        event("leader_change", "2026-02-01", unit_id="u2"),
        event("leader_change", "2025-12-01"),
        event("leader_change", "2025-11-01", company_id="d"),
    ]
    assert_features([job(unit_id="u1")], events, events_leader_change_365=2, days_since_leader_change=59)
    assert_features([job()], events, events_leader_change_365=1, days_since_leader_change=90)


def test_events_are_counted_in_the_window_and_only_when_known():
    events = [
        event("downsizing", "2025-02-28"),
        event("downsizing", "2025-03-01"),
        event("downsizing", "2026-02-01", known_from=T),
        event("leader_change", "2024-01-01"),
    ]
    assert_features([job()], events, events_downsizing_365=1, events_leader_change_365=0, days_since_leader_change=790)


def test_a_deleted_event_is_gone():
    known = event("reorganisation", "2026-01-01")
    deleted = known | {"known_from": "2026-02-01", "is_deleted": True}
    assert_features([job()], [known, deleted], events_reorganisation_365=0)
    assert_features([job()], [known, deleted], t="2026-02-01", events_reorganisation_365=1)


def test_without_a_job_there_is_no_workplace_to_count_events_of():
    assert_features([], [event("downsizing", "2026-02-01")], events_downsizing_365=NAN, employed=0)


def of_persons(**employments):
    rows = [one | {"person_id": name} for name, jobs in employments.items() for one in jobs]
    everyone = rows_of(persons=[person(name) for name in employments], employments=rows)
    return histories(everyone, person_ids=list(employments))


def test_of_several_persons_each_has_the_own_jobs():
    half = job("2020-01-01", position_percent=50)
    gathered = of_persons(
        none=[],
        two=[half | {"is_leader": True, "unit_id": "u1"}, half | {"company_id": "d", "position_percent": 20}],
        one=[half | {"position_percent": 80, "is_leader": False}],
        never=[],
    )
    matrix = build_features(gathered, day_number(T))
    names = ("employed", "n_jobs", "position_percent", "is_leader", "events_downsizing_365")
    found = matrix.values[:, [matrix.names.index(name) for name in names]]
    nobody = [0, 0, NAN, NAN, NAN]
    assert np.array_equal(found, [nobody, [1, 2, 70, 1, 0], [1, 1, 80, 0, 0], nobody], equal_nan=True)


def test_events_of_several_persons_are_told_apart():
    rows = rows_of(
        persons=[person(name) for name in "pqr"],
        consents=[consent("employment", name) for name in "pqr"],
        employments=[job(person_id="p"), job(person_id="r", company_id="d")],
        workplace_events=[event("downsizing", "2026-02-01"), event("leader_change", "2026-02-02", company_id="d")],
    )
    matrix = build_features(histories(rows, consent_on=T, person_ids=list("pqr")), day_number(T))
    names = ("events_downsizing_365", "events_leader_change_365", "days_since_leader_change")
    found = matrix.values[:, [matrix.names.index(name) for name in names]]
    assert np.array_equal(found, [[1, 0, NAN], [NAN, NAN, NAN], [0, 1, 27]], equal_nan=True)


def ends(gathered, t: str, d: str) -> list[str | None]:
    days = employment_end(gathered, day_number(t), day_number(d)).tolist()
    return [None if one == NO_DAY else calendar_date(one).isoformat() for one in days]


def test_case_11_who_left_is_not_employed_afterwards_and_was_before():
    gathered = of_persons(p=[job("2020-01-01", "2026-02-15")])
    assert employed_on(gathered, day_number("2026-02-01")).tolist() == [True]
    assert employed_on(gathered, day_number(T)).tolist() == [False]
    assert ends(gathered, "2026-02-01", "2026-12-31") == ["2026-02-15"]


def test_employed_on_a_day_as_known_later():
    gathered = of_persons(p=[job("2026-01-01", known_from="2026-04-01")], q=[])
    assert employed_on(gathered, day_number(T)).tolist() == [False, False]
    assert employed_on(gathered, day_number(T), known_at=day_number("2026-05-01")).tolist() == [True, False]


def test_the_end_of_employment_as_known_at_d():
    gathered = of_persons(
        still=[job("2020-01-01")],
        beyond=[job("2020-01-01", "2027-01-31")],
        changed=[job("2020-01-01", "2026-06-30"), job("2026-07-01", "2026-09-30", company_id="d")],
        gap=[job("2020-01-01", "2026-06-30"), job("2026-07-02", company_id="d")],
        not_known_yet=[job("2020-01-01"), job("2020-01-01", "2026-06-30", known_from="2026-12-31")],
        never=[],
    )
    assert ends(gathered, T, "2026-12-31") == [None, None, "2026-09-30", "2026-06-30", None, "2026-02-28"]


def test_the_last_day_before_d_is_an_end_and_day_d_itself_is_not():
    gathered = of_persons(p=[job("2020-01-01", "2026-12-30")], q=[job("2020-01-01", "2026-12-31")])
    assert ends(gathered, T, "2026-12-31") == ["2026-12-30", None]
