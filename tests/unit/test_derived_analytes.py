"""Derived measurements: hand-computed values, and the limits outside which a formula must stay silent."""

from __future__ import annotations

import numpy as np
import pytest

from data_contracts.derived_analytes import bmi, egfr_ckd_epi_2009, egfr_ckd_epi_2021, ldl_friedewald, non_hdl

BOTH_EQUATIONS = pytest.mark.parametrize("egfr", [egfr_ckd_epi_2009, egfr_ckd_epi_2021])


def test_bmi_by_hand() -> None:
    np.testing.assert_allclose(bmi([200, 160], [80, 64]), [20, 25], rtol=1e-12)


def test_non_hdl_by_hand() -> None:
    np.testing.assert_allclose(non_hdl([5.0, 6.5], [1.5, 1.0]), [3.5, 5.5])


def test_friedewald_by_hand_and_up_to_its_limit() -> None:
    # 5 - 1.5 - 1.1 / 2.2 = 3; at 4.5 mmol/L triglycerides the formula still holds, above it does not.
    np.testing.assert_allclose(ldl_friedewald(5, 1.5, [1.1, 4.5, 4.51]), [3, 5 - 1.5 - 4.5 / 2.2, np.nan])


def test_friedewald_is_silent_where_the_rest_is_not_above_zero() -> None:
    # 3 - 1 - 4.4 / 2.2 = 0
    np.testing.assert_array_equal(ldl_friedewald([3, 2, 3.0], [1, 1.5, 1.0], [4.4, 2.2, 2.2]), [np.nan, np.nan, 1])


def test_friedewald_in_mg_dl_differs_by_less_than_one_per_cent_of_the_triglyceride_term() -> None:
    cholesterol, hdl, triglycerides = 193.33, 58.0, 177.09  # mg/dL
    in_mg = cholesterol - hdl - triglycerides / 5
    in_mmol = ldl_friedewald(cholesterol / 38.666, hdl / 38.666, triglycerides / 88.545) * 38.666
    assert abs(in_mmol - in_mg) < 0.01 * triglycerides / 5


def test_non_hdl_is_silent_where_hdl_is_not_below_the_total() -> None:
    np.testing.assert_array_equal(non_hdl([2, 2, 2], [2, 3, np.nan]), [np.nan] * 3)


@pytest.mark.parametrize("wrong", [np.nan, 0, -1, np.inf])
def test_a_wrong_input_makes_no_number(wrong: float) -> None:
    for derived in (
        bmi(wrong, 80), bmi(180, wrong), non_hdl(wrong, 1), non_hdl(5, wrong),
        ldl_friedewald(wrong, 1, 1), ldl_friedewald(5, wrong, 1), ldl_friedewald(5, 1, wrong),
        egfr_ckd_epi_2009(wrong, 40, 1), egfr_ckd_epi_2021(wrong, 40, 1),
    ):  # fmt: skip
        assert np.isnan(derived)


@BOTH_EQUATIONS
def test_egfr_only_for_adults_of_known_sex_and_age(egfr) -> None:
    age = [17.99, 18, np.nan, 40, 40, 40]
    is_female = [1, 1, 1, -1, np.nan, 0]
    np.testing.assert_array_equal(np.isnan(egfr(70, age, is_female)), [True, False, True, True, True, False])


def test_egfr_at_the_kink_is_scale_times_age() -> None:
    # 61.88 umol/L is 0.7 mg/dL and 79.56 umol/L is 0.9: the ratio is 1 and its powers drop out.
    np.testing.assert_allclose(egfr_ckd_epi_2009([61.88, 79.56], 40, [1, 0]), np.array([144, 141]) * 0.993**40)
    np.testing.assert_allclose(egfr_ckd_epi_2021([61.88, 79.56], 40, [1, 0]), np.array([143.704, 142]) * 0.9938**40)


@BOTH_EQUATIONS
def test_egfr_falls_with_creatinine_and_age(egfr) -> None:
    for is_female in (0, 1):
        assert (np.diff(egfr(np.arange(20, 500), 40, is_female)) < 0).all()
        assert (np.diff(egfr(80, np.arange(18, 90), is_female)) < 0).all()


def test_rows_do_not_touch_each_other() -> None:
    # Features of one person must be bitwise those of the same person among a thousand.
    generator = np.random.default_rng(1)
    creatinine, age, is_female = generator.uniform(40, 200, 999), generator.uniform(18, 80, 999), np.arange(999) % 2
    for derive, columns in (
        (egfr_ckd_epi_2009, (creatinine, age, is_female)),
        (egfr_ckd_epi_2021, (creatinine, age, is_female)),
        (ldl_friedewald, (creatinine / 20, age / 40, creatinine / 50)),
        (bmi, (creatinine + 100, age)),
    ):
        together = derive(*columns)
        np.testing.assert_array_equal([derive(*row).item() for row in zip(*columns, strict=True)], together)
        np.testing.assert_array_equal(derive(*(column[::3] for column in columns)), together[::3])
        np.testing.assert_array_equal(derive(*(column[5:6] for column in columns)), together[5:6])
