"""The measurements that may come in: two CSV files turned into declarations and one lookup.

``analytes.csv`` has one row per analyte, all numbers in its canonical UCUM unit. ``analyte_codes.csv`` has one row per
code and unit in which a laboratory may report it: ``canonical value = value * factor + offset``, where a number may be
written as a quotient (``1/18.016``). Its column ``evidence`` says whether the code was found in a source (``verified``:
Norwegian or Danish practice, HL7 examples) or is ``recalled`` and must be checked before a laboratory is connected.

The unit is part of the identity of an NPU code, so each has exactly one; a LOINC code may come in several.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, cast

from data_contracts.domains import Domain


class AnalyteCode(NamedTuple):
    """One code and unit of an analyte; ``value * factor + offset`` is in the analyte's canonical unit."""

    code_system: str
    code: str
    unit: str
    factor: float
    offset: float


@dataclass(frozen=True)
class Analyte:
    """One measurement; all its limits are in ``unit``.

    A value outside the hard limits is an error of unit or typing, not a finding. The reference intervals (women, men)
    are a fallback for results that come without their laboratory's own; None is "no limit". A result is called current
    for ``valid_days``. ``higher_is_worse`` is 1, -1 (lower is worse) or 0 (both ends, or neither).
    """

    name: str
    label_nb: str
    label_en: str
    domain: Domain
    modifiable: bool
    unit: str
    codes: tuple[AnalyteCode, ...]
    hard_low: float
    hard_high: float
    ref_low_f: float | None
    ref_high_f: float | None
    ref_low_m: float | None
    ref_high_m: float | None
    valid_days: int
    higher_is_worse: Literal[-1, 0, 1]
    source: str


def canonical(code_system: str, code: str, unit: str) -> tuple[int, float, float] | None:
    """Return position in ``ANALYTES``, factor and offset; None if the code is unknown or never comes in this unit."""
    return _CANONICAL.get((code_system, code, unit))


def units_of(code_system: str, code: str) -> tuple[str, ...]:
    """Return the units a code may come in; empty if the code is unknown (tells an unknown code from a wrong unit)."""
    return _UNITS.get((code_system, code), ())


def _read(file_name: str) -> list[dict[str, str]]:
    with (Path(__file__).parent / file_name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _number(text: str) -> float:
    numerator, _, denominator = text.partition("/")
    return float(numerator) / float(denominator or 1)


def _codes() -> dict[str, tuple[AnalyteCode, ...]]:
    codes: dict[str, tuple[AnalyteCode, ...]] = {}
    for row in _read("analyte_codes.csv"):
        code = AnalyteCode(row["code_system"], row["code"], row["unit"], _number(row["factor"]), _number(row["offset"]))
        codes[row["analyte"]] = (*codes.get(row["analyte"], ()), code)
    return codes


def _analyte(row: dict[str, str], codes: tuple[AnalyteCode, ...]) -> Analyte:
    limits = {name: float(row[name]) if row[name] else None for name in _REFERENCE_LIMITS}
    return Analyte(
        name=row["name"],
        label_nb=row["label_nb"],
        label_en=row["label_en"],
        domain=cast(Domain, row["domain"]),
        modifiable={"yes": True, "no": False}[row["modifiable"]],
        unit=row["unit"],
        codes=codes,
        hard_low=float(row["hard_low"]),
        hard_high=float(row["hard_high"]),
        **limits,
        valid_days=int(row["valid_days"]),
        higher_is_worse=cast(Literal[-1, 0, 1], int(row["higher_is_worse"])),
        source=row["source"],
    )


_REFERENCE_LIMITS = ("ref_low_f", "ref_high_f", "ref_low_m", "ref_high_m")
_CODES = _codes()

ANALYTES: tuple[Analyte, ...] = tuple(_analyte(row, _CODES[row["name"]]) for row in _read("analytes.csv"))
"""All analytes, in the order of ``analytes.csv``; features and reports keep this order."""

_CANONICAL = {
    (code_system, code, unit): (position, factor, offset)
    for position, analyte in enumerate(ANALYTES)
    for code_system, code, unit, factor, offset in analyte.codes
}
_UNITS: dict[tuple[str, str], tuple[str, ...]] = {}
for _code_system, _code, _unit in _CANONICAL:
    _UNITS[_code_system, _code] = (*_UNITS.get((_code_system, _code), ()), _unit)
