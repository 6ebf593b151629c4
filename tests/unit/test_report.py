import json
from dataclasses import replace

import numpy as np
import pytest

from data_contracts.errors import NotEnoughDataError
from models.candidate_fits import golden_rows
from models.evaluation.figures import draw
from models.evaluation.report import evaluate
from models.outcomes.long_sick_leave import LongSickLeave
from models.registry_numbers import flat_metrics
from models.risk_model import RiskModel
from tests.lib.cohorts import random_training_set, split_of

DATA = random_training_set(900)
SPLIT = split_of(DATA)


def toy_model(name: str, coefficient: float) -> RiskModel:
    """A model of one feature, the one that carries the signal in the random training set."""
    one = np.ones(1)
    return RiskModel(
        outcome="long_sick_leave", name=name, kind="linear", feature_names=("was_work_ability",), impute=0 * one,
        low=-1e6 * one, high=1e6 * one, mean=0 * one, scale=one, coefficients=coefficient * one, intercept=-1.4,
        reference_risk=0.2,
    )  # fmt: skip


OUTCOME = LongSickLeave()
GOOD, BAD = toy_model("good", 1.0), toy_model("bad", 0.05)


def report(training_set=None, **others):
    return evaluate(GOOD, {"bad": BAD, "good": GOOD}, training_set or DATA, SPLIT, OUTCOME, repeats=40, **others)


@pytest.fixture(scope="module")
def found():
    return report()


def test_every_number_of_every_model_has_an_interval_around_it(found):
    assert set(found["models"]) == {"bad", "good"}
    for metrics in found["models"].values():
        assert len(metrics) == 13
        for name in ("auroc", "brier", "calibration_slope", "observed_to_expected"):
            assert metrics[name]["low"] < metrics[name]["value"] < metrics[name]["high"]


def test_a_model_that_hardly_spreads_risks_has_a_slope_far_above_one(found):
    assert found["models"]["good"]["calibration_slope"]["value"] == pytest.approx(1.1, abs=0.4)
    assert found["models"]["bad"]["calibration_slope"]["value"] > 10


def test_it_is_judged_on_test_rows_with_a_label_only(found):
    observed = DATA.observed[SPLIT.test]
    assert found["test"]["rows"] == observed.sum()
    assert found["test"]["rows_without_label"] == (~observed).sum() > 0
    assert found["test"]["first_index_date"] == "2022-07-01"


def test_training_rows_do_not_matter(found):
    y = DATA.y.copy()
    y[SPLIT.train] = 1 - y[SPLIT.train]
    changed = report(replace(DATA, y=y))
    assert {name for name in found if changed[name] != found[name]} <= {"leakage"}, "single features are judged on them"


def test_it_is_json_without_a_person_and_the_same_every_time(found):
    text = json.dumps(found, allow_nan=False)
    assert "person-1" not in text
    assert json.dumps(report(), allow_nan=False) == text


def test_few_events_are_said(found):
    assert not any("no verdict" in note for note in found["notes"])
    few = replace(SPLIT, test=SPLIT.test[:60])
    notes = evaluate(GOOD, {"good": GOOD}, DATA, few, OUTCOME, repeats=20)["notes"]
    assert any("no verdict" in note for note in notes)


def test_what_the_comparison_warns_of_stands_beside_the_numbers_too():
    warned = replace(GOOD, facts={"comparison": {"notes": ["bad: its line is of fewer persons"], "candidates": []}})
    found = evaluate(warned, {"bad": BAD, "good": warned}, DATA, SPLIT, OUTCOME, repeats=20)
    assert "bad: its line is of fewer persons" in found["notes"]
    assert found["refits"] == 0


def test_the_model_in_service_is_judged_on_the_same_rows_and_its_faults_are_not_the_new_ones():
    X = DATA.X.copy()
    X[:, DATA.feature_names.tolist().index("age_years")] = 5 * np.nan_to_num(DATA.y)
    knows_the_future = replace(toy_model("old", 1.0), feature_names=("age_years",))
    found = report(replace(DATA, X=X), current=knows_the_future)
    assert found["models"]["current_champion"]["auroc"]["value"] > 0.9
    assert found["differences"]["current_champion"]["auroc"]["value"] < 0
    assert not any("current_champion" in alarm for alarm in found["leakage"]["alarms"])


def test_suspected_leakage_is_said():
    X = DATA.X.copy()
    X[:, DATA.feature_names.tolist().index("was_work_ability")] = 5 * np.nan_to_num(DATA.y)
    notes = report(replace(DATA, X=X))["notes"]
    assert any("SUSPECT LEAKAGE (bad, test rows)" in note for note in notes)
    assert any("feature alone" in note and "was_work_ability" in note for note in notes)


def test_without_events_it_refuses():
    y = np.where(np.isnan(DATA.y), np.nan, 0.0)
    with pytest.raises(NotEnoughDataError, match=r"0 events.*training\.test_share"):
        report(replace(DATA, y=y))


def test_numbers_for_the_registry_have_plain_names(found):
    flat = flat_metrics(found)
    assert flat["champion.auroc"] == found["models"]["good"]["auroc"]["value"]
    assert flat["champion.auroc.low"] < flat["champion.auroc"] < flat["champion.auroc.high"]
    assert "bad.brier" in flat
    assert "bad.brier.low" in flat


def test_the_picture_is_a_png_and_the_same_bytes_every_time(found, tmp_path):
    for name in ("a.png", "b.png"):
        draw(found, tmp_path / "new" / name)
    first, second = (path.read_bytes() for path in sorted((tmp_path / "new").iterdir()))
    assert first.startswith(b"\x89PNG")
    assert first == second


def test_golden_rows_mix_columns():
    X = np.arange(40, dtype=np.float32).reshape(20, 2)
    assert not {tuple(row) for row in golden_rows(X, 1)} <= {tuple(row) for row in X}
