"""Metrics against values that others computed: scikit-learn, R (rms, pROC, riskRegression), dcurves, fairlearn, seismometer.

Files are in ``../shared/vectors``. seismometer's table was made with version 0.5.0 of PyPI (``calculate_bin_stats`` on
``calibration/predictions.csv``); it acts on risks *above* a threshold, rounded to five decimals, and we on those at it too.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

import fairlearn.metrics as fairlearn
import numpy as np
import pandas as pd
import pytest
from dcurves import dca
from sklearn.metrics import average_precision_score, brier_score_loss, confusion_matrix, log_loss, roc_auc_score

from models.calibration import fit_lines
from models.evaluation.discrimination import Ranking, auroc, brier_score, scaled_brier_score
from models.evaluation.group_sums import at_threshold, terms
from models.evaluation.metrics import metrics_of
from models.evaluation.net_benefit import interventions_avoided, net_benefit, positives
from models.observation_weights import censoring_weights
from models.risk_model import risk_of
from models.target import EVENT

VECTORS = Path(__file__).parents[2] / "../shared/vectors"
pytestmark = pytest.mark.skipif(not VECTORS.exists(), reason="../shared/vectors is not here")


def table(name: str) -> pd.DataFrame:
    return pd.read_csv(VECTORS / name)


def expected(name: str) -> dict:
    return json.loads((VECTORS / name).read_text())


def of_risk(risks: np.ndarray) -> np.ndarray:
    return np.log(risks / (1 - risks))


@pytest.fixture
def simulated() -> tuple[np.ndarray, np.ndarray]:
    """The running example of R's CalibrationCurves: labels and log-odds, each (500,)."""
    with (VECTORS / "calibration/predictions.csv").open(newline="") as file:
        y, log_odds = np.array([(float(row["y"]), float(row["lp"])) for row in csv.DictReader(file)]).T
    return y, log_odds


# Calibration and discrimination ------------------------------------------------------------------------------------


def test_val_prob(simulated):
    """rms::val.prob 6.5: C to 1e-4 (it groups predictions), Eavg and E90 to 0.02 (it smooths with lowess, not loess)."""
    y, log_odds = simulated
    found = {name: float(number[0]) for name, number in metrics_of(log_odds, y)(np.ones((1, 500))).items()}
    theirs = expected("calibration/expected.json")
    rms = theirs["rms_val_prob"]
    assert found["auroc"] == pytest.approx(rms["C (ROC)"], abs=1e-4)
    assert found["brier"] == pytest.approx(rms["Brier"], abs=1e-9)
    assert found["calibration_intercept"] == pytest.approx(rms["Intercept"], abs=1e-6)
    assert found["calibration_slope"] == pytest.approx(rms["Slope"], abs=1e-6)
    assert found["calibration_in_the_large"] == pytest.approx(theirs["citl"]["coef"], abs=1e-7)
    assert found["ici"] == pytest.approx(rms["Eavg"], abs=0.02)
    assert found["e90"] == pytest.approx(rms["E90"], abs=0.02)
    assert found["emax"] == pytest.approx(rms["Emax"], abs=0.03)


def test_loess_of_r(simulated):
    """R 4.2's loess (span 0.75, degree 2): the curve that ours is."""
    y, log_odds = simulated
    found, theirs = metrics_of(log_odds, y)(np.ones((1, 500))), expected("calibration/expected.json")
    for name in ("ICI", "E50", "E90"):
        assert found[name.lower()][0] == pytest.approx(theirs[f"loess_{name}"], abs=1e-9), name


@pytest.mark.parametrize("weighted", [False, True])
def test_scikit_learn(simulated, weighted):
    y, log_odds = simulated
    risks = risk_of(log_odds)
    weights = np.random.default_rng(1).uniform(0.2, 3, 500) if weighted else np.ones(500)
    found = metrics_of(log_odds, y)(weights[None])
    for name, theirs in (("auroc", roc_auc_score), ("average_precision", average_precision_score),
                         ("brier", brier_score_loss), ("log_loss", log_loss)):  # fmt: skip
        assert found[name][0] == pytest.approx(theirs(y, risks, sample_weight=weights), abs=1e-9), name


# Decision curves ---------------------------------------------------------------------------------------------------


def test_hard_coded_numbers_of_dcurves_in_r():
    data = table("dca/df_binary.csv")
    y, risks = data["cancer"].to_numpy(float), data["cancerpredmarker"].to_numpy()
    (row,) = [one for one in expected("dca/expected.json")["binary"] if one["predictor"] == "cancerpredmarker"]
    ones, cut = np.ones((1, len(y))), np.array([row["threshold"]])
    assert net_benefit(risks, y, ones, cut)[0, 0] == pytest.approx(row["model"], abs=1e-6)
    assert net_benefit(np.ones_like(y), y, ones, cut)[0, 0] == pytest.approx(row["treat_all"], abs=1e-6)


@pytest.mark.parametrize("marker", ["cancerpredmarker", "famhistory"])
def test_dcurves_in_python_at_every_threshold(marker):
    """A run of today's dcurves and its stored grid; at a threshold of 0 dcurves acts on risks above 0, we on everybody."""
    data = table("dca/df_binary.csv")
    y, risks, ones = data["cancer"].to_numpy(float), data[marker].to_numpy(float), np.ones((1, len(data)))
    cuts = np.arange(99) / 100
    today = dca(data=data[["cancer", marker]], outcome="cancer", modelnames=[marker], thresholds=cuts.tolist())
    for theirs in (today, table("dca/dcurves_py_binary_grid.csv")):
        theirs = theirs[theirs["model"] == marker]
        assert len(theirs) >= 99 or (marker == "famhistory" and len(theirs) == 0)
        theirs = theirs[theirs["threshold"] > 0]
        cuts = theirs["threshold"].to_numpy()
        own, everybody = net_benefit(risks, y, ones, cuts)[0], net_benefit(np.ones_like(y), y, ones, cuts)[0]
        assert own == pytest.approx(theirs["net_benefit"].to_numpy(), abs=1e-9)
        avoided = interventions_avoided(own, everybody, cuts)
        assert avoided == pytest.approx(theirs["net_intervention_avoided"].to_numpy(), abs=1e-9)
    at_0 = today.query("model == @marker and threshold == 0")["net_benefit"].item()
    assert at_0 == pytest.approx(y[risks > 0].sum() / len(y))
    assert net_benefit(risks, y, ones, np.zeros(1))[0, 0] == pytest.approx(y.mean())


# Threshold table ---------------------------------------------------------------------------------------------------

# Threshold in percent: true positives, false positives, sensitivity, specificity, PPV, net benefit.
SEISMOMETER = {
    5: (267, 205, 0.9888888888888889, 0.10869565217391308, 0.565677966101695, 0.512421052631579),
    10: (263, 173, 0.9740740740740741, 0.24782608695652175, 0.6032110091743119, 0.4875555555555555),
    20: (255, 130, 0.9444444444444444, 0.4347826086956522, 0.6623376623376623, 0.445),
    30: (243, 106, 0.9, 0.5391304347826087, 0.6962750716332379, 0.3951428571428572),
    50: (195, 61, 0.7222222222222222, 0.7347826086956522, 0.76171875, 0.268),
    70: (141, 28, 0.5222222222222223, 0.8782608695652174, 0.834319526627219, 0.15133333333333332),
}


def test_seismometers_threshold_table(simulated):
    y, log_odds = simulated
    cuts, ones = np.array(list(SEISMOMETER)) / 100, np.ones((1, 500))
    true, false = (counts[0] for counts in positives(risk_of(log_odds), y, ones, cuts))
    ours = np.column_stack([true, false, true / y.sum(), 1 - false / (1 - y).sum(), true / (true + false),
                            net_benefit(risk_of(log_odds), y, ones, cuts)[0]])  # fmt: skip
    assert ours == pytest.approx(np.array(list(SEISMOMETER.values())), abs=1e-9)


# Groups ------------------------------------------------------------------------------------------------------------


def test_fairlearn_and_its_stored_numbers():
    data = table("fairness/compas.csv")
    y, risks = data["Two_yr_Recidivism_01"].to_numpy(float), data["probability"].to_numpy()
    columns = terms(of_risk(risks), y, 0.5, EVENT)
    metrics = {"false_negative_rate": fairlearn.false_negative_rate, "false_positive_rate": fairlearn.false_positive_rate,
               "selection_rate": fairlearn.selection_rate}  # fmt: skip
    today = fairlearn.MetricFrame(metrics=metrics, y_true=y, y_pred=risks >= 0.5, sensitive_features=data["ethnicity"])
    for group, stored in expected("fairness/expected_fairlearn.json")["by_group"].items():
        inside = (data["ethnicity"] == group).to_numpy()
        found = {name: number[0] for name, number in at_threshold(columns[inside].sum(axis=0)[None], 0.5).items()}
        for name, short in (("false_negative_rate", "fnr"), ("false_positive_rate", "fpr"),
                            ("selection_rate", "selection_rate"), ("positive_predictive_value", "ppv")):  # fmt: skip
            assert found[name] == pytest.approx(stored[short], abs=1e-9), (group, name)
        for name in metrics:
            assert found[name] == pytest.approx(today.by_group[name][group], abs=1e-9), (group, name)


def test_a_confusion_matrix_is_a_confusion_matrix():
    data = table("fairness/compas.csv")
    y, risks = data["Two_yr_Recidivism_01"].to_numpy(float), data["probability"].to_numpy()
    (_, fp), (_, tp) = confusion_matrix(y, risks >= 0.3)
    true, false = positives(risks, y, np.ones((1, len(y))), np.array([0.3]))
    assert (true[0, 0], false[0, 0]) == (tp, fp)


# Censored labels ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", range(3))
def test_our_weights_and_metrics_give_what_riskregression_gives(place):
    """AUC(t), Brier(t) and IPA(t) of a Cox model in the GBSG data, weighted by Kaplan-Meier of the censoring time."""
    data, theirs = table("survival/gbsg_validation_predictions.csv"), expected("survival/expected.json")
    year = theirs["times"][place]
    time, died = data["time"].to_numpy(), data["status"].to_numpy() == 1
    event, censored = died & (time <= year), ~died & (time < year)
    horizon = int(365.25 * year) + 1
    followed = np.where(event | censored, np.rint(365.25 * time), horizon).astype(np.int32)
    weights = censoring_weights(followed, event, censored, horizon)[None]
    risks, y = data[f"risk{year}"].to_numpy(), event.astype(np.float64)
    (brier,) = [one for one in theirs["brier_t"] if one["model"] == "cox" and one["times"] == year]
    assert auroc(Ranking.of(risks), y, weights)[0] == pytest.approx(theirs["auc_t"][place]["AUC"], abs=1e-9)
    assert brier_score(risks, y, weights)[0] == pytest.approx(brier["Brier"], abs=1e-9)
    assert scaled_brier_score(risks, y, weights)[0] == pytest.approx(brier["IPA"], abs=1e-9)


def test_a_slope_of_the_bootstrap_is_that_of_the_rows_drawn(simulated):
    y, log_odds = simulated
    times = np.random.default_rng(2).integers(0, 4, 500)
    drawn = np.repeat(np.arange(500), times)
    weighted = fit_lines(log_odds, y, times[None].astype(float))
    repeated = fit_lines(log_odds[drawn], y[drawn], np.ones((1, len(drawn))))
    assert np.ravel(weighted) == pytest.approx(np.ravel(repeated), abs=1e-9)
