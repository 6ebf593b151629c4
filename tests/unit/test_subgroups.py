import json
from dataclasses import replace

import numpy as np
import pytest

from models.calibration import fit_lines
from models.evaluation.attributes import ATTRIBUTES
from models.evaluation.discrimination import Ranking, auroc
from models.evaluation.intervals import resampled_weights
from models.evaluation.net_benefit import net_benefit
from models.evaluation.subgroups import subgroups
from models.risk_model import risk_of
from models.target import DAYS
from tests.lib.groups_of_persons import rows_by_group

FAIR = rows_by_group(seed=9)
SEX = [attribute for attribute in ATTRIBUTES if attribute.name == "sex"]


def groups(found: dict, attribute: str) -> dict[str, dict]:
    (table,) = [one for one in found["subgroups"]["attributes"] if one["name"] == attribute]
    return {group["name"]: group for group in table["groups"]}


def test_the_numbers_of_a_group_are_those_of_its_rows():
    women = FAIR.column("is_female") == 1
    found = groups(subgroups(FAIR, attributes=SEX, repeats=20), "sex")["female"]
    y, linear, w = FAIR.y[women], FAIR.linear["m"][women], FAIR.weight[women]
    risks = risk_of(linear)
    assert (found["rows"], found["events"]) == (women.sum(), y.sum())
    assert found["persons"] == len(np.unique(FAIR.person[women]))
    assert found["persons_with_event"] == len(np.unique(FAIR.person[women & (FAIR.y == 1)])) < found["events"]
    assert found["auroc"]["value"] == pytest.approx(auroc(Ranking.of(linear), y, w[None])[0])
    assert found["observed_to_expected"]["value"] == pytest.approx(w @ y / (w @ risks))
    assert found["calibration_slope"]["value"] == pytest.approx(fit_lines(linear, y, w[None])[1][0])
    assert found["false_negative_rate"]["value"] == pytest.approx(w @ (y * (risks < 0.2)) / (w @ y))
    assert found["net_benefit"]["value"] == pytest.approx(net_benefit(risks, y, w[None], np.array([0.2]))[0, 0])
    men = ~women
    rest = FAIR.weight[men] @ FAIR.y[men] / (FAIR.weight[men] @ risk_of(FAIR.linear["m"][men]))
    assert found["ratio_to_rest"]["value"] == pytest.approx(found["observed_to_expected"]["value"] / rest)


def test_the_interval_of_a_slope_is_that_of_refitted_lines():
    """One Newton step for each resample, against the whole fit."""
    women = FAIR.column("is_female") == 1
    found = groups(subgroups(FAIR, attributes=SEX, repeats=200, seed=3), "sex")["female"]["calibration_slope"]
    weights = np.concatenate(list(resampled_weights(FAIR.cluster, FAIR.weight, 200, 3)))[:, women]
    _, slopes = fit_lines(FAIR.linear["m"][women], FAIR.y[women], weights)
    assert [found["low"], found["high"]] == pytest.approx(np.percentile(slopes, [2.5, 97.5]), abs=0.01)


def test_an_honest_model_harms_nobody_and_the_report_says_what_would_have_been_found():
    found = subgroups(FAIR, repeats=20)
    assert found["harm"] == []
    assert 1.1 < groups(found, "education")["basic"]["detectable_ratio"] < 2
    json.dumps(found, allow_nan=False)


def test_a_group_that_gets_too_low_risks_is_named_and_no_other_attribute():
    found = subgroups(rows_by_group(too_low={"education": 0.7}), repeats=20)
    assert found["harm"][0]["attribute"] == "education"
    assert found["harm"][0]["group"] == "basic"
    assert found["harm"][0]["finding"] == "risks_too_low"
    assert found["harm"][0]["size"] > 1.2
    assert {one["attribute"] for one in found["harm"]} == {"education"}


def test_a_model_that_knows_nothing_of_a_group_misses_more_of_its_events_than_it_announces():
    random = np.random.default_rng(4)
    women = FAIR.column("is_female") == 1
    linear = FAIR.linear["m"].copy()
    linear[women] = random.permutation(linear[women])
    found = subgroups(replace(FAIR, linear={"m": linear}), attributes=SEX, repeats=20)
    assert [(one["group"], one["finding"]) for one in found["harm"]] == [("female", "events_missed")]


def test_a_model_that_is_wrong_for_everybody_harms_no_group():
    linear = FAIR.linear["m"] - 0.5
    assert subgroups(replace(FAIR, linear={"m": linear}), repeats=20)["harm"] == []


def test_days_are_judged_by_observed_over_expected_alone():
    days = replace(FAIR, y=FAIR.y * 30, linear={"m": np.log(30 * risk_of(FAIR.linear["m"]))})
    found = groups(subgroups(days, target=DAYS, attributes=SEX, repeats=20), "sex")["female"]
    assert found["observed_to_expected"]["value"] == pytest.approx(1, abs=0.15)
    assert "auroc" not in found


def test_one_group_alone_has_no_rest():
    absence = [attribute for attribute in ATTRIBUTES if attribute.name == "absence_data"]
    found = subgroups(FAIR, attributes=absence, repeats=20)
    (only,) = found["subgroups"]["attributes"][0]["groups"]
    assert only["ratio_to_rest"] == {"value": None, "low": None, "high": None}
    assert only["detectable_ratio"] is None
    json.dumps(found, allow_nan=False)


def test_what_could_have_been_found_is_told_by_the_weakest_group_of_each_personal_attribute():
    found = subgroups(FAIR, repeats=20)
    told = found["subgroups"]["detectable"]
    assert set(told) == {"sex", "age", "education"}
    for name, ratio in told.items():
        assert ratio == max(group["detectable_ratio"] for group in groups(found, name).values())
    few = subgroups(FAIR.take(np.arange(200)), attributes=[one for one in ATTRIBUTES if one.name == "age"], repeats=20)
    assert all(group["suppressed"] for group in groups(few, "age").values()) == (
        few["subgroups"]["detectable"]["age"] is None
    )
    nobody = subgroups(FAIR.take(np.arange(20)), attributes=SEX, repeats=20)
    assert nobody["subgroups"]["detectable"] == {"sex": None}
