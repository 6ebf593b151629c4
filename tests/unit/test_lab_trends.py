"""How followed measurements move: which values make the series, and what change and slope are."""

from __future__ import annotations

import numpy as np
import pytest

from data_contracts.analytes import ANALYTES
from features.catalogue import feature
from features.lab_trends import FEATURES
from tests.lib.records import Row, features_at, lab, rows_of

NAN = float("nan")
T = "2026-03-01"


def crp(value: float, sampled_on: str, **others) -> Row:
    return lab("NPU19748", value, "mg/L", sampled_on, **others)


def assert_features(lab_results: list[Row], t: str = T, **expected: float) -> None:
    found = features_at(rows_of(lab_results=lab_results), t)
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-6, nan_ok=True)


def test_twelve_are_followed_and_each_has_a_change_and_a_slope():
    followed = [analyte.name for analyte in ANALYTES if analyte.followed]
    assert len(followed) == 12
    wanted = {f"{name}_{kind}" for name in followed for kind in ("change", "slope")}
    assert {one.name for one in FEATURES} == wanted
    assert len(FEATURES) == 24


def test_the_change_is_the_latest_value_less_the_one_before_it():
    rows = [crp(3, "2025-12-01"), crp(9, "2026-01-01"), crp(4, "2026-02-01")]
    assert_features(rows, crp_change=-5)
    assert_features(rows[:2], crp_change=6, crp_slope=NAN)
    assert_features(rows[:1], crp_change=NAN, crp_slope=NAN)
    assert_features(rows, "2026-02-01", crp_change=6)


def test_the_slope_is_that_of_a_straight_line_per_year():
    # Days 0, 100, 200: the slope is that from the first to the last, whatever lies in the middle.
    rows = [crp(2, "2025-07-01"), crp(50, "2025-10-09"), crp(6, "2026-01-17")]
    assert_features(rows, crp_slope=4 / 200 * 365.25)
    # Of four the latest three count.
    assert_features([crp(500, "2025-01-01"), *rows], crp_slope=4 / 200 * 365.25)
    # Days 0, 10, 100 with 1, 2, 3: the products about the means sum to 100, the squares to 18200/3.
    uneven = [crp(1, "2025-10-01"), crp(2, "2025-10-11"), crp(3, "2026-01-09")]
    assert_features(uneven, crp_slope=300 / 18200 * 365.25)


def test_three_equal_values_have_a_slope_of_exactly_zero():
    rows = [crp(5.3, "2025-07-02"), crp(5.3, "2025-10-09"), crp(5.3, "2026-01-17")]
    found = features_at(rows_of(lab_results=rows), T)
    assert (found["crp_slope"], found["crp_change"]) == (0, 0)


def test_within_ninety_days_no_slope_is_told_from_noise():
    days = ("2025-11-01", "2025-12-01")
    rows = [crp(value, on) for value, on in zip((1, 2), days, strict=True)]
    assert_features([*rows, crp(3, "2026-01-29")], crp_slope=NAN, crp_change=1)
    assert_features([*rows, crp(3, "2026-01-30")], crp_change=1)
    assert not np.isnan(features_at(rows_of(lab_results=[*rows, crp(3, "2026-01-30")]), T)["crp_slope"])


def test_bounds_have_no_part_in_the_course():
    rows = [crp(3, "2025-12-01"), crp(1, "2025-12-20", comparator="<"), crp(9, "2026-01-01")]
    assert_features([*rows, crp(1, "2026-02-01", comparator="<")], crp=1, crp_change=6, lab_bounds_count=1)
    assert_features([crp(1, "2026-02-01", comparator="<")], crp=1, crp_change=NAN)


def test_of_several_results_of_a_day_the_one_known_last_counts():
    other = {"code_system": "LOINC", "code": "1988-5"}
    rows = [crp(3, "2025-12-01"), crp(9, "2026-01-01"), crp(7, "2026-01-01", known_from="2026-01-03") | other]
    assert_features(rows, crp_change=4)
    # A bound of the same day that is known later still does not.
    assert_features(
        [*rows, crp(1, "2026-01-01", known_from="2026-02-01", comparator="<") | {"unit": "mg/L"}], crp_change=4
    )


def test_a_correction_moves_the_course_from_the_day_it_is_known():
    rows = [crp(3, "2025-12-01"), crp(9, "2026-01-01"), crp(5, "2025-12-01", known_from="2026-02-01")]
    assert_features(rows, "2026-02-01", crp_change=6)
    assert_features(rows, "2026-02-02", crp_change=4)


def test_derived_values_fill_the_days_without_a_measured_one():
    height = lab("NPU03794", 2, "m", "2025-01-01")
    weights = [
        lab("NPU03804", kilos, "kg", on)
        for kilos, on in ((100, "2025-06-01"), (104, "2025-10-01"), (108, "2026-02-01"))
    ]
    # 25, 26, 27 on days 0, 122, 245.
    assert_features([height, *weights], bmi=27, bmi_change=1, bmi_slope=245 / (74909 - 367**2 / 3) * 365.25)
    measured = lab("NPU27281", 30, "kg/m2", "2025-10-01")
    assert_features([height, *weights, measured], bmi=27, bmi_change=-3)
    bound = measured | {"comparator": ">"}
    assert_features([height, *weights, bound], bmi=27, bmi_change=1)


def test_the_course_of_a_cholesterol_fraction_that_nobody_measured():
    codes = ("NPU01566", "NPU01567", "NPU04094")
    rows = [
        lab(code, value, "mmol/L", on)
        for on, values in (("2025-06-01", (5, 1.5, 1.1)), ("2026-02-01", (6, 1.5, 2.2)))
        for code, value in zip(codes, values, strict=True)
    ]
    assert_features(rows, ldl=3.5, ldl_change=0.5, hdl_change=0, total_cholesterol_change=1, triglycerides_change=1.1)


def test_values_of_different_units_are_one_series():
    rows = [lab("NPU27300", 48, "mmol/mol", "2025-06-01")]
    rows.append(lab("4548-4", 5.6, "%", "2026-02-01", code_system="LOINC"))
    assert_features(rows, hba1c_change=(5.6 - 2.152) / 0.09148 - 48)


def test_ranges_units_and_directions():
    change, slope = feature("hba1c_change"), feature("hba1c_slope")
    assert (change.low, change.high, change.unit) == (-165, 165, "mmol/mol")
    assert (slope.low, slope.high, slope.unit) == (-825, 825, "mmol/mol/a")
    assert (slope.expected_direction, slope.valid_days, slope.modifiable) == (1, 365, False)
    assert feature("hdl_slope").expected_direction == -1
    assert feature("ferritin_change").expected_direction == 0
