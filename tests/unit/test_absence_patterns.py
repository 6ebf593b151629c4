from __future__ import annotations

import math

import numpy as np
import pytest

from data_contracts.time_windows import day_number
from features.absence_patterns import season
from tests.lib.records import consent, features_at, rows_of, spell

NAN = float("nan")
T = "2026-03-01"


def assert_features(spells, **expected: float) -> None:
    found = features_at(rows_of(absence_spells=spells), T)
    assert {name: found[name] for name in expected} == pytest.approx(expected, nan_ok=True)


def doctor(*periods: tuple[str, str | None, int]):
    return [
        spell(first, last, spell_id=f"D{number}", grade_percent=grade)
        for number, (first, last, grade) in enumerate(periods)
    ]


def own(*periods: tuple[str, str | None]):
    return [
        spell(first, last, spell_id=f"S{number}", kind="self_certified") for number, (first, last) in enumerate(periods)
    ]


def test_without_absence_there_is_no_pattern():
    assert_features([], running_doctor=0, running_self=0, running_days_doctor=0, running_grade=0, bradford_365=0,
                    trend_days_doctor=0, trend_days_self=0, quota_days_used_365=0, quota_times_used_365=0,
                    days_any_same_season=0, gap_last_doctor=NAN, gap_mean_doctor_730=NAN)  # fmt: skip


def test_what_is_running_is_marked():
    assert_features(doctor(("2026-02-01", None, 100)), running_doctor=1, running_self=0, running_days_doctor=28)
    assert_features(own(("2026-02-27", "2026-03-01")), running_doctor=0, running_self=1, running_days_doctor=0)
    assert_features(own(("2026-02-27", "2026-02-28")), running_self=0)


def test_running_days_are_those_of_the_whole_stretch_so_far():
    # 30 January to 28 February through three certificates; the one before, in December, is another stretch.
    certificates = doctor(
        ("2025-12-01", "2025-12-20", 100), ("2026-01-30", "2026-02-05", 100), ("2026-02-04", "2026-02-10", 60),
        ("2026-02-11", "2026-04-30", 50),
    )  # fmt: skip
    assert_features(certificates, running_days_doctor=30, running_grade=50, running_doctor=1)


def test_the_running_grade_is_the_highest_of_what_is_running():
    assert_features(doctor(("2026-02-20", None, 40), ("2026-02-25", "2026-03-10", 60)), running_grade=60)
    # What ended yesterday does not run, however high its grade; nor has self-certified absence a part in it.
    ended = doctor(("2026-02-20", None, 40), ("2026-02-25", "2026-02-28", 80))
    assert_features([*ended, *own(("2026-02-26", None))], running_grade=40, running_days_doctor=9, running_self=1)
    assert_features(doctor(("2026-02-20", "2026-02-28", 80)), running_grade=0, running_days_doctor=0)


def test_bradford_counts_periods_of_either_kind_that_reach_into_the_year():
    # 20 February to 2 March 2025 reaches in with two days; 10-11 December; 1-5 February, of both kinds: 3 x 3 x 9.
    spells = [
        *doctor(("2025-02-20", "2025-03-02", 100), ("2026-02-01", "2026-02-03", 50)),
        *own(("2026-02-04", "2026-02-05"), ("2025-12-10", "2025-12-11")),
    ]
    assert_features(spells, bradford_365=81, days_any_365=9, starts_any_365=2)
    # One day on the first day of the year counts, the last day before it does not: 2 x 2 x 4.
    assert_features(doctor(("2025-02-20", "2025-03-01", 100), ("2026-02-01", "2026-02-03", 50)), bradford_365=16)
    assert_features(doctor(("2025-02-20", "2025-02-28", 100), ("2026-02-01", "2026-02-03", 50)), bradford_365=3)


def test_trends_compare_the_last_year_with_the_one_before():
    # The last year begins on 1 March 2025, the one before on 1 March 2024.
    certificates = doctor(
        ("2024-02-20", "2024-03-02", 100), ("2025-02-26", "2025-03-01", 100), ("2026-02-01", "2026-02-03", 20)
    )
    assert_features(certificates, trend_days_doctor=(1 + 3) - (2 + 3), trend_days_self=0)
    sick_notes = own(("2024-02-28", "2024-02-29"), ("2024-06-01", "2024-06-01"), ("2025-06-01", "2025-06-03"))
    assert_features(sick_notes, trend_days_self=3 - 1, trend_days_doctor=0)


def test_gaps_lie_between_doctor_certified_periods():
    # 6 December to 5 January is 31 days, 11 to 31 January is 21; certificates that touch leave no gap.
    certificates = doctor(
        ("2025-12-01", "2025-12-03", 100), ("2025-12-04", "2025-12-05", 50), ("2026-01-06", "2026-01-10", 100),
        ("2026-02-01", "2026-02-02", 100),
    )  # fmt: skip
    spells = [*certificates, *own(("2026-01-20", "2026-01-21"))]
    assert_features(spells, gap_last_doctor=21, gap_mean_doctor_730=26)
    assert_features(certificates[:2], gap_last_doctor=NAN, gap_mean_doctor_730=NAN)


def test_a_gap_belongs_to_the_window_in_which_its_later_period_begins():
    before = ("2024-02-10", "2024-02-14", 100)
    assert_features(doctor(before, ("2024-02-29", None, 100)), gap_last_doctor=14, gap_mean_doctor_730=NAN)
    assert_features(doctor(before, ("2024-03-01", None, 100)), gap_last_doctor=15, gap_mean_doctor_730=15)
    # 9 March to 28 February 2025 is 356 days: of three periods only the last gap begins its later period in the window.
    three = doctor(("2024-01-01", "2024-01-05", 100), ("2024-02-10", "2024-03-08", 100), ("2025-02-28", None, 100))
    assert_features(three, gap_last_doctor=356, gap_mean_doctor_730=356)


def test_quotas_are_shares_of_24_days_and_of_4_times():
    assert_features(own(("2025-06-01", "2025-06-03"), ("2026-02-01", "2026-02-03")),
                    quota_days_used_365=6 / 24, quota_times_used_365=2 / 4)  # fmt: skip
    # Doctor-certified days use up nothing, what began before the year is no time in it; and all is all.
    assert_features([*own(("2025-02-27", "2025-03-02")), *doctor(("2025-03-02", "2025-03-09", 100))],
                    quota_days_used_365=1 / 24, quota_times_used_365=0)  # fmt: skip
    often = own(*((f"2025-{month:02}-01", f"2025-{month:02}-06") for month in range(4, 10)))
    assert_features(often, quota_days_used_365=1, quota_times_used_365=1)


def test_the_same_season_is_the_quarter_that_follows_the_index_date_a_year_ago():
    # [t-365, t-275) is 1 March to 29 May 2025.
    spells = [*own(("2025-02-27", "2025-03-02")), *doctor(("2025-05-28", "2025-06-02", 50))]
    assert_features(spells, days_any_same_season=2 + 2)
    assert_features(own(("2025-05-30", "2025-06-01")), days_any_same_season=0)


@pytest.mark.parametrize(
    ("date", "day_of_year"),
    [
        ("2026-01-01", 1), ("2026-03-01", 60), ("2026-12-31", 365),
        # Leap years: every fourth, not 2100, but 2000.
        ("2024-02-29", 60), ("2024-03-01", 61), ("2024-12-31", 366), ("2100-03-01", 60), ("2000-12-31", 366),
        ("1969-12-31", 365), ("1960-12-31", 366), ("2500-03-01", 60),
    ],
)  # fmt: skip
def test_season_is_the_day_of_the_year_on_a_circle(date: str, day_of_year: int):
    angle = 2 * math.pi * day_of_year / 365.25
    found = season(np.array([day_number("2026-07-01"), day_number(date)], dtype=np.int32))
    assert found.dtype == np.float32
    assert found[:, 1].tolist() == pytest.approx([math.sin(angle), math.cos(angle)], abs=1e-7)


def test_the_season_is_known_without_consent_for_absence():
    found = features_at(rows_of(consents=[consent("survey")], absence_spells=doctor(("2026-02-01", None, 100))), T)
    assert (found["season_sin"], found["season_cos"]) == pytest.approx(
        (math.sin(2 * math.pi * 60 / 365.25), math.cos(2 * math.pi * 60 / 365.25))
    )
    assert math.isnan(found["running_doctor"])
