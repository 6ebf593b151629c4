"""What the simulator's check counts of true risks, questionnaires, results, response and workplaces, by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from data_contracts.tables import Coded
from data_contracts.time_windows import day_number
from pipeline.simulation.blocks import BLOCK_SIZE
from pipeline.simulation.responses import Responses
from pipeline.simulation.world import World
from pipeline.simulation_check import battery_tallies as battery
from pipeline.simulation_check import effect_tallies as effects
from pipeline.simulation_check import lab_tallies as labs
from pipeline.simulation_check import response_tallies as response
from pipeline.simulation_check import survey_tallies as survey
from pipeline.simulation_check import tally_block
from pipeline.simulation_check import truth_tallies as truth
from pipeline.simulation_check import workplace_tallies as workplaces
from pipeline.simulation_check.measured import Measured
from pipeline.simulation_check.sheets import Sheets
from tests.lib.checked_worlds import FIRST, near, small, spells

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
