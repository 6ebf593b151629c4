import json

import numpy as np
import pytest

from models.evaluation.capacity import capacity, positives_at_shares, threshold_of
from models.evaluation.discrimination import Ranking
from models.evaluation.net_benefit import WORKING_THRESHOLDS
from models.risk_model import risk_of
from tests.lib.held_out_rows import held_out_rows

RISKS = np.array([0.9, 0.5, 0.5, 0.5, 0.1])
Y = np.array([1.0, 1, 0, 0, 0])


def at(share: float, weights=None) -> tuple[float, float]:
    weights = np.ones(5) if weights is None else weights
    true, false = positives_at_shares(Ranking.of(RISKS), Y, weights[None], np.array([share]))
    return float(true[0, 0]), float(false[0, 0])


def test_equal_risks_at_the_end_of_the_list_share_what_is_left():
    """Two of five: the first, who has the event, and one of three equal ones, of whom one has it."""
    assert at(0.4) == pytest.approx((1 + 1 / 3, 2 / 3))
    assert at(0.2) == pytest.approx((1, 0))
    assert at(0.8) == pytest.approx((2, 2))
    assert at(1.0) == pytest.approx((2, 3))


def test_the_order_of_the_rows_does_not_matter():
    turned = np.array([3, 4, 2, 0, 1])
    true, _ = positives_at_shares(Ranking.of(RISKS[turned]), Y[turned], np.ones((1, 5)), np.array([0.4]))
    assert true[0, 0] == pytest.approx(at(0.4)[0])


def test_a_row_of_weight_0_is_nobody():
    assert at(0.25, np.array([1.0, 1, 1, 0, 1])) == pytest.approx((1, 0))


def test_the_threshold_is_the_risk_of_the_last_one_contacted():
    assert [threshold_of(RISKS, np.ones(5), share) for share in (0.2, 0.4, 0.8, 0.81, 1.0)] == [0.9, 0.5, 0.5, 0.1, 0.1]


@pytest.fixture(scope="module")
def found():
    return capacity(held_out_rows(), repeats=60)


def test_it_is_json_with_a_line_per_capacity(found):
    json.dumps(found, allow_nan=False)
    assert [row["alerts_per_100"] for row in found["by_alerts"]] == [1, 2, 5, 10, 15, 20, 30]
    assert [row["contacts_a_week"] for row in found["by_contacts"]] == [1, 2, 5, 10]
    assert [row["alerts_per_100"] for row in found["by_contacts"]] == pytest.approx([4.6, 9.2, 23.0, 46.0])
    assert [row["threshold"] for row in found["by_threshold"]] == list(WORKING_THRESHOLDS)


def test_more_talks_find_more_and_cost_more(found):
    rows = found["by_alerts"]
    for name, sign in (("sensitivity", 1), ("ppv", -1), ("specificity", -1), ("number_needed_to_talk_to", 1)):
        assert (sign * np.diff([row[name]["value"] for row in rows]) > 0).all(), name
    for row in rows:
        needed = row["number_needed_to_talk_to"]
        assert needed["low"] < needed["value"] == pytest.approx(1 / row["ppv"]["value"])
        assert needed["high"] == pytest.approx(1 / row["ppv"]["low"])


def test_where_no_risks_are_equal_the_capacity_and_its_threshold_say_the_same(found):
    row, rows = found["by_alerts"][3], held_out_rows()
    flagged = risk_of(rows.linear["good"]) >= row["threshold"]
    assert np.average(flagged, weights=rows.weight) == pytest.approx(0.10, abs=0.001)
    assert row["ppv"]["value"] == pytest.approx(np.average(rows.y[flagged], weights=rows.weight[flagged]), abs=0.005)


def test_a_programme_that_talks_to_everybody_several_times_is_left_out():
    rows = capacity(held_out_rows(), programme_persons=100, repeats=10)["by_contacts"]
    assert [row["contacts_a_week"] for row in rows] == [1, 2]


def test_nobody_contacted_with_the_event_has_no_number_needed():
    rows = held_out_rows()
    found = capacity(held_out_rows(), thresholds=(0.999999,), repeats=10)["by_threshold"][0]
    assert risk_of(rows.linear["good"]).max() < 0.999999
    assert found["ppv"]["value"] is None
    assert found["number_needed_to_talk_to"] == {"value": None, "low": None, "high": None}
