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


def crp(value: float, **others):
    return lab("NPU19748", value, "mg/L", "2026-02-01", **others)


def ferritin(value: float, **others):
    return lab("NPU19763", value, "ug/L", "2026-02-01", **others)


OWN = {"reference_low": 100, "reference_high": 600}
OWN_LOW, OWN_HIGH = {"reference_low": 100}, {"reference_high": 600}


@pytest.mark.parametrize(
    ("comparator", "value", "own", "outside"),
    [
        # Below a number: outside for certain if nothing up to it is inside, inside only if there is no lower limit.
        ("<", 100, OWN, 1),
        ("<=", 100, OWN, NAN),
        ("<=", 99, OWN, 1),
        ("<", 101, OWN, NAN),
        ("<", 700, OWN, NAN),
        ("<", 700, OWN_LOW, NAN),
        ("<", 600, OWN_HIGH, 0),
        ("<=", 600, OWN_HIGH, 0),
        ("<", 601, OWN_HIGH, NAN),
        ("<=", 601, OWN_HIGH, NAN),
        # Above a number: the mirror image.
        (">", 600, OWN, 1),
        (">=", 600, OWN, NAN),
        (">=", 601, OWN, 1),
        (">", 599, OWN, NAN),
        (">", 50, OWN_HIGH, NAN),
        (">", 100, OWN_LOW, 0),
        (">=", 100, OWN_LOW, 0),
        (">", 99, OWN_LOW, NAN),
        (">=", 99, OWN_LOW, NAN),
    ],
)
def test_a_bound_is_outside_only_if_all_that_it_leaves_possible_is(comparator, value, own, outside):
    assert_features([ferritin(value, comparator=comparator, **own)], ferritin=value, ferritin_outside=outside)


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        # CRP below 5; ferritin of women 15 to 160; GFR above 60.
        (crp(8, comparator="<"), {"crp_outside": NAN}),
        (crp(5, comparator="<"), {"crp_outside": 0}),
        (crp(5, comparator="<="), {"crp_outside": NAN}),
        (crp(5, comparator=">="), {"crp_outside": 1}),
        (crp(4.9, comparator=">="), {"crp_outside": NAN}),
        (ferritin(20, comparator="<"), {"ferritin_outside": NAN}),
        (ferritin(15, comparator="<"), {"ferritin_outside": 1}),
        (ferritin(15, comparator="<="), {"ferritin_outside": NAN}),
        (ferritin(160, comparator=">"), {"ferritin_outside": 1}),
        (lab("NOR25909", 60, "mL/min/{1.73_m2}", "2026-02-01", comparator=">"), {"egfr_outside": 0}),
        (lab("NOR25909", 60, "mL/min/{1.73_m2}", "2026-02-01", comparator=">="), {"egfr_outside": NAN}),
        (lab("NOR25909", 60, "mL/min/{1.73_m2}", "2026-02-01", comparator="<="), {"egfr_outside": 1}),
    ],
)
def test_a_bound_against_the_fallback(result, expected):
    assert_features([result], **expected)


def test_a_bound_that_the_own_interval_cannot_decide_is_not_left_to_the_fallback():
    # Against the fallback of women, 15 to 160, more than 500 would be outside.
    assert_features([ferritin(500, comparator=">", reference_high=600)], ferritin_outside=NAN)


def test_of_one_day_an_exact_result_counts_before_a_bound_that_is_known_later():
    bound = ferritin(20, comparator="<", known_from="2026-02-10")
    exact = ferritin(14) | {"code_system": "LOINC", "code": "2276-4"}
    assert_features([bound, exact], ferritin=14, ferritin_outside=1)
    assert_features([bound | {"sampled_on": "2026-02-02"}, exact], ferritin=20, ferritin_outside=NAN)


@pytest.mark.parametrize(
    ("name", "code", "unit", "inside", "limit"),
    [
        ("systolic_bp", "NPU57947", "mm[Hg]", 139, 140),
        ("diastolic_bp", "NPU57948", "mm[Hg]", 89, 90),
        ("bmi", "NPU27281", "kg/m2", 24.95, 25),
        ("waist", "8280-0", "cm", 87.9, 88),
        ("waist", "8280-0", "[in_i]", 34.6, 88 / 2.54),
        ("crp", "NPU19748", "mg/L", 4.99, 5),
        ("crp", "1988-5", "mg/dL", 0.499, 0.5),
        ("egfr", "NOR25909", "mL/min/{1.73_m2}", 61, 60),
    ],
)
def test_below_and_above_a_limit_leave_the_limit_outside_in_any_unit(name, code, unit, inside, limit):
    for value, outside in ((inside, 0), (limit, 1)):
        sample = lab(code, value, unit, "2026-02-01", code_system="LOINC" if "-" in code else "NPU")
        assert_features([sample], **{f"{name}_outside": outside})


def test_the_lower_limit_of_body_mass_index_and_the_waist_of_men():
    assert_features([lab("NPU27281", 18.5, "kg/m2", "2026-02-01")], bmi_outside=0)
    assert_features([lab("NPU27281", 18.4, "kg/m2", "2026-02-01")], bmi_outside=1)
    assert_features([waist(101.9)], "male", waist_outside=0)
    assert_features([waist(102)], "male", waist_outside=1)


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
