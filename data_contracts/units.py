"""Conversions to each analyte's canonical unit, computed by pint and ucumvert and committed as ``analyte_conversions.csv``.

The only importer of the two libraries, which take a second to load: pipeline and service read the generated file. Units of
one dimension need UCUM alone. Mass and moles meet through the analyte's molar mass (``molar_mass_g_per_mol`` in
``analytes.csv``). HbA1c in % (NGSP) and in mmol/mol (IFCC) are two calibrations, joined by a straight line with an offset;
UCUM alone would make 1 % of them 10 mmol/mol.
"""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from typing import Any

from pint import DimensionalityError
from ucumvert import InvalidUcumError, PintUcumRegistry

FOLDER = Path(__file__).parent

NGSP_SLOPE, NGSP_INTERCEPT = 0.09148, 2.152
"""NGSP % = 0.09148 x IFCC mmol/mol + 2.152, the master equation (Weykamp et al., Clin Chem 2008; 54: 240-248)."""

_NGSP_OF_IFCC = {("hba1c", "%", "mmol/mol"): (1 / NGSP_SLOPE, -NGSP_INTERCEPT / NGSP_SLOPE)}
_SIGNIFICANT_DIGITS = 15


class UnitError(ValueError):
    """A declared unit is no UCUM unit, or cannot be converted into the analyte's canonical unit."""


class UnitConverter:
    """One UCUM registry with the conversions that an analyte needs beyond UCUM."""

    def __init__(self) -> None:
        self._registry = PintUcumRegistry()

    def conversion(
        self, analyte: str, unit: str, canonical: str, molar_mass: float | None = None
    ) -> tuple[float, float]:
        """Return factor and offset: ``value in canonical = value in unit * factor + offset``.

        Parameters
        ----------
        analyte : str
            Name of the analyte; decides whether an affine conversion applies.
        unit, canonical : str
            UCUM units; anything else is refused, equal or not.
        molar_mass : float, optional
            In g/mol; without it mass and moles are never converted into each other.
        """
        source, target = self._quantity(unit), self._quantity(canonical)
        if unit == canonical:
            return 1.0, 0.0
        if (analyte, unit, canonical) in _NGSP_OF_IFCC:
            return _NGSP_OF_IFCC[analyte, unit, canonical]
        if "%" in (unit, canonical):
            raise UnitError(f"{analyte}: a percentage says not of what; {unit} to {canonical} must be declared")
        try:
            factor = (source / target).to("dimensionless").magnitude
        except DimensionalityError:
            factor = self._through_moles(analyte, source, target, molar_mass)
        return _rounded(float(factor)), 0.0

    def _through_moles(self, analyte: str, source: Any, target: Any, molar_mass: float | None) -> float:
        if molar_mass is None:
            raise UnitError(f"{analyte}: {source.units} to {target.units} needs molar_mass_g_per_mol in analytes.csv")
        per_mole = molar_mass * self._quantity("g/mol")
        for ratio in (source / target / per_mole, source / target * per_mole):
            if ratio.dimensionless:
                return float(ratio.to("dimensionless").magnitude)
        raise UnitError(f"{analyte}: {source.units} cannot become {target.units}, with or without a molar mass")

    def _quantity(self, unit: str) -> Any:
        try:
            return self._registry.from_ucum(unit)
        except InvalidUcumError as error:
            raise UnitError(f"{unit} is no UCUM unit") from error


def conversions_csv() -> str:
    """Return the text of ``analyte_conversions.csv``: one row per analyte and unit in which it may come, in file order."""
    codes = _rows("analyte_codes.csv")
    converter = UnitConverter()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("analyte", "unit", "factor", "offset"))
    for analyte in _rows("analytes.csv"):
        name, canonical = analyte["name"], analyte["unit"]
        molar_mass = float(analyte["molar_mass_g_per_mol"]) if analyte["molar_mass_g_per_mol"] else None
        for unit in dict.fromkeys(row["unit"] for row in codes if row["analyte"] == name):
            factor, offset = converter.conversion(name, unit, canonical, molar_mass)
            writer.writerow((name, unit, repr(factor), repr(offset)))
    return text.getvalue()


def _rounded(factor: float) -> float:
    """Return the factor without the last digit's rounding noise: 2.54, not 2.5399999999999996."""
    return round(factor, _SIGNIFICANT_DIGITS - 1 - math.floor(math.log10(abs(factor))))


def _rows(file_name: str) -> list[dict[str, str]]:
    with (FOLDER / file_name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":  # for a new unit, without which data_contracts.analytes cannot be imported
    (FOLDER / "analyte_conversions.csv").write_text(conversions_csv(), encoding="utf-8")
