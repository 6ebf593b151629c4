"""What a champion says of itself: right on small cases, JSON, and of nobody."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from features.catalogue import FEATURE_NAMES, POSITIONS
from models.abstention import Carrier
from models.artifact import load, save
from models.out_of_fold import TrainingRows
from models.reference_groups import groups_of, reference_groups
from models.risk_model import RiskModel
from models.self_description import describe
from tests.lib.models import linear_model, random_rows

NAMES = ("who5_wellbeing", "ldl", "age_years")


def model_of(*coefficients: float) -> RiskModel:
    """Contributions are coefficient times value; missing counts as 0."""
    n = len(coefficients)
    zeros, ones = np.zeros(n), np.ones(n)
    model = replace(
        linear_model(), feature_names=NAMES[:n], impute=zeros, low=-1e6 * ones, high=1e6 * ones, mean=zeros, scale=ones,
        coefficients=np.array(coefficients), intercept=-2.0, recalibration_intercept=0.0, recalibration_slope=1.0,
        refits=(), golden=None,
    )  # fmt: skip
    refits = [replace(model, coefficients=factor * model.coefficients) for factor in (0.5, 1.5)]
    return replace(model, refits=tuple(refits))


def rows_of(X: np.ndarray, person: np.ndarray | None = None, **parts: Any) -> TrainingRows:
    n = len(X)
    zeros = np.zeros(n, dtype=np.int32)
    return TrainingRows(
        feature_names=FEATURE_NAMES, X=X, y=(np.arange(n) % 4 == 0).astype(float), weight=parts.get("weight", np.ones(n)),
        person=np.arange(n) if person is None else person, fold=zeros, company=zeros, followed_days=zeros,
    )  # fmt: skip


def people(n: int, is_female: int, age: int, wellbeing: float = 50.0) -> np.ndarray:
    X = np.full((n, len(FEATURE_NAMES)), np.nan, dtype=np.float32)
    for name, value in {"is_female": is_female, "age_years": age, "who5_wellbeing": wellbeing, "ldl": 3}.items():
        X[:, POSITIONS[name]] = value
    return X


def test_importance_is_the_weighted_mean_size_with_the_interval_of_the_refits():
    X = np.concatenate([people(60, 1, 40, wellbeing=20), people(60, 1, 40, wellbeing=-40)])
    rows = rows_of(X, weight=np.repeat([3.0, 1.0], 60))
    importance = describe(model_of(0.1, -0.5), rows)["importance"]
    # (3 * 2 + 1 * 4) / 4; the refits are half and one and a half of it, of which 5 and 95 % are taken.
    assert importance["features"]["who5_wellbeing"] == pytest.approx({"value": 2.5, "low": 1.375, "high": 3.625})
    assert importance["features"]["ldl"]["value"] == pytest.approx(1.5)
    assert importance["domains"]["mental_health"]["value"] == pytest.approx(2.5)
    assert (importance["rows"], importance["refits"]) == (120, 2)
    assert {"nb", "en"} == set(importance["meaning"])


def test_without_refits_there_is_no_interval():
    described = describe(replace(model_of(0.1), refits=()), rows_of(people(60, 1, 40)))
    assert described["importance"]["features"]["who5_wellbeing"] == {
        "value": pytest.approx(5.0),
        "low": None,
        "high": None,
    }


def test_groups_are_means_that_add_up():
    X = np.concatenate([people(60, 1, 45, 60), people(70, 0, 25, 40)])
    model = model_of(0.1, -0.5)
    groups = reference_groups(model.feature_names, describe(model, rows_of(X)))
    assert {name: one.persons for name, one in groups.items()} == {
        "population": 130,
        "male_18_29": 70,
        "female_40_49": 60,
    }
    women = groups["female_40_49"]
    np.testing.assert_allclose(women.contributions, [6.0, -1.5])
    assert women.log_odds == pytest.approx(model.log_odds(X[:1, [POSITIONS[name] for name in model.feature_names]])[0])


def test_persons_are_counted_not_rows():
    X = np.concatenate([people(60, 1, 45), people(90, 0, 25)])
    person = np.concatenate([np.arange(60) // 2, 100 + np.arange(90)])  # 30 women, each twice
    described = describe(model_of(0.1), rows_of(X, person))
    # 30 women are too few, and would be what is left of everybody less the men: so the men are not told of either.
    assert set(described["reference_groups"]["groups"]) == {"population"}


def test_a_small_group_hides_the_smallest_shown_with_it():
    X = np.concatenate([people(49, 1, 45), people(60, 0, 25), people(80, 0, 35), people(90, 1, 65)])
    described = describe(model_of(0.1), rows_of(X))
    assert set(described["reference_groups"]["groups"]) == {"population", "male_30_39", "female_60_70"}
    groups = reference_groups(("who5_wellbeing",), described)
    assert [one.name for one in groups_of(groups, 0.0, 25.0)] == ["population"]


def test_of_fewer_than_fifty_persons_there_is_no_mean_at_all():
    described = describe(model_of(0.1), rows_of(people(49, 1, 45)))
    assert described["reference_groups"]["groups"] == {}


def test_how_much_is_usually_known():
    X = people(200, 1, 40)
    X[:150, POSITIONS["ldl"]] = np.nan
    X[:20, POSITIONS["who5_wellbeing"]] = np.nan
    described = describe(model_of(0.1, -0.5), rows_of(X))["typical_missing"]
    assert described["known_share"] == pytest.approx({"who5_wellbeing": 0.9, "ldl": 0.25})
    # Lipids are known of every fourth person only: nobody lacks them. Wellbeing is what the model rests on then.
    assert (described["fewest_known"], described["median_known"]) == (0.0, 1.0)


def test_the_facts_are_json_and_the_same_every_time_and_are_read_again():
    model, rows = linear_model(), rows_of(random_rows(300, seed=6))
    described = describe(model, rows)
    assert json.loads(json.dumps(described, allow_nan=False)) == described
    assert describe(model, rows) == described
    carrier = Carrier.of(replace(model, facts={**model.facts, **described}))
    assert carrier.importance.sum() == pytest.approx(1)
    assert (carrier.reasons(random_rows(50, seed=7), np.full((50, 2), np.nan)) == 0).all()


def test_a_model_that_asks_for_neither_sex_nor_age_has_groups_too():
    model = model_of(0.1)
    assert "is_female" not in model.feature_names
    assert "female_40_49" in describe(model, rows_of(people(60, 1, 45)))["reference_groups"]["groups"]


def test_how_like_persons_answer_is_told_of_a_hundred_and_survives_the_artifact(tmp_path):
    X = np.concatenate([people(100, 1, 45, wellbeing=60), people(99, 0, 45, wellbeing=40)])
    model = model_of(0.1)
    described = describe(model, rows_of(X))
    assert described["scale_norms"]["deciles"] == {"female_45_59": {"who5_wellbeing": " ".join(["60"] * 9)}}
    aware = replace(model, facts={**model.facts, **described}, refits=()).with_golden(
        X[:5, [POSITIONS["who5_wellbeing"]]]
    )
    save(aware, tmp_path / "artifact")
    assert load(tmp_path / "artifact").facts["scale_norms"] == described["scale_norms"]
