from __future__ import annotations

import numpy as np
import pytest

from features.lab_levels import FEATURES
from tests.lib.records import consent, features_at, lab, person, rows_of

NAN = float("nan")
T = "2026-03-01"


def hba1c(value: float, sampled_on: str, code: str = "NPU27300", unit: str = "mmol/mol", **others):
    return lab(code, value, unit, sampled_on, **others)


def waist(value: float):
    return lab("8280-0", value, "cm", "2026-02-01", code_system="LOINC")


def assert_features(lab_results, sex: str | None = "female", **expected: float) -> None:
    persons = [person(sex=sex or "female", known_from="2020-01-01" if sex else T)]
    found = features_at(rows_of(persons=persons, lab_results=lab_results), T)
    assert {name: found[name] for name in expected} == pytest.approx(expected, nan_ok=True)


def test_the_latest_sample_counts_not_the_latest_known():
    late = [hba1c(40, "2026-02-01"), hba1c(50, "2026-01-01", known_from="2026-02-20")]
    assert_features(late, hba1c=40, hba1c_age_days=28)


def test_of_two_codes_on_one_day_the_one_known_last_counts():
    npu, loinc = hba1c(40, "2026-02-01"), hba1c(41, "2026-02-01", "59261-8", code_system="LOINC")
    assert_features([npu | {"known_from": "2026-02-03"}, loinc], hba1c=40)
    assert_features([npu, loinc | {"known_from": "2026-02-03"}], hba1c=41)


def test_values_and_limits_come_in_the_canonical_unit():
    # 6.54 % = (6.54 - 2.152) / 0.09148 = 47.97 mmol/mol; its own upper limit of 6.0 % is 42.06.
    old_unit = hba1c(6.54, "2026-02-01", "4548-4", "%", code_system="LOINC", reference_high=6.0)
    assert_features([old_unit], hba1c=47.9668, hba1c_outside=1)


def test_the_laboratorys_own_interval_goes_before_the_fallback():
    assert_features([hba1c(40, "2026-02-01")], hba1c_outside=0)
    assert_features([hba1c(40, "2026-02-01", reference_low=20, reference_high=39)], hba1c_outside=1)
    assert_features([hba1c(60, "2026-02-01", reference_high=60)], hba1c_outside=0)
    assert_features([hba1c(10, "2026-02-01", reference_high=60)], hba1c_outside=0)


def test_the_fallback_is_that_of_the_persons_sex():
    assert_features([waist(95)], "female", waist_outside=1)
    assert_features([waist(95)], "male", waist_outside=0)


def test_with_sex_unknown_the_verdict_is_known_only_where_both_agree():
    assert_features([waist(95)], None, waist_outside=NAN, is_female=NAN)
    assert_features([waist(120)], None, waist_outside=1)


def test_a_corrected_unit_replaces_the_result():
    rows = [hba1c(6.5, "2026-02-01"), hba1c(48, "2026-02-01", known_from="2026-02-10")]
    assert_features(rows, hba1c=48)


def test_an_unknown_code_or_unit_is_left_aside():
    assert_features([lab("NPU99999", 5, "mmol/L", "2026-02-01"), hba1c(6, "2026-02-01", unit="%")], hba1c=NAN)


def test_never_measured_is_unknown_not_normal():
    assert_features([], hba1c=NAN, hba1c_age_days=NAN, hba1c_outside=NAN)


def test_without_consent_for_labs_nothing_is_known():
    found = features_at(rows_of(consents=[consent("survey")], lab_results=[hba1c(40, "2026-02-01")]), T)
    assert all(np.isnan(found[feature.name]) for feature in FEATURES)
