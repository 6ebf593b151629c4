from dataclasses import replace

import numpy as np
import pytest

from features.catalogue import FEATURE_NAMES, FEATURES
from models.evaluation.leakage import leakage, single_feature_areas
from models.evaluation.refits import learning_rows
from models.training_set import TrainingSet
from tests.lib.cohorts import random_training_set, split_of

BASE = random_training_set(n_persons=1200)


def with_range(found: TrainingSet) -> TrainingSet:
    """Random rows know no valid range; the catalogue's is asked for here."""
    low, high = (np.array([getattr(one, name) for one in FEATURES], np.float32) for name in ("low", "high"))
    X = np.clip(found.X, np.where(np.isfinite(low), low, -1e6), np.where(np.isfinite(high), high, 1e6))
    return replace(found, X=X, facts=found.facts | {"embargo_days": 365})


SOUND = with_range(BASE)
SPLIT = split_of(SOUND)


def checks(found: TrainingSet, split=SPLIT, **areas: float) -> dict[str, dict]:
    return {one["name"]: one for one in leakage(found, split, areas)["checks"]}


def alarming(found: TrainingSet, split=SPLIT, **areas: float) -> set[str]:
    return {name for name, one in checks(found, split, **areas).items() if one["alarm"]}


def changed(name: str, values: np.ndarray) -> TrainingSet:
    X = SOUND.X.copy()
    X[:, FEATURE_NAMES.index(name)] = values
    return replace(SOUND, X=X)


def test_sound_rows_raise_no_alarm():
    found = leakage(SOUND, SPLIT, {"m": 0.74})
    assert found["alarms"] == []
    assert len(found["checks"]) == 7
    assert all(one["result"] and one["rule"] for one in found["checks"])


def test_a_feature_that_knows_the_outcome_is_named():
    leaky = np.nan_to_num(SOUND.y) * 0.6 + np.random.default_rng(1).random(len(SOUND)) * 0.4
    found = changed("tenure_years", leaky)
    assert alarming(found) == {"single features"}
    assert "tenure_years" in leakage(found, SPLIT, {})["alarms"][0]
    assert checks(found)["single features"]["highest"][0]["feature"] == "tenure_years"


def test_a_feature_that_is_known_only_of_cases_is_named():
    there = (np.nan_to_num(SOUND.y) == 1) | (np.random.default_rng(1).random(len(SOUND)) < 0.2)
    found = changed("days_since_guidance", np.where(there, 30, np.nan))
    assert alarming(found) == {"missingness"}
    assert "days_since_guidance" in checks(found)["missingness"]["result"]


def test_missing_values_do_not_count_as_low_ones():
    rows = learning_rows(changed("age_years", np.where(np.nan_to_num(SOUND.y) == 1, np.nan, 40)), SPLIT)
    alone, missing = single_feature_areas(rows)
    place = FEATURE_NAMES.index("age_years")
    assert alone[place] == 0.5
    assert missing[place] == pytest.approx(1)


def test_a_model_above_the_published_ceiling_is_named():
    assert alarming(SOUND, lightgbm=0.83) == {"models"}
    assert "lightgbm" in checks(SOUND, lightgbm=0.83)["models"]["result"]


def test_events_on_the_index_date_are_named():
    days = np.where(np.arange(len(SOUND)) % 3 == 0, 0, SOUND.followed_days)
    assert alarming(replace(SOUND, followed_days=days)) == {"events on the index date"}


@pytest.mark.parametrize(("name", "value"), [("days_since_doctor", 0.0), ("days_doctor_30", 31.0)])
def test_an_observation_from_within_the_outcome_window_is_named(name, value):
    column = SOUND.X[:, FEATURE_NAMES.index(name)].copy()
    column[SPLIT.train[:3]] = value
    found = checks(changed(name, column))["observed before the index date"]
    assert found["alarm"]
    assert name in found["result"]


def test_a_person_on_both_sides_is_named():
    test = np.append(SPLIT.test, np.flatnonzero(SOUND.person == SOUND.person[SPLIT.train[0]])[-1])
    assert "persons on both sides" in alarming(SOUND, replace(SPLIT, test=test))


def test_a_label_that_looks_into_the_test_period_is_named_whatever_the_stated_embargo_is():
    followed = SOUND.followed_days.copy()
    first_test_day = SOUND.t[SPLIT.test].min()
    row = SPLIT.train[SOUND.observed[SPLIT.train]][0]
    followed[row] = first_test_day - SOUND.t[row]
    assert alarming(replace(SOUND, followed_days=followed)) == set()
    followed[row] += 4
    found = checks(replace(SOUND, followed_days=followed))["embargo"]
    assert found["alarm"]
    assert "4 days into the test period" in found["result"]


def test_labels_that_mature_after_the_first_test_date_are_counted_and_no_alarm():
    train = SPLIT.train[SOUND.observed[SPLIT.train]]
    days = int(SOUND.t[SPLIT.test].min()) - int(SOUND.t[train].max())
    late = (SOUND.t[train] == SOUND.t[train].max()).sum()
    for more, expected in ((0, 0), (1, late)):
        facts = SOUND.facts | {"mature_after_days": days + more}
        found = checks(replace(SOUND, facts=facts))["embargo"]
        assert f"; {expected} of {len(train)} training labels were not yet mature" in found["result"]
        assert not found["alarm"]
    assert "not stated" in checks(SOUND)["embargo"]["result"]


def test_few_events_are_not_judged_by_single_features():
    y = SOUND.y.copy()
    events = SPLIT.train[y[SPLIT.train] == 1]
    y[events[20:]] = 0
    found = checks(replace(SOUND, y=y))
    assert "not judged" in found["single features"]["result"]
    assert not found["single features"]["alarm"]
