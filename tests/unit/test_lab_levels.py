from __future__ import annotations

import numpy as np
import pytest

from data_contracts.analytes import ANALYTES
from data_contracts.time_windows import NO_DAY, day_number
from features.build import build_features, observation_days
from features.catalogue import POSITIONS, feature
from features.labs import FEATURES
from tests.lib.records import consent, features_at, histories, lab, person, rows_of

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
    assert_features(late, hba1c=40, blood_sample_age_days=28)


def test_of_two_codes_on_one_day_the_one_known_last_counts():
    npu, loinc = hba1c(40, "2026-02-01"), hba1c(41, "2026-02-01", "59261-8", code_system="LOINC")
    assert_features([npu | {"known_from": "2026-02-03"}, loinc], hba1c=40)
    assert_features([npu, loinc | {"known_from": "2026-02-03"}], hba1c=41)


def test_values_and_limits_come_in_the_canonical_unit():
    # 6.54 % = (6.54 - 2.152) / 0.09148 = 47.97 mmol/mol; its own upper limit of 6.0 % is 42.06.
    old_unit = hba1c(6.54, "2026-02-01", "4548-4", "%", code_system="LOINC", reference_high=6.0)
    assert_features([old_unit], hba1c=47.9668, hba1c_distance=(6.54 - 6.0) / (6.0 - 2.152))


def test_the_laboratorys_own_interval_goes_before_the_fallback():
    assert_features([hba1c(40, "2026-02-01")], hba1c_distance=0)
    assert_features([hba1c(39, "2026-02-01", reference_low=20, reference_high=30)], hba1c_distance=0.3)
    assert_features([hba1c(60, "2026-02-01", reference_high=60)], hba1c_distance=0)
    assert_features([hba1c(10, "2026-02-01", reference_high=60)], hba1c_distance=0)


def test_below_the_distance_is_negative_and_a_share_of_the_lower_limit():
    assert_features([hba1c(15, "2026-02-01")], hba1c_distance=-0.25)
    assert_features([hba1c(15, "2026-02-01", reference_low=60)], hba1c_distance=-0.75)
    assert_features([crp(0, reference_low=1, reference_high=5)], crp_distance=-1)
    assert_features([crp(600, reference_low=1, reference_high=5)], crp_distance=119)


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ({"reference_high": 0}, NAN),
        ({"reference_high": -2}, NAN),
        ({"reference_high": 1.9e-5}, NAN),
        ({"reference_high": 2.1e-5}, 20 / 2.1e-5 - 1),
        ({"reference_high": 1e-310}, NAN),
        ({"reference_low": 0}, 0),
        ({"reference_low": 1e-310}, 0),
        ({"reference_low": -1, "reference_high": 40}, 0),
    ],
)
def test_a_limit_that_is_next_to_nothing_is_none_to_measure_by(own, expected):
    """HbA1c in % becomes zero and less in mmol/mol under 2.152 %."""
    assert_features([crp(20, **own)], crp_distance=expected)


def test_without_any_interval_the_distance_is_unknown():
    cortisol = lab("NPU01787", 300, "nmol/L", "2026-02-01")
    assert_features([cortisol], cortisol=300, cortisol_distance=NAN)
    assert_features([cortisol | {"reference_low": 400}], cortisol_distance=-0.25)
    # A child is not judged by the intervals of adults.
    child = rows_of(persons=[person(birth_year=2010)], lab_results=[crp(50)])
    assert np.isnan(features_at(child, T)["crp_distance"])


def test_just_under_the_lower_limit_by_conversion_alone_is_on_it():
    """20.0325 ng/mL are 49.9999999999999 nmol/L."""
    vitamin_d = lab("62292-8", 20.0325, "ng/mL", "2026-02-01", code_system="LOINC")
    assert features_at(rows_of(lab_results=[vitamin_d]), T)["vitamin_d_distance"] == 0


def test_zero_on_a_limit_of_zero_is_inside():
    assert_features([crp(0, reference_low=0, reference_high=0)], crp_distance=0)


def test_the_fallback_is_that_of_the_persons_sex():
    assert_features([waist(95)], "female", waist_distance=7 / 88)
    assert_features([waist(95)], "male", waist_distance=0)


def test_with_sex_unknown_the_distance_is_known_only_where_both_agree():
    assert_features([waist(95)], None, waist_distance=NAN, is_female=NAN)
    assert_features([waist(120)], None, waist_distance=NAN)
    assert_features([waist(87)], None, waist_distance=0)
    for value, expected in ((1.5, 0), (0.9, NAN), (0.7, NAN)):
        assert_features([lab("NPU01567", value, "mmol/L", "2026-02-01")], None, hdl=value, hdl_distance=expected)
    assert_features([lab("8867-4", 125, "/min", "2026-02-01", code_system="LOINC")], None, heart_rate_distance=0.25)


def crp(value: float, **others):
    return lab("NPU19748", value, "mg/L", "2026-02-01", **others)


def ferritin(value: float, **others):
    return lab("NPU19763", value, "ug/L", "2026-02-01", **others)


OWN = {"reference_low": 100, "reference_high": 600}
FROM_0 = {"reference_low": 0, "reference_high": 600}
OWN_LOW, OWN_HIGH = {"reference_low": 100}, {"reference_high": 600}


@pytest.mark.parametrize(
    ("comparator", "value", "own", "distance"),
    [
        # Below a number: outside for certain if nothing up to it is inside, inside only if there is no lower limit.
        ("<", 75, OWN, -0.25),
        ("<", 100, OWN, 0),
        ("<=", 100, OWN, NAN),
        ("<=", 99, OWN, -0.01),
        ("<", 101, OWN, NAN),
        ("<", 700, OWN, NAN),
        ("<", 700, OWN_LOW, NAN),
        ("<", 600, OWN_HIGH, 0),
        ("<=", 600, OWN_HIGH, 0),
        ("<", 601, OWN_HIGH, NAN),
        ("<=", 601, OWN_HIGH, NAN),
        # No amount is below 0: a lower limit of 0 is none, and a bound under the upper one inside for certain.
        ("<", 600, FROM_0, 0),
        ("<=", 600, FROM_0, 0),
        ("<", 601, FROM_0, NAN),
        ("<=", 601, FROM_0, NAN),
        ("<", 600, {"reference_low": 0}, 0),
        ("<", 600, {"reference_low": 1, "reference_high": 600}, NAN),
        (">", 599, FROM_0, NAN),
        (">", 600, FROM_0, 0),
        # Above a number: the mirror image.
        (">", 600, OWN, 0),
        (">=", 600, OWN, NAN),
        (">=", 603, OWN, 0.005),
        (">", 599, OWN, NAN),
        (">", 50, OWN_HIGH, NAN),
        (">", 100, OWN_LOW, 0),
        (">=", 100, OWN_LOW, 0),
        (">", 99, OWN_LOW, NAN),
        (">=", 99, OWN_LOW, NAN),
    ],
)
def test_a_bound_has_a_distance_only_if_all_that_it_leaves_possible_is_on_one_side(comparator, value, own, distance):
    assert_features([ferritin(value, comparator=comparator, **own)], ferritin=value, ferritin_distance=distance)


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        # CRP below 5; ferritin of women 15 to 160; GFR above 60.
        (crp(8, comparator="<"), {"crp_distance": NAN}),
        (crp(5, comparator="<"), {"crp_distance": 0}),
        (crp(5, comparator="<="), {"crp_distance": NAN}),
        (crp(5, comparator=">="), {"crp_distance": 0}),
        (crp(8, comparator=">="), {"crp_distance": 0.6}),
        (crp(4.9, comparator=">="), {"crp_distance": NAN}),
        (ferritin(20, comparator="<"), {"ferritin_distance": NAN}),
        (ferritin(15, comparator="<"), {"ferritin_distance": 0}),
        (ferritin(12, comparator="<"), {"ferritin_distance": -0.2}),
        (ferritin(15, comparator="<="), {"ferritin_distance": NAN}),
        (ferritin(240, comparator=">"), {"ferritin_distance": 0.5}),
        (lab("NOR25909", 60, "mL/min/{1.73_m2}", "2026-02-01", comparator=">"), {"egfr_distance": 0}),
        (lab("NOR25909", 60, "mL/min/{1.73_m2}", "2026-02-01", comparator=">="), {"egfr_distance": NAN}),
        (lab("NOR25909", 60, "mL/min/{1.73_m2}", "2026-02-01", comparator="<="), {"egfr_distance": 0}),
    ],
)
def test_a_bound_against_the_fallback(result, expected):
    assert_features([result], **expected)


def test_less_than_the_smallest_amount_is_inside_an_interval_from_0_in_any_unit():
    assert_features([crp(1, comparator="<", reference_low=0, reference_high=5)], crp_distance=0)
    # 0 % is -23.5 mmol/mol.
    old_unit = hba1c(5.5, "2026-02-01", "4548-4", "%", code_system="LOINC", reference_low=0, reference_high=6.0)
    assert_features([old_unit | {"comparator": "<"}], hba1c_distance=0)


def test_a_bound_that_the_own_interval_cannot_decide_is_not_left_to_the_fallback():
    # Against the fallback of women, 15 to 160, more than 500 would be outside.
    assert_features([ferritin(500, comparator=">", reference_high=600)], ferritin_distance=NAN)


def test_of_one_day_an_exact_result_counts_before_a_bound_that_is_known_later():
    bound = ferritin(20, comparator="<", known_from="2026-02-10")
    exact = ferritin(14) | {"code_system": "LOINC", "code": "2276-4"}
    assert_features([bound, exact], ferritin=14, ferritin_distance=-1 / 15)
    assert_features([bound | {"sampled_on": "2026-02-02"}, exact], ferritin=20, ferritin_distance=NAN)


@pytest.mark.parametrize(
    ("name", "code", "unit", "limit"),
    [
        ("systolic_bp", "NPU57947", "mm[Hg]", 140),
        ("bmi", "NPU27281", "kg/m2", 25),
        ("waist", "8280-0", "cm", 88),
        ("waist", "8280-0", "[in_i]", 88 / 2.54),
        ("crp", "1988-5", "mg/dL", 0.5),
        ("haemoglobin", "NPU28309", "g/L", 153),
        # 6.000000000000002 mmol/L.
        ("glucose", "2345-7", "mg/dL", 108.0936),
    ],
)
def test_on_a_limit_the_distance_is_zero_and_just_above_it_is_not_in_any_unit(name, code, unit, limit):
    for share in (0, 0.001):
        value = limit * (1 + share)
        sample = lab(code, value, unit, "2026-02-01", code_system="LOINC" if "-" in code else "NPU")
        found = features_at(rows_of(lab_results=[sample]), T)[f"{name}_distance"]
        assert found == (0 if share == 0 else pytest.approx(0.001, rel=1e-5))


def test_a_limit_that_is_outside_itself_matters_for_bounds_alone():
    """The upper limit of the waist of women, 88, is open; that of haemoglobin, 15.3, is not."""
    inches = lab("8280-0", 88 / 2.54, "[in_i]", "2026-02-01", code_system="LOINC", comparator=">=")
    assert_features([inches], waist_distance=0)
    assert_features([lab("NPU28309", 153, "g/L", "2026-02-01", comparator=">=")], haemoglobin_distance=NAN)
    assert_features([lab("NPU28309", 153, "g/L", "2026-02-01", comparator=">")], haemoglobin_distance=0)


def test_the_lower_limit_of_body_mass_index_and_the_waist_of_men():
    assert_features([lab("NPU27281", 18.5, "kg/m2", "2026-02-01")], bmi_distance=0)
    assert_features([lab("NPU27281", 14.8, "kg/m2", "2026-02-01")], bmi_distance=-0.2)
    assert_features([waist(102)], "male", waist_distance=0)
    assert_features([waist(153)], "male", waist_distance=0.5)


def test_a_corrected_unit_replaces_the_result():
    rows = [hba1c(6.5, "2026-02-01"), hba1c(48, "2026-02-01", known_from="2026-02-10")]
    assert_features(rows, hba1c=48)


def test_an_unknown_code_or_unit_is_left_aside():
    assert_features([lab("NPU99999", 5, "mmol/L", "2026-02-01"), hba1c(6, "2026-02-01", unit="%")], hba1c=NAN)


def test_never_measured_is_unknown_not_normal():
    assert_features([], hba1c=NAN, blood_sample_age_days=NAN, hba1c_distance=NAN, hba1c_change=NAN, hba1c_slope=NAN)


def pressure(value: float, sampled_on: str, **others):
    return lab("NPU57947", value, "mm[Hg]", sampled_on, **others)


def test_the_ages_are_those_of_the_latest_examination_whatever_it_measured():
    rows = [hba1c(40, "2026-01-01"), crp(1), pressure(120, "2025-12-01"), waist(80) | {"sampled_on": "2025-11-01"}]
    rows.append(lab("8867-4", 60, "/min", "2026-02-20", code_system="LOINC"))
    assert_features(rows, blood_sample_age_days=28, blood_pressure_age_days=9, body_measure_age_days=120)
    assert_features([crp(1)], blood_pressure_age_days=NAN, body_measure_age_days=NAN)


def test_a_derived_result_and_a_bound_are_of_their_examination_too():
    """Without a weight on the day of the height, it is the weight's day on which the body mass index counts."""
    height, weight = lab("NPU03794", 1.8, "m", "2025-01-01"), lab("NPU03804", 81, "kg", "2026-01-30")
    assert_features([height, weight], bmi=25, body_measure_age_days=30)
    assert_features([crp(1, comparator="<")], blood_sample_age_days=28, lab_bounds_count=1)


def test_bounds_are_counted_by_analyte_as_long_as_they_are_the_latest():
    rows = [crp(1, comparator="<"), ferritin(5, comparator="<="), hba1c(15, "2026-02-01", comparator="<")]
    assert_features(rows, lab_bounds_count=3)
    assert_features([*rows, hba1c(40, "2026-02-02")], lab_bounds_count=2)
    assert_features([*rows, crp(2) | {"code_system": "LOINC", "code": "1988-5"}], lab_bounds_count=2)
    egfr = lab("NOR25909", 60, "mL/min/{1.73_m2}", "2026-02-01", comparator=">")
    creatinine = lab("NPU04998", 70, "umol/L", "2026-02-01")
    assert_features([egfr], lab_bounds_count=1)
    assert_features([egfr, creatinine], lab_bounds_count=0)


def test_what_was_measured_in_two_years_is_counted_by_analyte_and_not_what_was_derived():
    height, weight = lab("NPU03794", 1.8, "m", "2024-02-29"), lab("NPU03804", 81, "kg", "2026-01-30")
    # [t-730, t) begins on 1 March 2024.
    assert_features([height, weight], analytes_measured_730=1, bmi=25)
    assert_features([height | {"sampled_on": "2024-03-01"}, weight], analytes_measured_730=2)
    assert_features([hba1c(40, "2026-01-01"), hba1c(41, "2026-02-01"), crp(1, comparator="<")], analytes_measured_730=2)


def test_with_consent_and_without_results_the_counts_are_zero():
    assert_features([], lab_bounds_count=0, analytes_measured_730=0)


def test_the_day_behind_each_feature():
    rows = rows_of(
        lab_results=[
            *(hba1c(40 + day, f"2025-0{day}-01") for day in (1, 4, 8)),
            hba1c(15, "2026-02-01", comparator="<"),
            lab("NPU03794", 1.8, "m", "2024-02-29"),
            lab("NPU03804", 81, "kg", "2026-01-30"),
        ]
    )
    days = observation_days(histories(rows), day_number(T))[0]
    found = {one.name: days[POSITIONS[one.name]] for one in FEATURES}
    latest, exact, weighed = (day_number(day) for day in ("2026-02-01", "2025-08-01", "2026-01-30"))
    expected = {"hba1c": latest, "hba1c_distance": latest, "blood_sample_age_days": latest}
    expected |= {"hba1c_change": exact, "hba1c_slope": exact}
    expected |= dict.fromkeys(
        ("bmi", "bmi_distance", "bmi_change", "bmi_slope", "body_measure_age_days", "weight"), weighed
    )
    expected["height"] = day_number("2024-02-29")
    assert {name: day for name, day in found.items() if day != NO_DAY} == expected
    without = observation_days(histories(rows_of()), day_number(T))
    assert (without[0, [POSITIONS[one.name] for one in FEATURES]] == NO_DAY).all()


def test_persons_without_results_beside_others_with():
    rows = rows_of(persons=[person("p"), person("q")], lab_results=[hba1c(48, "2026-02-01", person_id="q")])
    found = build_features(histories(rows), day_number(T)).values
    names = ("hba1c", "lab_bounds_count", "analytes_measured_730", "blood_sample_age_days")
    np.testing.assert_array_equal(found[:, [POSITIONS[name] for name in names]], [[NAN, 0, 0, NAN], [48, 0, 1, 28]])


def test_a_source_is_named_where_a_direction_is_expected_and_only_there():
    assert {bool(one.source) for one in FEATURES if one.expected_direction} == {True}
    assert {one.source for one in FEATURES if not one.expected_direction} == {""}
    assert "Tromsø 7 (BMJ Open), below 88; Below 102" in feature("waist_distance").source


def test_ranges_and_validity_follow_from_the_analyte():
    for analyte in ANALYTES:
        one = feature(analyte.name)
        assert (one.low, one.high, one.valid_days) == (analyte.hard_low, analyte.hard_high, analyte.valid_days)
    one = feature("ferritin_distance")
    assert (one.low, one.high, one.valid_days, one.expected_direction) == (-1, 1e6, 365, 0)
    assert feature("blood_sample_age_days").valid_days is None


def test_every_number_lies_in_its_range_from_one_hard_limit_to_the_other_and_back():
    days = ("2025-11-01", "2025-11-02", "2026-01-30")
    rows = [
        lab(code.code, (end - code.offset) / code.factor, code.unit, sampled_on, code_system=code.code_system)
        for analyte in ANALYTES
        for code in analyte.codes[:1]
        for end, sampled_on in zip((analyte.hard_low, analyte.hard_high, analyte.hard_low), days, strict=True)
    ]
    found = features_at(rows_of(lab_results=rows), T)
    for one in FEATURES:
        value = found[one.name]
        assert np.float32(one.low) <= value <= np.float32(one.high) or one.name == "cortisol_distance", one.name
    assert found["hba1c_change"] == 15 - 180
    # 15, 180 and 15 on the days -90, -89 and 0.
    assert found["hba1c_slope"] == pytest.approx(-14520 / 16022 * 365.25)


def test_without_consent_for_labs_nothing_is_known():
    found = features_at(rows_of(consents=[consent("survey")], lab_results=[hba1c(40, "2026-02-01")]), T)
    assert all(np.isnan(found[one.name]) for one in FEATURES)
