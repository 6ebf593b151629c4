from __future__ import annotations

import json
import math
import re
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from data_contracts.analytes import ANALYTES
from data_contracts.domains import DOMAIN_LABELS
from data_contracts.instruments import CORE, INSTRUMENTS
from data_contracts.records import TABLES
from features import absence_history, catalogue
from features.catalogue import COLUMNS, FEATURE_NAMES, FEATURES, FINGERPRINT, GROUPS, describe, feature, fingerprint
from features.survey_scores import FOLLOWED
from features.workplace_context import FEATURES as CONTEXT_FEATURES
from pipeline.cli import app

NAMES_OTHER_CODE_RELIES_ON = {
    "age_years", "is_female", "srh_self_rated_health", "days_doctor_30", "days_doctor_90", "days_doctor_180",
    "days_doctor_365", "days_doctor_730", "starts_doctor_365", "days_since_doctor", "running_doctor", "days_self_365",
    "weighted_days_doctor_365", "longest_doctor_365", "cbi_personal", "cbi_work", "who5_wellbeing", "tenure_years",
    "position_percent",
}  # fmt: skip


NUMBERS_WITHOUT_A_BOUND = {"n_jobs", "company_persons", "days_since_leader_change"} | {
    f"events_{kind}_365" for kind in ("leader_change", "reorganisation", "downsizing", "intervention_session")
}
"""Apart from ages, durations and days since, which no calendar ends."""

ABOUT_THE_SAMPLING = {"survey_days_730", "days_since_survey", "lab_bounds_count", "analytes_measured_730"}
"""From answers and results, but facts about t and not observations that grow old."""


def test_there_are_enough_features_but_not_too_many_and_no_name_twice():
    assert 250 <= len(FEATURES) <= 350
    assert len(set(FEATURE_NAMES)) == len(FEATURE_NAMES)


def test_labels_are_distinct_so_that_a_reader_can_tell_features_apart():
    for label in ("label_nb", "label_en"):
        assert len({getattr(one, label) for one in FEATURES}) == len(FEATURES)


def test_names_that_models_and_serving_use_are_there():
    assert set(FEATURE_NAMES) >= NAMES_OTHER_CODE_RELIES_ON


def with_ends(names, *ends: str) -> set[str]:
    return {f"{name}{end}" for name in names for end in ends}


def names_of(table: str) -> set[str]:
    return {one.name for one in FEATURES if one.table == table and one not in CONTEXT_FEATURES}


def test_every_scale_has_its_level_every_instrument_its_age_and_followed_scales_their_course():
    wanted = {scale.name for instrument in INSTRUMENTS.values() for scale in instrument.scales}
    wanted |= with_ends(INSTRUMENTS, "_age_days") | with_ends((scale.name for scale in FOLLOWED), "_change", "_slope")
    response = {"instruments_answered", "survey_items_missing_share", "straight_lining_share"}
    assert names_of("survey_answers") == wanted | response | {"survey_days_730", "days_since_survey"}


def test_scales_that_are_followed_are_of_the_core_set_and_say_how_much():
    core = {scale.name for instrument in CORE for scale in instrument.scales}
    counted_again = {f"shc_{what}_count" for what in ("complaints", "substantial", "pain_regions", "groups")}
    assert {scale.name for scale in FOLLOWED} == core - {"bis_case", "ipaq_category"} - counted_again
    assert len(FOLLOWED) == 22


def test_every_analyte_has_its_level_and_its_distance_and_followed_ones_their_course():
    wanted = {one.name for one in ANALYTES}
    judged = wanted - {"height", "weight"}
    followed = [one.name for one in ANALYTES if one.followed]
    assert len(judged) >= 24
    assert len(followed) >= 12
    wanted |= with_ends(judged, "_distance") | with_ends(followed, "_change", "_slope")
    wanted |= with_ends({one.examination for one in ANALYTES}, "_age_days")
    assert names_of("lab_results") == wanted | {"lab_bounds_count", "analytes_measured_730"}


def test_every_domain_has_features():
    assert {one.domain for one in FEATURES} == set(DOMAIN_LABELS)


@pytest.mark.parametrize("one", FEATURES, ids=FEATURE_NAMES)
def test_a_feature_is_fully_described(one):
    assert re.fullmatch(r"[a-z][a-z0-9_]*", one.name)
    assert all((one.label_nb, one.label_en, one.meaning, one.unit))
    assert one.label_nb != one.label_en or one.table == "lab_results"  # TSH and the like are the same in both
    assert one.domain in DOMAIN_LABELS
    assert one.table in TABLES
    assert one.expected_direction in (-1, 0, 1)
    assert bool(one.source) == (one.expected_direction != 0)


@pytest.mark.parametrize("one", FEATURES, ids=FEATURE_NAMES)
def test_a_feature_has_a_range_and_only_what_nothing_bounds_has_no_end(one):
    assert one.low < one.high
    assert math.isfinite(one.low)
    if math.isinf(one.high):
        assert one.unit in ("d", "a") or one.name in NUMBERS_WITHOUT_A_BOUND


@pytest.mark.parametrize("one", FEATURES, ids=FEATURE_NAMES)
def test_what_was_observed_is_current_for_some_days_and_a_fact_about_t_has_no_such_term(one):
    is_observed = one.table in ("survey_answers", "lab_results") and not one.name.endswith("_age_days")
    if one in CONTEXT_FEATURES or (is_observed and one.name not in ABOUT_THE_SAMPLING):
        assert one.valid_days > 0
    else:
        assert one.valid_days is None


@pytest.mark.parametrize("one", FEATURES, ids=FEATURE_NAMES)
def test_labels_neither_diagnose_nor_alarm_nor_blame(one):
    text = f"{one.label_nb} {one.label_en}".lower()
    forbidden = (
        "burnout",
        "utbrent",
        "depres",
        "caused",
        "due to",
        "forårsaket",
        "skyldes",
        "abnormal",
        "unormal",
        "disorder",
    )
    assert not [word for word in forbidden if word in text]


def test_nobody_can_change_what_has_happened():
    past = ("events_", "days_since_", "guidance_", "days_", "starts_", "longest_", "gap_", "trend_")
    assert [one.name for one in FEATURES if one.name.startswith(past) and one.modifiable] == []


def test_expected_directions_claim_no_more_than_their_sources_say():
    without = ("education", "gap_last_doctor", "gap_mean_doctor_730", "days_respiratory_365", "running_self")
    assert {feature(name).expected_direction for name in without} == {0}
    for scale in (scale for instrument in INSTRUMENTS.values() for scale in instrument.scales):
        assert feature(scale.name).source.startswith("the unfavourable end by its scoring key; ")
    for name in ("starts_mental_365", "days_since_musculoskeletal", "days_doctor_365", "bradford_365"):
        assert "days and spells of the year before predict those to come" in feature(name).source
    assert "women 6.8 %, men 3.8 %" in feature("is_female").source


def test_ages_and_days_since_count_days_from_yesterday_on():
    ages = [one for one in FEATURES if one.name.endswith("_age_days") or one.name.startswith("days_since_")]
    assert len(ages) == len(INSTRUMENTS) + 3 + 9
    assert {(one.unit, one.low, one.high) for one in ages} == {("d", 1, math.inf)}


def test_a_feature_is_found_by_name_and_an_unknown_one_is_not():
    assert feature("days_doctor_365").label_en == "Doctor-certified absence days, last 365 days"
    assert feature("days_doctor_365").label_nb == "Legemeldte fraværsdager siste 365 dager"
    with pytest.raises(KeyError):
        feature("days_doctor_366")


def test_describe_lists_every_feature_in_order():
    rows = describe()
    assert [row["name"] for row in rows] == list(FEATURE_NAMES)
    assert rows[0]["domain_nb"] == "Livssituasjon"
    for row, one in zip(rows, FEATURES, strict=True):
        assert row["low"] == one.low
        assert row["high"] == (None if math.isinf(one.high) else one.high)
        assert (row["source"], row["valid_days"]) == (one.source, one.valid_days)


def test_the_command_line_lists_every_feature_as_json_that_any_reader_can_read():
    done = CliRunner().invoke(app, ["features", "--list", "--json"])
    assert done.exit_code == 0
    found = json.loads(done.stdout, parse_constant=pytest.fail)  # NaN and Infinity are no JSON
    assert found["features"] == json.loads(json.dumps(describe(), allow_nan=False))
    assert found["n_features"] == len(FEATURES) == sum(found["domains"].values()) == sum(found["groups"].values())


def test_the_columns_of_the_groups_follow_each_other():
    assert [name for group, columns in COLUMNS for name in FEATURE_NAMES[columns]] == list(FEATURE_NAMES)
    for group, columns in COLUMNS:
        assert FEATURES[columns] == group.features


def changed(**others) -> tuple:
    group = absence_history.GROUP
    one = replace(group.features[0], **others)
    return tuple(replace(g, features=(one, *g.features[1:])) if g is group else g for g in GROUPS)


def test_the_fingerprint_changes_with_every_definition_but_not_with_a_label():
    assert re.fullmatch(r"[0-9a-f]{64}", FINGERPRINT)
    assert fingerprint(GROUPS) == FINGERPRINT
    for others in ({"name": "x"}, {"unit": "x"}, {"meaning": "x"}, {"table": "x"}):
        assert fingerprint(changed(**others)) != FINGERPRINT
    assert fingerprint(changed(label_nb="x", label_en="y")) == FINGERPRINT
    assert fingerprint(GROUPS[::-1]) != FINGERPRINT


def test_the_fingerprint_changes_when_only_the_computation_does():
    raised = tuple(replace(group, version=group.version + 1) for group in GROUPS)
    assert fingerprint(raised) != FINGERPRINT


def test_the_fingerprint_changes_with_a_scoring_key_and_with_a_conversion(monkeypatch):
    who5 = INSTRUMENTS["who5"]
    other = replace(who5, scales=(replace(who5.scales[0], multiplier=5.0),))
    monkeypatch.setitem(catalogue.INSTRUMENTS, "who5", other)
    assert fingerprint(GROUPS) != FINGERPRINT
    monkeypatch.undo()
    monkeypatch.setattr(catalogue, "ANALYTES", (replace(ANALYTES[0], reference_intervals=()), *ANALYTES[1:]))
    assert fingerprint(GROUPS) != FINGERPRINT
