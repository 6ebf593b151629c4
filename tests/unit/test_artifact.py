"""A saved model answers with the same bits, alone or in a batch, and its contributions add up."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data_contracts.errors import ArtifactError, MissingInputError
from features.build import FeatureMatrix
from models.artifact import RiskModel, _load_pyfunc, load, save, to_files
from models.risk_model import risk_of
from tests.lib.models import additive_model, boosted_model, linear_model, random_rows

PROJECT = Path(__file__).parents[2]
ROWS = random_rows(1000, seed=5)
KINDS = pytest.mark.parametrize(
    "make", [linear_model, additive_model, boosted_model], ids=["linear", "additive", "lightgbm"]
)


def two_features(**changes: object) -> RiskModel:
    parts = {
        "outcome": "burnout",
        "name": "by hand",
        "kind": "linear",
        "feature_names": ("a", "b"),
        "impute": np.array([1.0, 7.0]),
        "low": np.array([0.0, 0.0]),
        "high": np.array([10.0, 10.0]),
        "mean": np.array([1.0, 5.0]),
        "scale": np.array([2.0, 4.0]),
        "coefficients": np.array([3.0, -1.0]),
        "intercept": 0.5,
        "reference_risk": 0.1,
    }
    return RiskModel(**(parts | changes))


def test_a_linear_model_does_not_extrapolate():
    rows = np.array([[10, 9], [10_000, 9], [0, 0], [-3, -3]], dtype=np.float32)
    log_odds = two_features().log_odds(rows)
    assert log_odds[0] == log_odds[1]
    assert log_odds[2] == log_odds[3]
    assert two_features().contributions(rows).sum(axis=1) == pytest.approx(log_odds, abs=1e-12)


def test_linear_model_by_hand():
    model = two_features(recalibration_intercept=-1.0, recalibration_slope=2.0)
    # raw = 0.5 + 3 * (5 - 1) / 2 - (9 - 5) / 4 = 5.5; the missing b is 7, which adds -0.5
    rows = np.array([[5, 9], [5, np.nan]], dtype=np.float32)
    assert model.log_odds(rows).tolist() == [-1 + 2 * 5.5, -1 + 2 * 6.0]
    assert model.contributions(rows).tolist() == [[12.0, -2.0, 0.0], [12.0, -1.0, 0.0]]


def test_interval_is_the_quantiles_of_the_refits():
    refits = tuple(two_features(intercept=float(intercept)) for intercept in range(-10, 11))
    model = two_features(refits=refits)
    middle = np.array([[1, 5]], dtype=np.float32)
    expected = np.quantile(risk_of(np.arange(-10.0, 11.0)), [0.05, 0.95])
    assert model.interval(middle)[0] == pytest.approx(expected, abs=1e-15)
    assert np.isnan(two_features().interval(middle)).all()


@KINDS
def test_interval_has_the_bits_of_each_refit_asked_alone(make):
    model = make(n_refits=3)
    one_by_one = np.stack([refit.risks(ROWS) for refit in model.refits])
    assert np.array_equal(model.interval(ROWS), np.quantile(one_by_one, [0.05, 0.95], axis=0).T)


def test_risk_does_not_overflow():
    assert risk_of(np.array([-1e4, 0.0, 1e4])).tolist() == [0.0, 0.5, 1.0]


@KINDS
def test_contributions_add_up_to_the_log_odds(make):
    model = make()
    terms = model.contributions(ROWS)
    assert terms.shape == (1000, len(model.feature_names) + 1)
    assert np.abs(terms.sum(axis=1) - model.log_odds(ROWS)).max() < 1e-9


@KINDS
@pytest.mark.parametrize("size", [1, 7, 333])
def test_a_row_gets_the_same_bits_in_any_batch(make, size):
    model = make()
    rows = ROWS[:500]
    for method in (model.log_odds, model.risks, model.interval, model.contributions):
        pieces = [method(rows[i : i + size]) for i in range(0, len(rows), size)]
        assert np.array_equal(np.concatenate(pieces), method(rows)), method.__name__


@KINDS
def test_no_rows(make):
    model = make()
    assert model.log_odds(ROWS[:0]).shape == (0,)
    assert model.interval(ROWS[:0]).shape == (0, 2)
    assert model.contributions(ROWS[:0]).shape == (0, len(model.feature_names) + 1)


@KINDS
def test_saving_keeps_every_bit(make, tmp_path):
    model = make()
    save(model, tmp_path)
    again = load(tmp_path)
    for method in ("log_odds", "interval", "contributions"):
        assert np.array_equal(getattr(again, method)(ROWS), getattr(model, method)(ROWS))
    assert again.facts == model.facts
    assert np.array_equal(again.golden[0], model.golden[0], equal_nan=True)
    assert to_files(again) == to_files(model)


def test_saving_removes_what_the_last_model_left(tmp_path):
    (tmp_path / "comparison.json").write_text("{}")
    save(boosted_model(), tmp_path)
    save(linear_model(), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["comparison.json", "model.json"]


def test_what_cannot_be_read_is_an_artifact_error(tmp_path):
    with pytest.raises(MissingInputError, match="no model"):
        load(tmp_path)
    save(boosted_model(), tmp_path)
    document = json.loads((tmp_path / "model.json").read_text())
    for damaged in ({**document, "format": 3}, {**document, "feature_names": 3}, {"format": 2}, [], 5):
        (tmp_path / "model.json").write_text(json.dumps(damaged))
        with pytest.raises(ArtifactError):
            load(tmp_path)


def test_a_missing_refit_is_an_artifact_error(tmp_path):
    save(boosted_model(), tmp_path)
    (tmp_path / "refit_01.txt").unlink()
    with pytest.raises(ArtifactError, match="incomplete"):
        load(tmp_path)


def test_parts_must_fit():
    for changes in (
        {"scale": np.array([0.0, 1.0])},
        {"coefficients": np.array([1.0])},
        {"impute": np.array([np.nan, 1.0])},
        {"reference_risk": 1.5},
        {"kind": "lightgbm"},
        {"kind": "pickle"},
        {"refits": (replace(two_features(), feature_names=("b", "a")),)},
        {"feature_names": ("a", "a")},
    ):
        with pytest.raises(ArtifactError):
            two_features(**changes)
    with pytest.raises(ArtifactError, match="2 features"):
        two_features().log_odds(np.zeros((1, 3), dtype=np.float32))


def test_columns_are_picked_by_name():
    matrix = FeatureMatrix(np.array([[1, 2, 3]], dtype=np.float32), ("b", "c", "a"))
    assert two_features().select(matrix).tolist() == [[3.0, 1.0]]
    with pytest.raises(ArtifactError, match="such as a"):
        two_features().select(FeatureMatrix(matrix.values, ("b", "c", "x")))


def test_values_outside_the_training_range():
    model = two_features(facts={"training_range": {"a": [0.0, 4.0]}})
    rows = np.array([[4, 99], [5, np.nan], [-1, 0], [np.nan, 0]], dtype=np.float32)
    assert model.outside_training_range(rows).tolist() == [[False, False], [True, False], [True, False], [False, False]]


@KINDS
def test_mlflow_gets_calibrated_risks_whatever_the_order_of_columns(make, tmp_path):
    model = make()
    save(model, tmp_path)
    loaded = _load_pyfunc(str(tmp_path))
    frame = pd.DataFrame(ROWS, columns=list(model.feature_names)).astype(np.float64)
    shuffled = frame[list(reversed(model.feature_names))]
    assert np.array_equal(loaded.predict(shuffled), model.risks(ROWS))
    assert np.array_equal(loaded.predict(ROWS), model.risks(ROWS))
    with pytest.raises(ArtifactError, match="age_years"):
        loaded.predict(frame.drop(columns="age_years"))


@pytest.mark.parametrize("first", ["import pandas, sklearn", "pass"])
def test_lightgbm_works_with_and_without_its_companions(first):
    program = f"""
import sys
{first}
import models.booster
before = "pandas" in sys.modules
import pandas, sklearn.linear_model
from tests.lib.models import additive_model, boosted_model, random_rows
rows = random_rows(3)
print(before, boosted_model(trees=2, n_refits=0).log_odds(rows).shape)
"""
    found = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True)
    assert found.stdout.split(" ", 1) == [str(first != "pass"), "(3,)\n"], found.stderr
