import json
from dataclasses import replace

import numpy as np
import pytest

from features.catalogue import FEATURE_NAMES, feature
from models.evaluation.discrimination import Ranking, auroc
from models.evaluation.held_out import HeldOut
from models.evaluation.permutation import domain_importance, permutation_test
from models.risk_model import RiskModel
from models.target import DAYS
from tests.lib.cohorts import random_training_set, split_of

ROWS = random_training_set(n_persons=900)
SPLIT = split_of(ROWS)
NAMES = ("was_work_ability", "hba1c", "season_sin")


def model(work_ability: float) -> RiskModel:
    return RiskModel(
        outcome="long_sick_leave", name="m", kind="linear", feature_names=NAMES, impute=np.zeros(3), low=np.full(3, -5.0),
        high=np.full(3, 5.0), mean=np.zeros(3), scale=np.ones(3), coefficients=np.array([work_ability, 0.0, 0.5]),
        intercept=-1.6, reference_risk=0.2,
    )  # fmt: skip


def held_out(work_ability: float = 1.2) -> HeldOut:
    return HeldOut.of(ROWS, SPLIT, {"m": model(work_ability)}, "m")


def test_a_model_that_knows_something_is_far_above_chance():
    found = permutation_test(held_out(), permutations=199)
    assert found["p"] == 1 / 200
    assert found["chance"][0] < 0.5 < found["chance"][1] < found["auroc"]
    json.dumps(found, allow_nan=False)


def test_a_label_that_is_noise_gives_any_p():
    """Where labels have nothing to do with risks, p is uniform: one in five is below 0.2."""
    rows, below = held_out(), 0
    for seed in range(60):
        random = np.random.default_rng(seed)
        noise = replace(rows, y=(random.random(len(rows)) < 0.2).astype(float))
        below += permutation_test(noise, permutations=49, seed=seed)["p"] <= 0.2
    assert 4 <= below <= 22


def test_labels_move_with_their_persons():
    """Rows of a person are alike, so chance is as wide as few persons make it, not as many rows do."""
    random = np.random.default_rng(1)
    persons, each = 60, 20
    person = np.repeat(np.arange(persons), each)
    risk, label = random.normal(size=persons), (random.random(persons) < 0.5).astype(float)
    base = held_out().take(np.arange(1)).take(np.zeros(persons * each, dtype=int))
    rows = replace(base, person=person, t=np.tile(np.arange(each), persons), y=label[person],
                   weight=np.ones(persons * each), linear={"m": risk[person]})  # fmt: skip
    low, high = permutation_test(rows, permutations=300)["chance"]
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(61 / (12 * 30 * 30)), rel=0.25)


def test_the_auroc_is_the_weighted_one():
    rows = held_out()
    expected = auroc(Ranking.of(rows.linear["m"]), rows.y, rows.weight[None])[0]
    assert permutation_test(rows, permutations=9)["auroc"] == pytest.approx(expected)


def test_the_domain_that_carries_the_signal_comes_first_and_an_unused_one_costs_nothing():
    found = domain_importance(held_out(), model(1.2), repeats=100)["domains"]
    assert found[0]["name"] == feature("was_work_ability").domain
    assert found[0]["loss"]["low"] > 0
    assert found[0]["auroc"]["low"] > 0.05
    (labs,) = [domain for domain in found if domain["name"] == feature("hba1c").domain]
    assert all(abs(number) < 1e-12 for number in labs["loss"].values())
    json.dumps(found, allow_nan=False)


def test_domains_are_exchanged_at_the_same_date_so_a_season_costs_nothing():
    season = np.sin(ROWS.t.astype(float))
    X = ROWS.X.copy()
    X[:, FEATURE_NAMES.index("season_sin")] = season
    rows = HeldOut.of(replace(ROWS, X=X), SPLIT, {"m": model(0)}, "m")
    (history,) = [one for one in domain_importance(rows, model(0), repeats=20)["domains"]
                  if one["name"] == feature("season_sin").domain]  # fmt: skip
    assert history["loss"]["value"] == pytest.approx(0, abs=1e-12)


def test_days_have_a_loss_and_no_auroc():
    rows = replace(held_out(), y=held_out().y * 20)
    first = domain_importance(rows, model(1.2), target=DAYS, repeats=20)["domains"][0]
    assert "auroc" not in first
    assert first["loss"]["value"] > 0


def test_fewer_rows_are_whole_persons():
    rows = held_out()
    assert domain_importance(rows, model(1.2), most_rows=200, repeats=5)["rows"] <= 203


def test_few_events_get_a_reason():
    rows = replace(held_out(), y=np.zeros(len(held_out())))
    assert "reason" in permutation_test(rows)
    assert "reason" in domain_importance(rows, model(1.2))
