"""Workplaces, persons and absence of the simulator: published rates, and what drives a spell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from data_contracts.time_windows import NO_DAY, day_number
from pipeline.simulation.blocks import BLOCK_SIZE
from pipeline.simulation.diagnoses import Chapters
from pipeline.simulation.employments import ENDS, ended_by_health
from pipeline.simulation.parameters import read_parameters
from pipeline.simulation.truth.groups import truth_companies, truth_persons
from pipeline.simulation.world import World
from tests.lib.block_worlds import block_of, spells_of, world_of


@pytest.fixture(scope="module")
def worlds() -> list[World]:
    return [world_of(number=number) for number in range(12)]


@pytest.fixture(scope="module")
def world(worlds: list[World]) -> World:
    return worlds[0]


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
