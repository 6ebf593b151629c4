"""What the simulator's check counts of absence and diagnoses, on worlds that can be counted by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from data_contracts.time_windows import day_number
from pipeline.simulation.employments import ENDS
from pipeline.simulation.spells import Spells
from pipeline.simulation.world import World
from pipeline.simulation_check import absence_tallies as absence
from pipeline.simulation_check import diagnosis_tallies as diagnoses
from pipeline.simulation_check import risk_tallies as risks
from pipeline.simulation_check import spell_tallies as spell_counts
from pipeline.simulation_check.exposure import Exposure, employed_throughout, lost_before, new_years, years_before
from pipeline.simulation_check.measured import Measured, percent
from tests.lib.checked_worlds import FIRST, LAST, PARAMETERS, everyone_works, near, small, spells

DIVISIONS = tuple(row["division"] for row in PARAMETERS.industries)
DAYS = LAST + 1 - FIRST


# Absence


def test_absent_days_count_by_grade_and_position_over_agreed_days(world: World) -> None:
    certified = spells((0, "2022-03-01", 10), (1, "2022-12-25", 20), (2, "2020-12-27", 10))
    here = small(world, certified, grade=[50, 100, 100], employments=everyone_works({1: 50}))
    men, women = absence.tally(here, 4)["certified_by_sex"]
    assert near(percent(men), 100 * (10 * 0.5 + 20 * 0.5) / (1.5 * DAYS))
    assert near(percent(women), 100 * 5 / (2 * DAYS)), "only the days from the start of the data count"


def test_absence_counts_at_the_age_of_its_year_and_in_its_quarter(world: World) -> None:
    here = small(world, spells((0, "2024-12-31", 2)))
    sums = absence.tally(here, 4)
    by_age = sums["certified_by_age"][:, 0, 0]
    # Born in 1980: 44 on the last day of 2024, 45 on the first of 2025.
    assert by_age.tolist() == [0, 0, 0, 0, 1, 1, 0, 0, 0]
    assert sums["certified_by_season"][:, 0].tolist() == [1, 0, 0, 1]


def test_both_sexes_together_are_weighted_as_in_the_country(world: World) -> None:
    here = small(world, spells((0, "2022-03-01", 100), (2, "2022-03-01", 200)))
    found = absence.measure(absence.tally(here, 4), DIVISIONS, frozenset())
    parts = found["certified_percent.men"].value, found["certified_percent.women"].value
    assert near(found["certified_percent.total"], 0.533 * parts[0] + 0.467 * parts[1])


def test_nobody_is_at_risk_between_two_employments() -> None:
    first, end = np.array([[0], [50], [0]]), np.array([[30], [100], [0]])
    exposure = Exposure(first, end, np.ones((3, 1)), np.array([0, 40, 120]))
    assert exposure.employed_days()[:, :, 0].tolist() == [[30, 0], [0, 50], [0, 0]]
    ill = Spells(np.zeros(3, dtype=int), np.array([25, 31, 99]), np.array([30, 5, 9]), np.zeros(3, dtype=int))
    assert exposure.spell_days(ill).sum(axis=(0, 1)).tolist() == [10, 0, 1]
    assert exposure.starts_inside(ill).tolist() == [True, False, True]


# Spells and risks of persons


def test_share_that_reaches_the_maximum_is_of_spells_past_16_days(world: World) -> None:
    rows = [(0, f"202{year}-02-01", 20) for year in range(1, 5)] + [(1, "2021-02-01", 365), (2, "2021-02-01", 16)]
    found = spell_counts.measure(spell_counts.tally(small(world, spells(*rows)), 4))
    assert near(found["spells.share_at_maximum"], 20)
    assert near(found["spells.share_up_to_16_days"], 100 / 6)
    assert near(found["spells.mean_days"], (80 + 365 + 16) / 6)
    assert near(found["spells.days_in_spells_over_56_days"], 100 * 365 / 461)
    assert near(found["spells.days_in_spells_over_16_days"], 100 * 445 / 461)


def test_spells_per_year_leave_out_those_before_the_data(world: World) -> None:
    here = small(world, spells((0, "2020-12-31", 9), (0, "2021-06-01", 9), (2, "2021-06-01", 9), (3, "2022-06-01", 9)))
    found = spell_counts.measure(spell_counts.tally(here, 4))
    assert near(found["spells.women_to_men"], 2)
    years = 2 * DAYS / 365.25
    assert near(found["spells.per_year"], (0.533 * 1 + 0.467 * 2) / years)


def test_self_certification_beyond_the_quota_is_a_breach(world: World) -> None:
    has_ia = np.zeros_like(world.workplaces.has_ia_agreement)
    own = spells((0, "2021-06-01", 3), (1, "2021-06-01", 4))
    here = small(world, spells((2, "2021-06-01", 9)), workplaces=replace(world.workplaces, has_ia_agreement=has_ia),
                 self_certified=own)  # fmt: skip
    assert spell_counts.tally(here, 4)["rule_breaches"].tolist() == [0, 0, 1, 0]
    with_ia = replace(here, workplaces=replace(world.workplaces, has_ia_agreement=~has_ia))
    assert spell_counts.tally(with_ia, 4)["rule_breaches"].sum() == 0


def test_more_than_a_years_sick_pay_is_a_breach(world: World) -> None:
    for days, breaches in ((365, 0), (366, 1)):
        here = small(world, spells((2, "2021-06-01", days)))
        assert spell_counts.tally(here, 4)["rule_breaches"].tolist() == [breaches, 0, 0, 0]


def test_own_spells_are_counted_over_twelve_months_of_one_person() -> None:
    own = spells((0, "2021-06-01", 3), (0, "2022-05-31", 2), (0, "2022-06-01", 1), (1, "2022-06-02", 8))
    counted, days = spell_counts.in_twelve_months(own.take(np.array([2, 0, 3, 1])))
    # 31 May 2022 is the last of the 365 days that begin on 1 June 2021.
    assert counted.tolist() == [2, 1, 1, 2]
    assert days.tolist() == [3, 3, 8, 5]


def test_a_fifth_own_spell_or_a_25th_day_of_ia_is_a_breach(world: World) -> None:
    everywhere = np.ones_like(world.workplaces.has_ia_agreement)
    five = spells(*((0, f"2021-0{month}-01", 3) for month in range(1, 6)))
    four = spells(*((0, f"2021-0{month}-01", 8) for month in range(1, 5)))
    for own, has_ia, breaches in ((five, False, 1), (five, True, 0), (four, True, 1)):
        workplaces_of = replace(world.workplaces, has_ia_agreement=everywhere & has_ia)
        here = small(world, spells((2, "2021-06-01", 9)), workplaces=workplaces_of, self_certified=own)
        assert spell_counts.tally(here, 4)["rule_breaches"].tolist() == [0, 0, 0, breaches]


def test_certified_days_are_grouped_by_how_much_of_the_quarter_the_spell_takes(world: World) -> None:
    # First quarter of 2021: ten days of a spell that began in June, all 90 at half grade, and spells of 31 and 32 days.
    certified = spells((0, "2020-06-01", 224), (1, "2020-12-01", 200), (2, "2021-01-01", 32), (2, "2021-03-01", 31))
    here = small(world, certified, grade=[100, 50, 100, 100])
    assert spell_counts.tally(here, 4)["first_quarters"][:, 0].tolist() == [10 + 31, 32, 45]


def test_chance_to_return_is_of_those_still_absent() -> None:
    count = np.zeros(401)
    count[[3, 10, 300]] = [50, 25, 25]
    found = spell_counts._of_lengths(count)
    # 50 of 3 x 100 + 4 x 50 days at risk in the first week, 25 of 3 x 50 + 4 x 25 in the second.
    assert near(found["spells.exit_hazard_first_to_second_week"], (50 / 500) / (25 / 250))


def test_a_years_risk_is_of_a_spell_longer_than_the_limit_that_begins_in_it(world: World) -> None:
    certified = spells((0, "2021-12-30", 17), (0, "2022-05-01", 16), (1, "2023-01-01", 91), (1, "2023-08-01", 91))
    found = risks.measure(risks.tally(small(world, certified), 4))
    assert near(found["annual_risk.over_16_days.men"], 100 * 2 / 10)
    assert near(found["annual_risk.over_90_days.men"], 100 * 1 / 10)
    assert found["annual_risk.over_16_days.women"].value == 0
    assert near(found["five_year_risk.over_56_days.men"], 50)


def test_frequent_absence_is_six_spells_in_three_years_among_those_with_any(world: World) -> None:
    six = [(0, f"202{3 + turn // 2}-0{1 + 5 * (turn % 2)}-01", 10) for turn in range(6)]
    five = [(1, f"202{3 + turn // 2}-0{1 + 5 * (turn % 2)}-01", 12) for turn in range(5)] + [(1, "2022-12-31", 300)]
    found = risks.measure(risks.tally(small(world, spells(*six, *five)), 4))
    assert near(found["frequent.persons"], 50)
    assert near(found["frequent.spells"], 100 * 6 / 11)
    assert near(found["frequent.days"], 100 * 60 / 120)


def test_who_was_often_absent_and_then_not_at_all(world: World) -> None:
    before = [(who, f"202{turn // 2}-0{1 + 5 * (turn % 2)}-01", 10) for turn in range(6) for who in (0, 1)]
    found = risks.measure(risks.tally(small(world, spells(*before, (1, "2024-01-01", 3))), 4))
    assert near(found["frequent.none_in_next_period"], 50)


@pytest.mark.parametrize(("reason", "expected"), [("job_change", 100), ("retired", 50)])
def test_who_left_for_another_job_is_not_counted_as_seldom_absent(world: World, reason: str, expected: float) -> None:
    jobs = everyone_works({})
    jobs.end_day[:, 1] = day_number("2025-06-01")
    jobs.ended_by[:, 1] = ENDS.index(reason)
    often = [(0, f"202{3 + turn // 2}-0{1 + 5 * (turn % 2)}-01", 10) for turn in range(6)]
    here = small(world, spells(*often, (1, "2024-01-01", 3)), employments=jobs)
    assert near(risks.measure(risks.tally(here, 4))["frequent.persons"], expected)


def test_the_last_day_of_a_window_must_be_worked_to_be_employed_throughout() -> None:
    jobs = everyone_works({})
    jobs.end_day[:, :2] = LAST, LAST - 1
    jobs.start_day[:, 2] = FIRST + 1
    assert employed_throughout(jobs, FIRST, LAST + 1)[:4].tolist() == [True, False, False, True]
    assert lost_before(jobs, LAST + 1)[:4].tolist() == [False, True, False, False]


def test_windows_of_years() -> None:
    assert years_before(day_number("2024-02-29"), 3) == day_number("2021-03-01")
    assert new_years(day_number("2021-02-01"), day_number("2024-01-01")) == [
        (day_number("2022-01-01"), day_number("2023-01-01")), (day_number("2023-01-01"), day_number("2024-01-01")),
    ]  # fmt: skip


# Diagnoses


def test_diagnoses_count_days_by_grade_and_spells_by_number(world: World) -> None:
    names = list(PARAMETERS.absence.chapters)
    certified = spells((0, "2022-01-10", 10), (1, "2022-08-01", 20), (2, "2022-08-01", 20))
    certified.chapter[:] = [names.index("R"), names.index("P"), names.index("R")]
    found = diagnoses.measure(diagnoses.tally(small(world, certified, grade=[100, 50, 100]), 4), PARAMETERS)
    assert near(found["diagnosis.spells.P"], 100 / 3)
    assert near(found["diagnosis.days.P"], 100 * 10 / 40)
    assert near(found["season.airways_winter_to_summer"], 1 / 0.5)
    assert near(found["grading.all"], 100 / 3)
    assert near(found["grading.grade_50"], 100)
    assert found["grading.over_90_days"].value != found["grading.over_90_days"].value, "no spell of that length"


def test_a_group_of_diagnoses_has_its_codes_share_of_the_chapter(world: World, measured: dict[str, Measured]) -> None:
    codes = PARAMETERS.absence.chapters["L"]["codes"]
    part = sum(code in ("L02", "L03", "L84", "L86") for code in codes) / len(codes)
    assert near(measured["diagnosis.spells.back"], measured["diagnosis.spells.L"].value * part)
