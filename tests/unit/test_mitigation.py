import json
from dataclasses import replace

import numpy as np
import pytest

from models.evaluation.attributes import ATTRIBUTES, group_rows
from models.evaluation.subgroups import subgroups
from models.mitigation import cross_fitted, group_levels, mitigation
from models.risk_model import risk_of
from models.target import DAYS, EVENT
from tests.lib.groups_of_persons import rows_by_group

HARMED = rows_by_group(too_low={"education": 0.7})
EDUCATION = next(attribute for attribute in ATTRIBUTES if attribute.name == "education")
HARM = [{"attribute": "education", "group": "basic", "finding": "risks_too_low"}]


def members(rows):
    return [chosen for _, chosen in group_rows(EDUCATION, rows)[0]]


def test_the_offer_brings_the_group_to_what_is_observed_on_rows_it_was_not_learned_from():
    (offer,) = mitigation(HARMED, HARM, repeats=50)
    basic, *others = offer["groups"]
    assert basic["before"]["observed_to_expected"]["low"] > 1.2
    assert basic["after"]["observed_to_expected"]["value"] == pytest.approx(1, abs=0.05)
    assert basic["after"]["false_negative_rate"]["value"] < basic["before"]["false_negative_rate"]["value"]
    assert basic["level"] == pytest.approx(0.7, abs=0.2)
    assert all(abs(other["level"]) < 0.25 for other in others)
    assert {"nb", "en"} == set(offer["decision"])
    json.dumps(offer, allow_nan=False)


def test_nothing_is_offered_where_no_harm_was_found_and_nothing_is_ever_applied():
    before = HARMED.linear["m"].copy()
    assert mitigation(HARMED, []) == []
    mitigation(HARMED, HARM, repeats=5)
    assert np.array_equal(HARMED.linear["m"], before)


def test_what_the_rule_finds_can_be_handed_over_as_it_is():
    found = subgroups(HARMED, repeats=5)["harm"]
    assert [offer["attribute"] for offer in mitigation(HARMED, found, repeats=5)] == ["education"]


def test_a_row_does_not_move_itself():
    """Every event of one cluster is taken away: its own predictions must not change by it."""
    mine = HARMED.cluster == HARMED.cluster[0]
    changed = replace(HARMED, y=np.where(mine, 1 - HARMED.y, HARMED.y))
    first, second = (cross_fitted(rows, members(HARMED), EVENT, 17) for rows in (HARMED, changed))
    assert np.array_equal(first[mine], second[mine])
    assert not np.array_equal(first, second)


def test_groups_that_differ_by_chance_are_pulled_together():
    fair = rows_by_group(400, seed=5)
    everybody = np.ones(len(fair), dtype=bool)
    levels = group_levels(fair, members(fair), everybody, EVENT)
    assert np.ptp(levels.shrunken) < 0.5 * np.ptp(levels.own)
    far = group_levels(HARMED, members(HARMED), np.ones(len(HARMED), dtype=bool), EVENT)
    assert np.ptp(far.shrunken) > 0.9 * np.ptp(far.own)


def test_the_level_of_a_group_is_where_predictions_add_up_to_events():
    everybody = np.ones(len(HARMED), dtype=bool)
    basic = members(HARMED)[0]
    level = group_levels(HARMED, [basic], everybody, EVENT).own[0]
    risks = risk_of(HARMED.linear["m"][basic] + level)
    assert HARMED.weight[basic] @ risks == pytest.approx(HARMED.weight[basic] @ HARMED.y[basic])


def test_days_have_levels_too():
    days = replace(HARMED, y=HARMED.y * 30, linear={"m": np.log(30 * risk_of(HARMED.linear["m"]))})
    basic, *_ = mitigation(days, HARM, target=DAYS, repeats=5)[0]["groups"]
    assert basic["after"]["observed_to_expected"]["value"] == pytest.approx(1, abs=0.05)
    assert "false_negative_rate" not in basic["after"]
