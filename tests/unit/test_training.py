import json
from dataclasses import replace

import numpy as np
import pytest

from data_contracts.errors import NotEnoughDataError
from models import artifact, side_by_side, training
from models.candidate_fits import resampled_models
from models.comparison_persons import compared_on, drawn
from models.estimators import Candidate, LinearEstimator, TreeSize, refittable
from models.evaluation.discrimination import log_losses
from models.out_of_fold import out_of_fold
from models.outcomes import OUTCOMES
from models.risk_model import RiskModel
from models.side_by_side import workers
from models.training import Trained, TrainingPlan, train, training_rows
from tests.lib.cohorts import NEVER_KNOWN, random_training_set, split_of

TREES = TreeSize(n_estimators=8, min_child_samples=20)
OUTCOME = OUTCOMES["long_sick_leave"]


NAMES = ["roelen", "prior_absence", "short", "core", "logistic", "elastic_net", "explainable_boosting", "lightgbm"]


def trained(found, seed: int = 1, insufficient: str = "report", outcome=OUTCOME, **plan) -> Trained:
    plan = TrainingPlan(folds=3, refits=3, trees=TREES, seed=seed, insufficient=insufficient, **plan)
    return train(found, split_of(found), outcome, plan)


@pytest.fixture(scope="module")
def result() -> Trained:
    return trained(random_training_set())


@pytest.fixture(scope="module")
def judged() -> Trained:
    """Persons enough for the candidates with few parameters, and for no other."""
    return trained(random_training_set(900), insufficient="leave out")


def test_all_candidates_are_compared_and_the_simplest_that_sees_the_signal_is_chosen(result):
    assert list(result.candidates) == NAMES
    assert result.comparison.chosen.name == result.champion.name == "core"
    assert result.comparison.chosen.auroc > 0.65
    assert "core" in result.comparison.reason


def test_a_candidate_that_takes_more_persons_is_not_fitted_and_says_how_many(judged):
    assert list(judged.candidates) == ["roelen", "prior_absence", "short"]
    left_out = {one["name"]: one for one in judged.comparison.left_out}
    assert list(left_out) == NAMES[3:]
    core = left_out["core"]["verdict"]
    assert core["missing_persons"] == core["required_persons"] - core["persons"] > 0
    assert left_out["core"]["reason"] == f"needs {core['missing_persons']} more persons"
    assert judged.champion.facts["sample_size"]["core"] == core
    assert judged.champion.facts["sample_size"]["short"]["enough"]
    assert core["persons"] == len(set(training_rows_of(900).person))


def training_rows_of(persons: int):
    found = random_training_set(persons)
    return training_rows(found, split_of(found).train, 3)


def test_with_persons_for_no_model_a_published_formula_is_updated():
    found = trained(random_training_set(150), insufficient="leave out")
    assert found.champion.name.startswith("roelen_")
    assert "reason" in found.champion.facts["small_data"]


def test_many_persons_are_compared_by_some_and_all_are_learnt_from():
    found = trained(random_training_set(900), insufficient="leave out", comparison_persons=400)
    everybody = len(set(training_rows_of(900).person))
    told = found.comparison.to_json()["compared_on"]
    assert (told["persons"], told["of_persons"]) == (400, everybody)
    assert found.champion.facts["persons"] == everybody


def test_lines_of_the_candidates_that_cost_little_are_of_everybody_and_the_others_say_that_theirs_is_not():
    found = trained(random_training_set(), comparison_persons=150)
    rows = training_rows_of(400)
    for name, model in found.candidates.items():
        of_everybody = name in ("roelen", "prior_absence", "short", "core", "logistic")
        assert model.facts["recalibrated_on"] == ("all training persons" if of_everybody else "comparison persons")
    again = out_of_fold(refittable(found.candidates["short"]), rows)
    line = (found.candidates["short"].recalibration_intercept, found.candidates["short"].recalibration_slope)
    assert line == pytest.approx((again.intercept, again.slope))
    compared = {one.name: one.recalibration_slope for one in found.comparison.candidates}
    assert compared["short"] != pytest.approx(again.slope)
    assert compared["lightgbm"] == found.candidates["lightgbm"].recalibration_slope
    (note,) = [one for one in found.comparison.to_json()["notes"] if "recalibrated on the 150 persons" in one]
    assert note.startswith("elastic_net, explainable_boosting, lightgbm:")
    assert note in found.champion.facts["comparison"]["notes"]


def test_where_everybody_is_compared_every_line_is_of_everybody(result):
    assert {one.facts["recalibrated_on"] for one in result.candidates.values()} == {"all training persons"}
    assert not any("recalibrated on the" in note for note in result.comparison.notes)


@pytest.mark.parametrize(("most", "searches"), [(20_000, 4), (400, 7)])
def test_the_time_for_tuning_is_for_all_searches_together(monkeypatch, most, searches):
    """One search per fold and one on all rows; where few are compared, each fold of the winner on all rows again."""
    given = []
    monkeypatch.setattr("models.training.candidates", lambda *arguments: given.append(arguments[-1]) or ())
    monkeypatch.setattr("models.training.LEARNS_NOTHING", ())
    with pytest.raises(ValueError, match="empty"):
        trained(random_training_set(900), insufficient="leave out", tuning_minutes=7.0, comparison_persons=most)
    assert given == [pytest.approx(60 * 7 / searches)]


def test_the_champion_says_how_it_was_fitted_and_when_its_risk_falls_due(result):
    assert result.champion.facts["estimator"]["name"] == "ElasticNetEstimator"
    assert result.champion.facts["estimator"]["settings"]["strength"] > 0
    assert "importance" in result.champion.facts
    assert result.champion.facts["horizons"]["365"] is None


def test_each_refit_has_a_line_of_its_own_resample():
    rows = training_rows_of(400)
    names = ("days_doctor_365", "was_work_ability")
    fit = out_of_fold(Candidate("two", names, (LinearEstimator(),)), rows)
    parts = LinearEstimator().fit(rows.columns(names), rows.y, rows.weight).parts_
    about = {"estimator": {"name": "LinearEstimator", "settings": {}}}
    champion = RiskModel(outcome="o", name="two", feature_names=names, reference_risk=0.2, facts=about,
                         recalibration_slope=fit.slope, **parts)  # fmt: skip
    slopes = [one.recalibration_slope for one in resampled_models(champion, fit, rows, rows, 20, 1)]
    assert len(set(slopes)) == 20
    assert np.mean(slopes) == pytest.approx(fit.slope, abs=0.1)


def test_no_estimator_meets_a_person_whom_it_is_then_asked_about():
    met = []

    class Watched(LinearEstimator):
        def fit(self, X, y, sample_weight, *, groups=None):
            met.append(set(groups))
            return super().fit(X, y, sample_weight)

    rows = training_rows_of(400)
    with workers(1):
        out_of_fold(Candidate("two", ("age_years",), (Watched(),)), rows)
    for persons, fold in zip(met, np.unique(rows.fold), strict=True):
        assert persons == set(rows.person[rows.fold != fold])
        assert not persons & set(rows.person[rows.fold == fold])


def test_days_are_learnt_with_candidates_for_days():
    found = random_training_set()
    random = np.random.default_rng(5)
    days = np.where(found.y == 1, random.integers(1, 300, len(found)), 0.0)
    outcome = OUTCOMES["absence_days"]
    counted = replace(found, outcome=outcome.name, y=np.where(np.isnan(found.y), np.nan, days))
    result = trained(counted, outcome=outcome)
    assert list(result.candidates) == ["prior_absence", "short", "core", "elastic_net", "lightgbm"]
    assert result.champion.link == "log"
    rows = training_rows(found, split_of(found).train, 3)
    kept = result.champion.risks(rows.columns(result.champion.feature_names))
    assert np.average(kept, weights=rows.weight) == pytest.approx(result.champion.reference_risk, rel=0.1)
    assert {one["name"] for one in result.comparison.left_out} == {"roelen", "logistic", "explainable_boosting"}
    assert result.comparison.chosen.auroc is None


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
    model = result.candidates["core"]
    seen = np.average(log_losses(model.log_odds(rows.columns(model.feature_names)), rows.y), weights=rows.weight)
    assert seen < result.comparison.chosen.log_loss


def test_constant_columns_are_dropped(result):
    assert "n_jobs" not in result.champion.feature_names


def test_an_instrument_that_was_never_asked_is_in_no_model_of_all_features(result):
    """It would only be listed as missing, for every person and for ever."""
    for name in ("logistic", "elastic_net", "explainable_boosting", "lightgbm"):
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
    assert facts["comparison"]["chosen"] == "core"
    assert [line["name"] for line in facts["comparison"]["candidates"]] == list(result.candidates)


def test_training_twice_gives_the_same_files(judged):
    again = trained(random_training_set(900), insufficient="leave out")
    assert artifact.to_files(again.champion) == artifact.to_files(judged.champion)


def test_leakage_is_said_loudly():
    leaking = random_training_set(900)
    X = leaking.X.copy()
    X[:, 0] = np.nan_to_num(leaking.y) * 100
    notes = trained(replace(leaking, X=X), insufficient="leave out").comparison.notes
    assert any("SUSPECT LEAKAGE" in note for note in notes)


@pytest.mark.parametrize(("persons", "effect"), [(60, 1.2), (400, -40.0)])
def test_too_few_rows_or_events_is_an_error_that_says_what_to_do(persons, effect):
    found = random_training_set(persons)
    if effect < 0:
        found = replace(found, y=np.where(np.isnan(found.y), np.nan, 0.0))
    with pytest.raises(NotEnoughDataError, match=r"at least 200 rows and 20 of each.*flow counts"):
        trained(found)


def test_of_many_rows_some_index_dates_are_compared_the_last_among_them():
    found = random_training_set(400)
    positions = split_of(found).train
    rows, t = training_rows(found, positions, 3), found.t[positions[found.observed[positions]]]
    compared = drawn(rows, t, found.person_ids, 10_000, len(t) // 2)
    kept = np.unique(t)[::-3]  # one date in two is a few rows too many
    assert len(compared.y) == np.isin(t, kept).sum() < len(t) // 2
    assert compared.y.tolist() == rows.y[np.isin(t, kept)].tolist()
    told = compared_on(rows, compared, 10_000)
    assert (told["rows"], told["of_rows"]) == (len(compared.y), len(t))
    assert told["how"] == "some of their index dates; the final fits use all"
    assert drawn(rows, t, found.person_ids, 10_000, len(t)) is rows


def test_where_some_dates_are_compared_the_champions_line_is_of_all_rows():
    """A line of a model of fewer rows is too flat, be it that they are of all persons."""
    found = trained(random_training_set(900), insufficient="leave out", comparison_rows=600)
    told = found.comparison.to_json()["compared_on"]
    assert told["rows"] <= 600 < told["of_rows"]
    again = out_of_fold(refittable(found.champion), training_rows_of(900))
    assert found.champion.recalibration_slope == pytest.approx(again.slope)
    assert found.comparison.chosen.recalibration_slope != pytest.approx(again.slope)


@pytest.mark.parametrize(("memory", "at_once"), [(10**5, 1), (10**15, 2)])
def test_where_the_memory_is_too_small_for_two_fits_they_come_one_by_one(monkeypatch, memory, at_once):
    met, whole = [], training.recalibrated

    def watched(*given):
        met.append(side_by_side._WORKERS.get())
        return whole(*given)

    monkeypatch.setattr(training, "recalibrated", watched)
    monkeypatch.setattr(training, "memory_of_this_machine", lambda: memory)
    trained(random_training_set())
    assert met == [at_once]


def test_a_training_has_the_same_bits_with_one_worker_and_with_two(result):
    with workers(1):
        alone = trained(random_training_set())
    assert alone.comparison == result.comparison
    for name, model in result.candidates.items():
        assert alone.candidates[name].golden[1].tobytes() == model.golden[1].tobytes()
    X = result.champion.golden[0]
    assert alone.champion.interval(X).tobytes() == result.champion.interval(X).tobytes()
    assert alone.champion.facts == result.champion.facts
