"""Risks by earlier days: they hold what they say under censoring, and never fall."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.evaluation.calibration import calibration_slope
from models.evaluation.discrimination import Ranking, auroc
from models.evaluation.held_out import HeldOut
from models.evaluation.horizons import horizons_report
from models.horizons import FEWEST_EVENTS, fit_horizon_shifts, risks_by_horizon
from models.observation_weights import censoring_weights
from models.risk_model import risk_of
from tests.lib.models import linear_model, random_rows

HORIZON = 365


def followed(n: int, seed: int, leave: float = 0.4) -> dict[str, np.ndarray]:
    """Rows of which the log-odds by day d are those of the year plus log(d / 365), and leaving that depends on nothing."""
    random = np.random.default_rng(seed)
    log_odds = random.normal(-1.5, 0.8, n)
    event_on = np.minimum(HORIZON * np.exp(random.logistic(size=n) - log_odds), HORIZON).astype(int)
    leaves_on = np.where(random.random(n) < leave, random.integers(0, HORIZON, n), HORIZON)
    event = (event_on < HORIZON) & (event_on <= leaves_on)
    left = ~event & (leaves_on < HORIZON)
    days = np.minimum(event_on, leaves_on)
    weight = censoring_weights(days, event, left, HORIZON)
    rows = {"log_odds": log_odds, "y": event.astype(float), "followed_days": days, "weight": weight}
    return {name: values[~left] for name, values in rows.items()} | {"all_log_odds": log_odds, "all_event_on": event_on}


def fitted(rows: dict[str, np.ndarray], **others) -> dict[str, float]:
    return fit_horizon_shifts(rows["log_odds"], rows["y"], rows["followed_days"], rows["weight"], **others)


def test_the_risk_by_a_day_is_the_share_that_would_have_the_event_if_nobody_left():
    rows = followed(60_000, seed=1)
    shifts = fitted(rows)
    assert list(shifts) == ["30", "90", "180", "365"]
    for day, shift in shifts.items():
        expected = (rows["all_event_on"] < int(day)).mean()
        assert risk_of(rows["all_log_odds"] + shift).mean() == pytest.approx(expected, rel=0.04)
    unweighted = fit_horizon_shifts(rows["log_odds"], rows["y"], rows["followed_days"], np.ones(len(rows["y"])))
    truth = (rows["all_event_on"] < 90).mean()
    assert risk_of(rows["all_log_odds"] + unweighted["90"]).mean() > 1.1 * truth, "without weights too many events"


def test_by_hand():
    """Everybody at even odds; of 40 rows 10 have the event before day 30, 20 before day 365: odds 1/3 and 1."""
    days = np.array([5] * 10 + [200] * 10 + [365] * 20)
    y = (days < 365).astype(float)
    shifts = fit_horizon_shifts(np.zeros(40), y, days, np.ones(40), days=(30, 300))
    assert shifts == {"30": pytest.approx(-np.log(3)), "300": pytest.approx(0, abs=1e-9), "365": 0.0}


def test_an_event_on_the_day_itself_is_not_before_it():
    days = np.array([30] * 20 + [365] * 20)
    assert fit_horizon_shifts(np.zeros(40), (days < 365) * 1.0, days, np.ones(40), days=(30,)) == {"365": 0.0}


def test_a_day_with_too_few_events_or_past_the_horizon_is_left_out():
    days = np.array([5] * (FEWEST_EVENTS - 1) + [80] * 20 + [100] * 40)
    y = (days < 100).astype(float)
    assert list(fit_horizon_shifts(np.zeros(len(y)), y, days, np.ones(len(y)))) == ["90", "100"]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(30, 400), early=st.integers(1, 364))
def test_shifts_never_decrease(seed, n, early):
    random = np.random.default_rng(seed)
    days = np.where(random.random(n) < 0.5, random.integers(0, early, n), HORIZON)
    y = (days < HORIZON).astype(float)
    shifts = fit_horizon_shifts(
        random.normal(0, 3, n), y, days, random.gamma(1.0, 1.0, n), days=tuple(range(10, 365, 20))
    )
    values = list(shifts.values())
    assert values == sorted(values)
    assert values[-1] == 0.0


def test_risks_of_a_model_rise_with_the_day_and_end_at_its_risk():
    model = linear_model()
    assert risks_by_horizon(model, random_rows(50)) == {}
    model = replace(model, facts=model.facts | {"horizons": {"180": -1.0, "30": -2.0, "365": 0.0, "90": -1.0}})
    found = risks_by_horizon(model, random_rows(50))
    assert list(found) == ["30", "90", "180", "365"], "in the order of the days, not of a file's sorted keys"
    risks = np.array(list(found.values()))
    assert (np.diff(risks, axis=0) >= 0).all()
    assert np.array_equal(risks[-1], risk_of(model.log_odds(random_rows(50))))


def held_out(rows: dict[str, np.ndarray]) -> HeldOut:
    n = len(rows["y"])
    return HeldOut(
        outcome="long_sick_leave", champion="core", feature_names=(), X=np.zeros((n, 0), np.float32), y=rows["y"],
        weight=rows["weight"], person=np.arange(n), company=np.zeros(n, int), t=np.zeros(n, np.int32),
        followed_days=rows["followed_days"], linear={"core": rows["log_odds"]},
    )  # fmt: skip


def test_on_other_rows_of_the_same_kind_each_day_is_calibrated():
    shifts = fitted(followed(60_000, seed=2))
    report = horizons_report(held_out(followed(10_000, seed=5)), shifts, 25, 1)["days"]
    assert list(report) == list(shifts)
    for day in report.values():
        assert day["observed_to_expected"]["low"] < 1.05
        assert day["observed_to_expected"]["high"] > 0.95
        assert 0.85 < day["calibration_slope"]["value"] < 1.15
        assert 0.6 < day["auroc"]["low"] < day["auroc"]["value"] < day["auroc"]["high"] < 0.8
    assert report["30"]["events"] < report["90"]["events"] < report["365"]["events"]
    assert report["30"]["mean_risk"] < report["365"]["mean_risk"]


def test_groups_of_neighbours_give_the_numbers_of_single_rows():
    rows = followed(12_000, seed=7)
    for tied in (False, True):
        log_odds = np.where(rows["log_odds"] > -1.5, -1.0, -2.0) if tied else rows["log_odds"]
        found = horizons_report(held_out(rows | {"log_odds": log_odds}), {"365": 0.0}, 2, 1)["days"]["365"]
        weight = rows["weight"][None]
        expected = (
            calibration_slope(log_odds, rows["y"], weight)[1][0],
            auroc(Ranking.of(log_odds), rows["y"], weight)[0],
        )
        numbers = found["calibration_slope"]["value"], found["auroc"]["value"]
        assert numbers == pytest.approx(expected, abs=1e-9 if tied else 5e-4), "equals are never split"


def test_a_wrong_shift_shows():
    rows = followed(5_000, seed=4)
    wrong = horizons_report(held_out(rows), {"90": 0.0, "365": 0.0}, 20, 1)["days"]["90"]
    assert wrong["observed_to_expected"]["high"] < 0.5


def test_no_number_where_there_is_none():
    rows = followed(100, seed=5)
    assert list(horizons_report(held_out(rows), {}, 20, 1)) == ["reason"]
    found = horizons_report(held_out(rows), {"1": -6.0}, 20, 1)["days"]["1"]
    assert "10 are needed" in found["reason"]
    assert "auroc" not in found
