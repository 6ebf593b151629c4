"""Derived measurements and conversions against values that others computed (``../shared/vectors/egfr_lab``)."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data_contracts.analytes import canonical
from data_contracts.derived_analytes import bmi, egfr_ckd_epi_2009, egfr_ckd_epi_2021, ldl_friedewald

VECTORS = Path(__file__).parents[2] / "../shared/vectors/egfr_lab"
CREATININE = 88.4
"""umol/L per mg/dL, as the equations round it."""

pytestmark = pytest.mark.skipif(not VECTORS.exists(), reason="../shared/vectors is not here")


def grid() -> dict[str, np.ndarray]:
    with (VECTORS / "egfr_grid_kidney_epi.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 140
    numbers = {name: np.array([float(row[name]) for row in rows]) for name in rows[0] if name != "sex"}
    return numbers | {"is_female": np.array([row["sex"] == "Female" for row in rows], dtype=np.int8)}


def lab_vectors(name: str) -> list[dict[str, Any]]:
    return json.loads((VECTORS / "lab_vectors.json").read_text())[name]


def medcalc(case: str) -> float:
    return json.loads((VECTORS / "medcalc_bench_worked_examples.json").read_text())["cases"][case]["answer"]


@pytest.mark.parametrize(
    ("egfr", "column"), [(egfr_ckd_epi_2009, "egfr_2009_nonblack"), (egfr_ckd_epi_2021, "egfr_2021")]
)
def test_egfr_on_the_whole_grid_of_kidney_epi(egfr: Any, column: str) -> None:
    vectors = grid()
    computed = egfr(vectors["creatinine_mgdl"] * CREATININE, vectors["age"], vectors["is_female"])
    np.testing.assert_allclose(computed, vectors[column], rtol=0, atol=0.0051)  # the package rounds to two decimals


def test_egfr_2021_of_published_examples() -> None:
    examples = lab_vectors("ckd_epi_2021")
    assert len(examples) == 4
    for one in examples:
        creatinine = one["scr_umoll"] if "scr_umoll" in one else one["scr_mgdl"] * CREATININE
        assert egfr_ckd_epi_2021(creatinine, one["age"], int(one["sex"] == "F")) == pytest.approx(
            one["expected"], abs=one["tol"]
        )
    assert egfr_ckd_epi_2021(1.7 * CREATININE, 81, 0) == pytest.approx(medcalc("3"), abs=1e-4)


def test_bmi_of_published_examples() -> None:
    for one in lab_vectors("bmi"):
        assert bmi(one["height_cm"], one["weight_kg"]) == pytest.approx(one["expected"], abs=1e-5)
    assert bmi(182, 68) == pytest.approx(medcalc("6"), abs=1e-5)
    assert bmi(175, 87) == pytest.approx(28.40816, abs=1e-5)  # within example 2


def test_friedewald_of_a_published_example_in_mg_dl() -> None:
    # The published form divides by 5 in mg/dL, ours by 2.2 in mmol/L: they part by 1 % of the triglyceride term of 19.
    factors = {}
    for name, code in (("cholesterol", "2093-3"), ("triglycerides", "2571-8")):
        found = canonical("LOINC", code, "mg/dL")
        assert found is not None
        factors[name] = found[1]
    for one in lab_vectors("friedewald"):
        total, hdl = one["tc"] * factors["cholesterol"], one["hdl"] * factors["cholesterol"]
        ldl = ldl_friedewald(total, hdl, one["tg"] * factors["triglycerides"]) / factors["cholesterol"]
        assert ldl == pytest.approx(one["expected"], abs=0.2)
        assert medcalc("44") == one["expected"]


def test_creatinine_units_of_published_examples() -> None:
    found = canonical("LOINC", "2160-0", "mg/dL")
    assert found is not None
    for one in lab_vectors("creatinine_units"):
        assert one["mgdl"] * found[1] == pytest.approx(one["umoll"], abs=0.05)


@pytest.mark.parametrize(
    ("is_female", "age", "creatinine", "expected"), [(1, 45, 70, 90.1), (0, 45, 90, 88.6), (0, 60, 120, 56.3)]
)
def test_egfr_2009_of_the_domain_notes(is_female: int, age: int, creatinine: float, expected: float) -> None:
    # Computed there with the one-line form, which gives women 0.3 % less.
    computed = egfr_ckd_epi_2009(creatinine, age, is_female)
    assert computed * (141 * 1.018 / 144 if is_female else 1) == pytest.approx(expected, abs=0.05)
