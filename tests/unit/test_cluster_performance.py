"""Numbers of one cluster against the functions that judge everybody, DeLong's interval, and the bootstrap of persons."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from models.calibration import fit_lines
from models.evaluation.cluster_performance import SCALES, design_effect, performance
from models.evaluation.discrimination import Ranking, auroc
from models.evaluation.intervals import resampled_weights
from models.risk_model import risk_of

VECTORS = Path(__file__).parents[2] / "../shared/vectors/calibration"
RANDOM = np.random.default_rng(12)
PERSON = np.repeat(np.arange(500), 3)
OWN = np.repeat(RANDOM.normal(0, 1, 500), 3)
LOG_ODDS = np.round(-1.2 + OWN + 0.3 * RANDOM.normal(size=1500), 1)
Y = (np.repeat(RANDOM.random(500), 3) < risk_of(LOG_ODDS)).astype(np.float64)
"""What becomes of a person is nearly the same at the three dates."""
WEIGHT = RANDOM.uniform(1, 1.3, 1500)
FOUND = performance(LOG_ODDS, Y, WEIGHT, PERSON, design_effect(LOG_ODDS, Y, WEIGHT, PERSON))


def test_values_are_those_of_the_functions_that_judge_everybody():
    shown = {scale.name: scale.back(FOUND[scale.name][0]) for scale in SCALES}
    assert shown["auroc"] == pytest.approx(auroc(Ranking.of(LOG_ODDS), Y, WEIGHT[None])[0])
    assert shown["observed_to_expected"] == pytest.approx(WEIGHT @ Y / (WEIGHT @ risk_of(LOG_ODDS)))
    assert shown["calibration_slope"] == pytest.approx(fit_lines(LOG_ODDS, Y, WEIGHT[None])[1][0])


def test_errors_are_those_of_resampled_persons():
    weights = np.concatenate(list(resampled_weights(PERSON, WEIGHT, 600, 3)))
    areas = auroc(Ranking.of(LOG_ODDS), Y, weights)
    drawn = {"auroc": np.log(areas / (1 - areas)), "calibration_slope": fit_lines(LOG_ODDS, Y, weights)[1],
             "observed_to_expected": np.log(weights @ Y / (weights @ risk_of(LOG_ODDS)))}  # fmt: skip
    for name, values in drawn.items():
        assert FOUND[name][1] == pytest.approx(values.std(), rel=0.12), name


def test_three_rows_of_one_fate_tell_as_much_as_one():
    effect = design_effect(LOG_ODDS, Y, WEIGHT, PERSON)
    assert 2.4 < effect < 3.4
    assert design_effect(LOG_ODDS, Y, WEIGHT, np.arange(1500)) == pytest.approx(1.0, abs=0.15)


def test_the_error_of_observed_to_expected_does_not_depend_on_what_happened():
    fewer = Y * (np.arange(1500) % 2)
    errors = [performance(LOG_ODDS, y, WEIGHT, PERSON, 2.0)["observed_to_expected"][1] for y in (Y, fewer)]
    assert errors[0] == errors[1]


def test_what_does_not_exist_is_not_there():
    assert performance(LOG_ODDS, np.zeros(1500), WEIGHT, PERSON, 1.0) == {}
    assert set(performance(LOG_ODDS, np.ones(1500), WEIGHT, PERSON, 1.0)) == {"observed_to_expected"}
    same = performance(np.full(1500, -1.0), Y, WEIGHT, PERSON, 1.0)
    assert set(same) == {"observed_to_expected"}


@pytest.mark.skipif(not VECTORS.exists(), reason="../shared/vectors is not here")
def test_the_interval_of_independent_rows_is_delongs():
    with (VECTORS / "predictions.csv").open(newline="") as file:
        y, log_odds = np.array([(float(row["y"]), float(row["lp"])) for row in csv.DictReader(file)]).T
    low, area, high = json.loads((VECTORS / "expected.json").read_text())["pROC_delong_ci"]
    logit, error = performance(log_odds, y, np.ones(500), np.arange(500), 1.0)["auroc"]
    assert risk_of(np.array(logit)) == pytest.approx(area, abs=1e-9)
    assert error * area * (1 - area) == pytest.approx((high - low) / 2 / 1.959963984540054, rel=2e-3)
