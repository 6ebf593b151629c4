"""The unit door: what may be converted, what must be refused, and that the committed conversions are the computed ones."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from data_contracts import units
from data_contracts.units import UnitConverter, UnitError, conversions_csv

FOLDER = Path(units.__file__).parent

ATOMIC_WEIGHTS = {"C": 12.011, "H": 1.008, "N": 14.007, "O": 15.999, "P": 30.974, "Co": 58.933, "I": 126.904}
FORMULAS = {
    "glucose": {"C": 6, "H": 12, "O": 6},
    "total_cholesterol": {"C": 27, "H": 46, "O": 1},
    "hdl": {"C": 27, "H": 46, "O": 1},
    "ldl": {"C": 27, "H": 46, "O": 1},
    "non_hdl": {"C": 27, "H": 46, "O": 1},
    "triglycerides": {"C": 57, "H": 104, "O": 6},  # triolein
    "vitamin_d": {"C": 27, "H": 44, "O": 2},  # calcidiol
    "vitamin_b12": {"C": 63, "H": 88, "Co": 1, "N": 14, "O": 14, "P": 1},  # cyanocobalamin
    "free_t4": {"C": 15, "H": 11, "I": 4, "N": 1, "O": 4},
    "creatinine": {"C": 4, "H": 7, "N": 3, "O": 1},
    "cortisol": {"C": 21, "H": 30, "O": 5},
}
HAEMOGLOBIN_MONOMER = 64_458 / 4
"""Fe-protoporphyrin with one globin chain, g/mol (IFCC)."""


@pytest.fixture(scope="module")
def converter() -> UnitConverter:
    return UnitConverter()


def molar_masses() -> dict[str, float]:
    with (FOLDER / "analytes.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {row["name"]: float(row["molar_mass_g_per_mol"]) for row in rows if row["molar_mass_g_per_mol"]}


def test_committed_conversions_are_the_computed_ones() -> None:
    assert (FOLDER / "analyte_conversions.csv").read_text(encoding="utf-8") == conversions_csv()


def test_molar_masses_are_those_of_the_formulas() -> None:
    masses = molar_masses()
    computed = {
        name: sum(ATOMIC_WEIGHTS[atom] * n for atom, n in formula.items()) for name, formula in FORMULAS.items()
    }
    assert masses == pytest.approx(computed | {"haemoglobin": HAEMOGLOBIN_MONOMER}, abs=0.01)


@pytest.mark.parametrize(
    ("analyte", "unit", "canonical", "textbook"),
    [
        ("glucose", "mg/dL", "mmol/L", 1 / 18.016),
        ("total_cholesterol", "mg/dL", "mmol/L", 1 / 38.67),
        ("triglycerides", "mg/dL", "mmol/L", 1 / 88.57),
        ("creatinine", "mg/dL", "umol/L", 88.4),
        ("vitamin_d", "ng/mL", "nmol/L", 2.496),
        ("vitamin_b12", "pg/mL", "pmol/L", 0.738),
        ("cortisol", "ug/dL", "nmol/L", 27.59),
        ("haemoglobin", "g/dL", "mmol/L", 0.6206),
        ("free_t4", "ng/dL", "pmol/L", 12.87),
    ],
)
def test_factor_is_within_two_per_mille_of_the_textbook(
    converter: UnitConverter, analyte: str, unit: str, canonical: str, textbook: float
) -> None:
    factor, offset = converter.conversion(analyte, unit, canonical, molar_masses()[analyte])
    assert factor == pytest.approx(textbook, rel=0.002)
    assert offset == 0


@pytest.mark.parametrize(
    ("unit", "canonical", "factor"),
    [
        ("m", "cm", 100),
        ("[in_i]", "cm", 2.54),
        ("[lb_av]", "kg", 0.45359237),
        ("g/L", "g/dL", 0.1),
        ("mg/L", "mg/dL", 0.1),
        ("ng/mL", "ug/L", 1),
        ("ug/dL", "ng/mL", 10),
        ("pg/mL", "ng/L", 1),
        ("u[IU]/mL", "m[IU]/L", 1),
        ("mmol/L", "umol/L", 1000),
        ("mL/min/{1.73_m2}", "mL/min/{1.73_m2}", 1),
    ],
)
def test_units_of_one_dimension_need_no_molar_mass(
    converter: UnitConverter, unit: str, canonical: str, factor: float
) -> None:
    assert converter.conversion("any", unit, canonical) == (factor, 0)


def test_hba1c_is_affine_and_not_ten_per_percent(converter: UnitConverter) -> None:
    # To UCUM 1 % is 10 mmol/mol, which would make a healthy 5.6 % a deadly 56 mmol/mol.
    factor, offset = converter.conversion("hba1c", "%", "mmol/mol")
    assert 6.5 * factor + offset == pytest.approx(47.53, abs=0.005)
    assert (48 - offset) / factor == pytest.approx(0.09148 * 48 + 2.152)


@pytest.mark.parametrize(
    ("unit", "canonical", "molar_mass"),
    [
        ("mg/dL", "mmol/L", None),
        ("%", "mmol/mol", None),
        ("mmol/mol", "%", None),
        ("mm[Hg]", "mmol/L", 180.0),
        ("m[IU]/L", "mmol/L", 180.0),
        ("mmol", "mmol/L", 180.0),
        ("mmHg", "kPa", None),
        ("mg/dl ", "g/L", None),
        ("furlongs", "cm", None),
        ("furlongs", "furlongs", None),
        ("", "cm", None),
    ],
)
def test_what_has_no_conversion_is_refused(
    converter: UnitConverter, unit: str, canonical: str, molar_mass: float | None
) -> None:
    with pytest.raises(UnitError):
        converter.conversion("any", unit, canonical, molar_mass)


def test_every_unit_of_the_tables_is_ucum(converter: UnitConverter) -> None:
    with (FOLDER / "analyte_codes.csv").open(encoding="utf-8", newline="") as file:
        for unit in {row["unit"] for row in csv.DictReader(file)}:
            assert converter.conversion("any", unit, unit) == (1, 0)
