"""Scenarios with a change from a known day on: nothing is other before it, and what is meant to change does, by as much."""

from __future__ import annotations

from datetime import date
from functools import cache

import numpy as np
import pytest

from data_contracts.time_windows import NO_DAY, day_number
from pipeline.simulation.battery import battery_scores
from pipeline.simulation.blocks import Block
from pipeline.simulation.certificates import draw_certificates
from pipeline.simulation.drift import certificate_delay, laboratory_factor, response_log_odds, scale_shift
from pipeline.simulation.labs import draw_lab_rows
from pipeline.simulation.parameters import read_parameters, read_scenario
from pipeline.simulation.survey import survey_rows
from pipeline.simulation.timeline import Timeline
from pipeline.simulation.world import World, build_world

TIMELINE = Timeline.between(date(2021, 1, 1), date(2026, 1, 1), 8, 4)
CHANGE = day_number("2023-07-01")
SCENARIOS = ("survey_mode_change", "laboratory_method_change", "response_collapse", "late_registers", "more_absence")


def block_of(*scenarios: str, number: int = 0) -> Block:
    return Block(11, number, TIMELINE, read_parameters(scenarios))


@cache
def worlds(*scenarios: str) -> tuple[World, ...]:
    return tuple(build_world(block_of(*scenarios, number=number)) for number in range(3))


def sheets(world: World) -> dict[str, dict[str, np.ndarray]]:
    """Answers by instrument; the world's streams are drawn from once only, so it is built anew."""
    fresh = build_world(world.block)
    drawn = (fresh.block, fresh.streams["survey"], fresh.responses, fresh.persons, fresh.latents)
    return {rows["instrument"].vocabulary[0]: rows for rows in survey_rows(*drawn, fresh.models, fresh.stable)}


def vitamin_d(world: World) -> dict[str, np.ndarray]:
    """The rows of vitamin D, in each laboratory's own unit."""
    drawn = (world.block, world.workplaces, world.persons, world.employments, world.consents, world.latents)
    place = list(world.block.parameters.labs.analytes).index("vitamin_d")
    return draw_lab_rows(*drawn)[place]


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_change_of_these_scenarios_has_the_same_day(name: str) -> None:
    told, parameters = read_scenario(name), read_parameters((name,))
    assert told["meaning"].endswith(".")
    assert len(told["expect"]) > 40
    changes = [*parameters.absence.shock, *(one for kind in vars(parameters.drift).values() for one in kind)]
    assert [str(one["first_day"]) for one in changes] == ["2023-07-01"]


def test_the_base_changes_nothing_on_any_day() -> None:
    block, days = block_of(), np.array([CHANGE - 1, CHANGE, NO_DAY - 1])
    assert not scale_shift(block, "cbi_personal", days).any()
    assert (laboratory_factor(block, "vitamin_d", np.array([0, 1, 2]), days) == 1).all()
    assert not response_log_odds(block, np.array([1.0, 2.0, 3.0]), days).any()
    assert certificate_delay(block, days, np.array([3, 0, -2])).tolist() == [3, 0, -2]


def test_a_change_begins_on_its_day_and_hits_what_it_names() -> None:
    days = np.array([CHANGE - 1, CHANGE, CHANGE + 900])
    form = block_of("survey_mode_change")
    assert scale_shift(form, "cbi_work", days).tolist() == [0, 0.3, 0.3]
    assert not scale_shift(form, "who5_wellbeing", days).any()
    method = block_of("laboratory_method_change")
    assert laboratory_factor(method, "vitamin_d", np.array([0, 0, 1]), days).tolist() == [1, 1.25, 1]
    assert (laboratory_factor(method, "ferritin", np.array([0, 0, 0]), days) == 1).all()
    response = response_log_odds(block_of("response_collapse"), np.array([2.0, 0.0, 1.0]), days)
    assert response == pytest.approx([0, -1.3, -2.0])


def test_the_other_form_raises_its_scales_by_nearly_a_third_of_an_sd_and_leaves_every_other_answer_alone() -> None:
    raised = []
    for base, other in zip(worlds(), worlds("survey_mode_change"), strict=True):
        before, after = sheets(base), sheets(other)
        assert (before["who5"]["answer"] == after["who5"]["answer"]).all()
        is_after = before["cbi"]["answered_on"] >= CHANGE
        assert (before["cbi"]["answer"] == after["cbi"]["answer"])[~is_after].all()
        raised.append((after["cbi"]["answer"] - before["cbi"]["answer"])[is_after])
        assert (base.certified.first_day == other.certified.first_day).all()
    spread = np.std(np.concatenate([battery_scores(one, ["cbi"], np.arange(1000))["cbi_personal"] for one in worlds()]))
    # 19 items, 6 of the scale on clients, which keeps its level; those have not been asked of everybody.
    assert 0.15 < np.mean(np.concatenate(raised)) / spread < 0.33


def test_only_the_large_laboratorys_vitamin_d_after_the_day_is_a_quarter_higher() -> None:
    for base, other in zip(worlds(), worlds("laboratory_method_change"), strict=True):
        before, after = vitamin_d(base), vitamin_d(other)
        changed = (before["laboratory"].codes == 0) & (before["sampled_on"] >= CHANGE)
        usual = changed & (before["comparator"].codes < 0)
        assert usual.sum() > 50
        # Values are written in whole nmol/L.
        assert after["value"][usual] == pytest.approx(1.25 * before["value"][usual], abs=1.2)
        assert (after["value"] == before["value"])[~changed].all()
        assert np.array_equal(after["reference_high"], before["reference_high"], equal_nan=True)


def test_half_as_many_answer_after_the_day_and_the_exhausted_least() -> None:
    answered: dict[str, list[float]] = {"base": [], "collapse": []}
    gap: dict[str, list[float]] = {"base": [], "collapse": []}
    for base, other in zip(worlds(), worlds("response_collapse"), strict=True):
        for name, world in (("base", base), ("collapse", other)):
            after = world.responses.answered_on >= CHANGE
            answered[name].append(after.sum())
            quarter = TIMELINE.quarter_of(world.responses.answered_on[after])
            exhaustion = world.latents.deviation[quarter, world.responses.person[after], 0]
            gap[name].append(exhaustion.mean())
        early = [set(zip(one.responses.person, one.responses.answered_on, strict=True)) for one in (base, other)]
        early = [{(person, day) for person, day in sheets if day < CHANGE} for sheets in early]
        assert early[0] == early[1]
    assert 0.35 < sum(answered["collapse"]) / sum(answered["base"]) < 0.65
    assert np.mean(gap["collapse"]) < np.mean(gap["base"]) - 0.2


def test_certificates_come_three_to_six_weeks_later_after_the_day_and_as_ever_before_it() -> None:
    base, (world, *_) = block_of(), worlds("late_registers")
    drawn = [
        draw_certificates(block, np.random.default_rng(1), world.certified, world.grade)
        for block in (base, world.block)
    ]
    first = np.r_[True, np.diff(drawn[0]["spell"]) > 0]
    begins = drawn[0]["first_day"]
    added = (drawn[1]["natural"] - drawn[0]["natural"])[first]
    is_after = begins[first] >= CHANGE
    assert not added[~is_after].any()
    assert 0.7 < (added[is_after] > 0).mean() < 0.9
    assert set(np.unique(added[is_after])) == {0, *range(21, 43)}


def test_spells_become_twice_as_frequent_after_the_day_and_answers_stay_the_same() -> None:
    (base, *_), (other, *_) = worlds(), worlds("more_absence")
    deviation = np.zeros_like(base.latents.deviation[0])
    for quarter, middle in enumerate(TIMELINE.middles):
        works = base.hazard.fixed[quarter] > 0
        ratio = other.hazard.rate(quarter, deviation)[works] / base.hazard.rate(quarter, deviation)[works]
        assert ratio == pytest.approx(2.0 if middle >= CHANGE else 1)
    assert (base.latents.level == other.latents.level).all()
    counts = [sum((w.certified.first_day >= CHANGE).sum() for w in some) for some in (worlds(), worlds("more_absence"))]
    assert counts[1] / counts[0] == pytest.approx(2.0, abs=0.15)
