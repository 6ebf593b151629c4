"""Absence in per cent, against weeks that can be counted on a calendar."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from data_contracts.absence_percentage import AbsencePercentage, absence_percentage
from tests.lib.records import Row, job, spell, table

MONDAY, FRIDAY, SUNDAY = date(2025, 3, 3), date(2025, 3, 7), date(2025, 3, 9)
WEDNESDAY_AND_THURSDAY = spell("2025-03-05", "2025-03-06", spell_id="B")


def counted(
    jobs: list[Row], spells: list[Row], first: date = MONDAY, last: date = SUNDAY, **options: Any
) -> AbsencePercentage:
    tables = {"employments": table("employments", jobs), "absence_spells": table("absence_spells", spells)}
    return absence_percentage(tables, first, last, **options)


@pytest.mark.parametrize(
    ("percent", "spells", "agreed", "doctor", "by_self"),
    [
        (100, [], 5, 0, 0),
        # Saturday and Sunday are no working days: a spell over the week-end loses Thursday and Friday.
        (100, [spell("2025-03-06", "2025-03-09")], 5, 2, 0),
        (100, [spell("2025-02-01", None)], 5, 5, 0),
        (100, [spell("2025-03-03", "2025-03-04", grade_percent=50)], 5, 1, 0),
        (60, [spell("2025-03-03", "2025-03-04", grade_percent=50)], 3, 0.6, 0),
        # Self-certified absence counts as full absence, whatever degree the row claims.
        (100, [spell("2025-03-03", "2025-03-04", kind="self_certified", grade_percent=50)], 5, 0, 2),
        # A day in two spells counts once: doctor before self, and the higher degree of two.
        (100, [spell("2025-03-03", "2025-03-05", kind="self_certified"), WEDNESDAY_AND_THURSDAY], 5, 2, 2),
        (100, [spell("2025-03-03", "2025-03-05", grade_percent=40), WEDNESDAY_AND_THURSDAY], 5, 2.8, 0),
        (100, [spell("2025-03-03", "2025-03-04", person_id="q")], 5, 0, 0),
    ],
)  # fmt: skip
def test_a_week_counted_by_hand(percent: int, spells: list[Row], agreed: float, doctor: float, by_self: float) -> None:
    found = counted([job("2020-01-01", position_percent=percent)], spells)
    assert found.groups == ("c",)
    np.testing.assert_allclose(
        [found.agreed_days[0], found.lost_days_doctor_certified[0], found.lost_days_self_certified[0]],
        [agreed, doctor, by_self],
    )
    np.testing.assert_allclose(found.percent, [100 * (doctor + by_self) / agreed])
    np.testing.assert_allclose(found.percent_doctor_certified, [100 * doctor / agreed])


@pytest.mark.parametrize(
    ("first", "last", "agreed"),
    [
        (date(2025, 4, 14), date(2025, 4, 20), 3),  # Maundy Thursday and Good Friday
        (date(2025, 4, 21), date(2025, 4, 27), 4),  # Easter Monday
        (date(2024, 5, 13), date(2024, 5, 19), 4),  # 17 May on a Friday
        (date(2025, 5, 26), date(2025, 6, 1), 4),  # Ascension Day
        (date(2024, 12, 23), date(2024, 12, 29), 3),  # Christmas Eve is no public holiday, the next two days are
        (date(2025, 3, 8), date(2025, 3, 9), 0),
    ],
)
def test_public_holidays_are_not_agreed(first: date, last: date, agreed: int) -> None:
    found = counted([job("2020-01-01")], [spell(first.isoformat(), last.isoformat())], first, last)
    assert found.agreed_days.tolist() == [agreed]
    assert found.lost_days_doctor_certified.tolist() == [agreed]
    assert np.isnan(found.percent[0]) == (agreed == 0), "no agreed day is no percentage, not zero"


def test_two_jobs_two_companies_and_leaving_in_the_middle_of_the_week() -> None:
    jobs = [
        job("2020-01-01", position_percent=60),
        job("2020-01-01", "2025-03-04", company_id="d", position_percent=40),
        job("2025-03-05", company_id="d", person_id="q"),
    ]
    found = counted(jobs, [spell("2025-03-04", "2025-03-05")])
    assert found.groups == ("c", "d")
    # In c two of five days at 60 %; in d p has two days at 40 % of which one is lost, q three days.
    np.testing.assert_allclose(found.agreed_days, [3.0, 0.8 + 3])
    np.testing.assert_allclose(found.lost_days_doctor_certified, [1.2, 0.4])


def test_a_running_spell_and_a_correction_on_two_clocks() -> None:
    spells = [
        spell("2025-03-03", None, "2025-03-03"),
        spell("2025-03-03", "2025-03-04", "2025-03-07"),
    ]
    seen = {day: counted([job("2020-01-01")], spells, as_of=day)
            for day in (MONDAY, MONDAY + timedelta(2), FRIDAY, FRIDAY + timedelta(1))}  # fmt: skip
    # On Monday morning nothing is known; on Wednesday it runs for two days, on Friday for four; then it is corrected.
    assert [found.lost_days_doctor_certified[0] for found in seen.values()] == [0, 2, 4, 2]
    # Days that have not come yet are neither lost nor agreed.
    assert [found.agreed_days[0] for found in seen.values()] == [0, 2, 4, 5]
    assert counted([job("2020-01-01")], spells).lost_days_doctor_certified.tolist() == [2]
    assert counted([job("2020-01-01")], spells[:1]).lost_days_doctor_certified.tolist() == [5]


def test_the_planned_end_of_a_certificate_is_no_fact_about_the_past() -> None:
    planned = [spell("2025-03-03", "2025-03-07", "2025-03-03")]
    found = counted([job("2020-01-01")], planned, as_of=MONDAY + timedelta(2))
    assert (found.lost_days_doctor_certified[0], found.percent[0]) == (2, 100)


def test_many_persons_are_counted_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    people = [f"p{number}" for number in range(7)]
    jobs = [job("2020-01-01", person_id=one) for one in people]
    spells = [spell("2025-03-03", f"2025-03-0{3 + number % 5}", person_id=one) for number, one in enumerate(people)]
    whole = counted(jobs, spells)
    monkeypatch.setattr("data_contracts.absence_percentage._PERSONS_AT_ONCE", 3)
    assert counted(jobs, spells).lost_days_doctor_certified == whole.lost_days_doctor_certified == [18]


def test_rows_without_the_group_are_left_out_and_a_backward_period_is_refused() -> None:
    jobs = [job("2020-01-01", unit_id="u"), job("2020-01-01", person_id="q")]
    assert counted(jobs, [], by="unit_id").agreed_days.tolist() == [5]
    with pytest.raises(ValueError, match="before it begins"):
        counted(jobs, [], SUNDAY, MONDAY)


def test_against_a_slow_count_day_by_day() -> None:
    rng = np.random.default_rng(5)
    jobs, spells = [], []
    for number in range(30):
        start = date(2025, 1, 1) + timedelta(int(rng.integers(0, 200)))
        share = int(rng.integers(1, 11)) * 10
        jobs.append(job(start.isoformat(), (start + timedelta(int(rng.integers(5, 300)))).isoformat(),
                        f"p{number % 20}", company_id=f"c{number % 3}", position_percent=share))  # fmt: skip
    for number in range(60):
        start = date(2025, 1, 1) + timedelta(int(rng.integers(0, 300)))
        kind = ("self_certified", "doctor_certified")[int(rng.integers(2))]
        spells.append(spell(start.isoformat(), (start + timedelta(int(rng.integers(0, 40)))).isoformat(), spell_id=str(number),
                            person_id=f"p{number % 20}", kind=kind, grade_percent=int(rng.integers(20, 101))))  # fmt: skip
    first, last = date(2025, 2, 3), date(2025, 3, 28)  # no public holiday in between
    found = counted(jobs, spells, first, last)
    agreed, doctor, by_self = (dict.fromkeys(found.groups, 0.0) for _ in range(3))
    for offset in range((last - first).days + 1):
        day = first + timedelta(offset)
        for one in jobs if day.weekday() < 5 else []:
            if not one["start_date"] <= day.isoformat() <= one["end_date"]:
                continue
            here = [
                s
                for s in spells
                if s["person_id"] == one["person_id"] and s["first_day"] <= day.isoformat() <= s["last_day"]
            ]
            share, company = one["position_percent"] / 100, one["company_id"]
            agreed[company] += share
            grades = [s["grade_percent"] / 100 for s in here if s["kind"] == "doctor_certified"]
            if grades:
                doctor[company] += share * max(grades)
            elif here:
                by_self[company] += share
    np.testing.assert_allclose(found.agreed_days, list(agreed.values()))
    np.testing.assert_allclose(found.lost_days_doctor_certified, list(doctor.values()))
    np.testing.assert_allclose(found.lost_days_self_certified, list(by_self.values()))
