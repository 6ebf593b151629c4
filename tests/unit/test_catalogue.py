from __future__ import annotations

import re
from dataclasses import replace

import pytest

from data_contracts.analytes import ANALYTES
from data_contracts.domains import DOMAIN_LABELS
from data_contracts.instruments import INSTRUMENTS
from data_contracts.records import TABLES
from features import absence_history, catalogue
from features.catalogue import FEATURE_NAMES, FEATURES, FINGERPRINT, GROUPS, describe, feature, fingerprint

NAMES_OTHER_CODE_RELIES_ON = {
    "age_years", "is_female", "srh_self_rated_health", "days_doctor_30", "days_doctor_90", "days_doctor_180",
    "days_doctor_365", "days_doctor_730", "starts_doctor_365", "days_since_doctor", "running_doctor", "days_self_365",
    "weighted_days_doctor_365", "longest_doctor_365", "cbi_personal", "cbi_work", "who5_wellbeing", "tenure_years",
    "position_percent",
}  # fmt: skip


def test_there_are_enough_features_and_no_name_twice():
    assert len(FEATURES) >= 120
    assert len(set(FEATURE_NAMES)) == len(FEATURE_NAMES)


def test_labels_are_distinct_so_that_a_reader_can_tell_features_apart():
    for label in ("label_nb", "label_en"):
        assert len({getattr(one, label) for one in FEATURES}) == len(FEATURES)


def test_names_that_models_and_serving_use_are_there():
    assert set(FEATURE_NAMES) >= NAMES_OTHER_CODE_RELIES_ON


def test_every_scale_and_every_analyte_has_its_three_features():
    scales = [scale.name for instrument in INSTRUMENTS.values() for scale in instrument.scales]
    wanted = {f"{name}{end}" for name in scales for end in ("", "_change", "_age_days")}
    wanted |= {f"{analyte.name}{end}" for analyte in ANALYTES for end in ("", "_outside", "_age_days")}
    assert wanted <= set(FEATURE_NAMES)


@pytest.mark.parametrize("one", FEATURES, ids=FEATURE_NAMES)
def test_a_feature_is_fully_described(one):
    assert re.fullmatch(r"[a-z][a-z0-9_]*", one.name)
    assert all((one.label_nb, one.label_en, one.meaning, one.unit))
    assert one.label_nb != one.label_en or one.table == "lab_results"  # TSH and the like are the same in both
    assert one.domain in DOMAIN_LABELS
    assert one.table in TABLES
    assert one.expected_direction in (-1, 0, 1)
    assert one.age_feature is None or one.age_feature in FEATURE_NAMES


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


def test_the_age_feature_of_a_feature_counts_days():
    assert {feature(one.age_feature).unit for one in FEATURES if one.age_feature} == {"d"}


def test_a_feature_is_found_by_name_and_an_unknown_one_is_not():
    assert feature("days_doctor_365").label_en == "Doctor-certified absence days, last 365 days"
    assert feature("days_doctor_365").label_nb == "Legemeldte fraværsdager siste 365 dager"
    with pytest.raises(KeyError):
        feature("days_doctor_366")


def test_describe_lists_every_feature_in_order():
    rows = describe()
    assert [row["name"] for row in rows] == list(FEATURE_NAMES)
    assert rows[0]["domain_nb"] == "Livssituasjon"


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
