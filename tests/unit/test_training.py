import json
from dataclasses import replace

import numpy as np
import pytest

from data_contracts.errors import NotEnoughDataError
from models import artifact
from models.estimators import TreeSize
from models.evaluation.discrimination import log_losses
from models.outcomes import OUTCOMES
from models.training import Trained, train, training_rows
from tests.lib.cohorts import NEVER_KNOWN, random_training_set, split_of

TREES = TreeSize(n_estimators=8, min_child_samples=20)
OUTCOME = OUTCOMES["long_sick_leave"]


def trained(found, seed: int = 1) -> Trained:
    return train(found, split_of(found), OUTCOME, folds=3, refits=3, trees=TREES, seed=seed)


@pytest.fixture(scope="module")
def result() -> Trained:
    return trained(random_training_set())


def test_all_candidates_are_compared_and_the_one_that_sees_the_signal_is_chosen(result):
    assert list(result.candidates) == ["roelen", "prior_absence", "short", "logistic", "lightgbm"]
    assert result.comparison.chosen.name == result.champion.name == "logistic"
    assert result.comparison.chosen.auroc > 0.65


def test_the_champion_is_ready_to_be_served(result, tmp_path):
    artifact.save(result.champion, tmp_path)
    loaded = artifact.load(tmp_path)
    rows, log_odds = loaded.golden
    assert loaded.log_odds(rows).tolist() == log_odds.tolist()
    assert len(loaded.refits) == 3
    interval = loaded.interval(rows)
    assert (interval[:, 0] < interval[:, 1]).all()


def test_risks_add_up_to_the_events_of_the_training_rows(result):
    found = random_training_set()
    rows = training_rows(found, split_of(found).train, 3)
    risks = result.champion.risks(rows.columns(result.champion.feature_names))
    assert np.average(risks, weights=rows.weight) == pytest.approx(result.champion.reference_risk, abs=0.02)
    assert result.champion.reference_risk == pytest.approx(np.average(rows.y, weights=rows.weight))


def test_out_of_fold_losses_are_honest(result):
    """The refitted model must look better on the rows it has seen than the out-of-fold comparison said."""
    found = random_training_set()
    rows = training_rows(found, split_of(found).train, 3)
    model = result.candidates["logistic"]
    seen = np.average(log_losses(model.log_odds(rows.columns(model.feature_names)), rows.y), weights=rows.weight)
    assert seen < result.comparison.chosen.log_loss


def test_constant_columns_are_dropped(result):
    assert "n_jobs" not in result.champion.feature_names


def test_an_instrument_that_was_never_asked_is_in_no_model_of_all_features(result):
    """It would only be listed as missing, for every person and for ever."""
    for name in ("logistic", "lightgbm"):
        assert not set(NEVER_KNOWN) & set(result.candidates[name].feature_names)
    assert "phq9_depression" in NEVER_KNOWN


def test_no_row_of_a_person_is_in_the_model(result):
    rows = {row.tobytes() for row in np.nan_to_num(random_training_set().X)}
    names = random_training_set().feature_names.tolist()
    positions = [names.index(name) for name in result.champion.feature_names]
    people = {row.tobytes() for row in np.nan_to_num(random_training_set().X[:, positions])}
    assert len(rows) == len(random_training_set())
    assert not people & {row.tobytes() for row in np.nan_to_num(result.champion.golden[0])}
    lowest, highest = result.champion.facts["training_range"]["days_doctor_365"]
    days = random_training_set().X[:, names.index("days_doctor_365")]
    assert np.nanmin(days) < lowest < highest < np.nanmax(days)


def test_the_facts_are_json_and_say_what_it_was_trained_on(result):
    facts = json.loads(json.dumps(dict(result.champion.facts), allow_nan=False))
    assert facts["trained_on"] == {"first_index_date": "2021-01-01", "last_index_date": "2021-07-01"}
    assert facts["synthetic"] is True
    assert facts["comparison"]["chosen"] == "logistic"
    assert [line["name"] for line in facts["comparison"]["candidates"]] == list(result.candidates)


def test_training_twice_gives_the_same_files(result):
    assert artifact.to_files(trained(random_training_set()).champion) == artifact.to_files(result.champion)


def test_leakage_is_said_loudly():
    leaking = random_training_set(effect=1.2)
    X = leaking.X.copy()
    X[:, 0] = np.nan_to_num(leaking.y) * 100
    notes = trained(replace(leaking, X=X)).comparison.notes
    assert any("SUSPECT LEAKAGE" in note for note in notes)


@pytest.mark.parametrize(("persons", "effect"), [(60, 1.2), (400, -40.0)])
def test_too_few_rows_or_events_is_an_error_that_says_what_to_do(persons, effect):
    found = random_training_set(persons)
    if effect < 0:
        found = replace(found, y=np.where(np.isnan(found.y), np.nan, 0.0))
    with pytest.raises(NotEnoughDataError, match=r"at least 200 rows and 20 of each.*flow counts"):
        trained(found)
