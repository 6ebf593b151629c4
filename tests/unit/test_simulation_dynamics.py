"""Workplaces, persons and absence of the simulator: published rates, what drives a spell, and what each scenario does."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from data_contracts.time_windows import NO_DAY, day_number
from pipeline.simulation import rows
from pipeline.simulation.blocks import BLOCK_SIZE, Block
from pipeline.simulation.consents import Consents
from pipeline.simulation.diagnoses import Chapters
from pipeline.simulation.employments import ENDS, ended_by_health
from pipeline.simulation.labs import draw_lab_traits
from pipeline.simulation.parameters import read_parameters, read_scenario
from pipeline.simulation.payroll import as_booked
from pipeline.simulation.spells import Spells
from pipeline.simulation.timeline import DAYS_PER_YEAR, Timeline
from pipeline.simulation.trial import NEVER, Trial
from pipeline.simulation.truth.groups import truth_companies, truth_persons
from pipeline.simulation.world import World, build_world

START, END = date(2021, 1, 1), date(2026, 1, 1)
SCENARIOS = ("labs_matter", "labs_do_not_matter", "different_company", "pandemic", "leakage", "workplace_intervention",
             "pilot")  # fmt: skip


def block_of(*scenarios: str, number: int = 0, start: date = START, end: date = END) -> Block:
    parameters = read_parameters(scenarios)
    timeline = Timeline.between(start, end, parameters.cohort.history, parameters.cohort.burn_in)
    return Block(7, number, timeline, parameters)


def world_of(*scenarios: str, number: int = 0) -> World:
    return build_world(block_of(*scenarios, number=number))


@pytest.fixture(scope="module")
def worlds() -> list[World]:
    return [world_of(number=number) for number in range(12)]


@pytest.fixture(scope="module")
def world(worlds: list[World]) -> World:
    return worlds[0]


def spells_of(*told: tuple[int, str, int]) -> Spells:
    person, first_day, days = zip(*told, strict=True)
    first = np.array([day_number(day) for day in first_day])
    return Spells(np.array(person), first, np.array(days), np.zeros(len(told), dtype=int))


def observed(world: World) -> np.ndarray:
    """Spells that begin within the data while the person works: positions."""
    spells, persons = world.certified, world.persons
    first, end = persons.observed_from[spells.person], world.block.timeline.end
    return np.flatnonzero((spells.first_day >= first) & (spells.first_day < end))


# Published rates


def test_certified_days_lie_between_the_published_years_for_both_sexes(worlds: list[World]) -> None:
    """NAV Q2 2017 and SSB Q4 2023; two standard errors of the mean over persons, and 5 %, to either side."""
    for is_female, low, high in ((False, 3.8, 4.3), (True, 6.8, 7.4)):
        share = np.concatenate([_absent_share(world, is_female) for world in worlds])
        error = 2 * share.std() / np.sqrt(len(share))
        assert low * 0.95 - error < share.mean() < high * 1.05 + error


def _absent_share(world: World, is_female: bool) -> np.ndarray:
    """Grade-weighted percent of each person's observed days, scaled so that the mean weighs persons by their days."""
    first = world.persons.observed_from
    end = np.minimum(world.employments.last_day + 1, world.block.timeline.end)
    spells = world.certified
    inside = np.minimum(spells.last_day + 1, end[spells.person]) - np.maximum(spells.first_day, first[spells.person])
    lost = np.bincount(spells.person, np.maximum(inside, 0) * world.grade / 100, minlength=BLOCK_SIZE)
    chosen = world.persons.is_female == is_female
    return 100 * lost[chosen] / np.maximum(end - first, 0)[chosen].mean()


def test_spells_are_as_long_as_navs(worlds: list[World]) -> None:
    days = np.concatenate([world.certified.days[observed(world)] for world in worlds])
    for limit, share in ((16, 0.625), (56, 0.82), (90, 0.873)):
        assert (days <= limit).mean() == pytest.approx(share, abs=0.02 + 2 * np.sqrt(share * (1 - share) / len(days)))
    assert 37 < days.mean() < 47 + 2 * days.std() / np.sqrt(len(days))


def test_rates_do_not_drift_after_the_start(worlds: list[World]) -> None:
    """Starting without recent spells would make every first year too healthy, and every model learn a trend."""
    prior = np.mean([world.course.prior.mean(axis=1) for world in worlds], axis=0)
    assert prior[4:12].mean() == pytest.approx(prior[16:24].mean(), rel=0.05)


def test_diagnoses_have_navs_share_of_spells_and_days(worlds: list[World]) -> None:
    chapters = worlds[0].block.parameters.absence.chapters
    chapter = np.concatenate([world.certified.chapter[observed(world)] for world in worlds])
    days = np.concatenate([world.certified.days[observed(world)] for world in worlds])
    for position, (name, told) in enumerate(chapters.items()):
        assert np.mean(chapter == position) == pytest.approx(told["spells"], abs=0.02), name
    of_days = {name: days[chapter == position].sum() / days.sum() for position, name in enumerate(chapters)}
    assert of_days["P"] == pytest.approx(0.25, abs=0.04)
    assert of_days["L"] == pytest.approx(0.38, abs=0.04)


# Lengths


def chapters_of(*scenarios: str) -> Chapters:
    return Chapters.of(read_parameters(scenarios))


def test_the_chance_of_a_longer_spell_is_the_share_of_longer_draws() -> None:
    """Truth uses the formula, the course the draws: they must be one distribution, with late exits and the cap."""
    chapters, log_mean = chapters_of(), np.full(200_000, 4.0)
    days = chapters.draw_days(np.random.default_rng(1), log_mean)
    for limit in (1, 16, 90, 270, 300, 364):
        expected = chapters.longer(log_mean[:1], limit)[0]
        assert (days > limit).mean() == pytest.approx(expected, abs=3 * np.sqrt(expected / len(days)))
    assert days.max() == 365
    assert chapters.longer(log_mean[:1], 365)[0] == 0


def test_more_return_in_the_last_quarter_of_the_sick_pay_year_than_in_the_one_before() -> None:
    chapters = chapters_of()
    longer = {day: chapters.longer(np.array([chapters.log_length.mean()]), day)[0] for day in (182, 273, 364)}
    assert np.log(longer[273] / longer[364]) > np.log(longer[182] / longer[273])


def test_nobody_has_a_new_right_to_sick_pay_right_after_a_year_of_it(world: World) -> None:
    spells = world.course.spells
    again = np.flatnonzero((spells.person[1:] == spells.person[:-1]) & (spells.days[:-1] == 365))
    assert len(again) > 5
    assert (spells.first_day[again + 1] - spells.last_day[again] > 182).all()


# What drives a spell


def shares(world: World, **latent: float) -> dict[str, np.ndarray]:
    """Chapters of everybody's next spell in the fifth year when all have these latents and none others."""
    names = world.block.parameters.latents.names
    deviation = np.zeros((BLOCK_SIZE, len(names)))
    for name, value in latent.items():
        deviation[:, names.index(name)] = value
    return dict(zip(world.hazard.chapters.names, world.hazard.chapter(20, deviation).T, strict=True))


def test_distress_makes_mental_and_pain_musculoskeletal_diagnoses(world: World) -> None:
    usual = shares(world)
    assert (shares(world, distress=1)["P"] > usual["P"]).all()
    assert (shares(world, exhaustion=1)["P"] > usual["P"]).all()
    assert (shares(world, pain=1)["L"] > usual["L"]).all()


def test_diagnoses_follow_sex_age_and_physical_load(world: World) -> None:
    persons, usual = world.persons, shares(world)
    age = persons.age(world.block.timeline.years[20])
    works = persons.company == world.employments.company[0]
    load = np.array([row["load"] for row in world.block.parameters.industries])[world.workplaces.industry]
    heavy = load[persons.company] > 0.3
    assert usual["P"][persons.is_female].mean() > usual["P"][~persons.is_female].mean()
    assert usual["P"][(age >= 30) & (age < 40)].mean() > usual["P"][age >= 50].mean()
    assert usual["L"][age >= 50].mean() > usual["L"][age < 30].mean()
    assert usual["L"][heavy & works].mean() > usual["L"][~heavy & works].mean()


def test_men_have_no_spell_of_pregnancy_and_pregnant_women_many(world: World) -> None:
    pregnancy = world.hazard.chapters.names.index("W")
    assert not (world.course.spells.chapter[~world.persons.is_female[world.course.spells.person]] == pregnancy).any()
    pregnant = np.argwhere(world.parental.is_pregnant)
    assert len(pregnant) > 50
    zero = np.zeros_like(world.latents.deviation[0])
    quarter, person = pregnant[0]
    assert world.hazard.chapter(quarter, zero)[person, pregnancy] > 0.15
    assert (world.persons.is_female[pregnant[:, 1]]).all()


def test_nobody_falls_ill_on_parental_leave_and_the_employment_goes_on(world: World) -> None:
    spells, on_leave = world.course.spells, world.parental.on_leave
    quarter = world.block.timeline.quarter_of(spells.first_day)
    assert on_leave.any()
    assert not on_leave[quarter, spells.person].any()
    inside = on_leave[world.block.timeline.index_quarters].any(axis=0)
    assert np.mean(world.employments.last_day[inside] >= world.block.timeline.end) > 0.4


def test_leave_lasts_three_quarters_for_mothers_and_one_for_fathers(worlds: list[World]) -> None:
    for is_female, quarters in ((True, 3), (False, 1)):
        lengths = []
        for world in worlds[:3]:
            leave = world.parental.on_leave[:, world.persons.is_female == is_female].T.astype(int)
            edges = np.diff(np.pad(leave, ((0, 0), (1, 1))), axis=1)
            began, ended = np.argwhere(edges == 1), np.argwhere(edges == -1)
            whole = (began[:, 1] > 0) & (ended[:, 1] < leave.shape[1])
            lengths += list((ended - began)[whole, 1])
        assert set(lengths) == {quarters}


def test_a_recent_spell_raises_the_rate_and_is_forgotten_by_half_in_a_year(world: World) -> None:
    """Event dependence comes on top of frailty; either alone would not give the published clusters of spells."""
    hazard = world.hazard
    assert 0.15 <= hazard.prior_spell <= 0.30
    assert np.exp(-365 * hazard.decay_per_day) == pytest.approx(0.5)
    assert hazard.frailty.mean() == pytest.approx(1, abs=4 * hazard.frailty.std() / np.sqrt(BLOCK_SIZE))
    assert hazard.frailty[~world.persons.is_female].var() > hazard.frailty[world.persons.is_female].var() > 0.02


# Ends


def test_who_uses_up_sick_pay_may_leave_on_its_last_day_and_nothing_comes_after(world: World) -> None:
    """Everyone leaves here (share 1): work ends with the spell, and later employments never come about."""
    block = block_of()
    long = spells_of((0, "2022-01-01", 365), (1, "2022-01-01", 364))
    numbers = block.parameters.employments
    everyone = replace(world.employments, end_day=np.full_like(world.employments.end_day, day_number("2040-01-01")))
    kept = numbers.leaves_after_sick_pay
    try:
        numbers.leaves_after_sick_pay = 1.0
        persons = replace(world.persons, observed_from=np.full(BLOCK_SIZE, block.timeline.start))
        found = ended_by_health(block, persons, everyone, long)
    finally:
        numbers.leaves_after_sick_pay = kept
    assert found.last_day[:2].tolist() == [day_number("2022-12-31"), day_number("2040-01-01")]
    assert ENDS[found.ended_by[0, 0]] == "health"


def test_all_ends_occur_and_death_ends_every_spell(worlds: list[World]) -> None:
    ended = np.concatenate([_ends(world) for world in worlds])
    counts = dict(zip(ENDS, np.bincount(ended, minlength=len(ENDS)), strict=True))
    assert min(counts.values()) > 5
    assert counts["job_change"] > counts["left_work"] > counts["died"]
    for world in worlds:
        died = (world.employments.exists & (world.employments.ended_by == ENDS.index("died"))).any(axis=0)
        spells = world.certified
        assert (spells.last_day <= world.employments.last_day[spells.person])[died[spells.person]].all()


def _ends(world: World) -> np.ndarray:
    employments = world.employments
    inside = employments.exists & (employments.end_day < world.block.timeline.end)
    return employments.ended_by[inside]


# What no model may see


def test_truth_of_persons_and_companies_has_one_row_each(world: World) -> None:
    persons, companies = truth_persons(world), truth_companies(world)
    assert len(persons["person"]) == BLOCK_SIZE
    assert 0.1 < persons["immigrant_background"].mean() < 0.35
    still = persons["work_ended_by"].codes == 0
    assert ((persons["work_ended_on"] == NO_DAY) == still).all()
    assert len(companies["company_id"]) == len(world.workplaces.company_ids)
    assert not companies["is_different"].any()
    assert (companies["rate_ratio"] == 1).all()


# Scenarios


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
