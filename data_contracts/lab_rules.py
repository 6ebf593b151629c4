"""Lab results against the declared analytes: known code, unit of that code, value that a living person can have.

One rule looks across rows: a systolic pressure lies above the diastolic pressure of the same person and day.
"""

from __future__ import annotations

import re

import numpy as np

from data_contracts.analytes import ANALYTES, canonical, units_of
from data_contracts.tables import Coded, Table
from data_contracts.violations import Fault, Findings

_BOUND = re.compile(r"(<=|>=|<|>)\s*(.+)", re.DOTALL)
_COMPARATORS = ("<", "<=", ">=", ">")
_SYSTOLIC, _DIASTOLIC = ([one.name for one in ANALYTES].index(name) for name in ("systolic_bp", "diastolic_bp"))
_DAYS = 100_000  # more than there are between the first and the last day that a date column may hold


def split_comparators(raw: dict[str, Coded]) -> dict[str, Coded]:
    """Return the raw columns with a value such as ``<1`` split into comparator and value, where comparator is empty."""
    value, comparator = raw["value"], raw["comparator"]
    bounds = {code: match.groups() for code, text in enumerate(value.vocabulary) if (match := _BOUND.fullmatch(text))}
    if not bounds:
        return raw
    sign_of = np.full(len(value.vocabulary) + 1, -1, dtype=np.int32)
    sign_of[list(bounds)] = [_COMPARATORS.index(sign) for sign, _ in bounds.values()]
    is_bound = (sign_of[value.codes] >= 0) & (comparator.codes < 0)
    first_sign = len(comparator.vocabulary)
    signs = np.where(is_bound, sign_of[value.codes] + first_sign, comparator.codes)
    return raw | {
        "comparator": _with_distinct_words(Coded(signs, comparator.vocabulary + _COMPARATORS)),
        "value": _without_signs(value, is_bound, bounds),
    }


def _without_signs(value: Coded, is_bound: np.ndarray, bounds: dict[int, tuple[str, ...]]) -> Coded:
    first_new = len(value.vocabulary)
    new_code = np.full(first_new + 1, -1, dtype=np.int32)
    new_code[list(bounds)] = np.arange(len(bounds)) + first_new
    words = value.vocabulary + tuple(number for _, number in bounds.values())
    return Coded(np.where(is_bound, new_code[value.codes], value.codes), words)


def _with_distinct_words(column: Coded) -> Coded:
    words = tuple(dict.fromkeys(column.vocabulary))
    positions = np.array([words.index(word) for word in column.vocabulary] + [-1], dtype=np.int32)
    return Coded(positions[column.codes], words)


def check_lab_results(table: Table, findings: Findings) -> None:
    """Report unknown codes, units a code does not come in, values outside hard limits, and impossible pressure pairs."""
    is_named = (table["code_system"].codes >= 0) & (table["code"].codes >= 0) & (table["unit"].codes >= 0)
    rows = is_named.nonzero()[0]
    kinds, kind_of_row = _distinct_kinds(table, rows)
    measures = [canonical(*kind) for kind in kinds]

    if None in measures:
        _report_unknown(kinds, rows, kind_of_row, findings)
    factor, offset, low, high = _conversions(measures)[:, kind_of_row]
    value = table["value"][rows] * factor + offset
    outside = ((value < low) | (value > high)).nonzero()[0]
    findings.report("value", rows[outside], [_limit_fault(measures[place]) for place in kind_of_row[outside].tolist()])
    positions = [-1 if measure is None else measure[0] for measure in measures]
    if _SYSTOLIC in positions and _DIASTOLIC in positions:
        _check_pressures(table, rows, np.array(positions)[kind_of_row], value, findings)


def _check_pressures(
    table: Table, rows: np.ndarray, position: np.ndarray, value: np.ndarray, findings: Findings
) -> None:
    """Report both rows where a systolic pressure is not above the diastolic pressure that was current beside it.

    Only rows that are sound so far are compared: beside a pressure that is refused for its own sake, the other may be right.
    A correction is compared with what was known when it came, never with the version that it replaces.
    """
    is_sound = ~findings.bad_rows[rows]
    is_deleted = table["is_deleted"][rows] == 1
    systolic, diastolic = (((position == which) & is_sound).nonzero()[0] for which in (_SYSTOLIC, _DIASTOLIC))
    if not len(systolic) or not len(diastolic) or value[systolic].min() > value[diastolic].max():
        return  # so it is in nearly every record of one person
    moment = _moments(table, rows)
    systolic_at, systolic_place = np.unique(moment[systolic], return_inverse=True)
    diastolic_at, diastolic_place = np.unique(moment[diastolic], return_inverse=True)
    lowest, highest = np.full(len(systolic_at), np.inf), np.full(len(diastolic_at), -np.inf)
    np.minimum.at(lowest, systolic_place, np.where(is_deleted, np.inf, value)[systolic])
    np.maximum.at(highest, diastolic_place, np.where(is_deleted, -np.inf, value)[diastolic])

    by_systolic, with_diastolic = _current_pairs(systolic_at, diastolic_at)
    by_diastolic, with_systolic = _current_pairs(diastolic_at, systolic_at)
    above = np.concatenate([by_systolic, with_systolic])
    below = np.concatenate([with_diastolic, by_diastolic])
    is_broken = lowest[above] <= highest[below]
    for places, places_of_rows, pressure_rows, fault in (
        (above, systolic_place, systolic, _SYSTOLIC_FAULT),
        (below, diastolic_place, diastolic, _DIASTOLIC_FAULT),
    ):
        hit = np.isin(places_of_rows, places[is_broken])
        findings.report("value", rows[pressure_rows[hit]], fault)


def _moments(table: Table, rows: np.ndarray) -> np.ndarray:
    """Return one int64 per row that sorts by person, day of the sample and then ``known_from``."""
    sampled, known = (table[name][rows].view(np.int64) + _DAYS // 2 for name in ("sampled_on", "known_from"))
    return (table["person_id"].codes[rows].astype(np.int64) * _DAYS + sampled) * _DAYS + known


def _current_pairs(moments: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of moments, and of the latest other not after each on the same person and day, if any."""
    latest = np.searchsorted(others, moments, side="right") - 1
    has_other = ((latest >= 0) & (others[latest] // _DAYS == moments // _DAYS)).nonzero()[0]
    return has_other, latest[has_other]


def _report_unknown(
    kinds: list[tuple[str, str, str]], rows: np.ndarray, kind_of_row: np.ndarray, findings: Findings
) -> None:
    for column in ("code", "unit"):
        faults = {place: fault for place, kind in enumerate(kinds) if (fault := _code_fault(column, kind)) is not None}
        hit = np.flatnonzero(np.isin(kind_of_row, list(faults)))
        findings.report(column, rows[hit], [faults[place] for place in kind_of_row[hit].tolist()])


def _distinct_kinds(table: Table, rows: np.ndarray) -> tuple[list[tuple[str, str, str]], np.ndarray]:
    """Return the distinct (code system, code, unit) of the rows, and which of them each row has."""
    system, code, unit = (table[name] for name in ("code_system", "code", "unit"))
    n_codes, n_units = len(code.vocabulary), len(unit.vocabulary)
    joined = (system.codes[rows].astype(np.int64) * n_codes + code.codes[rows]) * n_units + unit.codes[rows]
    distinct, kind_of_row = np.unique(joined, return_inverse=True)
    kinds = [
        (
            system.vocabulary[one // n_units // n_codes],
            code.vocabulary[one // n_units % n_codes],
            unit.vocabulary[one % n_units],
        )
        for one in distinct.tolist()
    ]
    return kinds, kind_of_row


def _code_fault(column: str, kind: tuple[str, str, str]) -> Fault | None:
    """Return what is wrong with the ``code`` or the ``unit`` of a result, if that column is to blame."""
    code_system, code, unit = kind
    units = units_of(code_system, code)
    if column == "code" and not units:
        return Fault("unknown code", f"no analyte has this {code_system} code, see data_contracts/analyte_codes.csv")
    if column == "unit" and units and unit not in units:
        return Fault("unit mismatch", f"{code_system} {code} must come in {' or '.join(units)}")
    return None


def _conversions(measures: list[tuple[int, float, float] | None]) -> np.ndarray:
    """Return factor, offset and hard limits per kind, shape (4, n_kinds); NaN, which no value breaks, where unknown."""
    known = [
        (measure[1], measure[2], ANALYTES[measure[0]].hard_low, ANALYTES[measure[0]].hard_high)
        if measure
        else (np.nan,) * 4
        for measure in measures
    ]
    return np.array(known, dtype=np.float64).reshape(-1, 4).T


def _limit_fault(measure: tuple[int, float, float] | None) -> Fault:
    assert measure is not None
    analyte = ANALYTES[measure[0]]
    return Fault(
        "outside hard limits",
        f"{analyte.name} must lie between {analyte.hard_low:g} and {analyte.hard_high:g} {analyte.unit}",
    )


_PRESSURE_RULE = "systolic not above diastolic"
_SYSTOLIC_FAULT = Fault(_PRESSURE_RULE, "must lie above the diastolic pressure of the same person and day")
_DIASTOLIC_FAULT = Fault(_PRESSURE_RULE, "must lie below the systolic pressure of the same person and day")
