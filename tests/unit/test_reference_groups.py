"""A person beside a group: differences that add up, equal to interventional Shapley values where the model is a sum."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data_contracts.errors import ArtifactError
from data_contracts.time_windows import NO_DAY
from features.catalogue import FEATURE_NAMES, POSITIONS
from models import booster
from models.additive import AdditiveTerms
from models.explanation import explain
from models.reference_groups import ALL_GROUPS, ReferenceGroup, group_numbers, groups_of, reference_groups
from models.risk_model import RiskModel
from models.shap_summary import shap
from tests.lib.models import boosted_model, linear_model, random_rows

VECTORS = Path(__file__).parents[2] / "../shared/vectors/shap/shap_vectors.json"
NO_DAYS = np.full(len(FEATURE_NAMES), NO_DAY, dtype=np.int32)
CONSENTED = np.ones(4, dtype=bool)


def group_of(model: RiskModel, X: np.ndarray, name: str = "population") -> ReferenceGroup:
    means = model.contributions(X).mean(axis=0)
    return ReferenceGroup(name, len(X), float(means.sum()), means[:-1])


def beside(model: RiskModel, row: np.ndarray, X: np.ndarray) -> np.ndarray:
    """Differences from the group of the rows X, in the model's order."""
    values = np.full(len(FEATURE_NAMES), np.nan, dtype=np.float32)
    values[[POSITIONS[name] for name in model.feature_names]] = row
    found = explain(model, values, NO_DAYS, CONSENTED).beside(group_of(model, X))
    assert abs(sum(found.contributions.values()) - found.difference) < 1e-9
    assert abs(sum(domain.contribution for domain in found.domains) - found.difference) < 1e-9
    return np.array([found.contributions.get(name, 0.0) for name in model.feature_names])


def brute_force(model: RiskModel, row: np.ndarray, X: np.ndarray) -> np.ndarray:
    """Shapley values of the log-odds with the rows X put in for what is left out of a coalition."""
    n = len(row)

    def value(chosen: tuple[int, ...]) -> float:
        mixed = X.copy()
        mixed[:, list(chosen)] = row[list(chosen)]
        return float(model.log_odds(mixed).mean())

    values = np.zeros(n)
    for j in range(n):
        others = [i for i in range(n) if i != j]
        for size in range(n):
            weight = math.factorial(size) * math.factorial(n - size - 1) / math.factorial(n)
            values[j] += weight * sum(value((*some, j)) - value(some) for some in itertools.combinations(others, size))
    return values


def small_linear(coefficients: np.ndarray) -> RiskModel:
    n = len(coefficients)
    return replace(
        linear_model(), feature_names=FEATURE_NAMES[:n], impute=np.full(n, 3.0), low=np.full(n, -1e6), high=np.full(n, 60.0),
        mean=np.linspace(-1, 1, n), scale=np.linspace(1, 2, n), coefficients=coefficients, refits=(), golden=None,
    )  # fmt: skip


def test_equal_to_the_reference_values_of_shap_for_a_logistic_model():
    if not VECTORS.exists():
        pytest.skip("needs ../shared/vectors/shap")
    found = json.loads(VECTORS.read_text())
    coefficients = np.array(found["logistic"]["coef"])
    ones = np.ones(len(coefficients))
    model = replace(
        small_linear(coefficients), high=1e6 * ones, mean=0 * ones, scale=ones, intercept=found["logistic"]["intercept"],
        recalibration_intercept=0.0, recalibration_slope=1.0,
    )  # fmt: skip
    background = np.array(found["background"], dtype=np.float32)
    for row, expected in zip(found["explain"], found["logistic"]["shap_logit"], strict=True):
        np.testing.assert_allclose(beside(model, np.array(row, dtype=np.float32), background), expected, atol=1e-9)
    assert group_of(model, background).log_odds == pytest.approx(found["logistic"]["base_logit"], abs=1e-9)


def small_additive() -> RiskModel:
    """Straight pieces and steps, with values of their own for missing."""
    curves = [([10, 30], [0.0, 1.0], 0.3), ([20], [-0.5, 0.5], -0.2), ([5, 25, 60], [0.4, 0.0, 0.9], 0.0), ([9], [1.0, 0], 2),
              ([0, 50], [-1.0, 1.0], 0.1)]  # fmt: skip
    return RiskModel(
        outcome="burnout", name="core", kind="additive", feature_names=FEATURE_NAMES[:5], intercept=-1.0, reference_risk=0.2,
        recalibration_slope=0.9, terms=AdditiveTerms.from_curves(curves),
    )  # fmt: skip


@pytest.mark.parametrize("make", [lambda: small_linear(np.array([0.5, -0.02, 0.03, -0.4, 0.01])), small_additive])
def test_equal_to_brute_force_with_missing_and_extreme_values(make):
    model = make()
    X = random_rows(40, seed=3)[:, :5]
    assert np.isnan(X).any()
    assert (X > 60).any()
    for row in random_rows(3, seed=4)[:, :5]:
        np.testing.assert_allclose(beside(model, row, X), brute_force(model, row, X), atol=1e-9)


def test_of_trees_the_differences_add_up_but_are_not_the_interventional_values():
    """Said so in the module: path-dependent values of both. They tell the same story, not the same numbers."""
    model, X = boosted_model(), random_rows(60, seed=5)
    explainer = shap.TreeExplainer(booster.parse(model.booster_text), X, feature_perturbation="interventional")
    interventional = model.recalibration_slope * explainer.shap_values(X[:20])
    ours = np.stack([beside(model, row, X) for row in X[:20]])
    np.testing.assert_allclose(ours.sum(axis=1), interventional.sum(axis=1), atol=1e-6)
    assert np.abs(ours - interventional).max() > 1e-3
    assert np.corrcoef(ours.ravel(), interventional.ravel())[0, 1] > 0.95


def test_groups_are_of_sex_and_age_band():
    is_female = np.array([0, 0, 1, 1, 1, np.nan, 0, 1, 1], dtype=np.float32)
    age = np.array([18, 29, 30, 59, 70, 40, 17, 71, np.nan], dtype=np.float32)
    numbers = group_numbers(is_female, age)
    names = [ALL_GROUPS[number].name if number >= 0 else "" for number in numbers]
    assert names == ["male_18_29", "male_18_29", "female_30_39", "female_50_59", "female_60_70", "", "", "", ""]
    assert ALL_GROUPS[numbers[2]].label == {"nb": "kvinner på 30–39 år", "en": "women aged 30–39"}


def facts_of(names: tuple[str, ...], **groups: list[float]) -> dict:
    return {
        "reference_groups": {
            "groups": {
                name: {"persons": 60, "log_odds": -2.0, "contributions": means} for name, means in groups.items()
            }
        }
    }


def test_a_person_is_compared_with_everybody_and_with_those_alike_if_the_model_has_them():
    groups = reference_groups(("ldl",), facts_of(("ldl",), population=[0.1], female_40_49=[0.2]))
    assert [one.name for one in groups_of(groups, 1.0, 44.0)] == ["population", "female_40_49"]
    assert [one.name for one in groups_of(groups, 0.0, 44.0)] == ["population"]
    assert [one.name for one in groups_of(groups, math.nan, 44.0)] == ["population"]
    assert groups_of({}, 1.0, 44.0) == ()


@pytest.mark.parametrize(
    "facts",
    [
        facts_of(("ldl",), population=[0.1, 0.2]),
        facts_of(("ldl",), everybody=[0.1]),
        {"reference_groups": {"groups": {"population": {"persons": 60}}}},
        {"reference_groups": [1]},
    ],
    ids=["other features", "other group", "incomplete", "no groups"],
)
def test_damaged_groups_are_refused(facts):
    with pytest.raises(ArtifactError, match="Train again"):
        reference_groups(("ldl",), facts)


def test_the_words_of_a_comparison():
    model = small_linear(np.array([0.5, -0.02]))
    values = np.full(len(FEATURE_NAMES), np.nan, dtype=np.float32)
    values[[0, 1]] = 50, 0
    (text,) = [
        explain(model, values, NO_DAYS, CONSENTED).beside(group_of(model, X, "female_40_49")).text
        for X in [np.array([[40.0, 1.0], [42.0, 1.0]], dtype=np.float32)]
    ]
    assert text == {
        "nb": "Sammenlignet med kvinner på 40–49 år, er modellens tall høyere; det henger mest sammen med livssituasjon "
        "(høyere).",
        "en": "Compared with women aged 40–49, the model's number is higher; it is mostly associated with life situation "
        "(higher).",
    }
    same = explain(model, values, NO_DAYS, CONSENTED).beside(group_of(model, values[None, :2])).text
    assert same["en"] == "Compared with everybody the model was trained on, the model's number is about the same."
