"""What is said of explanations is right on models whose answers are known."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from features.catalogue import FEATURE_NAMES, POSITIONS
from models.evaluation.explanation_directions import directions, missing_by_source, rank_correlation
from models.evaluation.explanation_quality import explanation_quality, overlap, top_reasons
from models.evaluation.held_out import HeldOut
from models.risk_model import RiskModel
from tests.lib.models import boosted_model, linear_model, random_rows


def held_out(model: RiskModel, n: int = 120, shift: float = 0.0) -> HeldOut:
    X = random_rows(n, seed=21)
    own = X[:, [POSITIONS[name] for name in model.feature_names]]
    zeros = np.zeros(n, dtype=np.int32)
    return HeldOut(
        model.outcome, model.name, FEATURE_NAMES, X, y=(np.arange(n) % 5 == 0).astype(float), weight=np.ones(n),
        person=np.arange(n) // 2, company=zeros - 1, t=zeros, followed_days=zeros,
        linear={model.name: model.log_odds(own) + shift},
    )  # fmt: skip


@pytest.mark.parametrize("make", [linear_model, boosted_model], ids=["linear", "lightgbm"])
def test_everything_is_told_and_is_json(make):
    model = make()
    found = explanation_quality(model, held_out(model), seed=1)
    json.dumps(found, allow_nan=False)
    assert found["additivity"]["holds"]
    assert found["additivity"]["largest_gap"] < 1e-9
    for name in ("jaccard", "same_sign", "first_stays_in_top"):
        one = found["refits"][name]
        assert 0 <= one["low"] <= one["value"] <= one["high"] <= 1 + 1e-12
    assert found["refits"]["refits"] == len(model.refits)
    assert len(found["importance"]["features"]) == 20
    assert len(found["importance"]["domains"]) == 8
    assert set(found["missing"]) == {"survey", "lab", "absence", "employment"}


def test_a_number_that_is_not_the_sum_is_seen():
    model = linear_model()
    found = explanation_quality(model, held_out(model, shift=2e-9), seed=1)
    assert not found["additivity"]["holds"]
    assert found["additivity"]["largest_gap"] == pytest.approx(2e-9, rel=1e-3)


def test_refits_that_are_the_model_agree_in_everything():
    model = replace(linear_model(), refits=(linear_model(n_refits=0),) * 2)
    model = replace(model, refits=tuple(replace(one, golden=None) for one in model.refits))
    found = explanation_quality(model, held_out(model), seed=1)["refits"]
    assert found["jaccard"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert found["same_sign"]["value"] == 1.0
    assert explanation_quality(replace(model, refits=()), held_out(model), seed=1)["refits"] == {
        "reason": "The champion has no refits."
    }


def test_too_few_persons_are_not_told_of():
    model = linear_model()
    assert list(explanation_quality(model, held_out(model, n=98))) == ["reason"]


def test_overlap_by_hand():
    parts = np.array([[3.0, -2.0, 1.0, 0.1], [0.0, 1.0, -4.0, 2.0]])
    top = top_reasons(parts, 2)
    assert top.tolist() == [[0, 1], [2, 3]]
    assert overlap(top, np.array([[1, 0], [3, 0]])).tolist() == [1.0, 1 / 3]


def test_a_direction_against_the_expectation_is_a_surprise_in_words():
    names = ("who5_wellbeing", "days_doctor_365", "age_years")  # expected: lower, higher, none
    X = np.random.default_rng(1).normal(50, 10, (200, 3)).astype(np.float32)
    right, wrong = X * np.array([-0.1, 0.1, -0.1]), X * np.array([0.1, 0.1, -0.1])
    assert directions(names, X, right, [X, right])["surprises"] == []
    found = directions(names, X, wrong, [X, wrong, right])
    (surprise,) = found["surprises"]
    assert surprise["feature"] == "who5_wellbeing"
    assert "høyere risiko. Ventet var lavere" in surprise["text"]["nb"]
    assert "higher risk. Expected was lower" in surprise["text"]["en"]
    assert found["features"]["who5_wellbeing"] == {
        "association": pytest.approx(1.0), "direction": 1, "expected_direction": -1, "same_in_refits": 0.5,
    }  # fmt: skip


def test_rank_correlation_by_hand():
    values = np.repeat([1.0, 2.0, 2.0, 4.0], 25)
    assert rank_correlation(values, values**3) == pytest.approx(1.0)
    assert rank_correlation(values, -values) == pytest.approx(-1.0)
    assert rank_correlation(values, np.ones(100)) is None
    assert rank_correlation(np.where(np.arange(100) < 49, values, np.nan), values) is None


def test_what_is_missing_is_told_by_source():
    names = ("who5_wellbeing", "srh_self_rated_health", "ldl")
    X = np.ones((160, 3), dtype=np.float32)
    X[:60, :2] = np.nan  # no survey at all: 60 persons
    X[60:80, 0] = np.nan
    X[:10, 2] = np.nan  # too few without a sample
    contributions = np.tile([0.3, -0.1, 0.5], (160, 1))
    found = missing_by_source(names, X, contributions, np.ones(160), np.arange(160))
    survey, lab = found["survey"], found["lab"]
    assert survey["features"] == 2
    assert survey["mean_contribution"] == pytest.approx((60 * 0.2 + 20 * 0.3) / 160)
    assert survey["wholly_missing"] == {"share": 60 / 160, "mean_contribution": pytest.approx(0.2)}
    assert lab["wholly_missing"] == {"share": None, "mean_contribution": None}
    assert "absence" not in found
