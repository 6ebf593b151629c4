"""What the report says of the persons whom the model gives no number."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from features.catalogue import FEATURE_NAMES
from models.abstention import REASONS, Carrier
from models.evaluation.held_back import EXAMINED, MOST_ROWS, _drawn, held_back
from models.evaluation.held_out import HeldOut
from models.risk_model import RiskModel, risk_of
from tests.lib.cohorts import random_training_set, split_of

NAMES = ("was_work_ability", "days_doctor_365", "hba1c", "crp", "age_years")
ONES = np.ones(len(NAMES))


def champion(silent: bool = True, **changes) -> RiskModel:
    """The planted risk of random rows; who lacks the first three features gets no number."""
    coefficients = np.array([1.2, 0.024, 0, 0, 0])
    model = RiskModel(
        outcome="long_sick_leave", name="m", kind="linear", feature_names=NAMES, reference_risk=0.25, intercept=-1.8,
        impute=0 * ONES, low=-1e3 * ONES, high=1e3 * ONES, mean=0 * ONES, scale=ONES, coefficients=coefficients,
        facts={
            "importance": {"features": {name: {"value": 0.2} for name in NAMES}},
            "typical_missing": {"known_share": dict.fromkeys(NAMES, 1.0), "fewest_known": 0.45 * silent,
                                "little_known": 0.5, "most_outside": 1.0},
        },
    )  # fmt: skip
    refits = tuple(replace(model, coefficients=coefficients + shift, facts={}) for shift in (-0.001, 0.001))
    return replace(model, **({"refits": refits} | changes))


def rows(share_of_women: float = 0.5, share_of_men: float = 0.1) -> HeldOut:
    """Test rows; of so many women and men the first three features are lacking, by person."""
    found = random_training_set(900)
    held_out = HeldOut.of(found, split_of(found), {}, "m")
    random = np.random.default_rng(3)
    X = held_out.X.copy()
    woman = held_out.person % 2 == 0
    lacking = random.random(held_out.person.max() + 1)[held_out.person] < np.where(woman, share_of_women, share_of_men)
    X[:, FEATURE_NAMES.index("is_female")] = woman
    X[:, [FEATURE_NAMES.index(name) for name in NAMES]] = np.nan_to_num(held_out.X[:, [FEATURE_NAMES.index(name)
                                                                                        for name in NAMES]])  # fmt: skip
    X[np.ix_(lacking, [FEATURE_NAMES.index(name) for name in NAMES[:3]])] = np.nan
    model = champion()
    return replace(held_out, X=X, linear={"m": model.log_odds(X[:, [FEATURE_NAMES.index(name) for name in NAMES]])})


ROWS = rows()
SILENT = np.isnan(ROWS.column(NAMES[0]))
FOUND = held_back(champion(), ROWS, repeats=60)


def weighted(chosen: np.ndarray, of: np.ndarray) -> float:
    return float((ROWS.weight * chosen * of).sum() / (ROWS.weight * of).sum())


def test_the_share_without_a_number_and_why():
    everybody = np.ones(len(ROWS))
    assert FOUND["share"]["value"] == pytest.approx(weighted(SILENT, everybody))
    assert FOUND["share"]["low"] < FOUND["share"]["value"] < FOUND["share"]["high"]
    by_reason = {one["name"]: one for one in FOUND["reasons"]}
    assert list(by_reason) == list(REASONS[1:])
    assert by_reason["too little known"]["share"]["value"] == pytest.approx(FOUND["share"]["value"])
    assert by_reason["unlike the training data"]["share"]["value"] == 0
    json.dumps(FOUND, allow_nan=False)


def test_silence_is_told_by_group():
    tables = {one["name"]: one for one in FOUND["attributes"]}
    assert set(tables) == set(EXAMINED)
    shares = {one["name"]: one["share"] for one in tables["sex"]["groups"]}
    woman = ROWS.column("is_female") == 1
    assert shares["female"]["value"] == pytest.approx(weighted(SILENT, woman))
    assert shares["male"]["value"] == pytest.approx(weighted(SILENT, ~woman))
    assert shares["female"]["low"] > shares["male"]["high"]


def test_what_comes_to_them_and_how_good_the_numbers_are_that_are_given():
    assert FOUND["event_share"]["held_back"]["value"] == pytest.approx(weighted(ROWS.y, SILENT))
    assert FOUND["event_share"]["answered"]["value"] == pytest.approx(weighted(ROWS.y, ~SILENT))
    risks = risk_of(ROWS.linear["m"])
    answered = (ROWS.weight * ~SILENT) @ ROWS.y / ((ROWS.weight * ~SILENT) @ risks)
    assert FOUND["answered"]["observed_to_expected"]["value"] == pytest.approx(answered)
    assert FOUND["everybody"]["observed_to_expected"]["value"] == pytest.approx(
        ROWS.weight @ ROWS.y / (ROWS.weight @ risks)
    )
    # Nothing is known of the silent that tells them apart: with them, discrimination is worse.
    assert FOUND["answered"]["auroc"]["value"] > FOUND["everybody"]["auroc"]["value"] + 0.02


def test_no_number_is_no_alert():
    alerted = risk_of(ROWS.linear["m"]) >= 0.25
    assert FOUND["threshold"] == 0.25
    assert FOUND["sensitivity"]["as_served"]["value"] == pytest.approx(weighted(alerted & ~SILENT, ROWS.y))
    assert FOUND["sensitivity"]["if_all_numbered"]["value"] == pytest.approx(weighted(alerted, ROWS.y))


def test_few_are_hidden():
    few = rows(0.03, 0.0)
    silent = np.isnan(few.column(NAMES[0]))
    assert 0 < len(np.unique(few.person[silent])) < 10
    found = held_back(champion(), few, repeats=20)
    assert found["event_share"]["held_back"] is None
    assert "fewer than 10" in found["event_share"]["reason"]
    (little,) = [one for one in found["reasons"] if one["name"] == "too little known"]
    assert (little["share"], little["suppressed"]) == (None, "fewer than 10 persons")
    for table in found["attributes"]:
        assert all(group["share"] is None for group in table["groups"])
        assert all("10" in group["suppressed"] for group in table["groups"])


def test_a_small_reason_hides_the_next_so_that_the_total_does_not_tell_it(monkeypatch):
    codes = np.zeros(len(ROWS), int)
    persons = np.unique(ROWS.person)
    codes[np.isin(ROWS.person, persons[:4])] = 1
    codes[np.isin(ROWS.person, persons[4:40])] = 2
    codes[np.isin(ROWS.person, persons[40:120])] = 3
    monkeypatch.setattr(Carrier, "reasons", lambda self, X, interval: codes)
    found = {one["name"]: one for one in held_back(champion(), ROWS, repeats=20)["reasons"]}
    assert [found[name]["suppressed"] for name in REASONS[1:]] == [
        "fewer than 10 persons", "hidden so that a smaller group cannot be worked out from the total", None,
    ]  # fmt: skip


def test_a_model_that_numbers_everybody_or_nobody(monkeypatch):
    everybody = held_back(champion(silent=False), ROWS, repeats=20)
    assert everybody["share"]["value"] == 0
    assert {group["share"]["value"] for table in everybody["attributes"] for group in table["groups"]} == {0}
    assert everybody["sensitivity"]["as_served"] == everybody["sensitivity"]["if_all_numbered"]
    assert everybody["answered"] == everybody["everybody"]
    monkeypatch.setattr(Carrier, "reasons", lambda self, X, interval: np.full(len(X), 3))
    nobody = held_back(champion(), ROWS, repeats=20)
    assert nobody["sensitivity"]["as_served"]["value"] == 0
    assert nobody["answered"]["auroc"]["value"] is None
    json.dumps(nobody, allow_nan=False)


def test_trees_are_judged_on_some_persons_with_all_their_rows(monkeypatch):
    monkeypatch.setitem(MOST_ROWS, "linear", 200)
    found = held_back(champion(), ROWS, repeats=20)
    assert 190 <= found["rows"] <= 200
    taken = _drawn(ROWS, 200, 17)
    assert (len(taken), len(np.unique(taken.person))) == (found["rows"], found["persons"])
    assert np.isin(ROWS.person, taken.person).sum() == len(taken)


def test_days_have_no_alert():
    days = replace(ROWS, y=10 * ROWS.y)
    found = held_back(champion(link="log", refits=()), days, repeats=20)
    assert "sensitivity" not in found
    assert "auroc" not in found["answered"]
    assert found["share"]["value"] == pytest.approx(FOUND["share"]["value"])
