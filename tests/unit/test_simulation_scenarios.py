"""Each scenario of the simulator changes what it says, as much as it says, and nothing else."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from data_contracts.time_windows import NO_DAY, day_number
from pipeline.simulation import rows
from pipeline.simulation.blocks import BLOCK_SIZE
from pipeline.simulation.consents import Consents
from pipeline.simulation.employments import ENDS
from pipeline.simulation.labs import draw_lab_traits
from pipeline.simulation.parameters import read_parameters, read_scenario
from pipeline.simulation.payroll import as_booked
from pipeline.simulation.spells import Spells
from pipeline.simulation.timeline import DAYS_PER_YEAR
from pipeline.simulation.trial import NEVER, Trial
from pipeline.simulation.truth.groups import truth_companies
from pipeline.simulation.world import World, build_world
from tests.lib.block_worlds import block_of, spells_of, world_of

SCENARIOS = ("labs_matter", "labs_do_not_matter", "different_company", "pandemic", "leakage", "workplace_intervention",
             "pilot")  # fmt: skip


@pytest.fixture(scope="module")
def world() -> World:
    return world_of()


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_says_what_it_means_and_what_to_expect_of_it(name: str) -> None:
    told = read_scenario(name)
    assert told["meaning"].endswith(".")
    assert len(told["expect"]) > 40
    read_parameters((name,))


def test_labs_do_not_matter_is_the_base(world: World) -> None:
    other = world_of("labs_do_not_matter")
    assert (other.hazard.fixed == world.hazard.fixed).all()
    assert (other.certified.first_day == world.certified.first_day).all()


def test_where_labs_matter_the_rate_follows_the_persons_values_and_nothing_else(world: World) -> None:
    other = world_of("labs_matter")
    effects = other.block.parameters.labs.absence_effects
    traits = draw_lab_traits(world.block, world.persons, world.latents)
    expected = np.exp(sum(effect * traits[name] - effect**2 / 2 for name, effect in effects.items()))
    works = world.hazard.fixed[20] > 0
    assert other.hazard.fixed[20][works] / world.hazard.fixed[20][works] == pytest.approx(expected[works])
    assert expected.mean() == pytest.approx(1, abs=0.1)


def test_a_fifth_of_companies_is_different_in_level_and_reasons_and_the_others_are_as_ever(world: World) -> None:
    other = world_of("different_company")
    is_different = other.workplaces.is_different
    assert 0.1 < is_different.mean() < 0.3
    here = other.hazard.is_different[20]
    zero = np.zeros_like(world.latents.deviation[0])
    ratio = other.hazard.rate(20, zero)[here] / np.maximum(world.hazard.rate(20, zero)[here], 1e-12)
    spread = np.exp((world.hazard.own_variance(20) - other.hazard.own_variance(20)) / 2)[here]
    assert ratio[ratio > 0] == pytest.approx((1.5 * spread)[ratio > 0])
    assert other.hazard.fixed[:, ~other.hazard.is_different.any(axis=0)] == pytest.approx(
        world.hazard.fixed[:, ~other.hazard.is_different.any(axis=0)]
    )
    names = world.block.parameters.latents.names
    supported = zero.copy()
    supported[:, names.index("support")] = 1
    change = np.log(
        np.maximum(other.hazard.rate(20, supported), 1e-12) / np.maximum(other.hazard.rate(20, zero), 1e-12)
    )
    at_risk = world.hazard.fixed[20] > 0
    assert change[here & at_risk] == pytest.approx(-0.35)
    assert change[~here & at_risk] == pytest.approx(-0.06)


def test_in_a_pandemic_airways_rise_within_the_dates_and_mental_diagnoses_with_the_years(world: World) -> None:
    other, timeline = world_of("pandemic"), world.block.timeline
    names = world.hazard.chapters.names
    ratio = other.hazard.factor / world.hazard.factor
    years = (timeline.middles - timeline.start) / DAYS_PER_YEAR
    for quarter in range(len(timeline)):
        middle = str(timeline.middles[quarter].astype("datetime64[D]"))
        wave = 4.0 if "2021-10-01" <= middle <= "2022-03-31" else 2.0 if "2022-04-01" <= middle <= "2023-03-31" else 1.0
        assert ratio[quarter, :, names.index("R")] == pytest.approx(wave)
        assert ratio[quarter, :, names.index("P")] == pytest.approx(np.exp(0.06 * years[quarter]))
        assert ratio[quarter, :, names.index("L")] == pytest.approx(1)
    wave = timeline.quarter_of(np.array([day_number("2022-01-15")]))[0]
    usual, now = (one.hazard.rate(wave, one.latents.deviation[wave]) for one in (world, other))
    assert now.sum() > 1.2 * usual.sum()


def test_payroll_enters_what_runs_over_its_close_from_that_day_on_and_else_only_short_spells() -> None:
    """By hand: 30 days before 1 April 2021 and 10 after; 5 and 10; 12 that end then; one over two closes; 30 between closes."""
    block = block_of("leakage")
    certified = spells_of((0, "2021-03-02", 40), (1, "2021-03-27", 15), (2, "2021-03-20", 12), (4, "2021-06-30", 100),
                          (5, "2021-04-10", 30))  # fmt: skip
    booked = as_booked(block, certified, np.array([50, 100, 60, 80, 100]), spells_of((3, "2021-02-01", 2)))
    assert _told(booked.certified) == [
        (0, "2021-04-01", 10), (1, "2021-04-01", 10), (2, "2021-03-20", 12), (4, "2021-07-01", 76), (4, "2021-10-01", 7),
    ]  # fmt: skip
    assert booked.grade.tolist() == [50, 100, 60, 80, 80]
    assert booked.is_reentered.tolist() == [True, True, False, True, True]
    assert sorted(_told(booked.self_certified)) == [
        (0, "2021-03-16", 8), (0, "2021-03-24", 8), (1, "2021-03-27", 5), (3, "2021-02-01", 2), (4, "2021-06-30", 1),
        (4, "2021-09-15", 8), (4, "2021-09-23", 8),
    ]  # fmt: skip
    assert booked.is_rebooked.sum() == 6


def _told(spells: Spells) -> list[tuple[int, str, int]]:
    first = spells.first_day.astype("datetime64[D]").astype(str)
    return list(zip(spells.person.tolist(), first.tolist(), spells.days.tolist(), strict=True))


def test_payroll_leaves_the_washout_free_and_keeps_the_limit_of_self_certification(world: World) -> None:
    booked = as_booked(block_of("leakage"), world.certified, world.grade, world.self_certified)
    assert booked.self_certified.days.max() <= 8
    assert 0.5 < booked.certified.days.sum() / world.certified.days.sum() < 0.9
    closes = world.block.timeline.quarters[world.block.timeline.index_quarters]
    for day in closes:
        absent = world.certified.person[(world.certified.first_day < day) & (world.certified.last_day >= day)]
        in_washout = (booked.certified.first_day < day) & (booked.certified.last_day >= day - 16)
        assert len(absent) > 10
        # Only who had another spell that ended in the washout is left out.
        assert np.isin(absent, booked.certified.person[in_washout]).mean() < 0.15


def test_without_that_payroll_nothing_is_booked_otherwise(world: World) -> None:
    booked = as_booked(world.block, world.certified, world.grade, world.self_certified)
    assert booked.certified is world.certified
    assert booked.self_certified is world.self_certified


def test_booked_rows_are_known_neither_before_they_happen_nor_after_the_index_date(world: World) -> None:
    """The self-certified days must be readable on the morning of the quarter, or the trap would not be sprung."""
    block = block_of("leakage")
    given = np.ones_like(world.consents.given)
    open_to_all = Consents(given, np.zeros(BLOCK_SIZE, dtype=int), np.full(given.shape, NEVER), world.consents.purposes)
    runs = spells_of((0, "2021-03-02", 40), (1, "2021-06-20", 30))
    none = world.self_certified.take(np.array([], dtype=int))
    found = rows.absence_rows(block, np.random.default_rng(1), runs, np.array([100, 100]), none, open_to_all)
    own = found["kind"].codes == 1
    assert (found["known_from"][own] == found["last_day"][own]).all()
    assert sorted(found["last_day"][own].tolist()) == [
        day_number(day) for day in ("2021-03-23", "2021-03-31", "2021-06-22", "2021-06-30")
    ]
    entered_anew = ~own & np.isin(found["first_day"], [day_number("2021-04-01"), day_number("2021-07-01")])
    assert entered_anew.sum() >= 2
    assert (found["known_from"] >= found["first_day"])[entered_anew].all()


def trial_of(sessions: list[list[Any]]) -> Trial:
    days = np.array([[NEVER if day is None else day_number(day) for day in one] for one in sessions])
    started = np.where(days[:, 0] < NEVER, days[:, 0], NEVER)
    return Trial(np.array([2, 2, 1]), started, days, np.array([NEVER, NEVER, day_number("2022-03-01")]))


def test_the_effect_grows_with_the_sessions_held_and_not_elsewhere() -> None:
    """Sessions on 1 May, 28 October and 1 May; the second company misses the last; the third has usual service."""
    block = block_of("workplace_intervention")
    three = [["2021-05-01", "2021-10-28", "2022-05-01"], ["2021-05-01", "2021-10-28", None], [None] * 3]
    ratio = trial_of(three).rate_ratio(block)
    quarters = block.timeline.quarters[:-1]
    at = {day: int(np.flatnonzero(quarters == day_number(day))[0]) for day in ("2021-04-01", "2021-07-01", "2022-01-01",
                                                                               "2022-07-01", "2025-01-01")}  # fmt: skip
    assert ratio[at["2021-04-01"]].tolist() == [1, 1, 1]
    assert ratio[at["2021-07-01"]].tolist() == [0.94, 0.94, 1]
    assert ratio[at["2022-01-01"]].tolist() == [0.84, 0.84, 1]
    assert ratio[at["2022-07-01"]].tolist() == [0.75, 0.84, 1]
    assert ratio[at["2025-01-01"]].tolist() == [0.75, 0.84, 1]


@pytest.fixture(scope="module")
def trials() -> list[World]:
    return [world_of("workplace_intervention", number=number) for number in range(4)]


def test_arms_starts_and_drop_out_are_the_trials(trials: list[World]) -> None:
    companies = [truth_companies(world) for world in trials]
    arm = np.concatenate([one["arm"].codes for one in companies])
    started = np.concatenate([one["started_on"] for one in companies])
    completed = np.concatenate([one["completed"] for one in companies])
    withdrew = np.concatenate([one["withdrew_on"] != NO_DAY for one in companies])
    assert (arm > 0).all()
    assert (arm == 2).mean() == pytest.approx(45 / 97, abs=0.02)
    assert sorted(set(started - day_number("2021-01-01"))) == [120, 300, 480]
    in_trial = (arm == 2).sum()
    assert completed[arm == 2].mean() == pytest.approx(36 / 45, abs=3 * np.sqrt(0.16 / in_trial))
    assert not completed[arm == 1].any()
    assert withdrew[arm == 1].mean() == pytest.approx(7 / 52, abs=3 * np.sqrt(0.12 / (arm == 1).sum()))
    assert not withdrew[arm == 2].any()


def test_the_hazard_of_the_trial_is_the_base_times_the_true_effect(trials: list[World], world: World) -> None:
    other = trials[0]
    at = other.employments.latest_on(other.block.timeline.middles[:, None] + np.zeros(BLOCK_SIZE, dtype=int))
    company = np.take_along_axis(other.employments.company, at, axis=0)
    expected = other.workplaces.rate_ratio[np.arange(len(at))[:, None], company]
    # Who left for health has lost later employments, which the hazard still knows.
    stayed = ~(other.employments.ended_by == ENDS.index("health")).any(axis=0)
    assert other.hazard.fixed[:, stayed] == pytest.approx((world.hazard.fixed * expected)[:, stayed])
    assert set(np.round(np.unique(expected), 2)) == {0.75, 0.84, 0.94, 1.0}


def test_nothing_is_read_of_a_workplace_that_has_withdrawn(trials: list[World]) -> None:
    for world in trials:
        stops = world.workplaces.trial.withdrew_on[world.persons.company]
        has_stopped = stops < world.block.timeline.end
        assert (world.consents.withdrawn_on <= stops).all()
        for source in ("absence", "survey", "employment"):
            person = np.flatnonzero(has_stopped)
            assert not world.consents.readable(source, person, stops[person], world.block.timeline.end)[1].any()


def test_sessions_are_held_in_the_intervention_arm_only(trials: list[World], world: World) -> None:
    kind = 3
    events = trials[0].workplaces.events
    held_in = np.unique(events.company[events.kind == kind])
    assert trials[0].workplaces.trial.is_intervention[held_in].all()
    in_base = world.workplaces.events
    assert len(np.unique(in_base.company[in_base.kind == kind])) == len(world.workplaces.company_ids)


def test_the_pilot_is_four_firms_with_120_employees() -> None:
    told = read_scenario("pilot")["simulate"]
    world = build_world(block_of("pilot", start=told["start"], end=told["end"]))
    assert world.workplaces.participants[:4].tolist() == [30, 42, 21, 27]
    first = world.employments.exists[:, : told["persons"]]
    assert set(world.employments.company[:, : told["persons"]][first]) == {0, 1, 2, 3}
    assert (world.persons.hired_on[: told["persons"]] < day_number(told["start"])).all()
    assert world.certified.first_day.min() < day_number("2025-01-01")


def test_quarters_of_the_course_never_overlap(world: World) -> None:
    """A second spell that began before the first had ended would count days twice."""
    spells = world.course.spells
    for one, other in pairwise(range(2000)):
        if spells.person[one] == spells.person[other]:
            assert spells.first_day[other] > spells.last_day[one]


def test_nobody_gives_notice_of_death_or_lost_health_but_of_a_change_of_job(world: World) -> None:
    found, jobs = (
        rows.employment_rows(world.block, world.workplaces, world.employments, world.consents),
        world.employments,
    )
    ended = found["end_date"] != NO_DAY
    person, end_day, known_from = (found[name][ended] for name in ("person", "end_date", "known_from"))
    ends = zip(person, end_day, strict=True)
    cause = np.array([jobs.ended_by[(jobs.end_day[:, who] == day).argmax(), who] for who, day in ends])
    sudden = np.isin(cause, [ENDS.index("died"), ENDS.index("health")])
    assert sudden.sum() > 10
    assert (known_from >= end_day)[sudden].all()
    assert (known_from < end_day)[~sudden].mean() > 0.8
