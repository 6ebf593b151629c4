"""Faults of laboratory results: pressures in each other's place, and values that stand under the wrong unit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from data_contracts.analytes import ANALYTES, AnalyteCode, canonical
from pipeline.simulation.defects.changes import UNDETECTABLE, Kind, put
from pipeline.simulation.rows import Rows

_BY_ANALYTE = {analyte.name: analyte for analyte in ANALYTES}
_SEEN = (
    "hba1c_percent", "glucose_mg_per_dl", "haemoglobin_g_per_l", "cholesterol_mg_per_dl", "creatinine_mg_per_dl",
)  # fmt: skip


def _is_code(code: AnalyteCode) -> Callable[[Rows], np.ndarray]:
    def mask(rows: Rows) -> np.ndarray:
        named = (("code_system", code.code_system), ("code", code.code), ("unit", code.unit))
        return np.logical_and.reduce([rows[column].recode({word: 1}, 0) == 1 for column, word in named])

    return mask


_SYSTOLIC, _DIASTOLIC = (_BY_ANALYTE[name].codes[0] for name in ("systolic_bp", "diastolic_bp"))


def partners(rows: Rows) -> np.ndarray:
    """Return, for every row, the diastolic pressure of the same person and day, -1 where there is none."""
    key = rows["person_id"].codes.astype(np.int64) * 100_000 + rows["sampled_on"]
    diastolic = np.flatnonzero(_is_code(_DIASTOLIC)(rows))
    if not len(diastolic):
        return np.full(len(key), -1)
    in_order = diastolic[np.argsort(key[diastolic], kind="stable")]
    place = np.minimum(np.searchsorted(key[in_order], key), len(in_order) - 1)
    return np.where(key[in_order[place]] == key, in_order[place], -1)


def can_be_swapped(rows: Rows) -> np.ndarray:
    """Return systolic pressures that would, in each other's place with the diastolic, keep within the hard limits."""
    partner = partners(rows)
    lowest, highest = _BY_ANALYTE["systolic_bp"].hard_low, _BY_ANALYTE["diastolic_bp"].hard_high
    is_pair = _is_code(_SYSTOLIC)(rows) & (partner >= 0)
    mask: np.ndarray = is_pair & (rows["value"] <= highest) & (rows["value"][partner] >= lowest)
    return mask


def swap_pressures(rows: Rows, chosen: np.ndarray) -> None:
    """Put the systolic pressures and the diastolic ones beside them in each other's place."""
    value, partner = rows["value"].copy(), partners(rows)[chosen]
    value[chosen], value[partner] = rows["value"][partner], rows["value"][chosen]
    rows["value"] = value


def unit_error(name: str, analyte: str, system: str, code: str, unit: str, factor: float = 0.0) -> Kind:
    """Return the kind of a value that was measured in ``unit`` and stands under the unit of the analyte's first code.

    Where the code is declared in that unit the conversion is the declared one, else ``factor`` is what one unit of the
    analyte is in it. Whether the contract can see it decides which rows can have it: values that leave the hard limits,
    or values that stay inside.
    """
    limits, label = _BY_ANALYTE[analyte], _BY_ANALYTE[analyte].codes[0]
    declared = canonical(system, code, unit) if not factor else (0, 1 / factor, 0.0)
    assert declared is not None, name
    _, scale, shift = declared
    is_seen = name in _SEEN

    def wrong(rows: Rows, chosen: Any) -> np.ndarray:
        value: np.ndarray = np.round((rows["value"][chosen] * label.factor + label.offset - shift) / scale, 1)
        return value

    def can_have(rows: Rows) -> np.ndarray:
        value = wrong(rows, slice(None)) * label.factor + label.offset
        is_outside = (value < limits.hard_low) | (value > limits.hard_high)
        mask: np.ndarray = _is_code(label)(rows) & (is_outside == is_seen)
        return mask

    rule = "outside hard limits" if is_seen else UNDETECTABLE
    return Kind(name, "lab_results", "value", rule, put(value=wrong), can_have)
