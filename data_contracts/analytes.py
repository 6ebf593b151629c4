"""The measurements that may come in: four CSV files turned into declarations and two lookups.

``analytes.csv`` has one row per analyte, all numbers in its canonical UCUM unit. ``analyte_codes.csv`` has one row per code
and unit in which a laboratory may report it; its column ``evidence`` says whether the code was found in a source
(``verified``: Norwegian or Danish practice, HL7 examples, published code lists) or is ``recalled`` and must be checked before
a laboratory is connected. ``analyte_conversions.csv`` holds what :mod:`data_contracts.units` computed from the two.
``reference_intervals.csv`` has the fallback intervals by sex and age, ``evidence`` as above.

The unit is part of the identity of an NPU code, so each has exactly one; a LOINC code may come in several.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, cast

import numpy as np

from data_contracts.domains import Domain
from data_contracts.reference_intervals import (
    ReferenceInterval,
    limits_by_sex_and_age,
    looked_up,
    reference_intervals,
)

Examination = Literal["blood_sample", "blood_pressure", "body_measure"]


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

    A value outside the hard limits is an error of unit or typing, not a finding. The reference intervals are a fallback for
    results that come without their laboratory's own. A result is called current for ``valid_days``. ``higher_is_worse`` is
    1, -1 (lower is worse) or 0 (both ends, or neither). ``derived_from`` names the analytes from which it is computed where
    it was not measured (:mod:`data_contracts.derived_analytes`). ``examination`` is what a person goes to, to have it
    measured; of a ``followed`` analyte the course over time counts too. ``interval_source`` tells whose the intervals are.
    """

    name: str
    label_nb: str
    label_en: str
    domain: Domain
    modifiable: bool
    examination: Examination
    followed: bool
    unit: str
    codes: tuple[AnalyteCode, ...]
    hard_low: float
    hard_high: float
    reference_intervals: tuple[ReferenceInterval, ...]
    interval_source: str
    valid_days: int
    higher_is_worse: Literal[-1, 0, 1]
    derived_from: tuple[str, ...]
    note: str


def canonical(code_system: str, code: str, unit: str) -> tuple[int, float, float] | None:
    """Return position in ``ANALYTES``, factor and offset; None if the code is unknown or never comes in this unit."""
    return _CANONICAL.get((code_system, code, unit))


def units_of(code_system: str, code: str) -> tuple[str, ...]:
    """Return the units a code may come in; empty if the code is unknown (tells an unknown code from a wrong unit)."""
    return _UNITS.get((code_system, code), ())


def reference_limits(
    analyte: np.ndarray, is_female: np.ndarray, age_years: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the fallback reference limits of results as declared, in the canonical unit of each.

    What is not known about a person is filled in only where it does not matter: with the sex (or age) unknown a limit is
    given if it is the same for both sexes (at all ages from 18).

    Parameters
    ----------
    analyte : integer array, shape (n,)
        Position in ``ANALYTES``.
    is_female : int8 array, shape (n,)
        1 female, 0 male, -1 unknown.
    age_years : array, shape (n,)
        Age on the day of the sample; part years do not count. NaN or -1 is unknown.

    Returns
    -------
    low, high : float64 arrays, shape (n,)
        NaN where there is no limit.
    """
    return looked_up(_REFERENCE_LIMITS, analyte, is_female, age_years)


def limits_inside(analyte: np.ndarray, is_female: np.ndarray, age_years: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest and highest single-precision number inside the fallback interval: open limits are one step in.

    Parameters, and what is returned, are as in :func:`reference_limits`, but float32.
    """
    return looked_up(_LIMITS_INSIDE, analyte, is_female, age_years)


def _read(file_name: str) -> list[dict[str, str]]:
    with (Path(__file__).parent / file_name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _codes() -> dict[str, tuple[AnalyteCode, ...]]:
    conversions = {
        (row["analyte"], row["unit"]): (float(row["factor"]), float(row["offset"]))
        for row in _read("analyte_conversions.csv")
    }
    codes: dict[str, tuple[AnalyteCode, ...]] = {}
    for row in _read("analyte_codes.csv"):
        code = AnalyteCode(row["code_system"], row["code"], row["unit"], *conversions[row["analyte"], row["unit"]])
        codes[row["analyte"]] = (*codes.get(row["analyte"], ()), code)
    return codes


def _analyte(row: dict[str, str]) -> Analyte:
    return Analyte(
        name=row["name"],
        label_nb=row["label_nb"],
        label_en=row["label_en"],
        domain=cast(Domain, row["domain"]),
        modifiable=_YES_NO[row["modifiable"]],
        examination=cast(Examination, row["examination"]),
        followed=_YES_NO[row["followed"]],
        unit=row["unit"],
        codes=_CODES[row["name"]],
        hard_low=float(row["hard_low"]),
        hard_high=float(row["hard_high"]),
        reference_intervals=_INTERVALS.get(row["name"], ()),
        interval_source="; ".join(_SOURCES.get(row["name"], ())),
        valid_days=int(row["valid_days"]),
        higher_is_worse=cast(Literal[-1, 0, 1], int(row["higher_is_worse"])),
        derived_from=tuple(row["derived_from"].split()),
        note=row["note"],
    )


def _sources(intervals: Iterable[dict[str, str]]) -> dict[str, dict[str, None]]:
    """Return the distinct sources of each analyte, as the keys of a dict, in order."""
    sources: dict[str, dict[str, None]] = {}
    for row in intervals:
        sources.setdefault(row["analyte"], {})[row["source"]] = None
    return sources


_YES_NO = {"yes": True, "no": False}
_CODES = _codes()
_INTERVAL_ROWS = _read("reference_intervals.csv")
_INTERVALS = reference_intervals(_INTERVAL_ROWS)
_SOURCES = _sources(_INTERVAL_ROWS)

ANALYTES: tuple[Analyte, ...] = tuple(_analyte(row) for row in _read("analytes.csv"))
"""All analytes, in the order of ``analytes.csv``; features and reports keep this order."""

_CANONICAL = {
    (code_system, code, unit): (position, factor, offset)
    for position, analyte in enumerate(ANALYTES)
    for code_system, code, unit, factor, offset in analyte.codes
}
_UNITS: dict[tuple[str, str], tuple[str, ...]] = {}
for _code_system, _code, _unit in _CANONICAL:
    _UNITS[_code_system, _code] = (*_UNITS.get((_code_system, _code), ()), _unit)

_REFERENCE_LIMITS = limits_by_sex_and_age([analyte.reference_intervals for analyte in ANALYTES])
_LIMITS_INSIDE = limits_by_sex_and_age(
    [[interval.closed() for interval in analyte.reference_intervals] for analyte in ANALYTES]
).astype(np.float32)
