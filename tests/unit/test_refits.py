import json
from dataclasses import replace

import numpy as np
import pytest

from features.catalogue import FEATURE_NAMES
from models.estimators import Candidate, LinearEstimator
from models.evaluation.ablation import SOURCES, ablation, features_of
from models.evaluation.held_out import HeldOut
from models.evaluation.learning_curve import learning_curve
from models.evaluation.refits import at_most, learning_rows, predict_anew, shares_of
from models.model_updating import UpdatedRoelen
from models.published_models import ROELEN_FEATURES
from models.training_set import TrainingSet
from tests.lib.cohorts import random_training_set, split_of

ROWS = random_training_set(n_persons=900)
SPLIT = split_of(ROWS)
NAMES = ("was_work_ability", "days_doctor_365", "hba1c", "crp", "age_years")
MODEL = Candidate("few", NAMES, (LinearEstimator(),))
"""The outcome of random rows depends on the first two of its features."""


def held_out(rows=ROWS) -> HeldOut:
    empty = HeldOut.of(rows, SPLIT, {}, "few")
    return replace(empty, linear={"few": predict_anew(MODEL, learning_rows(rows, SPLIT), empty)})


HELD_OUT = held_out()


def ablation_rows(*known: str) -> TrainingSet:
    """The rows of ``ROWS`` with nothing but these features known of anybody."""
    X = np.full_like(ROWS.X, np.nan)
    places = [FEATURE_NAMES.index(name) for name in known]
    X[:, places] = ROWS.X[:, places]
    return replace(ROWS, X=X)


ONLY_USED = ablation_rows(*NAMES)


def test_a_refit_is_recalibrated_and_numbers_the_held_out_rows():
    linear = HELD_OUT.linear["few"]
    assert linear.shape == (len(HELD_OUT),)
    risks = 1 / (1 + np.exp(-linear))
    assert HELD_OUT.weight @ HELD_OUT.y / (HELD_OUT.weight @ risks) == pytest.approx(1, abs=0.15)


def test_what_nobody_has_changes_nothing_any_more():
    rows = learning_rows(ROWS, SPLIT)
    X = HELD_OUT.X.copy()
    X[:, FEATURE_NAMES.index("was_work_ability")] += 5
    moved = replace(HELD_OUT, X=X)
    with_it, without = (
        [predict_anew(MODEL, rows, one, gone) for one in (HELD_OUT, moved)] for gone in ((), ("was_work_ability",))
    )
    assert not np.allclose(*with_it)
    assert np.array_equal(*without)


def test_fewer_rows_are_whole_persons_and_nested():
    rows = learning_rows(ROWS, SPLIT)
    shares = shares_of(ROWS, rows)
    small, large = (at_most(rows, shares, most) for most in (100, 300))
    assert len(small.y) <= 100 + 8
    assert set(small.person) <= set(large.person)
    for person in set(small.person):
        assert (small.person == person).sum() == (rows.person == person).sum()
    assert len(at_most(rows, shares, 10**6).y) == len(rows.y)


def test_a_source_that_carries_the_signal_is_told_from_one_that_carries_none():
    found = ablation(ONLY_USED, SPLIT, HELD_OUT, MODEL, repeats=100)["sources"]
    assert found["survey"]["gain"]["auroc"]["low"] > 0.02
    assert found["survey"]["gain"]["log_loss"]["high"] < 0
    assert found["labs"]["gain"]["auroc"]["value"] == pytest.approx(0, abs=0.01)
    assert found["labs"]["gain"]["auroc"]["low"] < 0.003
    assert "net_benefit_at_0.20" in found["survey"]["gain"]
    assert found["workplace"]["gain"] is None
    assert found["workplace"]["reason"] == "None of its features varies among the training rows."
    assert (found["labs"]["features"], found["labs"]["available"]) == (2, 2)
    json.dumps(found, allow_nan=False)


def test_a_model_that_uses_less_than_half_of_a_source_cannot_speak_for_it(monkeypatch):
    """As the core model, whose one laboratory value is BMI: a number would be read as what laboratory values add."""
    asked = []

    def watched(candidate, rows, held_out, without=()):
        asked.append(without)
        return predict_anew(candidate, rows, held_out, without)

    monkeypatch.setattr("models.evaluation.ablation.predict_anew", watched)
    more = ablation_rows("crp", "hba1c", "ldl", "was_work_ability", "hscl10_distress", "age_years")
    one = Candidate("one", ("age_years", "was_work_ability", "hba1c"), (LinearEstimator(),))
    whole = ablation(more, SPLIT, HELD_OUT, one, repeats=20)
    found = whole["sources"]
    assert (found["labs"]["features"], found["labs"]["available"], found["labs"]["gain"]) == (1, 3, None)
    assert "uses 1 of the 3 features that vary (hba1c)" in found["labs"]["reason"]
    assert found["survey"]["gain"] is not None, "half is enough"
    assert "reason" not in found["survey"]
    assert len(asked) == 3
    assert "resample test rows only" in whole["caution"]
    assert "6 sources, not adjusted" in whole["caution"]
    of_persons = len(np.unique(learning_rows(ROWS, SPLIT).person))
    assert f"learn from {whole['persons']} of {of_persons} training persons" in whole["caution"]


def test_every_feature_has_one_source():
    assert sorted(name for source in SOURCES for name in features_of(source)) == sorted(FEATURE_NAMES)


def test_a_learning_curve_ends_with_everybody_and_grows():
    found = learning_curve(ROWS, SPLIT, HELD_OUT, MODEL, repeats=100)
    points = found["points"]
    assert [point["share"] for point in points][-1] == 1.0
    assert [point["persons"] for point in points] == sorted(point["persons"] for point in points)
    assert points[0]["loss"]["value"] > points[-1]["loss"]["value"]
    assert found["gain"]["over_share"] == 0.4
    assert points[-1]["persons"] == found["training_persons"]
    json.dumps(found, allow_nan=False)


def test_the_last_point_is_a_refit_as_the_others_are_and_not_the_champion():
    """Else a champion with a line of its own would be better than every share, and persons always seem to be lacking."""
    truth = replace(HELD_OUT, linear={"few": 4 * (HELD_OUT.y - 0.5)})
    assert learning_curve(ROWS, SPLIT, truth, MODEL, repeats=20) == learning_curve(
        ROWS, SPLIT, HELD_OUT, MODEL, repeats=20
    )


def test_only_what_was_observed_is_said(monkeypatch):
    """Refits that know more the more persons they have, and refits that never do."""
    noise = np.random.default_rng(1).normal(0, 1, len(HELD_OUT))

    def growing(candidate, rows, held_out):
        return (held_out.y - 0.5) * len(rows.y) / 500 - 1 + 0.1 * noise

    monkeypatch.setattr("models.evaluation.learning_curve.predict_anew", growing)
    helped = learning_curve(ROWS, SPLIT, HELD_OUT, MODEL, repeats=50)
    assert helped["still_helps"] is True
    assert helped["note"].startswith("All persons lost less (log loss or deviance) than 40% of them: -")
    assert helped["note"].endswith("More persons than these were not tried.")
    monkeypatch.setattr("models.evaluation.learning_curve.predict_anew", lambda *asked: noise)
    flat = learning_curve(ROWS, SPLIT, HELD_OUT, MODEL, repeats=50)
    assert flat["still_helps"] is False
    assert flat["note"].startswith("All persons did not lose measurably less")
    for found in (helped, flat):
        assert "expect" not in found["note"]
        assert "promise" not in found["note"]


def test_of_many_rows_some_persons_are_all_and_the_note_says_it():
    found = learning_curve(ROWS, SPLIT, HELD_OUT, MODEL, most_rows=900, repeats=20)
    last = found["points"][-1]
    assert last["share"] == 1.0
    assert 880 <= last["rows"] <= 908
    assert last["persons"] < found["training_persons"]
    assert found["note"].startswith(f"{last['persons']} of {found['training_persons']} persons ")
    assert "reason" in learning_curve(ROWS, SPLIT, HELD_OUT, MODEL, most_rows=1, repeats=20)


def test_a_rung_of_the_published_formula_gets_no_line_on_top():
    rows = learning_rows(ROWS, SPLIT)
    published = Candidate("roelen_as_published", ROELEN_FEATURES, (UpdatedRoelen("as_published"),))
    X = np.stack([HELD_OUT.column(name) for name in ROELEN_FEATURES], axis=1)
    served = UpdatedRoelen().fit(rows.columns(ROELEN_FEATURES), rows.y, rows.weight, groups=rows.person)
    assert predict_anew(published, rows, HELD_OUT) == pytest.approx(served.decision_function(X))


def test_few_events_get_a_reason_and_no_numbers():
    y = ROWS.y.copy()
    y[SPLIT.train] = 0
    few = replace(ROWS, y=y)
    assert "events" in ablation(few, SPLIT, HELD_OUT, MODEL)["reason"]
    assert learning_curve(few, SPLIT, HELD_OUT, MODEL) == {
        "points": [],
        "reason": "0 events (or non-events) in the training rows; under 40 refits cannot be compared.",
    }
