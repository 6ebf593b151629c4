"""Persons that a model takes: what the integral stands for, what the verdict says, and the verb that plans."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from data_contracts.errors import SettingsError
from models.outcomes import OUTCOMES
from models.risk_model import risk_of
from models.sample_size import (
    ANTICIPATED,
    SMALLEST_MODEL,
    USUAL_PREVALENCE,
    r2_of_c_statistic,
    required_for_days,
    required_for_events,
    required_persons,
    verdict,
)
from pipeline import sample_size
from pipeline.cli import app


@pytest.mark.parametrize(("c_statistic", "share"), [(0.65, 0.05), (0.72, 0.18), (0.85, 0.4)])
def test_the_integral_is_what_a_large_simulated_cohort_has(c_statistic, share):
    from scipy.special import ndtri

    random = np.random.default_rng(1)
    n, apart = 400_000, np.sqrt(2) * ndtri(c_statistic)
    y = np.arange(n) < share * n
    x = random.normal(size=n) + apart * y
    p = risk_of(np.log(share / (1 - share)) + apart * x - apart**2 / 2)
    likelihood = np.where(y, np.log(p), np.log(1 - p)).mean()
    null = y.mean() * np.log(y.mean()) + (1 - y.mean()) * np.log(1 - y.mean())
    assert r2_of_c_statistic(c_statistic, share) == pytest.approx(1 - np.exp(-2 * (likelihood - null)), rel=0.03)


def test_a_model_that_tells_nothing_takes_ever_more_persons():
    sizes = [required_persons(5, 0.18, c) for c in (0.8, 0.7, 0.6, 0.55)]
    assert sizes == sorted(sizes)
    assert sizes[-1] > 10 * sizes[0]


def test_criteria_of_events_by_hand():
    """BMJ 2020;368:m441, box 3: (1.96 / 0.05)**2 * 0.5 * 0.5 = 384.16."""
    required = required_for_events(2, 0.3, 0.5)
    assert required.criteria["overall risk to within 0.05"] == 385 == required.persons
    assert required.criterion == "overall risk to within 0.05"
    assert required.criteria["shrinkage of at most a tenth"] == int(np.ceil(2 / (-0.1 * np.log(1 - 0.3 / 0.9))))


def test_days_with_a_wide_spread_are_decided_by_their_mean():
    """1.96 * sqrt(0.9) * 45 / (0.1 * 15) squared is 3111; the t distribution adds a few."""
    required = required_for_days(5, 0.10, 15.0, 45.0)
    assert required.criterion == "mean days to within a tenth"
    assert 3111 <= required.persons <= 3120


def test_a_verdict_counts_what_is_missing_and_says_whose():
    needs = required_persons(5, 0.10, ANTICIPATED["burnout"]["c_statistic"])
    short, enough = (verdict("burnout", 5, persons, 0.10) for persons in (needs - 1, needs))
    assert (short.enough, short.missing_persons) == (False, 1)
    assert (enough.enough, enough.missing_persons) == (True, 0)
    assert short.sentence().startswith("not enough data for burnout; 1 more persons needed: a model of 5 parameters")
    assert enough.sentence().startswith("enough data for burnout")
    assert json.loads(json.dumps(short.to_json()))["anticipated"]["source"].startswith("an assumption")


def test_no_event_is_no_reason_for_a_small_number():
    half_an_event = verdict("long_sick_leave", 5, 100, 0.5 / 101).required_persons
    assert verdict("long_sick_leave", 5, 100, 0.0).required_persons == half_an_event
    assert (
        verdict("long_sick_leave", 5, 100, 0.0).required_persons
        > verdict("long_sick_leave", 5, 100, 0.05).required_persons
    )
    assert not verdict("long_sick_leave", 5, 100, 1.0).enough
    assert not verdict("absence_days", 5, 100, 0.0).enough


def test_days_are_judged_by_their_own_spread():
    narrow, usual = verdict("absence_days", 5, 2000, 15.0, spread=20.0), verdict("absence_days", 5, 2000, 15.0)
    assert narrow.enough
    assert not usual.enough


def test_every_outcome_has_a_stated_expectation():
    assert set(OUTCOMES) == set(ANTICIPATED) == set(USUAL_PREVALENCE)
    assert all(one["source"] for one in ANTICIPATED.values())


def test_the_plan_counts_what_training_will_count():
    found = sample_size.run(["long_sick_leave"])["outcomes"]["long_sick_leave"]
    models = {one["name"]: one for one in found["models"]}
    assert min(one["parameters"] for name, one in models.items() if name != "roelen") == SMALLEST_MODEL
    judged = verdict("long_sick_leave", models["core"]["parameters"], 1000, found["prevalence"])
    assert judged.required_persons == models["core"]["required_persons"]
    assert models["lightgbm"]["parameters"] > 100


def test_the_verb_plans_one_model_without_a_workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = [
        "--outcome",
        "burnout",
        "--parameters",
        "40",
        "--events-share",
        "0.05",
        "--c-statistic",
        "0.75",
        "--json",
    ]
    done = CliRunner().invoke(app, ["sample-size", *options])
    (model,) = json.loads(done.stdout)["outcomes"]["burnout"]["models"]
    assert model["required_persons"] == required_persons(40, 0.05, 0.75)
    text = CliRunner().invoke(app, ["sample-size", "--events-share", "0.05"]).stdout
    assert "burnout: 5.0% with the event" in text
    assert "absence_days" not in text
    assert not list(tmp_path.iterdir())


def test_days_have_no_share_of_events():
    with pytest.raises(SettingsError, match="no share of events"):
        sample_size.run(["absence_days"], events_share=0.1)
