"""Measurements that follow from others: which inputs, from when, until when, and what goes before them."""

from __future__ import annotations

import numpy as np
import pytest

from data_contracts.time_windows import day_number
from features.build import build_features
from features.catalogue import POSITIONS
from tests.lib.records import Row, features_at, histories, lab, person, rows_of

NAN = float("nan")
T = "2026-03-01"


def height(metres: float, sampled_on: str, **others) -> Row:
    return lab("NPU03794", metres, "m", sampled_on, **others)


def weight(kilos: float, sampled_on: str, **others) -> Row:
    return lab("NPU03804", kilos, "kg", sampled_on, **others)


def creatinine(value: float, sampled_on: str = "2026-02-01", **others) -> Row:
    return lab("NPU04998", value, "umol/L", sampled_on, **others)


def lipids(total: float, hdl: float, triglycerides: float, sampled_on: str = "2026-02-01") -> list[Row]:
    codes = {"NPU01566": total, "NPU01567": hdl, "NPU04094": triglycerides}
    return [lab(code, value, "mmol/L", sampled_on) for code, value in codes.items()]


def found_at(lab_results: list[Row], t: str = T, **of_person) -> dict[str, float]:
    return features_at(rows_of(persons=[person(**of_person)], lab_results=lab_results), t)


def assert_features(lab_results: list[Row], t: str = T, **expected: float) -> None:
    found = found_at(lab_results, t)
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-6, nan_ok=True)


def test_body_mass_index_of_a_weight_and_the_latest_height_before_it():
    heights = [height(1.60, "2020-01-01"), height(2.00, "2025-01-01"), height(1.00 + 0.5, "2026-02-02")]
    assert_features([*heights, weight(100, "2026-02-01")], bmi=25, body_measure_age_days=27, weight=100, height=150)


def test_a_height_of_the_same_day_counts_and_without_an_earlier_one_the_first_later_one_known_at_t():
    assert_features([height(2, "2026-02-01"), weight(100, "2026-02-01")], bmi=25)
    later = [height(2, "2026-02-02"), height(1.6, "2026-02-03"), weight(100, "2026-02-01")]
    assert_features(later, bmi=25, body_measure_age_days=28 - 2, bmi_distance=0)
    assert_features(later, "2026-02-02", bmi=NAN, bmi_distance=NAN, bmi_change=NAN)
    assert_features([height(1.6, "2026-01-01"), *later], bmi=100 / 2.56)


def test_the_height_of_the_next_person_is_not_a_later_one_of_this():
    rows = rows_of(
        persons=[person("p"), person("q")],
        lab_results=[weight(100, "2026-01-01"), height(2, "2026-02-01", person_id="q")],
    )
    assert np.isnan(build_features(histories(rows), day_number(T)).values[:, POSITIONS["bmi"]]).all()


def test_it_is_known_from_the_day_on_which_the_last_input_is():
    rows = [height(2, "2026-01-01", known_from="2026-02-10"), weight(100, "2026-02-01")]
    assert_features(rows, "2026-02-10", bmi=NAN)
    assert_features(rows, "2026-02-11", bmi=25)


def test_it_goes_with_an_input_that_is_deleted_and_moves_with_one_that_is_corrected():
    two_metres = height(2, "2026-01-01")
    rows = [
        weight(100, "2026-01-20"),
        two_metres,
        two_metres | {"known_from": "2026-02-01", "is_deleted": True},
        height(1.6, "2026-01-01", known_from="2026-02-10"),
    ]
    assert [found_at(rows, t)["bmi"] for t in ("2026-02-01", "2026-02-02", "2026-02-11")] == pytest.approx(
        [25, NAN, 100 / 2.56], rel=1e-6, nan_ok=True
    )


def test_a_measured_value_goes_before_one_derived_on_its_day_or_earlier_but_not_later():
    derived = [height(2, "2026-01-01"), weight(100, "2026-02-10", known_from="2026-02-20")]
    assert_features([*derived, lab("NPU27281", 27, "kg/m2", "2026-02-10")], bmi=27, body_measure_age_days=19)
    assert_features([*derived, lab("NPU27281", 27, "kg/m2", "2026-02-11")], bmi=27, body_measure_age_days=18)
    earlier = lab("NPU27281", 17, "kg/m2", "2026-02-09", reference_low=10, reference_high=20)
    # Derived, it has no laboratory's interval: 25 is 25 % above 20, but on the limit of the fallback.
    assert_features([*derived, earlier], bmi=25, body_measure_age_days=19, bmi_distance=0)


def test_bounds_are_not_computed_with():
    total, hdl, fat = lipids(5, 1.5, 1.1)
    assert_features([total, hdl | {"comparator": ">"}, fat], non_hdl=NAN, ldl=NAN, hdl=1.5)
    exact_earlier = hdl | {"code_system": "LOINC", "code": "14646-4", "value": 1.0}
    assert_features([total, hdl | {"comparator": ">"}, exact_earlier, fat], non_hdl=4, ldl=3.5)


def egfr(value: float, sampled_on: str = "2026-02-01", **others) -> Row:
    return lab("NOR25909", value, "mL/min/{1.73_m2}", sampled_on, **others)


def test_an_exact_derived_value_goes_before_a_bound_of_its_day_but_not_before_an_exact_or_a_newer_one():
    bound = egfr(60, comparator=">", known_from="2026-02-05", reference_low=200)
    # CKD-EPI 2009: a woman of 46 with 50 umol/L has 111.8; the laboratory's interval goes with its bound.
    assert_features([bound, creatinine(50)], egfr=111.811595, blood_sample_age_days=28, egfr_distance=0)
    assert_features([bound, creatinine(50, "2026-01-31")], egfr=60, blood_sample_age_days=28, egfr_distance=NAN)
    assert_features([bound, creatinine(50), egfr(100) | {"code": "DNK35302"}], egfr=100)


def test_cholesterol_fractions_need_all_inputs_of_one_day():
    assert_features(lipids(5, 1.5, 1.1), non_hdl=3.5, ldl=3, blood_sample_age_days=28)
    total, hdl, fat = lipids(5, 1.5, 1.1)
    assert_features([total, hdl | {"sampled_on": "2026-02-02"}, fat], non_hdl=NAN, ldl=NAN)
    assert_features([total, hdl, fat | {"sampled_on": "2026-01-31"}], non_hdl=3.5, ldl=NAN)


def test_where_the_formula_does_not_hold_the_latest_day_on_which_it_did_counts():
    assert_features(lipids(5, 1.5, 1.1, "2025-06-01") + lipids(7, 1.0, 4.6), non_hdl=6, ldl=3, blood_sample_age_days=28)


def test_a_result_outside_its_hard_limits_is_an_error_of_its_inputs():
    # 300 kg and 1.2 m would be an index of 208.
    assert_features([height(1.2, "2026-01-01"), weight(300, "2026-02-01")], bmi=NAN, weight=300)


def test_kidney_function_takes_sex_and_birth_year_as_known_at_t():
    # CKD-EPI 2009: a man of 45 (in the year of the sample) with 90 umol/L has 88.6.
    assert found_at([creatinine(90)], sex="male", birth_year=1981)["egfr"] == pytest.approx(88.6, abs=0.05)
    assert np.isnan(found_at([creatinine(90)], known_from=T)["egfr"])
    corrected = [person(sex="male", birth_year=1981), person(birth_year=1981, known_from="2026-02-10")]
    rows = rows_of(persons=corrected, lab_results=[creatinine(90)])
    assert [features_at(rows, t)["egfr"] for t in ("2026-02-10", "2026-02-11")] == pytest.approx([88.6, 66.7], abs=0.1)


@pytest.mark.parametrize(("birth_year", "distance"), [(1997, 0.4 / 6.1), (1996, 0), (1977, 0), (1976, 0)])
def test_the_fallback_interval_is_that_of_the_age_in_the_year_of_the_sample(birth_year, distance):
    """Total cholesterol 6.5: above 6.1 at 29 years, below 6.9 from 30 years on, whatever the age at t."""
    sample = lab("NPU01566", 6.5, "mmol/L", "2026-02-01")
    assert found_at([sample], birth_year=birth_year)["total_cholesterol_distance"] == pytest.approx(distance)
    assert found_at([sample], "2030-01-01", birth_year=birth_year)["total_cholesterol_distance"] == pytest.approx(
        distance
    )


def test_a_value_on_a_limit_is_inside_whatever_its_unit():
    """117 g/L times 0.1 is 11.700000000000001 g/dL; the limits of women are 11.7 and 15.3."""
    for grams, distance in ((116, -1 / 117), (117, 0), (153, 0), (154, 1 / 153)):
        sample = lab("NPU28309", grams, "g/L", "2026-02-01")
        found = found_at([sample])["haemoglobin_distance"]
        assert found == (pytest.approx(distance, rel=1e-5) if distance else 0)


def test_nothing_is_computed_from_another_persons_height():
    rows = rows_of(
        persons=[person("p"), person("q")],
        lab_results=[height(2, "2026-01-01"), weight(100, "2026-02-01", person_id="q")],
    )
    values = build_features(histories(rows), day_number(T)).values
    assert np.isnan(values[:, POSITIONS["bmi"]]).all()


def test_the_age_in_kidney_function_is_that_of_the_year_of_the_sample():
    sample = creatinine(90, "2021-02-01")
    found = found_at([sample], sex="male", birth_year=1976)["egfr"]
    # At 45 years 88.6; at the 50 of the index date it would be 85.5.
    assert found == pytest.approx(88.6, abs=0.05)
