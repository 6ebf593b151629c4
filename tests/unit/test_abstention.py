"""Planted persons of whom no number may be given, each for its reason, beside those of whom one must be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from data_contracts.errors import ArtifactError
from models.abstention import CARRIED, REASONS, TOO_LITTLE_KNOWN, TOO_UNCERTAIN, UNLIKE_TRAINING, Carrier, limits_of
from models.risk_model import RiskModel
from tests.lib.models import linear_model

# Four domains: mental health, pain and body, sleep, cardiometabolic; and a second one of mental health.
NAMES = ("who5_wellbeing", "pain_sites_count", "bis_insomnia", "ldl", "hscl10_distress")
IMPORTANCE = (0.4, 0.2, 0.2, 0.1, 0.1)
NO_INTERVAL = np.array([[np.nan, np.nan]])


def model(fewest_known: float = 0.4, most_outside: float = 0.25, **known: float) -> RiskModel:
    shares = {name: known.get(name, 1.0) for name in NAMES}
    ones = np.ones(len(NAMES))
    return replace(
        linear_model(), feature_names=NAMES, impute=ones, low=0 * ones, high=100 * ones, mean=ones, scale=ones,
        coefficients=ones, refits=(), golden=None, reference_risk=0.1,
        facts={
            "training_range": {name: [0.0, 10.0] for name in NAMES},
            "importance": {"features": {name: {"value": value} for name, value in zip(NAMES, IMPORTANCE, strict=True)}},
            "typical_missing": {
                "known_share": shares, "fewest_known": fewest_known, "little_known": 0.7, "most_outside": most_outside,
            },
        },
    )  # fmt: skip


def row(*values: float) -> np.ndarray:
    return np.array([values], dtype=np.float32)


def reason(model: RiskModel, X: np.ndarray, interval: np.ndarray = NO_INTERVAL) -> str:
    return REASONS[int(Carrier.of(model).reasons(X, interval)[0])]


NAN = float("nan")
TYPICAL = row(5, 5, 5, 5, 5)


def test_a_typical_person_gets_a_number():
    assert reason(model(), TYPICAL) == ""
    assert reason(model(), TYPICAL, np.array([[0.05, 0.2]])) == ""


@pytest.mark.parametrize(
    ("X", "expected"),
    [
        (row(NAN, NAN, 5, 5, 5), ""),  # 0.4 is known: as little as in 1 of 200 training rows, not less
        (row(NAN, NAN, NAN, 5, 5), "too little known"),  # 0.2
        (row(NAN, NAN, NAN, NAN, NAN), "too little known"),
        (row(5, NAN, NAN, NAN, NAN), ""),  # 0.4
    ],
)
def test_too_little_known(X, expected):
    assert reason(model(), X) == expected


def test_what_many_in_training_lacked_is_carried():
    """A model that has learnt from persons without a survey numbers the next one; and half is always enough."""
    X = row(NAN, NAN, NAN, 5, 5)
    assert reason(model(fewest_known=0.2), X) == ""
    assert reason(model(fewest_known=0.95), row(5, 5, NAN, NAN, NAN)) == ""


def test_a_lab_panel_that_most_lack_is_missed_in_nobody():
    known = {"ldl": 0.3, "who5_wellbeing": 0.4}
    carrier = Carrier.of(model(**known))
    np.testing.assert_allclose(carrier.known_share(row(NAN, 5, 5, NAN, 5)), 1.0)
    assert reason(model(**known), row(NAN, 5, 5, NAN, NAN)) == ""


@pytest.mark.parametrize(
    ("X", "expected"),
    [
        (row(50, 50, 50, 5, 5), "unlike the training data"),  # three domains, 0.8 of the importance
        (row(50, 50, 5, 5, 50), ""),  # two domains, three features
        (row(50, 5, 5, 5, 5), ""),
        (row(5, 5, 5, 50, 50), ""),
        (row(-1, -1, -1, 5, 5), "unlike the training data"),
    ],
)
def test_unlike_the_training_data(X, expected):
    assert reason(model(), X) == expected


def test_three_domains_that_hardly_matter_are_no_reason():
    assert reason(model(most_outside=0.9), row(50, 50, 50, 5, 5)) == ""


@pytest.mark.parametrize(
    ("interval", "expected"),
    [((0.05, 0.3), "too uncertain"), ((0.074, 0.25), "too uncertain"), ((0.076, 0.9), ""), ((0.01, 0.249), ""),
     ((NAN, NAN), "")],
)  # fmt: skip
def test_an_interval_from_the_lowest_band_to_the_highest(interval, expected):
    assert reason(model(), TYPICAL, np.array([interval])) == expected


def test_the_first_reason_is_told():
    X = np.concatenate([row(NAN, NAN, NAN, 50, 5), row(50, 50, 50, 5, 5), TYPICAL])
    wide = np.tile([0.01, 0.9], (3, 1))
    assert Carrier.of(model()).reasons(X, wide).tolist() == [TOO_LITTLE_KNOWN, UNLIKE_TRAINING, TOO_UNCERTAIN]


def test_the_same_alone_and_in_a_batch():
    X = np.random.default_rng(3).normal(5, 8, (300, len(NAMES))).astype(np.float32)
    X[np.random.default_rng(4).random(X.shape) < 0.5] = np.nan
    carrier = Carrier.of(model())
    none = np.full((len(X), 2), np.nan)
    together = carrier.reasons(X, none)
    assert {CARRIED, TOO_LITTLE_KNOWN, UNLIKE_TRAINING} == set(together.tolist())
    assert together.tolist() == [int(carrier.reasons(X[i : i + 1], none[:1])[0]) for i in range(len(X))]


def test_little_known_is_worth_a_warning():
    carrier = Carrier.of(model())
    assert carrier.is_thin(np.concatenate([TYPICAL, row(5, 5, NAN, 5, NAN), row(5, NAN, NAN, NAN, 5)])).tolist() == [
        False, False, True,
    ]  # fmt: skip


def test_the_most_important_come_first():
    carrier = Carrier.of(model())
    assert carrier.most_important(np.array([False, True, False, True, True])).tolist() == [1, 3, 4]
    assert carrier.most_important(np.array([True, True, False, True, True])).tolist() == [0, 1, 3, 4]


def test_an_artifact_without_these_facts_asks_for_the_interval_only():
    bare = replace(model(), facts={})
    assert reason(bare, row(NAN, NAN, NAN, NAN, NAN)) == ""
    assert not Carrier.of(bare).is_thin(row(NAN, NAN, NAN, NAN, NAN))[0]
    assert reason(bare, TYPICAL, np.array([[0.01, 0.9]])) == "too uncertain"


@pytest.mark.parametrize("facts", [{"importance": {}}, {"importance": {"features": {"ldl": {"value": 1}}}}])
def test_damaged_facts_are_refused(facts):
    with pytest.raises(ArtifactError, match="Train again"):
        Carrier.of(replace(model(), facts=facts))


def test_a_model_that_rests_on_nothing_can_lack_nothing():
    constant = model()
    features = {name: {"value": 0.0} for name in NAMES}
    constant = replace(constant, facts={**constant.facts, "importance": {"features": features}})
    assert reason(constant, row(NAN, NAN, NAN, NAN, NAN)) == ""


def test_limits_are_quantiles_of_the_training_rows():
    X = np.tile(TYPICAL, (1000, 1))
    X[:4, :4] = np.nan  # 0.1 known: rarer than 1 in 200
    X[4:40, 0] = np.nan  # 0.6
    X[999, :2] = 50  # one row of a thousand
    found = limits_of(model(), X)
    assert found == {"fewest_known": 0.6, "little_known": 1.0, "median_known": 1.0, "most_outside": pytest.approx(0.6)}
