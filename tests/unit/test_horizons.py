"""Risks by earlier days: they hold what they say under censoring, and never fall."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.evaluation.calibration import calibration_slope
from models.evaluation.discrimination import Ranking, auroc
from models.evaluation.held_out import HeldOut
from models.evaluation.horizons import horizons_report
from models.horizons import FEWEST_PERSONS, Horizons, fit_horizons, risk_by_day
from models.observation_weights import censoring_weights
from models.risk_model import risk_of

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


def fitted(rows: dict[str, np.ndarray], **others) -> Horizons:
    person = np.arange(len(rows["y"]))
    return fit_horizons(rows["log_odds"], rows["y"], rows["followed_days"], rows["weight"], person, **others)


def rows_of(log_odds: np.ndarray, days: np.ndarray, weight: np.ndarray | None = None) -> dict[str, np.ndarray]:
    y = (days < days.max()).astype(float)
    return {
        "log_odds": log_odds,
        "y": y,
        "followed_days": days,
        "weight": np.ones(len(y)) if weight is None else weight,
    }


def test_the_risk_by_a_day_is_the_share_that_would_have_the_event_if_nobody_left():
    rows = followed(60_000, seed=1)
    by_day = risk_by_day(rows["all_log_odds"], {"horizons": fitted(rows)})
    assert list(by_day) == ["30", "90", "180", "365"]
    for day, risks in by_day.items():
        expected = (rows["all_event_on"] < int(day)).mean()
        assert risks.mean() == pytest.approx(expected, rel=0.04)
    unweighted = fitted(rows | {"weight": np.ones(len(rows["y"]))})
    # What leaving hides is early events, beside those who never have one: among events the early ones are too many.
    assert risk_by_day(rows["all_log_odds"], {"horizons": unweighted})["30"].mean() > 1.05 * by_day["30"].mean()


def test_by_hand():
    """Everybody at even odds; of 120 rows 30 have the event before day 30, 30 more before day 365: risks 1/4 and 1/2."""
    days = np.array([5] * 30 + [200] * 30 + [365] * 60)
    lines = fitted(rows_of(np.zeros(120), days), days=(30, 250))
    assert lines == {"30": pytest.approx([0.0, 0.0], abs=1e-9), "365": None}, "no event is between day 250 and the end"
    found = risk_by_day(np.zeros(1), {"horizons": lines})
    assert {day: risks[0] for day, risks in found.items()} == pytest.approx({"30": 0.25, "365": 0.5})


def test_whose_event_comes_late_has_a_flatter_risk_by_an_early_day():
    """Among the half at high risk one event in ten is early, among the others one in two: one shift cannot say that."""
    random = np.random.default_rng(8)
    n = 20_000
    is_high = np.arange(n) % 2 == 0
    log_odds = np.where(is_high, 0.5, -1.5)
    event = random.random(n) < risk_of(log_odds)
    early = event & (random.random(n) < np.where(is_high, 0.1, 0.5))
    days = np.where(early, 10, np.where(event, 300, HORIZON))
    found = risk_by_day(np.array([0.5, -1.5]), {"horizons": fitted(rows_of(log_odds, days))})
    assert found["180"] == pytest.approx(risk_of(np.array([0.5, -1.5])) * [0.1, 0.5], rel=0.1)


def test_an_event_on_the_day_itself_is_not_before_it():
    days = np.array([30] * 40 + [365] * 40)
    assert fitted(rows_of(np.zeros(80), days), days=(30,)) == {"365": None}


def test_a_day_with_too_few_persons_or_past_the_horizon_is_left_out():
    few = FEWEST_PERSONS - 1
    days = np.array([5] * few + [80] * 30 + [95] * 30 + [100] * 40)
    rows = rows_of(np.zeros(len(days)), days)
    assert list(fitted(rows)) == ["90", "100"]
    assert list(fitted(rows, days=(60, 90))) == ["90", "100"]
    twice = {name: np.r_[values[:few], values] for name, values in rows.items()}
    person = np.r_[np.arange(few), np.arange(len(days))]
    assert list(fit_horizons(*twice.values(), person, days=(60, 90))) == ["90", "100"], "38 events of 19 persons"
    assert list(fitted(twice, days=(60, 90))) == ["60", "90", "100"]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(60, 500), early=st.integers(1, 364))
def test_risks_never_fall_with_the_day_for_anybody(seed, n, early):
    random = np.random.default_rng(seed)
    days = np.where(random.random(n) < 0.5, random.integers(0, early, n), HORIZON)
    rows = rows_of(random.normal(0, 3, n), days, random.gamma(1.0, 1.0, n))
    lines = fitted(rows, days=tuple(range(10, 365, 20)))
    anybody = np.linspace(-40, 40, 201)
    risks = np.array(list(risk_by_day(anybody, {"horizons": lines}).values()))
    assert (np.diff(risks, axis=0) >= 0).all()
    assert np.array_equal(risks[-1], risk_of(anybody))


def test_risks_are_in_the_order_of_the_days_and_end_at_the_risk():
    log_odds = np.linspace(-4, 3, 50)
    assert risk_by_day(log_odds, {}) == {}
    lines = {"180": [0.5, 0.3], "30": [-0.5, 0.1], "365": None, "90": [0.2, -0.1]}
    found = risk_by_day(log_odds, {"horizons": lines})
    assert list(found) == ["30", "90", "180", "365"], "in the order of the days, not of a file's sorted keys"
    assert np.array_equal(found["365"], risk_of(log_odds))
    assert found["90"] == pytest.approx(
        risk_of(log_odds) * risk_of(0.5 + 0.3 * log_odds) * risk_of(0.2 - 0.1 * log_odds)
    )


def held_out(rows: dict[str, np.ndarray]) -> HeldOut:
    n = len(rows["y"])
    return HeldOut(
        outcome="long_sick_leave", champion="core", feature_names=(), X=np.zeros((n, 0), np.float32), y=rows["y"],
        weight=rows["weight"], person=np.arange(n), company=np.zeros(n, int), t=np.zeros(n, np.int32),
        followed_days=rows["followed_days"], linear={"core": rows["log_odds"]},
    )  # fmt: skip


def test_on_other_rows_of_the_same_kind_each_day_is_calibrated():
    lines = fitted(followed(60_000, seed=2))
    report = horizons_report(held_out(followed(10_000, seed=5)), {"horizons": lines}, 25, 1)["days"]
    assert list(report) == list(lines)
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
        found = horizons_report(held_out(rows | {"log_odds": log_odds}), {"horizons": {"365": None}}, 2, 1)["days"][
            "365"
        ]
        weight = rows["weight"][None]
        expected = (
            calibration_slope(log_odds, rows["y"], weight)[1][0],
            auroc(Ranking.of(log_odds), rows["y"], weight)[0],
        )
        numbers = found["calibration_slope"]["value"], found["auroc"]["value"]
        assert numbers == pytest.approx(expected, abs=1e-9 if tied else 5e-4), "equals are never split"


def test_a_wrong_line_shows():
    rows = followed(5_000, seed=4)
    wrong = horizons_report(held_out(rows), {"horizons": {"90": [9.0, 0.0], "365": None}}, 20, 1)["days"]["90"]
    assert wrong["observed_to_expected"]["high"] < 0.5


def test_no_number_where_there_is_none():
    rows = followed(100, seed=5)
    assert list(horizons_report(held_out(rows), {}, 20, 1)) == ["reason"]
    found = horizons_report(held_out(rows), {"horizons": {"1": [-6.0, 0.0], "365": None}}, 20, 1)["days"]["1"]
    assert "10 are needed" in found["reason"]
    assert "auroc" not in found
