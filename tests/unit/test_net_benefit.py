import json
from types import SimpleNamespace

import numpy as np
import pytest

from models.evaluation.net_benefit import THRESHOLDS, decision_curve, interventions_avoided, net_benefit, positives
from models.evaluation.sections import Case
from models.evaluation.thresholds import key_at, working_threshold
from models.risk_model import risk_of
from tests.lib.held_out_rows import held_out_rows

RISKS = np.array([0.1, 0.2, 0.2, 0.6])
Y = np.array([0.0, 1, 0, 1])
CUTS = np.array([0.1, 0.2, 0.5])


def test_by_hand_with_risks_on_the_threshold():
    """At 0.2 three are acted on, two with the event: 2/4 - 1/4 x 0.2/0.8."""
    true, false = positives(RISKS, Y, np.ones((1, 4)), CUTS)
    assert true.tolist() == [[2, 2, 1]]
    assert false.tolist() == [[2, 1, 0]]
    assert net_benefit(RISKS, Y, np.ones((1, 4)), CUTS)[0] == pytest.approx([0.5 - 0.5 / 9, 0.5 - 0.25 / 4, 0.25])


def test_a_row_of_weight_two_counts_twice():
    weighted = net_benefit(RISKS, Y, np.array([[1.0, 1, 2, 0]]), CUTS)
    assert weighted == pytest.approx(net_benefit(RISKS[[0, 1, 2, 2]], Y[[0, 1, 2, 2]], np.ones((1, 4)), CUTS))


def test_avoided_contacts_are_those_that_lose_no_event():
    """Leaving out the one person below 0.2, who has no event, spares a quarter of all contacts."""
    ones = np.ones((1, 4))
    own, everybody = net_benefit(RISKS, Y, ones, CUTS), net_benefit(np.ones(4), Y, ones, CUTS)
    assert interventions_avoided(own, everybody, CUTS)[0, 1] == pytest.approx(0.25)


def test_expected_net_benefit_takes_probabilities_for_labels():
    chance = np.array([0.3, 0.4, 0.2, 0.9])
    found = net_benefit(RISKS, chance, np.ones((1, 4)), np.array([0.2]))[0, 0]
    assert found == pytest.approx((1.5 - 1.5 * 0.25) / 4)


@pytest.fixture(scope="module")
def found():
    return decision_curve(held_out_rows(), repeats=60)


def test_the_curve_is_json_with_an_interval_at_each_threshold(found):
    json.dumps(found, allow_nan=False)
    assert found["thresholds"] == pytest.approx(np.arange(0.05, 0.305, 0.01))
    assert set(found["net_benefit"]) == {"treat_all", "treat_none", "good", "poor"}
    for curve in (*found["net_benefit"].values(), *found["interventions_avoided_per_100"].values()):
        assert {len(curve[part]) for part in ("value", "low", "high")} == {26}
    own = found["net_benefit"]["good"]
    assert all(low < value < high for low, value, high in zip(own["low"], own["value"], own["high"], strict=True))


def test_values_are_those_of_the_formula(found):
    rows = held_out_rows()
    expected = net_benefit(risk_of(rows.linear["good"]), rows.y, rows.weight[None], np.array(found["thresholds"]))[0]
    assert found["net_benefit"]["good"]["value"] == pytest.approx(expected.tolist())
    assert found["net_benefit"]["treat_none"]["high"] == [0.0] * 26


def test_the_gain_is_over_the_better_default_and_useful_where_all_of_it_is_above_0(found):
    curves = {name: np.array(curve["value"]) for name, curve in found["net_benefit"].items()}
    gain = curves["good"] - np.maximum(curves["treat_all"], 0)
    assert found["gain_over_defaults"]["value"] == pytest.approx(gain.tolist())
    at = np.array(found["thresholds"])[np.array(found["gain_over_defaults"]["low"]) > 0]
    assert found["useful_at"] == at.tolist()
    assert 0.2 in found["useful_at"]


def test_a_model_that_knows_nothing_is_useful_nowhere():
    assert decision_curve(held_out_rows(champion="poor"), repeats=60)["useful_at"] == []


@pytest.mark.parametrize(
    ("share", "threshold", "name"),
    [
        (0.1737, 0.17, "0.17"),
        (0.2, 0.2, "0.20"),
        (0.0962, 0.096, "0.096"),
        (0.00851, 0.0085, "0.0085"),
        (0.0012, 0.005, "0.005"),
        (0.0, 0.005, "0.005"),
        (0.999, 0.99, "0.99"),
    ],
)
def test_a_rare_outcome_has_a_threshold_too(share, threshold, name):
    assert working_threshold(share) == threshold
    assert key_at(threshold) == f"net_benefit_at_{name}"


def test_a_model_of_a_rare_outcome_is_judged_at_its_share():
    about = dict.fromkeys(("models", "candidates", "training_set", "split", "outcome", "held_out", "repeats", "seed"))
    case = Case(champion=SimpleNamespace(reference_risk=0.00312), **about)
    assert case.threshold == 0.005
    assert case.thresholds == (0.005, 0.1, 0.2, 0.3)


def test_the_curve_has_the_working_threshold_whatever_it_is():
    rows = held_out_rows()
    found = decision_curve(rows, threshold=0.034, repeats=2)
    assert found["thresholds"] == sorted([0.034, *THRESHOLDS])
    expected = net_benefit(risk_of(rows.linear["good"]), rows.y, rows.weight[None], np.array([0.034]))[0, 0]
    assert found["net_benefit"]["good"]["value"][0] == pytest.approx(expected)
    assert decision_curve(rows, threshold=0.17, repeats=2)["thresholds"] == list(THRESHOLDS)
