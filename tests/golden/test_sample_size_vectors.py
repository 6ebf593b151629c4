"""Sample sizes against those of pmsampsize and pmvalsampsize (``../shared/vectors/sample_size``).

Both packages round R2 before they use it and simulate a million persons where we integrate: equal to the person where they
calculate, within 1 % where they simulate. Their survival criteria have no counterpart here: no outcome is a time to event.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.sample_size import (
    largest_r2,
    r2_of_c_statistic,
    required_for_days,
    required_for_events,
    required_persons,
)
from models.validation_size import for_c_statistic, for_calibration_slope, for_observed_to_expected, validation_persons

VECTORS = Path(__file__).parents[2] / "../shared/vectors/sample_size/expected.json"

pytestmark = pytest.mark.skipif(not VECTORS.exists(), reason="../shared/vectors is not here")


def development(kind: str, **given: Any) -> dict[str, Any]:
    """The one worked example of a type with these inputs."""
    cases = json.loads(VECTORS.read_text())["dev"]
    (case,) = [one for one in cases if one["input"]["type"] == kind and set(given["keys"]) <= set(one["input"])]
    return case


def test_a_number():
    case = development("c", keys=["rsquared"])
    given = case["input"]
    required = required_for_days(given["parameters"], given["rsquared"], given["intercept"], given["sd"])
    assert required.persons == case["output"]["sample_size"] == 918


def test_an_event_from_cox_snell_r2():
    case = development("b", keys=["csrsquared"])
    given = case["input"]
    required = required_for_events(given["parameters"], given["csrsquared"], given["prevalence"])
    assert required.persons == case["output"]["sample_size"] == 662
    assert largest_r2(given["prevalence"]) == pytest.approx(case["output"]["max_r2a"], abs=1e-12)


def test_an_event_from_nagelkerke_r2():
    case = development("b", keys=["nagrsquared"])
    given = case["input"]
    r2 = round(given["nagrsquared"] * largest_r2(given["prevalence"]), 3)
    required = required_for_events(given["parameters"], r2, given["prevalence"])
    assert required.persons == case["output"]["sample_size"] == 1118


def test_an_event_from_the_c_statistic():
    case = development("b", keys=["cstatistic"])
    given = case["input"]
    assert r2_of_c_statistic(given["cstatistic"], given["prevalence"]) == pytest.approx(
        case["output"]["rsquared"], abs=3e-4
    )
    found = required_persons(given["parameters"], given["prevalence"], given["cstatistic"])
    assert found == case["output"]["sample_size"] == 660


def test_validation_sizes():
    slope, ratio = json.loads(VECTORS.read_text())["val"]
    share, c = slope["input"]["prevalence"], slope["input"]["cstatistic"]
    nodes, weights = np.polynomial.hermite_e.hermegauss(120)
    mean, spread = slope["input"]["lpnormal"]
    by_criterion = [
        for_observed_to_expected(share, slope["input"]["oeciwidth"]),
        for_calibration_slope(mean + spread * nodes, weights / weights.sum(), 0.2),
        for_c_statistic(share, c, 0.1),
    ]
    assert max(by_criterion) == pytest.approx(slope["sample_size"], rel=0.01) == by_criterion[1]
    assert for_observed_to_expected(share, 0.2) == ratio["sample_size"] == 20975


@pytest.mark.parametrize(
    ("share", "at_070", "at_075"), [(0.05, 13_649, 8_374), (0.10, 7_320, 4_522), (0.18, 4_532, 2_819)]
)
def test_the_sizes_that_the_domain_notes_were_calculated_with(share, at_070, at_075):
    """They came from an approximation, up to 2.4 % below the integral."""
    for c_statistic, expected in ((0.70, at_070), (0.75, at_075)):
        found = required_persons(40, share, c_statistic)
        assert expected <= found <= expected * 1.024


@pytest.mark.parametrize(("share", "sizes"), [(0.05, (7_300, 10_065, 1_908)), (0.18, (1_751, 3_788, 615))])
def test_the_validation_sizes_of_the_domain_notes(share, sizes):
    assert list(validation_persons(share, 0.75).criteria.values()) == pytest.approx(sizes, rel=0.003)
