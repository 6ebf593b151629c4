"""Leaving as a competing event: by hand, against lifelines, and beside the risk that the weights estimate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from lifelines import AalenJohansenFitter, KaplanMeierFitter

from models.evaluation.competing_exits import aalen_johansen, competing_exits, daily_counts
from models.evaluation.held_out import FEWEST_COMPANIES
from models.observation_weights import censoring_weights
from models.outcomes.outcome import Status
from models.splits import Split
from models.training_set import TrainingSet
from tests.lib.cohorts import random_training_set, split_of

DAYS = ("30", "90", "180", "365")


def test_by_hand():
    """Ten rows: an event on day 0, two leave on day 1, an event on day 2, the rest stay, and what comes after is not seen.

    Event 1/10 + 9/10 x 7/9 x 1/7 = 0.2, left 9/10 x 2/9 = 0.2. If nobody left: 1 - 9/10 x 6/7 = 0.2286.
    """
    followed = np.array([0, 1, 1, 2, *[9] * 6])
    way = np.array([0, 1, 1, 0, *[-1] * 5, 0])
    exits, at_risk = daily_counts(followed, way, np.ones((1, 10)), 5)
    assert at_risk[0].tolist() == [10, 9, 7, 6, 6]
    assert aalen_johansen(exits, at_risk)[0] == pytest.approx(
        np.array([[0.1, 0.1, 0.2, 0.2, 0.2], [0, 0.2, 0.2, 0.2, 0.2]])
    )
    assert aalen_johansen(exits[:, [0]], at_risk)[0, 0, -1] == pytest.approx(1 - 9 / 10 * 6 / 7)


def test_weights_count_rows_as_often_as_they_say():
    followed, way, times = np.array([0, 1, 3, 3]), np.array([0, 1, 0, -1]), np.array([3, 1, 2, 2])
    weighted = aalen_johansen(*daily_counts(followed, way, times[None].astype(float), 4))
    single = np.ones((1, times.sum()))
    repeated = aalen_johansen(*daily_counts(np.repeat(followed, times), np.repeat(way, times), single, 4))
    assert weighted == pytest.approx(repeated)


def exits(n: int = 600, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Distinct days (lifelines shifts ties at random) with events, exits and neither."""
    random = np.random.default_rng(seed)
    return random.permutation(2000)[:n] + 1, random.integers(-1, 2, n)


def test_lifelines_gives_the_same_curves():
    followed, way = exits()
    counts = daily_counts(followed, way, np.ones((1, len(way))), 2001)
    both = aalen_johansen(*counts)
    for place in (0, 1):
        fitter = AalenJohansenFitter(calculate_variance=False).fit(followed, way + 1, event_of_interest=place + 1)
        expected = fitter.cumulative_density_
        assert both[0, place, expected.index.astype(int)] == pytest.approx(expected.to_numpy()[:, 0], abs=1e-12)
    alone = aalen_johansen(counts[0][:, [0]], counts[1])[0, 0]
    expected = KaplanMeierFitter().fit(followed, way == 0).survival_function_
    assert 1 - alone[expected.index.astype(int)] == pytest.approx(expected.to_numpy()[:, 0], abs=1e-12)


def turnover(leave: float) -> tuple[TrainingSet, Split]:
    """Rows of a random training set with days: events spread over the year, exits too."""
    found = random_training_set()
    random = np.random.default_rng(8)
    n = len(found)
    event_on = np.where(random.random(n) < 0.4, random.integers(0, 365, n), 365)
    leaves_on = np.where(random.random(n) < leave, random.integers(0, 365, n), 365)
    event = (event_on < 365) & (event_on <= leaves_on)
    left = ~event & (leaves_on < 365)
    found = replace(
        found, status=np.where(left, Status.CENSORED, Status.OBSERVED).astype(np.int8),
        y=np.where(left, np.nan, event), followed_days=np.minimum(event_on, leaves_on).astype(np.int32),
    )  # fmt: skip
    return found, split_of(found)


def test_the_risk_if_nobody_left_is_that_of_the_weights_and_the_event_before_leaving_is_rarer():
    found, split = turnover(0.5)
    report = competing_exits(found, split, 30, 1)
    rows = split.test
    left = found.status[rows] == Status.CENSORED
    weight = censoring_weights(found.followed_days[rows], found.y[rows] == 1, left, 365)
    whole = report["days"]["365"]
    assert list(report["days"]) == list(DAYS)
    event = np.nan_to_num(found.y[rows])
    assert whole["event_if_nobody_left"]["value"] == pytest.approx(np.average(event, weights=weight))
    assert whole["event_before_leaving"]["value"] == pytest.approx(event.mean()), "everybody's way out is known"
    assert whole["left_before_event"]["value"] == pytest.approx(left.mean())
    assert report["left"] == left.sum()
    gaps = [report["days"][day]["difference"] for day in DAYS]
    assert [gap["value"] for gap in gaps] == sorted(gap["value"] for gap in gaps)
    assert gaps[-1]["low"] > 0.02
    for day in report["days"].values():
        for number in day.values():
            assert number["low"] <= number["value"] <= number["high"]


def test_without_leaving_there_is_no_difference():
    found, split = turnover(0.0)
    report = competing_exits(found, split, 20, 1)
    assert report["left"] == 0
    assert report["days"]["365"]["difference"] == {"value": 0.0, "low": 0.0, "high": 0.0}


def test_the_day_itself_is_not_before_it():
    found, split = turnover(0.0)
    followed = np.where(found.y == 1, 30, 365).astype(np.int32)
    report = competing_exits(replace(found, followed_days=followed), split, 20, 1)
    assert report["days"]["30"]["event_before_leaving"]["value"] == 0
    assert report["days"]["90"]["event_before_leaving"]["value"] > 0.3


def test_rows_of_unknown_diagnosis_are_followed_until_then_and_counted():
    found, split = turnover(0.2)
    status, y = found.status.copy(), found.y.copy()
    chosen = split.test[found.y[split.test] == 1][:15]
    status[chosen], y[chosen] = Status.NOT_OBSERVED, np.nan
    report = competing_exits(replace(found, status=status, y=y), split, 20, 1)
    assert report["lost"] == 15
    assert report["events"] == (found.y[split.test] == 1).sum() - 15


def test_an_outcome_without_a_day_of_its_own_has_a_reason_instead():
    found, split = turnover(0.2)
    for outcome in ("burnout", "absence_days"):
        assert list(competing_exits(replace(found, outcome=outcome), split, 20, 1)) == ["reason"]


def test_persons_of_a_workplace_are_drawn_together_where_there_are_enough_workplaces():
    """Who has the event is alike within a company here: drawn one by one, persons would make the interval too narrow."""
    found, split = turnover(0.2)
    order = np.lexsort((found.person, found.y))
    company = np.empty(len(found.y), dtype=found.company.dtype)
    company[order] = np.arange(len(order)) * 2 * FEWEST_COMPANIES // len(order)
    alone, together = (
        competing_exits(replace(found, company=of), split, 200, 1)["days"]["365"]["event_before_leaving"]
        for of in (np.full_like(company, -1), company)
    )
    assert together["high"] - together["low"] > 1.5 * (alone["high"] - alone["low"])
