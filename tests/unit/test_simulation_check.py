"""The simulator's acceptance check: definitions on worlds that can be counted by hand, verdicts, page and figures."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data_contracts.tables import Coded
from data_contracts.time_windows import day_number
from pipeline.simulation.blocks import BLOCK_SIZE, Block
from pipeline.simulation.employments import ENDS, Employments
from pipeline.simulation.parameters import read_parameters
from pipeline.simulation.responses import Responses
from pipeline.simulation.spells import Spells
from pipeline.simulation.timeline import Timeline
from pipeline.simulation.world import World, build_world
from pipeline.simulation_check import Tallies, statistics, tally_block
from pipeline.simulation_check import absence_tallies as absence
from pipeline.simulation_check import battery_tallies as battery
from pipeline.simulation_check import diagnosis_tallies as diagnoses
from pipeline.simulation_check import effect_tallies as effects
from pipeline.simulation_check import lab_tallies as labs
from pipeline.simulation_check import response_tallies as response
from pipeline.simulation_check import risk_tallies as risks
from pipeline.simulation_check import spell_tallies as spell_counts
from pipeline.simulation_check import survey_tallies as survey
from pipeline.simulation_check import truth_tallies as truth
from pipeline.simulation_check import workplace_tallies as workplaces
from pipeline.simulation_check.clusters import icc, icc_sums
from pipeline.simulation_check.exposure import Exposure, employed_throughout, lost_before, new_years, years_before
from pipeline.simulation_check.figures import draw_figure
from pipeline.simulation_check.judge import Verdict, judge, summary
from pipeline.simulation_check.measured import Measured, percent, quotient, ratio, ratio_sums, share
from pipeline.simulation_check.moments import (
    at_age,
    complete_sums,
    correlation,
    cronbach_alpha,
    deviation_at_age_spread,
    mean,
    pair_sums,
    within_groups_correlation,
)
from pipeline.simulation_check.page import render
from pipeline.simulation_check.page_texts import SECTIONS
from pipeline.simulation_check.regression import least_squares, logistic, poisson
from pipeline.simulation_check.run import FITTED, copy_to_documentation, fitted, run_check
from pipeline.simulation_check.sheets import Sheets
from pipeline.simulation_check.tallies import BLOCKS_WITH_SHEETS
from pipeline.simulation_check.targets import Kind, Target, read_targets, targets_of

PARAMETERS = read_parameters()
START, END = date(2021, 1, 1), date(2026, 1, 1)
DIVISIONS = tuple(row["division"] for row in PARAMETERS.industries)
FIRST, LAST = day_number(START), day_number(END) - 1
DAYS = LAST + 1 - FIRST
FACTS: dict[str, Any] = {
    "persons": 1200, "seed": 7, "start": "2021-01-01", "end": "2026-01-01", "scenarios": (), "parameters_sha256": "0" * 64,
}  # fmt: skip


def world_of(number: int, start: date = START, end: date = END) -> World:
    timeline = Timeline.between(start, end, PARAMETERS.cohort.history, PARAMETERS.cohort.burn_in)
    return build_world(Block(7, number, timeline, PARAMETERS))


@pytest.fixture(scope="module")
def world() -> World:
    return world_of(0)


@pytest.fixture(scope="module")
def tallies(world: World) -> Tallies:
    return tally_block(world, 1000).merge(tally_block(world_of(1), 200))


@pytest.fixture(scope="module")
def measured(tallies: Tallies) -> dict[str, Measured]:
    return statistics(tallies) | fitted({}, 1200)


def spells(*rows: tuple[int, str, int]) -> Spells:
    """Spells from (person, first day, days), in order."""
    person, first_day, days = zip(*sorted((who, day_number(day), days) for who, day, days in rows), strict=True)
    return Spells(np.array(person), np.array(first_day), np.array(days), np.zeros(len(rows), dtype=int))


def everyone_works(position: dict[int, int]) -> Employments:
    """One employment for all, in the first company from 2010 on; ``position``: who works less than full time."""
    shape = (3, BLOCK_SIZE)
    percent_of = np.full(shape, 100)
    for person, value in position.items():
        percent_of[:, person] = value
    return Employments(
        exists=np.arange(3)[:, None] + np.zeros(shape) == 0, company=np.zeros(shape, dtype=int),
        unit=np.zeros(shape, dtype=int), start_day=np.full(shape, day_number("2010-01-01")),
        end_day=np.full(shape, day_number("2040-01-01")), occupation=np.zeros(shape, dtype=int), position_percent=percent_of,
        is_shift_work=np.zeros(shape, dtype=bool), is_leader=np.zeros(shape, dtype=bool),
        ended_by=np.zeros(shape, dtype=int),
    )  # fmt: skip


def small(world: World, certified: Spells, grade: list[int] | None = None, **others: Any) -> World:
    """Return a world whose persons 0 and 1 are men and 2 and 3 women, all employed all the time."""
    is_female = np.isin(np.arange(BLOCK_SIZE), [2, 3])
    persons = replace(world.persons, is_female=is_female, observed_from=np.full(BLOCK_SIZE, FIRST),
                      birth_year=np.full(BLOCK_SIZE, 1980))  # fmt: skip
    nothing = Spells(*(np.array([], dtype=int) for _ in range(4)))
    grades = np.full(len(certified.days), 100) if grade is None else np.array(grade)
    changed: dict[str, Any] = {"persons": persons, "employments": everyone_works({}), "certified": certified,
                               "grade": grades, "self_certified": nothing} | others  # fmt: skip
    return replace(world, **changed)


def near(measurement: Measured, value: float) -> bool:
    return measurement.value == pytest.approx(value)


# Sums


def test_a_ratio_of_totals_is_not_the_mean_of_ratios_and_its_error_is_between_persons() -> None:
    found = ratio(ratio_sums(np.array([1.0, 0.0]), np.array([1.0, 3.0])))
    # Residuals 1 - 1/4 and 0 - 3/4 around 1/4; root of the sum of squares over the total of 4.
    assert near(found, 0.25)
    assert found.standard_error == pytest.approx(np.sqrt(2 * 0.75**2) / 4)
    assert math.isnan(ratio(ratio_sums(np.zeros(2), np.zeros(2))).value)


def test_a_share_of_nobody_among_few_is_not_certain() -> None:
    assert share(0, 4).standard_error == 25
    assert math.isnan(share(0, 0).value)


def test_a_quotient_carries_both_errors() -> None:
    found = quotient(Measured(6, 0.6), Measured(3, 0.3))
    assert near(found, 2)
    assert found.standard_error == pytest.approx(2 * np.hypot(0.1, 0.1))


# Means, correlations, alpha, clusters


def test_cronbachs_alpha_by_hand_on_complete_answers_only() -> None:
    # Item variances 1 and 1, totals 3, 3, 6 with variance 3: alpha = 2 / 1 * (1 - 2 / 3).
    items = np.array([[1.0, 2.0], [2.0, 1.0], [3.0, 3.0], [5.0, np.nan]])
    assert near(cronbach_alpha(complete_sums(items)), 2 / 3)


def test_correlations_use_the_rows_that_have_both_values() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(50, 2)) @ np.array([[1.0, 0.5], [0.0, 1.0]])
    values[:10, 0], values[10:15, 1] = np.nan, np.nan
    both = values[15:]
    assert near(correlation(pair_sums(values), 0, 1), np.corrcoef(both.T)[0, 1])
    assert near(mean(pair_sums(values), 1), np.nanmean(values[:, 1]))


def test_a_difference_between_men_and_women_is_no_correlation_within_sex() -> None:
    rng = np.random.default_rng(2)
    groups = [rng.normal(size=(400, 2)) + offset for offset in (0, 100)]
    sums = np.stack([pair_sums(group) for group in groups])
    together = np.concatenate([group - group.mean(axis=0) for group in groups])
    assert near(within_groups_correlation(sums, 0, 1), np.corrcoef(together.T)[0, 1])


def test_a_straight_line_in_age_gives_the_value_at_the_published_age() -> None:
    age = np.array([40.0, 45.0, 50.0, 60.0])
    sums = pair_sums(np.stack([age, 100 + 0.5 * age], axis=1))
    assert near(at_age(sums, 0, 1, 57), 128.5)
    assert near(deviation_at_age_spread(sums, 0, 1, 10), 5)


def test_icc_by_hand_with_clusters_of_unequal_size() -> None:
    # Means 2, 7, 5 around 5: between 30 on 2, within 10 on 3 degrees of freedom; size (6 - 14 / 6) / 2.
    values, cluster = np.array([1.0, 3, 5, 7, 9, 5, np.nan]), np.array([4, 4, 8, 8, 8, 9, 9])
    assert near(icc(icc_sums(values, cluster)), (15 - 10 / 3) / (15 + (11 / 6 - 1) * 10 / 3))


def test_icc_within_industries_by_hand() -> None:
    # Means 2 and 6 around 4 in both industries: between 32 on 4 - 2, within 8 on 4 degrees of freedom; size 2.
    values = np.array([1.0, 3, 5, 7, 101, 103, 105, 107])
    company = np.repeat(np.arange(4), 2)
    assert near(icc(icc_sums(values, company, company // 2)), (16 - 2) / (16 + 2))


def test_what_differs_between_industries_is_not_shared_by_colleagues() -> None:
    rng = np.random.default_rng(3)
    company = np.repeat(np.arange(100), 20)
    industry = company // 50
    values = rng.normal(size=2000) + 10 * industry
    assert icc(icc_sums(values, company)).value > 0.9
    assert abs(icc(icc_sums(values, company, industry)).value) < 0.03


def test_the_icc_of_several_blocks_is_that_of_all_their_companies() -> None:
    rng = np.random.default_rng(4)
    company = np.repeat(np.arange(400), 10)
    values = rng.normal(size=4000) + np.sqrt(0.25) * rng.normal(size=400)[company]
    blocks = sum(icc_sums(values[part], company[part]) for part in np.split(np.arange(4000), 4))
    found = icc(np.asarray(blocks))
    assert abs(found.value - 0.2) < 2 * found.standard_error


# Regressions


def test_logistic_and_poisson_regression_find_the_coefficients_of_exact_cells() -> None:
    x = np.linspace(-2, 2, 9)
    design, size = np.stack([np.ones(9), x], axis=1), np.full(9, 1e6)
    chance, rate = 1 / (1 + np.exp(1 - 0.5 * x)), np.exp(0.3 + 0.2 * x)
    assert logistic(design, size * chance, size)[0] == pytest.approx([-1, 0.5])
    assert poisson(design, size * rate, size)[0] == pytest.approx([0.3, 0.2])


def test_a_group_without_any_event_leaves_the_other_coefficients_alone() -> None:
    design = np.array([[1.0, 0, 0], [1, 1, 0], [1, 0, 1]])
    found, covariance = poisson(design, np.array([200.0, 400, 0]), np.full(3, 100.0))
    assert found[:2] == pytest.approx([np.log(2), np.log(2)])
    assert np.isfinite(covariance).all()


def test_least_squares_from_products_and_nothing_where_a_group_is_missing() -> None:
    x = np.stack([np.ones(6), np.arange(6.0), np.array([1.0, 4, 2, 8, 5, 7])], axis=1)
    assert [one.value for one in least_squares(x.T @ x)] == pytest.approx(np.polyfit(x[:, 1], x[:, 2], 1)[::-1])
    x[:, 1] = 0
    assert math.isnan(least_squares(x.T @ x)[1].value)


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


# Truth


def test_certified_stretches_less_than_16_days_apart_are_one_episode() -> None:
    ill = spells((0, "2022-01-01", 10), (0, "2022-01-26", 7), (0, "2022-02-18", 5), (1, "2022-02-20", 3))
    person, first_day, days = truth.episodes(ill)
    # Gaps of 15 and 16 days: the first two are joined, the third is an episode of its own.
    assert person.tolist() == [0, 0, 1]
    assert days.tolist() == [17, 5, 3]
    assert first_day[0] == day_number("2022-01-01")


def test_auroc_of_bins_counts_ties_half() -> None:
    assert truth.binned_auroc(np.array([0.0, 5]), np.array([7.0, 0])).value == 1
    assert truth.binned_auroc(np.array([2.0, 2]), np.array([2.0, 2])).value == 0.5
    assert truth.binned_auroc(np.array([1.0, 1]), np.array([1.0, 0])).value == 0.75


def test_true_risks_that_are_too_extreme_have_a_slope_below_one() -> None:
    risk = np.linspace(0.05, 0.5, 20)
    logit = np.log(risk / (1 - risk))
    chance = 1 / (1 + np.exp(-0.5 * logit))
    rows = np.full(20, 1e5)
    found = truth.measure({"by_risk": np.stack([rows, rows * chance, rows * risk])})
    assert near(found["calibration.slope"], 0.5)
    assert near(found["calibration.observed_to_expected"], chance.sum() / risk.sum())


def test_the_truth_comes_true_in_the_simulator(measured: dict[str, Measured]) -> None:
    for name in ("calibration.slope", "calibration.observed_to_expected"):
        assert abs(measured[name].value - 1) < 4 * measured[name].standard_error


# Questionnaires


def test_answers_are_those_of_the_survey_with_items_missing(world: World) -> None:
    sheets = Sheets.of(world, 1000)
    assert len(sheets.person) == len(world.responses.person)
    asked = sheets.items("cbi", "cbi_personal")
    assert 0.005 < np.isnan(asked).mean() < 0.05
    assert np.isnan(sheets.answers["shc"][:, 8:]).all(), "only the musculoskeletal part is asked"
    work = sheets.answers["cbi"][:, 6:13]
    assert not np.array_equal(sheets.items("cbi", "cbi_work"), work, equal_nan=True), "the reversed item is turned"


def test_counting_leaves_the_survey_as_it_is_written(world: World) -> None:
    before = world.streams["survey"].bit_generator.state
    tally_block(world, 50)
    assert world.streams["survey"].bit_generator.state == before


def test_straight_lining_is_one_code_on_every_item_answered() -> None:
    answers = np.array([[50.0, 50, 50], [50, np.nan, 50], [50, 25, 50], [50, np.nan, np.nan]])
    assert survey.straight_lining(answers, fewest=2).tolist() == [2, 3]


def test_stability_pairs_answers_of_one_person_a_year_apart() -> None:
    sheets = Sheets(np.array([0, 0, 0, 1, 1]), np.array([0, 360, 500, 0, 370]), {})
    assert survey._pairs(sheets, np.arange(5.0)).tolist() == [[0, 1], [3, 4]]


def test_the_year_after_a_day_begins_on_the_next_day() -> None:
    ill = spells(
        (0, "2022-01-01", 1), (0, "2022-01-02", 3), (0, "2022-12-31", 10), (0, "2023-01-02", 10), (1, "2022-05-01", 5)
    )
    days, begun = effects.in_year_after(ill, np.array([0, 2]), np.full(2, day_number("2022-01-01")))
    # 365 days from 2 January 2022 on: 1 January 2023 is the last one.
    assert days.tolist() == [3 + 2, 0]
    assert begun.tolist() == [2, 0]


def test_burnout_effect_is_the_rate_ratio_per_published_sd() -> None:
    score, sex = np.meshgrid(np.arange(effects.SCORES), np.arange(2), indexing="ij")
    persons, total = np.zeros((2, *effects.SHAPE))
    persons[:, :, 0, 0] = 1e4
    total[:, :, 0, 0] = 1e4 * np.exp(1 + np.log(1.2) * score * effects.SCORE_STEP / effects.PUBLISHED_SD + 0.3 * sex)
    found = effects._rate_ratio(persons.ravel(), total.ravel(), total.ravel() * 20)
    assert near(found, 1.2)


def test_outer_quarters_split_the_scores_at_their_border() -> None:
    persons, total = np.zeros((2, *effects.SHAPE))
    persons[0, 0, 0, 0], persons[1, 0, 0, 0], persons[2, 0, 0, 0] = 2, 4, 2
    total[0, 0, 0, 0], total[1, 0, 0, 0], total[2, 0, 0, 0] = 4, 16, 20
    found = effects._outer_quarters(persons.ravel(), total.ravel(), total.ravel() ** 2)
    assert near(found, 10 / 2)


def test_the_battery_is_of_those_who_answered_as_published_samples_are(world: World) -> None:
    answered = world.responses.person[world.responses.wave == 0]
    sums = battery.tally(world, 500)
    assert sums["cases"][:, 1].tolist() == [(answered < 500).sum()] * len(battery.CASES)
    nobody = replace(
        world,
        responses=world.responses.__class__(
            *(np.zeros(0, dtype=int) for _ in range(3)), np.zeros((5, BLOCK_SIZE), dtype=bool)
        ),
    )
    assert all(math.isnan(one.value) for one in battery.measure(battery.tally(nobody, 500)).values())


# Laboratory


def test_results_in_another_unit_are_the_same_result() -> None:
    place = np.array([0, 1, 2], dtype=np.int32)
    rows = {
        "code_system": Coded(place, ("NPU", "LOINC", "NPU")), "code": Coded(place, ("NPU01566", "2093-3", "NPU01566")),
        "unit": Coded(place, ("mmol/L", "mg/dL", "mmol/L")), "value": np.array([5.0, 5.0 * 38.67, 6.0]),
    }  # fmt: skip
    assert labs._canonical_values(rows) == pytest.approx([5.0, 5.0, 6.0], rel=1e-3)


# Response


def test_who_has_left_has_not_answered_and_a_late_joiner_is_not_counted(world: World) -> None:
    invited = np.zeros((5, BLOCK_SIZE), dtype=bool)
    invited[:, 0] = True
    invited[0, 1] = True
    invited[3:, 2] = True
    answered = [(0, 0), (0, 1), (0, 2), (1, 0), (2, 3)]
    person, wave = (np.array(column) for column in zip(*answered, strict=True))
    days = np.full(len(person), FIRST + 100) + 365 * wave
    here = small(world, spells((0, "2022-01-10", 10)), responses=Responses(person, days, wave, invited))
    sums = response.tally(here, 4)
    assert sums["waves"].tolist() == [2, 1, 1, 2]
    assert sums["stopped"].tolist() == [1, 3], "person 1 works on and is not asked again"


def test_others_absence_is_compared_at_the_same_sex_and_age() -> None:
    cells = np.zeros((3, 2, 2 * response.AGE_GROUPS))
    # Who answered: 2 days in one group and 10 in another; who did not: twice as much, and mostly in the second group.
    cells[0, 1, :2], cells[0, 0, :2] = 100, (10, 90)
    cells[1, 1, :2], cells[1, 0, :2] = (200, 1000), (40, 1800)
    cells[2] = cells[1] ** 2
    assert near(response._absence_ratio(cells.reshape(3, -1)), 2)


# Workplaces


def test_new_leaders_are_counted_once_per_unit_within_three_years(world: World) -> None:
    events = world.workplaces.events
    kinds = np.zeros(4, dtype=int)
    when = np.array([day_number(day) for day in ("2021-05-01", "2022-05-01", "2024-05-01", "2022-01-01")])
    some = replace(events, kind=kinds, company=kinds, unit=np.array([0, 0, 1, 2]), value=kinds * np.nan,
                   occurred_on=when, known_from=when)  # fmt: skip
    here = replace(world, workplaces=replace(world.workplaces, events=some))
    assert workplaces._new_leaders(here).tolist() == [2, len(world.workplaces.unit_ids)]


# Tallies


def test_merged_tallies_are_the_sums_of_both(world: World, tallies: Tallies) -> None:
    one, other = tally_block(world, 1000), tally_block(world_of(1), 200)
    for theme, sums in tallies.sums.items():
        for name, total in sums.items():
            np.testing.assert_allclose(total, one.sums[theme][name] + other.sums[theme][name])
            assert total.shape == one.sums[theme][name].shape, "as much memory for two blocks as for one"


def test_later_blocks_add_absence_but_no_questionnaires(tallies: Tallies) -> None:
    later = tally_block(world_of(BLOCKS_WITH_SHEETS), 100)
    assert "survey" not in later.sums
    for merged in (tallies.merge(later), later.merge(tallies)):
        assert merged.sums["survey"] is tallies.sums["survey"]
        assert merged.sums["spells"]["days"].sum() > tallies.sums["spells"]["days"].sum()


def test_tallies_of_different_scenarios_are_not_added(tallies: Tallies) -> None:
    with pytest.raises(AssertionError, match="pandemic"):
        tallies.merge(replace(tallies, scenarios=("pandemic",)))


def test_a_short_run_has_too_little_to_tell_but_breaks_nothing() -> None:
    found = statistics(tally_block(world_of(0, date(2023, 2, 1), date(2024, 7, 1)), 40)) | fitted({}, 40)
    verdicts = {one.target.id: one.verdict for one in judge(found)}
    assert verdicts["frequent.persons"] is Verdict.TOO_FEW
    assert verdicts["five_year_risk.over_56_days.men"] is Verdict.TOO_FEW


# Targets and verdicts


def target(**tolerance: float) -> Target:
    row = {
        "id": "one",
        "section": "spells",
        "kind": "published",
        "what": "w",
        "unit": "u",
        "published": 10,
        "source": "s",
    }
    (found,) = targets_of([row | tolerance])
    return found


@pytest.mark.parametrize(
    ("tolerance", "value", "verdict"),
    [
        ({"abs": 0.3}, 10.3, Verdict.PASSED), ({"abs": 0.3}, 9.7, Verdict.PASSED), ({"abs": 0.3}, 10.301, Verdict.MISSED),
        ({"rel": 0.1}, 11, Verdict.PASSED), ({"rel": 0.1}, 8.99, Verdict.MISSED), ({"low": 9, "high": 14}, 14, Verdict.PASSED),
        ({"low": 9, "high": 14}, 14.01, Verdict.MISSED), ({"low": 9}, 1000, Verdict.PASSED), ({"low": 9}, 8.9, Verdict.MISSED),
        ({"abs": 0.3}, math.nan, Verdict.TOO_FEW),
    ],
)  # fmt: skip
def test_the_bound_itself_still_passes(tolerance: dict[str, float], value: float, verdict: Verdict) -> None:
    (one,) = judge({"one": Measured(value, 0.01)}, (target(**tolerance),))
    assert one.verdict is verdict


def test_an_error_larger_than_the_tolerance_is_neither_pass_nor_miss() -> None:
    for value in (10, 20):
        (one,) = judge({"one": Measured(value, 0.31)}, (target(abs=0.3),))
        assert one.verdict is Verdict.TOO_FEW
        assert summary([one]) == {
            "targets": 1,
            "passed": 0,
            "missed": 0,
            "too_few": 1,
            "share_passed": None,
            "by_kind": {
                "published": {"targets": 1, "passed": 0},
                "calculated": {"targets": 0, "passed": 0},
                "goal": {"targets": 0, "passed": 0},
            },
            "misses": [],
        }


def test_a_target_without_a_number_and_a_number_without_a_target_are_refused() -> None:
    with pytest.raises(ValueError, match=r"one \(not measured\), other \(no target\)"):
        judge({"other": Measured(1, 0)}, (target(abs=1),))


@pytest.mark.parametrize("tolerance", [{}, {"abs": 1, "rel": 1}, {"high": 1}, {"abs": 1, "low": 1}])
def test_a_target_needs_one_kind_of_tolerance(tolerance: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="one needs one of"):
        target(**tolerance)


def test_a_target_listed_twice_is_refused() -> None:
    row = {
        "id": "one",
        "section": "s",
        "kind": "goal",
        "what": "w",
        "unit": "u",
        "published": 1,
        "abs": 1,
        "source": "s",
    }
    with pytest.raises(ValueError, match="more than once: one"):
        targets_of([dict(row), dict(row)])


def test_published_numbers_lie_within_their_own_tolerance() -> None:
    for one in read_targets():
        assert one.low <= one.published <= one.high, one.id
        assert one.section in SECTIONS, one.id


def test_a_number_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="hoped"):
        targets_of(
            [
                {
                    "id": "one",
                    "section": "s",
                    "kind": "hoped",
                    "what": "w",
                    "unit": "u",
                    "published": 1,
                    "abs": 1,
                    "source": "s",
                }
            ]
        )


def test_only_what_has_a_publication_is_called_published() -> None:
    for one in read_targets():
        assert ("[calc]" in one.source) == (one.kind is Kind.CALCULATED), one.id
        if one.kind is Kind.PUBLISHED:
            assert "programme's notes" not in one.source, one.id
            assert "no figure" not in one.source, one.id
    kind_of = {one.id: one.kind for one in read_targets()}
    assert {kind_of[one] for one in ("auroc.truth", *FITTED, "calibration.slope", "spells.rule_breaches")} == {
        Kind.GOAL
    }


def test_a_share_has_two_points_and_only_single_complaints_and_halves_five() -> None:
    shares = [one for one in read_targets() if one.unit.startswith("% of") and one.tolerance.startswith("±")
              and not one.tolerance.endswith("%") and one.unit != "% of agreed days"]  # fmt: skip
    wider = {one.id for one in shares if one.tolerance != "± 2"}
    assert wider == {"grading.grade_50", "grading.grade_20_to_49", *(f"cases.{name}" for name in survey.COMPLAINTS)}
    assert {one.tolerance for one in shares if one.id in wider} == {"± 5"}


def test_self_certified_absence_is_of_the_same_quarter_as_certified() -> None:
    published = {one.id: one.published for one in read_targets()}
    for sex in ("women", "men"):
        parts = [published[f"{kind}_percent.{sex}"] for kind in ("certified", "self_certified")]
        assert sum(parts) == pytest.approx(published[f"absence_percent.{sex}"], abs=0.011)


def test_reasons_are_sentences() -> None:
    for one in read_targets():
        if one.reason is not None:
            assert one.reason[0].isupper(), one.id
            assert one.reason.endswith("."), one.id


def test_models_judged_on_few_persons_cannot_be_told() -> None:
    values = dict.fromkeys(FITTED, 0.73) | {"auroc.of_something_else": 0.5}
    assert set(fitted(values, 50_000)) == set(FITTED)
    assert fitted(values, 50_000)["auroc.survey"].standard_error < 0.011
    assert fitted(values, 2_000)["auroc.survey"].standard_error > 0.02


# Page, figures, files


def test_the_page_lists_every_target_once_with_a_word_for_its_verdict(measured: dict[str, Measured]) -> None:
    judged = judge(measured)
    page = render(
        judged, FACTS | {"parameters_version": 2}, {"spells": "spell_lengths.png"}, {"auroc.attainable": 0.7654}
    )
    rows = [line for line in page.splitlines() if line.endswith(" |") and line.count(" | ") == 8 and "---" not in line]
    bodies = [line for line in rows if not line.startswith("| target |")]
    assert len(bodies) == len(judged)
    for one in judged:
        assert sum(line.startswith(f"| {one.target.what} |") and one.target.source in line for line in bodies) >= 1
    words = ("✓ passed", "✗ **missed**", "? too few to tell")
    assert sum(line.count(word) for line in bodies for word in words) == len(judged)
    assert f"version 2, sha256 `{'0' * 64}`" in page
    assert "balance-risk simulate --persons 1200 --seed 7 --check" in page
    assert "![Spells, SYNTHETIC](spell_lengths.png)" in page
    assert "AUROC of the best risk that a model could give, in the same rows as far as it is known: 0.7654" in page
    assert "whether or not they answered" not in page, "what has not been computed is not shown"
    goals = [one for one in judged if one.target.kind is Kind.GOAL]
    passed = sum(one.verdict is Verdict.PASSED for one in goals)
    assert f"{passed} of {len(goals)} set as goals of the design" in page


def test_every_target_says_something_different() -> None:
    rows = [(one.what, one.section, one.unit, one.source) for one in read_targets()]
    assert len(set(rows)) == len(rows)


@pytest.fixture(scope="module")
def written(tallies: Tallies, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("run")
    (directory / "summary.json").write_text(
        json.dumps(
            run_check(
                tallies, {"auroc.survey": 0.73, "auroc.truth_on_test": 0.79, "auroc.other": 0.5}, FACTS, directory
            )
        )
    )
    return directory


def test_a_run_writes_report_page_and_figures(written: Path) -> None:
    found = json.loads((written / "summary.json").read_text())
    report = json.loads((written / "check/report.json").read_text(encoding="utf-8"))
    assert report["summary"] == found
    assert len(report["targets"]) == found["targets"] == found["passed"] + found["missed"] + found["too_few"]
    assert report["information"] == {"auroc.truth_on_test": 0.79}
    missed = [one["id"] for one in report["targets"] if one["verdict"] == "missed"]
    assert [miss["id"] for miss in found["misses"]] == missed
    assert len(list((written / "check").glob("*.png"))) == 8


def test_equal_runs_give_equal_pictures(tallies: Tallies, written: Path, tmp_path: Path) -> None:
    judged = judge(statistics(tallies) | fitted({"auroc.survey": 0.73}, 1200))
    for section in ("season", "truth"):
        name = draw_figure(section, judged, tallies, tmp_path)
        assert (tmp_path / name).read_bytes() == (written / "check" / name).read_bytes()


def test_documentation_shows_the_copied_figures(written: Path, tmp_path: Path) -> None:
    copy_to_documentation(written / "check", tmp_path)
    page = (tmp_path / "simulation_check.md").read_text(encoding="utf-8")
    images = [part.split(")")[0] for part in page.split("](")[1:]]
    assert len(images) == 8
    assert all((tmp_path / image).is_file() for image in images)
