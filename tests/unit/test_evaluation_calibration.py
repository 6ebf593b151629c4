"""Calibration metrics against R: rms::val.prob, glm and loess on the data of the CalibrationCurves package."""

import json
from pathlib import Path

import numpy as np
import pytest

from models.evaluation import calibration
from models.evaluation.calibration import (
    calibration_errors,
    calibration_in_the_large,
    calibration_slope,
    observed_to_expected,
    smooth_curve,
)
from models.evaluation.discrimination import Ranking, auroc, brier_score
from models.risk_model import risk_of

VECTORS = Path(__file__).parents[2] / "../shared/vectors/calibration"


@pytest.fixture(scope="module")
def r_results():
    if not VECTORS.exists():
        pytest.skip("../shared/vectors is not here")
    y, risks, log_odds = np.loadtxt(VECTORS / "predictions.csv", delimiter=",", skiprows=1).T
    return y, risks, log_odds, json.loads((VECTORS / "expected.json").read_text())


def test_agrees_with_r(r_results):
    y, risks, log_odds, expected = r_results
    ranking, weights = Ranking.of(risks), np.ones((1, len(y)))
    intercept, slope = calibration_slope(log_odds, y, weights)
    assert [intercept[0], slope[0]] == pytest.approx(expected["slope_model"]["coef"], abs=1e-7)
    assert calibration_in_the_large(log_odds, y, weights)[0] == pytest.approx(expected["citl"]["coef"], abs=1e-7)
    errors = calibration_errors(ranking, risks, y, weights)
    for name in ("ICI", "E50", "E90"):
        assert errors[name.lower()][0] == pytest.approx(expected[f"loess_{name}"], abs=1e-9)
    assert auroc(ranking, y, weights)[0] == pytest.approx(expected["pROC_auc"], abs=1e-9)
    assert brier_score(risks, y, weights)[0] == pytest.approx(expected["brier"], abs=1e-9)


def test_averaging_neighbours_hardly_moves_the_index(r_results, monkeypatch):
    y, risks, _, expected = r_results
    monkeypatch.setattr(calibration, "MOST_LOESS_POINTS", 100)
    found = calibration_errors(Ranking.of(risks), risks, y, np.ones((1, len(y))))["ici"][0]
    assert found == pytest.approx(expected["loess_ICI"], abs=0.003)


RANDOM = np.random.default_rng(9)
LOG_ODDS = RANDOM.normal(-1.5, 1.0, 20_000)
RISKS = risk_of(LOG_ODDS)
Y = (RANDOM.random(20_000) < RISKS).astype(np.float64)
ONES = np.ones((1, 20_000))


def test_a_calibrated_model_looks_calibrated_and_a_shifted_one_does_not():
    shifted = LOG_ODDS + 0.5
    assert calibration_slope(LOG_ODDS, Y, ONES)[1][0] == pytest.approx(1.0, abs=0.05)
    assert calibration_errors(Ranking.of(RISKS), RISKS, Y, ONES)["ici"][0] < 0.01
    assert observed_to_expected(RISKS, Y, ONES)[0] == pytest.approx(1.0, abs=0.03)
    assert calibration_in_the_large(shifted, Y, ONES)[0] == pytest.approx(-0.5, abs=0.05)
    assert calibration_errors(Ranking.of(risk_of(shifted)), risk_of(shifted), Y, ONES)["ici"][0] > 0.05


def test_few_distinct_risks_are_not_smoothed():
    """Twelve rows at three risks: the curve is the observed share at each."""
    risks, y = np.repeat([0.1, 0.2, 0.3], 4), np.array([0, 0, 0, 1, 0, 0, 1, 1, 1, 1, 1, 1.0])
    curve = smooth_curve(Ranking.of(risks), risks, y, np.ones(12))
    assert curve == pytest.approx(np.array([[0.1, 0.2, 0.3], [0.25, 0.5, 1.0], [4, 4, 4]]))


def test_rows_without_weight_are_not_there():
    weights = (np.arange(2000) % 2).astype(np.float64)
    kept = weights > 0
    some = slice(0, 2000)
    all_rows = smooth_curve(Ranking.of(RISKS[some]), RISKS[some], Y[some], weights)
    only_kept = smooth_curve(Ranking.of(RISKS[some][kept]), RISKS[some][kept], Y[some][kept], weights[kept])
    assert all_rows == pytest.approx(only_kept)


def test_quantiles_of_the_distance_are_those_over_the_single_rows():
    """Five risks, each of some rows (one of one row), too few to smooth: NumPy's quantiles over all 31 rows."""
    risks = np.repeat([0.1, 0.2, 0.3, 0.5, 0.9], [1, 9, 4, 12, 5])
    y = (np.arange(31) % 3 == 0).astype(np.float64)
    distance = np.abs([y[risks == risk].mean() - risk for risk in risks])
    errors = calibration_errors(Ranking.of(risks), risks, y, np.ones((1, 31)))
    found = [errors[name][0] for name in ("ici", "e50", "e90", "emax")]
    assert found == pytest.approx([distance.mean(), *np.quantile(distance, [0.5, 0.9]), distance.max()])
