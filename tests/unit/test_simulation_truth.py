"""True risks against the simulator restarted many times, and the attainable against expectations known in closed form."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from data_contracts.instruments import INSTRUMENTS
from features.catalogue import FEATURE_NAMES
from models.risk_model import risk_of
from pipeline.settings import IngestSettings
from pipeline.simulation.absence import draw_course
from pipeline.simulation.blocks import BLOCK_SIZE, Block
from pipeline.simulation.cohort import simulate
from pipeline.simulation.latents import Latents, correlation_matrix, effects, quarterly_correlation
from pipeline.simulation.parameters import Parameters, read_parameters
from pipeline.simulation.spells import Spells
from pipeline.simulation.survey import form_of, scale_values
from pipeline.simulation.timeline import DAYS_PER_YEAR, Timeline
from pipeline.simulation.truth import attainable as attainable_module
from pipeline.simulation.truth.absence import GAP, HORIZON, AbsenceRisk
from pipeline.simulation.truth.attainable import attainable
from pipeline.simulation.truth.burnout import BurnoutRisk
from pipeline.simulation.truth.episodes import EpisodeEvents
from pipeline.simulation.truth.known_risks import KnownRisks
from pipeline.simulation.truth.soft_regression import cross_entropy, expected_auroc, fit, fit_linear, probabilities
from pipeline.simulation.truth.visible import Period, visible, visible_histories
from pipeline.simulation.world import World, build_world
from pipeline.simulation_check.discrimination import discrimination, first_persons
from pipeline.source_check import check_source

START, END = date(2021, 1, 1), date(2023, 7, 1)
REPEATS = 200


@pytest.fixture(scope="module")
def parameters() -> Parameters:
    return read_parameters()


@pytest.fixture(scope="module")
def world(parameters: Parameters) -> World:
    """A block without burn-in: at its first quarter everyone is free and has no earlier spell, so it can be restarted."""
    timeline = Timeline.between(START, date(2021, 4, 1), 0, 0)
    return build_world(Block(11, 0, timeline, parameters))


# The future drawn many times from the same state


def future_of(world: World, rng: np.random.Generator, kept: float) -> np.ndarray:
    """Own parts of the latents some time after the first quarter, of which ``kept`` is the correlation with today."""
    parameters = world.block.parameters
    within = np.sqrt(1 - effects(parameters, parameters.workplaces.variance_shared))
    root = np.linalg.cholesky(correlation_matrix(parameters)).T * within
    today = world.latents.own[0]
    return kept * today + np.sqrt(1 - kept**2) * rng.normal(size=today.shape) @ root


def restarted(world: World, rng: np.random.Generator) -> Spells:
    """The absence course once more, with another future of the latents, at an unchanged workplace."""
    rho, own = quarterly_correlation(world.block.parameters), [world.latents.own[0]]
    for _ in range(len(world.block.timeline) - 1):
        step = replace(world, latents=replace(world.latents, own=own[-1][None]))
        own.append(future_of(step, rng, rho))
    latents = Latents(np.array(own), *(np.broadcast_to(part[0], part.shape) for part in
                                      (world.latents.workplace, world.latents.expected)))  # fmt: skip
    return draw_course(world.block, rng, world.hazard, latents).spells


def has_event(spells: Spells, first_day: int, days: int, chapter: int | None) -> np.ndarray:
    """Who has a qualifying episode (or spell, if it must be of one chapter) within a year, counted plainly."""
    person, length = spells.person, spells.days
    first = spells.first_day
    if chapter is None:
        gap = first[1:] - spells.last_day[:-1] - 1
        starts = np.flatnonzero(np.append(True, (person[1:] != person[:-1]) | (gap >= GAP)))
        person, first, length = person[starts], first[starts], np.add.reduceat(length, starts)
        counts = length > days
    else:
        counts = (length > days) & (spells.chapter == chapter)
    event = np.zeros(BLOCK_SIZE, dtype=bool)
    event[person[counts & (first < first_day + HORIZON)]] = True
    return event


@pytest.fixture(scope="module")
def risks(world: World) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Per event of absence: the true risk, and the share of restarts with the event."""
    first_day, rng = int(world.block.timeline.quarters[0]), np.random.default_rng(3)
    chapters = list(world.block.parameters.absence.chapters)
    events = world.block.parameters.truth.events
    counts = {name: np.zeros(BLOCK_SIZE) for name in events}
    for _ in range(REPEATS):
        spells = restarted(world, rng)
        for name, event in events.items():
            chapter = chapters.index(event["chapter"]) if "chapter" in event else None
            counts[name] += has_event(spells, first_day, event["days"], chapter)
    found = AbsenceRisk(world.block, world.hazard).on(0, world.course, world.latents)
    return {name: (found[name].copy(), counts[name] / REPEATS) for name in events}


def observed_to_expected(risk: np.ndarray, observed: np.ndarray, group: np.ndarray) -> np.ndarray:
    return np.array([observed[group == one].sum() / risk[group == one].sum() for one in np.unique(group)])


def slope(risk: np.ndarray, observed: np.ndarray) -> float:
    """Slope of a logistic regression of the observed share on the log-odds of the risk."""
    log_odds, line = np.log(risk / (1 - risk)), np.array([0.0, 1.0])
    X = np.stack([np.ones_like(log_odds), log_odds], axis=1)
    for _ in range(10):
        expected = risk_of(X @ line)
        line += np.linalg.solve((X.T * (expected * (1 - expected))) @ X, X.T @ (observed - expected))
    return float(line[1])


def test_true_risks_of_a_long_sick_leave_are_those_of_the_restarted_simulator(risks: dict[str, Any]) -> None:
    """1 000 persons 200 times each: overall within 2 %, in every tenth of risk within 3 % and chance, slope 1."""
    risk, observed = risks["long_sick_leave"]
    assert observed.mean() / risk.mean() == pytest.approx(1, abs=0.02)
    tenth = np.digitize(risk, np.quantile(risk, np.linspace(0.1, 0.9, 9)))
    expected = np.array([risk[tenth == one].sum() for one in range(10)])
    chance = 3 / np.sqrt(expected * REPEATS)
    assert (np.abs(observed_to_expected(risk, observed, tenth) - 1) < 0.03 + chance).all()
    assert slope(risk, observed) == pytest.approx(1, abs=0.03)


def test_true_risks_hold_for_both_sexes_every_age_and_the_highest_risks(world: World, risks: dict[str, Any]) -> None:
    risk, observed = risks["long_sick_leave"]
    decade = np.clip((2021 - world.persons.birth_year) // 10, 2, 6)
    for group in (world.persons.is_female, decade):
        assert observed_to_expected(risk, observed, group) == pytest.approx(1, abs=0.05)
    highest = risk > np.quantile(risk, 0.98)
    assert observed[highest].mean() / risk[highest].mean() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize(
    "name", ["long_sick_leave_56", "long_sick_leave_90", "long_sick_leave_mental", "long_sick_leave_musculoskeletal"]
)
def test_the_other_events_of_absence_are_right_within_a_few_percent(risks: dict[str, Any], name: str) -> None:
    """Long spells of other chapters keep people away, and raise the rate only afterwards: 5 % too high without that."""
    risk, observed = risks[name]
    assert observed.mean() / risk.mean() == pytest.approx(1, abs=0.035)
    assert slope(risk, observed) == pytest.approx(1, abs=0.04)


def test_days_off_are_those_of_the_lengths_by_chapter(world: World, parameters: Parameters) -> None:
    """Spells of other chapters, and short ones of the chapter, up to the middle of each quarter: right to half a day."""
    hazard, deviation = world.hazard, world.latents.deviation[0]
    events = EpisodeEvents(parameters, hazard, np.zeros(deviation.shape[-1]), np.eye(deviation.shape[-1]))
    found = events.days_off(0, deviation)[:, events.names.index("long_sick_leave_mental")]
    some = slice(100)
    log_mean, share = hazard.log_mean_days(deviation)[some, None], hazard.chapter(0, deviation)[some]
    length = np.arange(1, hazard.chapters.cap + 1)
    longer = hazard.chapters.longer(log_mean, length[:, None])
    by_day = -np.diff(longer, axis=1, prepend=1)
    by_day[:, length > 16, hazard.chapters.names.index("P")] = 0
    for step, passed in enumerate((45.5, 136.5, 227.5, 318.5)):
        expected = (np.einsum("pdc,d->pc", by_day, np.minimum(length, passed)) * share).sum(axis=1)
        assert found[step, some] == pytest.approx(expected, abs=0.5)


def test_a_longer_or_narrower_event_is_never_more_likely(risks: dict[str, Any]) -> None:
    risk = {name: found[0] for name, found in risks.items()}
    assert (risk["long_sick_leave_56"] <= risk["long_sick_leave"] + 1e-9).all()
    assert (risk["long_sick_leave_90"] <= risk["long_sick_leave_56"] + 1e-9).all()
    assert (risk["long_sick_leave_mental"] < risk["long_sick_leave"]).mean() > 0.99


def test_who_cannot_fall_ill_has_no_risk_and_the_likeliest_none_above_one(world: World) -> None:
    """A rate of nothing must not divide by zero, and one beyond reason must not overflow."""
    for factor, expected in ((0.0, 0.0), (1e4, 1.0)):
        hazard = replace(world.hazard, fixed=world.hazard.fixed * factor)
        risk = AbsenceRisk(world.block, hazard).on(0, world.course, world.latents)["long_sick_leave"]
        assert risk == pytest.approx(expected, abs=0.02)


def test_without_a_right_to_sick_pay_all_year_there_is_no_risk(world: World) -> None:
    course = replace(world.course, free_from=world.course.free_from + 400)
    assert AbsenceRisk(world.block, world.hazard).on(0, course, world.latents)["long_sick_leave"].max() < 1e-6


def test_the_chance_of_a_long_spell_is_the_normal_distribution_s(world: World, parameters: Parameters) -> None:
    hazard, deviation = world.hazard, world.latents.deviation[0]
    events = EpisodeEvents(parameters, hazard, np.zeros(deviation.shape[-1]), np.eye(deviation.shape[-1]))
    for name, days in (("long_sick_leave", 16), ("long_sick_leave_90", 90)):
        found = events.chance(0, deviation)[events.names.index(name)]
        assert found == pytest.approx(hazard.longer(0, deviation, days), abs=2e-4)


def test_true_burnout_risks_are_those_of_the_questionnaire_answered_many_times(world: World) -> None:
    parameters, rng = world.block.parameters, np.random.default_rng(5)
    kept = quarterly_correlation(parameters) ** (parameters.truth.burnout_gap / DAYS_PER_YEAR * 4)
    form = form_of(INSTRUMENTS["cbi"], world.models, parameters)
    items, repeats = [one.item.id for one in form.items], 200
    honest, observed = np.zeros(BLOCK_SIZE), np.zeros(BLOCK_SIZE)
    for _ in range(repeats):
        level = future_of(world, rng, kept) + world.latents.workplace[0] + world.latents.expected[0]
        values = scale_values(rng, world.models, world.stable, level, honest)
        answers = form.answer(rng, values, parameters.survey.straight_lining)
        high = np.zeros(BLOCK_SIZE, dtype=bool)
        for scale in INSTRUMENTS["cbi"].scales[:2]:
            columns = [100 - answers[:, items.index(item)] if item in scale.reversed_items else
                       answers[:, items.index(item)] for item in scale.items]  # fmt: skip
            high |= np.mean(columns, axis=0) >= 50
        observed += high / repeats
    risk = BurnoutRisk(world.block, world.models).on(0, world.latents, world.stable)
    fifth = np.digitize(risk, np.quantile(risk, [0.2, 0.4, 0.6, 0.8]))
    assert observed.mean() == pytest.approx(risk.mean(), rel=0.02)
    for one in range(5):
        assert observed[fifth == one].mean() == pytest.approx(risk[fifth == one].mean(), rel=0.03, abs=0.005)


# The attainable: toys whose answer is known


@lru_cache
def toy(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Two visible numbers (one with gaps) and one hidden: p = Phi(x + x z + u), so E[p | x] = Phi((x + x z) / sqrt(1.5))."""
    rng = np.random.default_rng(1)
    x, z, hidden = rng.normal(size=n), rng.random(n) < 0.5, rng.normal(scale=np.sqrt(0.5), size=n)
    seen = x + x * z - 0.5
    X = np.stack([x, z, np.where(rng.random(n) < 0.3, np.nan, rng.normal(size=n))], axis=1).astype(np.float32)
    return X, norm.cdf(seen + hidden), norm.cdf(seen / np.sqrt(1.5)), np.arange(n)


def test_the_regression_of_true_risks_is_their_expectation_given_what_is_seen() -> None:
    X, p, expected, person = toy(20_000)
    found = probabilities(fit(X, p, person), X)
    assert np.abs(found - expected).mean() < 0.012
    linear = risk_of(fit_linear(X, p).decision_function(X))
    assert np.abs(found - expected).mean() < np.abs(linear - expected).mean() / 3  # the interaction is in the trees


def test_nobody_ranks_better_than_the_expectation_and_more_rows_come_closer() -> None:
    X, p, expected, person = toy(20_000)
    few = person < 2_000
    best = expected_auroc(expected, p)
    scores = [expected_auroc(fit(X[rows], p[rows], person[rows]).log_odds(X), p) for rows in (few, person >= 0)]
    assert scores[0] < scores[1] < best + 0.001
    assert best < expected_auroc(p, p)
    assert best - scores[1] < 0.003


def test_cross_entropy_is_least_at_the_probability_itself() -> None:
    p = np.array([0.2, 0.7])
    log_odds = np.log(p / (1 - p))
    assert cross_entropy(log_odds, p) < min(cross_entropy(log_odds + 0.3, p), cross_entropy(log_odds * 0.8, p))


# Through the real pipeline


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("cohort")
    simulate(directory, 1000, 7, START, END)
    return directory


@pytest.fixture(scope="module")
def report(directory: Path) -> dict[str, Any]:
    return attainable(directory, 1000)


def test_every_eligible_pair_has_an_attainable_risk_and_nobody_else(directory: Path, report: dict[str, Any]) -> None:
    with (directory / "truth" / "attainable.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == report["rows"]
    histories = visible_histories(directory)
    for outcome in ("long_sick_leave", "burnout"):
        found = {(row["person_id"], row["index_date"]) for row in rows if row[outcome]}
        wanted = {
            (histories.person_ids[person], str(np.datetime64(one.t, "D")))
            for one in visible(histories, Period.of(directory).index_dates(0, last=date(2023, 6, 30)))
            for person in one.person[one.eligible[outcome]]
        }
        assert found == wanted
        assert all(0 < float(row[outcome]) < 1 for row in rows if row[outcome])


def test_every_attainable_risk_has_a_true_one_beside_it(directory: Path, report: dict[str, Any]) -> None:
    """The truth is known on the same days, so that both can be joined to the same test rows."""
    truth = KnownRisks.read(directory / "truth" / "truth.csv")
    best = KnownRisks.read(directory / "truth" / "attainable.csv")
    assert len(best.key) > 4000
    person, day = np.divmod(best.key, 1 << 20)
    assert (truth.rows(best.person_ids, person, day) >= 0).mean() > 0.995


def test_people_on_parental_leave_are_marked_as_they_count_as_at_work(directory: Path) -> None:
    """Nothing a model reads tells of the leave, so their rows stay; whoever leaves them out needs the mark."""
    truth = KnownRisks.read(directory / "truth" / "truth.csv")
    on_leave = truth.columns["on_parental_leave"]
    assert 0.002 < on_leave.mean() < 0.05
    assert truth.columns["at_work"][on_leave].mean() > 0.8
    risk = truth.columns["long_sick_leave"]
    assert risk[on_leave].mean() < risk[~on_leave].mean()
    person = truth.key[on_leave] >> 20
    with (directory / "truth" / "persons.csv").open(encoding="utf-8") as file:
        told = {row["person_id"]: int(row["quarters_on_parental_leave"]) for row in csv.DictReader(file)}
    persons, count = np.unique(truth.person_ids[person], return_counts=True)
    assert all(told[person] >= number for person, number in zip(persons.tolist(), count.tolist(), strict=True))


def test_attainable_lies_between_chance_and_truth_and_says_what_half_the_persons_gave(report: dict[str, Any]) -> None:
    for outcome in ("long_sick_leave", "burnout"):
        found = report["outcomes"][outcome]
        assert 0.5 < found["whole"]["auroc"] < found["auroc_of_truth"]
        assert found["half"]["rows"] < found["whole"]["rows"]
        gained = found["whole"]["auroc"] - found["half"]["auroc"]
        assert found["auroc_gained_by_second_half"] == pytest.approx(gained)


def test_the_reference_cohort_is_of_another_seed_and_the_same_scenarios(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same persons in both would be known by heart: too good to be attained."""
    asked: dict[str, Any] = {}

    def stop(_directory: Path, persons: int, seed: int, start: date, end: date, **others: Any) -> None:
        asked.update(persons=persons, seed=seed, start=start, end=end, **others)
        raise InterruptedError

    monkeypatch.setattr(attainable_module, "simulate", stop)
    with pytest.raises(InterruptedError):
        attainable(directory, 300, workers=2)
    assert asked == {
        "persons": 300, "seed": 7 + attainable_module.SEED_OFFSET, "start": START, "end": END, "scenarios": (),
        "workers": 2,
    }  # fmt: skip


def test_what_a_model_sees_is_the_same_without_the_truth(directory: Path, tmp_path: Path) -> None:
    """The truth as a feature would make every model perfect."""
    simulate(tmp_path, 1000, 7, START, END)
    for path in (tmp_path / "truth").iterdir():
        path.write_text("nonsense", encoding="utf-8")
    dates = Period.of(directory).index_dates(12, every=12)
    for with_truth, without in zip(
        *(visible(visible_histories(one), dates) for one in (directory, tmp_path)), strict=True
    ):
        np.testing.assert_array_equal(with_truth.X, without.X)
    truth = KnownRisks.read(directory / "truth" / "truth.csv")
    assert not set(truth.columns) & set(FEATURE_NAMES)


def test_only_the_first_persons_are_left_and_all_their_rows(directory: Path) -> None:
    tables = check_source(str(directory), None, IngestSettings(received_on=END)).tables
    few = first_persons(tables, 100)
    for name in ("persons", "absence_spells", "survey_answers"):
        codes = few[name]["person_id"]
        kept = {codes.vocabulary[code] for code in np.unique(codes.codes)}
        assert kept <= {f"SYNTHETIC-P{number:07d}" for number in range(100)}
    assert len(few["persons"]["birth_year"]) == 100
    assert len(few["workplace_events"]["kind"].codes) == len(tables["workplace_events"]["kind"].codes)


def test_the_ladder_of_discrimination_stands_on_the_truth(tmp_path: Path) -> None:
    simulate(tmp_path, 3000, 7, START, date(2024, 7, 1))
    found = discrimination(tmp_path)
    names = {
        "truth_on_test",
        "survey_and_history",
        "history",
        "survey",
        "mental_only",
        "survey_and_history_all_persons",
    }
    assert set(found) == {f"auroc.{name}" for name in names}
    assert found["auroc.truth_on_test"] > max(
        found["auroc.survey"], found["auroc.history"], found["auroc.survey_and_history"]
    )
    assert all(0.5 < value < 0.95 for value in found.values())


def test_too_few_persons_or_years_have_no_auroc_instead_of_a_wrong_one(directory: Path, tmp_path: Path) -> None:
    """Two and a half years leave no test period after the embargo; a hundred persons have a handful of events."""
    simulate(tmp_path, 100, 7, START, date(2025, 7, 1))
    assert discrimination(directory) == {}
    assert discrimination(tmp_path) == {}
