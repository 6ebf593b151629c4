import json
from dataclasses import replace

import numpy as np
import pytest

from models.evaluation.differences import differences
from models.evaluation.intervals import with_intervals
from models.evaluation.metrics import metrics_of
from models.evaluation.net_benefit import net_benefit
from models.risk_model import risk_of
from models.target import DAYS
from tests.lib.held_out_rows import held_out_rows

ROWS = held_out_rows()


@pytest.fixture(scope="module")
def found():
    return differences(ROWS, repeats=100)


def test_each_is_champion_minus_other(found):
    json.dumps(found, allow_nan=False)
    own, other = (metrics_of(ROWS.linear[name], ROWS.y)(ROWS.weight[None]) for name in ("good", "poor"))
    assert set(found) == {"poor"}
    for name in ("auroc", "brier", "log_loss"):
        assert found["poor"][name]["value"] == pytest.approx(own[name][0] - other[name][0])
    at = [net_benefit(risk_of(ROWS.linear[name]), ROWS.y, ROWS.weight[None], np.array([0.2]))[0, 0]
          for name in ("good", "poor")]  # fmt: skip
    assert found["poor"]["net_benefit_at_0.20"]["value"] == pytest.approx(at[0] - at[1])
    assert found["poor"]["auroc"]["low"] > 0 > found["poor"]["log_loss"]["high"]


def test_every_threshold_has_a_name_of_its_own():
    at = differences(ROWS, thresholds=(0.034, 0.03, 0.3), repeats=2)["poor"]
    assert {name for name in at if "_at_" in name} == {f"net_benefit_at_{cut}" for cut in ("0.034", "0.03", "0.30")}


def test_a_model_against_its_twin_is_0_without_doubt():
    twins = replace(ROWS, linear={"good": ROWS.linear["good"], "twin": ROWS.linear["good"].copy()})
    for number in differences(twins, repeats=20)["twin"].values():
        assert number == {"value": 0.0, "low": 0.0, "high": 0.0}


def test_pairing_makes_the_interval_narrower_than_the_numbers_own():
    near = ROWS.linear["good"] + 0.1 * np.random.default_rng(1).normal(size=len(ROWS))
    both = replace(ROWS, linear={"good": ROWS.linear["good"], "near": near})
    paired = differences(both, repeats=100)["near"]["auroc"]
    alone = with_intervals(metrics_of(near, ROWS.y), ROWS.cluster, ROWS.weight, 30, 17)["auroc"]
    assert paired["high"] - paired["low"] < (alone["high"] - alone["low"]) / 3


def test_days_are_compared_by_their_loss():
    days = replace(ROWS, y=30 * ROWS.y, linear={"good": np.log(30 * risk_of(ROWS.linear["good"])),
                                                "poor": np.full(len(ROWS), np.log(5.0))})  # fmt: skip
    found = differences(days, target=DAYS, repeats=50)["poor"]
    assert list(found) == ["loss"]
    assert found["loss"]["high"] < 0
