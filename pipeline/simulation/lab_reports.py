"""How a laboratory reports a result: its code and unit, its rounding, its reference limits, and "<" for what is too low."""

from __future__ import annotations

from typing import Any

import numpy as np

from data_contracts.analytes import ANALYTES, Analyte, AnalyteCode, canonical
from data_contracts.tables import Coded
from pipeline.simulation.blocks import Block


def reported(
    block: Block,
    analyte: Analyte,
    model: dict[str, Any],
    value: np.ndarray,
    laboratory: np.ndarray,
    limits: tuple[np.ndarray, np.ndarray],
) -> dict[str, Any]:
    """Return canonical values with the code, unit, rounding, "<" and reference limits of each laboratory."""
    value = np.clip(value, analyte.hard_low * 1.02 + 1e-3, analyte.hard_high * 0.98)
    below = model.get("below", 0.0)
    is_below = np.round(value, model["decimals"]) < below
    value = np.where(is_below, below, value)
    laboratories = block.parameters.labs.laboratories
    codes = [code_of(analyte, row["codes"]) for row in laboratories]
    factor = np.array([code.factor for code in codes])[laboratory]
    offset = np.array([code.offset for code in codes])[laboratory]
    decimals = np.array([_decimals(model["decimals"], code.factor) for code in codes])[laboratory]
    low, high = limits
    place = laboratory.astype(np.int32)
    return {
        "code_system": Coded(place, tuple(code.code_system for code in codes)),
        "code": Coded(place, tuple(code.code for code in codes)),
        "unit": Coded(place, tuple(code.unit for code in codes)),
        "laboratory": Coded(place, tuple(row["name"] for row in laboratories)),
        "comparator": Coded(np.where(is_below, 0, -1).astype(np.int32), ("<",)),
        "value": _rounded((value - offset) / factor, decimals),
        "reference_low": _rounded((low - offset) / factor, decimals),
        "reference_high": _rounded((high - offset) / factor, decimals),
    }


def code_of(analyte: Analyte, overrides: dict[str, list[str]]) -> AnalyteCode:
    """Return how a laboratory reports an analyte: by its own code if it has one, else by the first declared."""
    if analyte.name not in overrides:
        return analyte.codes[0]
    system, code, unit = overrides[analyte.name]
    found = canonical(system, code, unit)
    if found is None or ANALYTES[found[0]] is not analyte:
        raise ValueError(f"{system} {code} in {unit} is no declared code of {analyte.name}")
    return AnalyteCode(system, code, unit, found[1], found[2])


def _decimals(decimals: int, factor: float) -> int:
    """Keep about as many significant digits in another unit: 5.2 mmol/L is 201 mg/dL, 36 mmol/mol is 5.4 %."""
    return max(0, decimals + int(np.rint(np.log10(factor))))


def _rounded(value: np.ndarray, decimals: np.ndarray) -> np.ndarray:
    scale = 10.0**decimals
    return np.rint(value * scale) / scale
