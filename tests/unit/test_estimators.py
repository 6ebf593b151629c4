import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from glum import GeneralizedLinearRegressor
from interpret.glassbox import ExplainableBoostingClassifier
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, TweedieRegressor

from data_contracts.errors import ArtifactError
from features.catalogue import FEATURE_NAMES, feature
from models.additive import AdditiveTerms
from models.comparison import described
from models.estimators import (
    ElasticNetEstimator,
    ExplainableBoostingEstimator,
    LinearEstimator,
    RoelenEstimator,
    TreesEstimator,
    TreeSize,
    TunedTreesEstimator,
    candidates,
    grow,
    grown_by,
    refittable,
)
from models.estimators.columns import filled, person_folds_of, standardised, training_ranges
from models.estimators.literature import CORE
from models.estimators.splines import Design
from models.outcomes import OUTCOMES
from models.published_models import roelen_days_log_odds
from models.risk_model import RiskModel, risk_of

PROJECT = Path(__file__).parents[2]
RANDOM = np.random.default_rng(10)
X = RANDOM.normal(size=(600, 4)).astype(np.float32)
X[RANDOM.random(X.shape) < 0.2] = np.nan
X[:, 3] = np.nan
Y = (RANDOM.random(600) < risk_of(np.nan_to_num(X[:, 0]) - 0.5)).astype(np.float64)
WEIGHT = RANDOM.uniform(0.5, 2, 600)
SMALL = TreeSize(n_estimators=10, min_child_samples=20)
NAMES = ("a", "b", "c", "d")
DAYS = np.where(RANDOM.random(600) < 0.5, 0.0, np.exp(np.nan_to_num(X[:, 0])) * RANDOM.integers(1, 60, 600))
PERSONS = np.arange(600) // 3
EVERY = pytest.mark.parametrize(
    "estimator",
    [
        LinearEstimator(),
        TreesEstimator(SMALL, NAMES, 1),
        ElasticNetEstimator(NAMES, ("a",), ("b",)),
        ExplainableBoostingEstimator(20, 0.1),
    ],
    ids=lambda one: type(one).__name__,
)


def as_model(parts) -> RiskModel:
    return RiskModel(outcome="burnout", name="any", feature_names=NAMES, reference_risk=0.3, **parts)


@EVERY
def test_the_model_that_is_handed_over_is_the_one_that_was_compared(estimator):
    fitted = clone(estimator).fit(X, Y, WEIGHT)
    assert as_model(fitted.parts_).log_odds(X) == pytest.approx(fitted.decision_function(X), abs=1e-12)


@EVERY
def test_the_same_rows_give_the_same_bits(estimator):
    first, second = (clone(estimator).fit(X, Y, WEIGHT).decision_function(X) for _ in range(2))
    assert np.array_equal(first, second)


@EVERY
def test_no_persons_extreme_value_is_in_the_model(estimator):
    rows = X.copy()
    rows[0, 0] = 4242.5
    parts = clone(estimator).fit(rows, Y, WEIGHT).parts_
    terms = parts.get("terms", AdditiveTerms.from_curves([([], [0.0], 0.0)]))
    numbers = [*np.ravel(parts.get("high", [])), *np.ravel(parts.get("low", [])), *terms.knots]
    assert "4242.5" not in parts.get("booster_text", "")
    assert max(np.abs(numbers), default=0) < 100


@pytest.mark.parametrize(
    "estimator", [LinearEstimator(), ElasticNetEstimator(NAMES, ("a",), ("b",)), ExplainableBoostingEstimator(20, 0.1)],
    ids=lambda one: type(one).__name__,
)  # fmt: skip
def test_nor_is_one_who_has_it_in_every_quarter(estimator):
    """Rows are quarterly, and a laboratory value may not change from one to the next."""
    rows, persons = X.copy(), np.arange(600) // 4
    rows[:12, 0], persons[:12] = 4242.5, 0
    rows[12:24, 1], persons[12:24] = -4242.5, 3
    rows[24:36, 3], persons[24:36] = 4242.5, 6
    parts = clone(estimator).fit(rows, Y, WEIGHT, groups=persons).parts_
    terms = parts.get("terms", AdditiveTerms.from_curves([([], [0.0], 0.0)]))
    numbers = [np.ravel(parts.get(name, [])) for name in ("high", "low", "impute", "mean")]
    assert max(np.abs([*np.concatenate(numbers), *terms.knots]), default=0) < 100


def test_the_range_is_that_of_the_sixth_person_from_either_end():
    persons = np.repeat(np.arange(40), 5)
    column = (persons + np.tile(np.arange(5) / 10, 40)).astype(np.float32)[:, None]
    column[::7] = np.nan
    of_each = [column[persons == person][:, 0] for person in range(40)]
    expected = (sorted(np.nanmin(one) for one in of_each)[5], sorted(np.nanmax(one) for one in of_each)[-6])
    order = np.random.default_rng(1).permutation(200)
    assert training_ranges(column[order], persons[order]) == [expected]
    shared = np.repeat(column, 3, axis=1)
    shared[persons > 3, 0], shared[persons > 10, 1], shared[persons > 9, 2] = 0.0, np.nan, np.nan
    found = training_ranges(shared[order], persons[order])
    assert found[0] == (0.0, 0.0)
    assert found[1] is not None
    assert found[2] is None
    assert training_ranges(np.arange(40, dtype=np.float32)[:, None]) == [(5.0, 34.0)]


def test_every_step_stands_on_ten_persons_and_on_no_fewer():
    persons = np.arange(600) // 3
    rows = X.copy()
    rows[:27, 0], persons[:27] = 50 + np.arange(27) / 9, np.repeat([0, 1, 2], 9)
    rows[:, 1] = np.where(persons < 8, np.nan, np.nan_to_num(rows[:, 1]))
    rows[persons > 7, 2] = np.nan
    fitted = ExplainableBoostingEstimator(30, 0.1).fit(rows, Y, WEIGHT, groups=persons)
    terms = fitted.parts_["terms"]
    taught = person_folds_of(persons, 600, 7, 0) != 0
    cuts = np.split(terms.knots, np.cumsum(terms.n_knots)[:-1])
    for cut, column in zip(cuts[:2], rows.T[:2], strict=True):
        step = np.searchsorted(cut, column[taught & ~np.isnan(column)], side="right")
        of = persons[taught & ~np.isnan(column)]
        assert min(len(set(of[step == one])) for one in range(len(cut) + 1)) >= 10
    assert len(cuts[0]) > 5
    found = terms.of(rows)
    assert np.average(found, axis=0, weights=WEIGHT) == pytest.approx(np.zeros(4), abs=1e-12)
    # Eight persons are missing in b, and only eight are known in c: neither says anything of them.
    values = terms.values[terms.n_values[0] :][: terms.n_values[1]]
    assert values.min() < terms.missing[1] < values.max()
    assert found[:, 2] == pytest.approx(np.zeros(600), abs=1e-12)


FITS_AND_TELLS = """
import hashlib, numpy as np
from glum import GeneralizedLinearRegressor
from models.estimators import ElasticNetEstimator
from threadpoolctl import threadpool_info
seen, fit = [], GeneralizedLinearRegressor.fit
def watched(self, *arguments, **options):
    seen.extend(found["num_threads"] for found in threadpool_info())
    return fit(self, *arguments, **options)
GeneralizedLinearRegressor.fit = watched
random = np.random.default_rng(3)
X = random.normal(size=(3000, 12)).astype(np.float32)
y = (random.random(3000) < 1 / (1 + np.exp(-X[:, 0]))).astype(float)
terms = ElasticNetEstimator().fit(X, y, np.ones(3000)).parts_["terms"]
print(max(seen), hashlib.sha256(terms.values.tobytes()).hexdigest())
"""


def test_the_elastic_net_has_the_same_bits_whatever_the_number_of_threads():
    found = [
        subprocess.run(
            [sys.executable, "-c", FITS_AND_TELLS], cwd=PROJECT, capture_output=True, text=True, check=True,
            env={**os.environ, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": "1"},
        ).stdout
        for threads in ("1", "2")
    ]  # fmt: skip
    assert found[0].startswith("1 ")
    assert found[0] == found[1]


def test_an_empty_column_carries_nothing_and_stays_finite():
    parts = LinearEstimator().fit(X, Y, WEIGHT).parts_
    assert (parts["impute"][3], parts["scale"][3], parts["coefficients"][3]) == (0.0, 1.0, 0.0)


def test_columns_that_never_vary_change_nothing():
    """Instruments that nobody was asked: hundreds of empty columns."""
    constant = np.where(RANDOM.random((600, 5)) < 0.5, np.float32(7), np.nan).astype(np.float32)
    alone = LinearEstimator().fit(X[:, :3], Y, WEIGHT)
    among = LinearEstimator().fit(np.hstack([X, constant]), Y, WEIGHT)
    assert among.parts_["coefficients"][:3] == pytest.approx(alone.parts_["coefficients"], abs=1e-12)
    assert among.parts_["coefficients"][3:].tolist() == [0.0] * 6
    found = among.decision_function(np.hstack([X, 100 * constant]))
    assert found == pytest.approx(alone.decision_function(X[:, :3]), abs=1e-12)


def _standard_columns() -> np.ndarray:
    parts = LinearEstimator().fit(X[:, :3], Y, WEIGHT).parts_
    held = np.clip(np.where(np.isnan(X[:, :3]), parts["impute"], X[:, :3]), parts["low"], parts["high"])
    return (held - parts["mean"]) / parts["scale"]


@pytest.mark.parametrize("inverse_penalty", [1.0, 0.01])
def test_ridge_is_scikit_learns_logistic_regression(inverse_penalty):
    reference = LogisticRegression(C=inverse_penalty, tol=1e-10, max_iter=1000).fit(_standard_columns(), Y, WEIGHT)
    parts = LinearEstimator(inverse_penalty).fit(X[:, :3], Y, WEIGHT).parts_
    assert parts["coefficients"] == pytest.approx(reference.coef_[0], abs=2e-5)
    assert parts["intercept"] == pytest.approx(reference.intercept_[0], abs=2e-5)


def test_ridge_for_days_is_scikit_learns_tweedie_regression():
    alpha = 1 / WEIGHT.sum()
    reference = TweedieRegressor(power=1.5, alpha=alpha, link="log", tol=1e-10, max_iter=10_000)
    reference.fit(_standard_columns(), DAYS, WEIGHT)
    parts = LinearEstimator(target="days").fit(X[:, :3], DAYS, WEIGHT).parts_
    assert parts["coefficients"] == pytest.approx(reference.coef_, abs=1e-4)
    assert parts["intercept"] == pytest.approx(reference.intercept_, abs=1e-4)


@pytest.mark.parametrize("p", [0, 1, 31, 33, 67, 130])
def test_columns_in_blocks_have_the_bits_of_all_at_once(p):
    """With millions of rows the float64 columns would be what does not fit; the model must not change for that."""
    random = np.random.default_rng(p)
    X = np.asfortranarray(random.normal(size=(2003, p)).astype(np.float32))
    X[random.random(X.shape) < 0.1] = np.nan
    X[:, 3:4] = 2.0
    impute, low, high, weight = np.full(p, 0.3), np.full(p, -1.5), np.full(p, 2.0), random.random(len(X))
    known = np.clip(np.where(np.isnan(X), impute, X.astype(np.float64)), low, high)
    share = weight / weight.sum()
    mean = share @ known
    spread = np.sqrt(share @ (known - mean) ** 2)
    scale = np.where(spread > 1e-9, spread, 1.0)

    def columns(some: slice) -> np.ndarray:
        return filled(X[:, some], impute[some], low[some], high[some])

    Z, *moments = standardised(columns, p, weight)
    np.testing.assert_array_equal(filled(X, impute, low, high), known)
    np.testing.assert_array_equal(Z, ((known - mean) / scale).astype(np.float32))
    np.testing.assert_array_equal(moments, [mean, scale])
    assert Z.flags.f_contiguous


def test_elastic_net_is_glums_and_its_curves_are_its_columns():
    fitted = ElasticNetEstimator(NAMES, ("a",), ("b",), strength=0.01).fit(X, Y, WEIGHT)
    design = Design.of(X, np.array([True, False, False, False]), np.array([False, True, False, False]))
    Z, *_ = design.matrix(X, WEIGHT)
    assert Z.shape[1] == 3 + 3 + 1  # three lines (nothing is known of d), three hinges, a flag
    glm = GeneralizedLinearRegressor(family="binomial", alpha=0.01, l1_ratio=0.5, gradient_tol=1e-8)
    glm.fit(Z.astype(np.float64), Y, sample_weight=WEIGHT)
    expected = Z.astype(np.float64) @ glm.coef_ + glm.intercept_
    assert fitted.decision_function(X) == pytest.approx(expected, abs=2e-4)


def test_the_strength_is_chosen_and_kept_for_refits():
    fitted = ElasticNetEstimator(NAMES).fit(X, Y, WEIGHT, groups=PERSONS)
    assert fitted.strength is None
    assert fitted.decided().strength == fitted.strength_ > 0
    assert np.average(fitted.parts_["terms"].of(X), axis=0, weights=WEIGHT) == pytest.approx(np.zeros(4), abs=1e-6)


def test_noise_is_left_out_by_a_strength_that_was_chosen():
    noise = np.hstack([X[:, :1], RANDOM.normal(size=(600, 20)).astype(np.float32)])
    terms = ElasticNetEstimator().fit(noise, Y, WEIGHT, groups=PERSONS).parts_["terms"].of(noise)
    assert terms[:, 0].std() > 3 * terms[:, 1:].std(axis=0).max()


def test_explainable_boosting_is_interprets_machine_to_the_last_bits(monkeypatch):
    machines = []

    class Kept(ExplainableBoostingClassifier):
        def fit(self, *arguments, **options):
            machines.append(super().fit(*arguments, **options))
            return self

    monkeypatch.setattr("interpret.glassbox.ExplainableBoostingClassifier", Kept)
    fitted = ExplainableBoostingEstimator(30, 0.1).fit(X, Y, WEIGHT, groups=PERSONS)
    assert fitted.decision_function(X) == pytest.approx(machines[0].decision_function(X[:, :3]), abs=1e-12)
    assert fitted.parts_["terms"].of(X).std(axis=0)[0] > 0.1


@pytest.mark.parametrize(("limit", "teaching"), [(len(X), 6 / 7), (len(X) - 1, 3 / 7)])
def test_of_very_many_rows_half_of_the_persons_who_teach_rest_and_those_who_stop_do_not(monkeypatch, limit, teaching):
    seen = []

    class Kept(ExplainableBoostingClassifier):
        def fit(self, *arguments, bags, **options):
            seen.append(bags.ravel())
            return super().fit(*arguments, bags=bags, **options)

    monkeypatch.setattr("interpret.glassbox.ExplainableBoostingClassifier", Kept)
    monkeypatch.setattr("models.estimators.explainable_boosting.MANY_ROWS", limit)
    ExplainableBoostingEstimator(5, 0.1).fit(X, Y, WEIGHT, groups=PERSONS)
    assert (seen[0] == 1).mean() == pytest.approx(teaching, abs=0.05)
    assert (seen[0] == -1).mean() == pytest.approx(1 / 7, abs=0.03)
    assert all(len(np.unique(seen[0][person == PERSONS])) == 1 for person in np.unique(PERSONS))


def test_trees_keep_to_the_expected_directions():
    names = ("days_doctor_365", "was_work_ability", "age_years")
    assert [feature(name).expected_direction for name in names] == [1, -1, 0]
    rows = np.random.default_rng(2).normal(size=(800, 3)).astype(np.float32)
    against = -rows[:, 0] + rows[:, 1] + np.abs(rows[:, 2])
    y = (np.random.default_rng(3).random(800) < risk_of(against - 0.5)).astype(np.float64)
    moved = {}
    for monotone in (True, False):
        fitted = TreesEstimator(SMALL, names, 1, "event", monotone).fit(rows, y, np.ones(800))
        grid = np.repeat(np.zeros((1, 3), dtype=np.float32), 50, axis=0)
        for column in (0, 1):
            swept = grid.copy()
            swept[:, column] = np.linspace(-3, 3, 50)
            moved[monotone, column] = np.diff(fitted.decision_function(swept))
    assert (moved[True, 0] >= 0).all()
    assert (moved[True, 1] <= 0).all()
    assert (moved[False, 0] < 0).any()


def test_tuning_keeps_persons_apart_and_its_choice_for_refits(monkeypatch):
    seen = []
    searched = TunedTreesEstimator._searched

    def watched(self, X, y, weight, validates):
        seen.append(validates)
        return searched(self, X, y, weight, validates)

    monkeypatch.setattr(TunedTreesEstimator, "_searched", watched)
    fitted = TunedTreesEstimator(SMALL, 0.5, NAMES, 1).fit(X, Y, WEIGHT, groups=PERSONS)
    assert not set(PERSONS[seen[0]]) & set(PERSONS[~seen[0]])
    assert 0 < seen[0].mean() < 0.5
    again = clone(fitted.decided()).fit(X, Y, WEIGHT)
    assert again.parts_["booster_text"] == fitted.parts_["booster_text"]


def test_inner_folds_keep_persons_together():
    folds = person_folds_of(PERSONS, 600, 3, 5)
    assert [len(set(folds[person == PERSONS])) for person in range(200)] == [1] * 200
    assert np.bincount(folds).min() > 150


OF_DAYS = (
    LinearEstimator(target="days"),
    ElasticNetEstimator(NAMES, ("a",), target="days"),
    TreesEstimator(SMALL, NAMES, 1, "days"),
)


@pytest.mark.parametrize("estimator", OF_DAYS, ids=lambda one: type(one).__name__)
def test_days_are_predicted_on_the_log_scale(estimator):
    days = np.exp(clone(estimator).fit(X, DAYS, WEIGHT).decision_function(X))
    assert np.average(days, weights=WEIGHT) == pytest.approx(np.average(DAYS, weights=WEIGHT), rel=0.15)
    assert np.corrcoef(days, np.nan_to_num(X[:, 0]))[0, 1] > 0.6


def test_somebody_else_may_grow_the_trees():
    calls = []

    def elsewhere(*arguments):
        calls.append(arguments[0]["objective"])
        return grow(*arguments)

    with grown_by(elsewhere):
        TreesEstimator(SMALL, NAMES, 1).fit(X, Y, WEIGHT)
    TreesEstimator(SMALL, NAMES, 1).fit(X, Y, WEIGHT)
    assert calls == ["binary"]


@EVERY
def test_a_model_says_how_it_can_be_fitted_again(estimator):
    fitted = clone(estimator).fit(X, Y, WEIGHT, groups=PERSONS)
    decided = fitted.decided() if hasattr(fitted, "decided") else fitted
    model = as_model(fitted.parts_ | {"facts": {"estimator": described(decided)}})
    candidate = refittable(model)
    assert (candidate.name, candidate.feature_names) == ("any", NAMES)
    again = candidate.estimators[0].fit(X, Y, WEIGHT, groups=PERSONS)
    assert np.array_equal(again.decision_function(X), fitted.decision_function(X))


def test_an_older_model_cannot_be_fitted_again():
    with pytest.raises(ArtifactError, match="does not say how it was fitted"):
        refittable(as_model(LinearEstimator().fit(X, Y, WEIGHT).parts_))


def test_where_nothing_varies_everybody_gets_the_mean_risk():
    parts = LinearEstimator().fit(X[:, 3:], Y, WEIGHT).parts_
    assert parts["coefficients"].tolist() == [0.0]
    assert risk_of(np.array([parts["intercept"]]))[0] == pytest.approx(np.average(Y, weights=WEIGHT), abs=1e-4)


def test_a_stronger_penalty_shrinks():
    weak, strong = (LinearEstimator(penalty).fit(X, Y, WEIGHT).parts_["coefficients"][0] for penalty in (1.0, 0.001))
    assert 0 < strong < weak / 2


def test_roelen_keeps_the_published_coefficients_and_learns_only_medians():
    rows = np.array([[45, 10, 4], [45, 60, 2], [45, 0, 5], [45, 0, np.nan]], dtype=np.float32)
    found = RoelenEstimator().fit(rows, np.array([0, 1, 0, 0.0]), np.ones(4)).decision_function(rows)
    assert found[:3] == pytest.approx(roelen_days_log_odds(*rows[:3].T), abs=1e-6)
    assert found[3] == pytest.approx(roelen_days_log_odds(45, 0, 4))


BOTH = ["prior_absence", "short", "core", "elastic_net", "lightgbm"]
EVENTS = ["prior_absence", "short", "core", "logistic", "elastic_net", "explainable_boosting", "lightgbm"]


@pytest.mark.parametrize("outcome", OUTCOMES.values(), ids=OUTCOMES)
def test_candidates_are_simplest_first_and_know_only_catalogue_features(outcome):
    found = candidates(outcome, FEATURE_NAMES, TreeSize(), 1)
    names = [candidate.name for candidate in found]
    if outcome.target == "days":
        assert names == BOTH
    else:
        assert names == ([] if outcome.name == "burnout" else ["roelen"]) + EVENTS
    assert all(set(candidate.feature_names) <= set(FEATURE_NAMES) for candidate in found)
    of = {candidate.name: candidate for candidate in found}
    assert ("cbi_personal" in of["short"].feature_names) == (outcome.name == "burnout")
    assert of["core"].n_parameters == 19 + len(set(outcome.extra_short_features) - set(CORE))
    assert of["elastic_net"].n_parameters > len(FEATURE_NAMES) == of["lightgbm"].n_parameters


def test_tuning_adds_a_search_after_the_fixed_sizes():
    *_, plain = candidates(OUTCOMES["burnout"], FEATURE_NAMES, TreeSize(), 1)
    *_, tuned = candidates(OUTCOMES["burnout"], FEATURE_NAMES, TreeSize(), 1, tuning_seconds=7.0)
    assert [type(one).__name__ for one in tuned.estimators] == [*["TreesEstimator"] * 3, "TunedTreesEstimator"]
    assert len(plain.estimators) == 3
    assert tuned.estimators[-1].seconds == 7.0
