"""Designs that compare companies: noise-free effects to the digit, standard errors against a jackknife done by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benchmarks.effects.coverage import WORLDS, coverage, in_the_third_period, one_trial
from benchmarks.effects.trials import World, trial
from data_contracts.errors import NotEnoughDataError
from models.effects.clustered import coefficients, fit
from models.effects.difference_in_differences import difference_in_differences, permuted_arms
from models.effects.event_study import draw_event_study, event_study
from models.effects.panel import stacked
from models.effects.pre_post import pre_post
from models.effects.stepped_wedge import stepped_wedge
from tests.lib.trial_panels import arms, panel


def base(number: int, period: int) -> float:
    return 5 + number + 0.3 * period


def test_a_known_effect_is_found_to_the_digit_whatever_levels_and_common_trend():
    found = difference_in_differences(panel(arms(4, 5, 4), 8, lambda n, t, start: base(n, t) - 1.3 * (t >= start)))
    assert found.effect == pytest.approx(-1.3)
    assert (found.n, found.n_with) == (9, 4)
    assert found.details["pre_trend"]["effect"] == pytest.approx(0, abs=1e-9)


def test_of_starts_that_differ_none_is_a_control_of_another():
    """An effect that grows by one a period: one regression over all says too little, and may turn the sign."""
    starts = arms(3, 3, 3) | {f"c{n}": 6.0 for n in range(3)}
    grows = panel(starts, 10, lambda n, t, start: base(n, t) + max(0, t - start + 1 if t >= start else 0))
    early, late = np.mean(np.arange(1, 8)), np.mean(np.arange(1, 5))
    found = difference_in_differences(grows)
    assert late < found.effect < early
    at_once = grows.assign(treated=(grows["period"] >= grows["start"]).astype(float))
    assert coefficients(fit(at_once, ["treated"]), ["treated"]).iloc[0]["effect"] < late
    assert any("2 different periods" in note for note in found.notes)
    effects = {one.relative: one.effect for one in event_study(grows)}
    assert [effects[relative] for relative in (-2, -1, 0, 3)] == pytest.approx([0, 0, 1, 4], abs=1e-9)


def test_standard_errors_are_those_of_leaving_each_company_out():
    frame = trial(World(companies=9, with_intervention=4, quarters=6, before=3), seed=5)
    found = difference_in_differences(frame)

    def slow(rows: pd.DataFrame) -> float:
        dummies = pd.get_dummies(rows[["company", "period"]].astype(str), dtype=float).to_numpy()
        X = np.column_stack([(rows["period"] >= rows["start"]).astype(float), dummies])
        root = np.sqrt(rows["weight"].to_numpy())
        return float(np.linalg.lstsq(X * root[:, None], rows["outcome"].to_numpy() * root, rcond=None)[0][0])

    usable = stacked(frame)
    without = np.array([slow(usable[usable["company"] != company]) for company in usable["company"].unique()])
    assert found.effect == pytest.approx(slow(usable))
    assert found.standard_error == pytest.approx(np.sqrt(((without - found.effect) ** 2).sum()), rel=1e-6)
    half = 2.306004135204166 * found.standard_error  # t(8), 97.5 %
    assert (found.low, found.high) == pytest.approx((found.effect - half, found.effect + half))


def test_arms_that_part_before_the_start_are_told():
    parting = panel(arms(4, 4, 5), 8, lambda n, t, start: base(n, t) + 0.5 * t * (start == 5) + 0.01 * ((n * t) % 3))
    found = difference_in_differences(parting)
    assert found.details["pre_trend"]["effect"] == pytest.approx(0.5, abs=0.01)
    assert any("already before the start" in note for note in found.notes)


def test_permuted_arms_by_hand():
    """Three rise by 1 and three do not: of the 20 ways to deal arms, this one and its mirror are the most extreme."""
    frame = stacked(panel(arms(3, 3, 1), 2, lambda n, t, start: n + (t >= start)))
    assert permuted_arms(frame, seed=1) == pytest.approx(2 / 20)


@pytest.mark.parametrize("companies", [arms(2, 9, 2), arms(9, 2, 2), arms(9, 9, 0)])
def test_too_few_companies_in_an_arm_is_said_and_not_estimated(companies):
    with pytest.raises(NotEnoughDataError, match="needs 3 of each"):
        difference_in_differences(panel(companies, 4, lambda n, t, start: n))


def test_before_and_after_is_no_effect_and_says_what_the_mean_would_do():
    """The others go up and down around 6 and are half as far from it afterwards; the ten with it began at 8."""
    others = {n: (-1) ** n * (n + 1) for n in range(12)}

    def cell(number: int, period: int, start: float) -> float:
        if start == 2:
            return 8 - (period >= 2) * (1.1 if number % 2 else 0.9)
        return 6 + others[number - 10] * (0.5 if period >= 2 else 1)

    found = pre_post(panel(arms(10, 12, 2), 4, cell))
    expected = found.details["regression_to_the_mean"]
    assert found.effect == pytest.approx(-1)
    assert expected["correlation"] == pytest.approx(1), "halved, but in perfect order"
    assert expected["expected_change"] == pytest.approx(0)
    assert expected["baseline"] == 8
    assert expected["mean_of_all_companies_before"] == pytest.approx(
        (10 * 8 + sum(6 + one for one in others.values())) / 22
    )
    assert "no effect" in found.notes[0]


def test_pre_post_without_others_says_that_regression_to_the_mean_cannot_be_told():
    found = pre_post(panel(arms(5, 2, 2), 4, lambda n, t, start: n + t * (1 + 0.1 * n)))
    assert found.details["regression_to_the_mean"] is None
    assert any("cannot be said" in note for note in found.notes)


def test_stepped_wedge_finds_a_known_effect_and_needs_steps():
    starts = {f"a{n}": 1.0 + n % 4 for n in range(12)}
    rng = np.random.default_rng(3)
    noise = rng.normal(scale=0.05, size=(12, 6))
    found = stepped_wedge(panel(starts, 6, lambda n, t, start: base(n, t) - 2 * (t >= start) + noise[n, t]))
    assert found.effect == pytest.approx(-2, abs=0.08)
    assert found.details["fixed_effects"]["effect"] == pytest.approx(-2, abs=0.08)
    assert found.low < -2 < found.high
    with pytest.raises(NotEnoughDataError, match="begin in different periods"):
        stepped_wedge(panel(arms(12, 0, 2), 6, lambda n, t, start: n))


def test_companies_that_do_not_differ_are_no_fault():
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(8, 6))
    noise -= noise.mean(axis=1, keepdims=True)
    starts = {f"a{n}": 1.0 + n % 4 for n in range(8)}
    found = stepped_wedge(panel(starts, 6, lambda n, t, start: noise[n, t]))
    assert np.isfinite([found.low, found.high]).all()


def test_the_picture_of_an_event_study_is_the_same_every_time(tmp_path):
    effects = event_study(panel(arms(3, 3, 2), 5, lambda n, t, start: base(n, t) - (t >= start) + 0.1 * (n * t % 3)))
    for name in ("one.png", "two.png"):
        draw_event_study(effects, "absence_percent", tmp_path / name, synthetic=True)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    assert (tmp_path / "one.png").stat().st_size > 10_000


def test_the_standard_error_is_as_large_as_estimates_spread():
    """60 trials of 12 workplaces, so the spread itself is known to 9 %; the long run is benchmarks/effects/coverage.py."""
    world = WORLDS["did, 12 workplaces"][1]
    fits = [fit(stacked(trial(world, seed)), ["treated"]) for seed in range(60)]
    found = pd.concat([coefficients(one, ["treated"]) for one in fits])
    mean, spread = found["effect"].mean(), found["effect"].std()
    assert 0.85 < np.sqrt((found["standard_error"] ** 2).mean()) / spread < 1.2
    assert abs(mean - world.effect) < 3 * spread / np.sqrt(len(found))


def test_before_and_after_takes_the_trend_of_all_for_an_effect():
    """0.1 points a quarter, six quarters on: 0.6 points of the true 1.3 are gone, however narrow the interval."""
    found = coverage(np.array([one_trial("pre-post, the trend of the others", seed) for seed in range(15)]))
    assert found["bias"] == pytest.approx(0.6, abs=3 * found["spread"] / np.sqrt(15))
    assert found["bias"] > 3 * found["spread"] / np.sqrt(15)


@pytest.mark.parametrize(("n_with", "n_without", "is_said"), [(3, 17, True), (17, 3, True), (10, 10, False)])
def test_few_companies_in_one_arm_are_said_and_permuted_however_many_the_other_has(n_with, n_without, is_said):
    few = panel(arms(n_with, n_without, 1), 2, lambda n, t, start: n + 0.1 * (n * t % 3) - (t >= start))
    found = difference_in_differences(few)
    assert any("Only 3 companies in one arm" in note for note in found.notes) is is_said
    assert ("p_by_permuted_arms" in found.details) is is_said


def test_the_benchmark_of_an_event_study_reads_the_third_period_with_the_intervention():
    grows = panel(arms(3, 3, 2), 6, lambda n, t, start: base(n, t) + (t - start if t >= start else 0))
    assert in_the_third_period(grows).effect == pytest.approx(2)
