"""What single answers, results and diagnoses are held against, as columns: see :mod:`data_contracts.helper_columns`."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection
from typing import Any

import numpy as np

from data_contracts.analytes import ANALYTES, canonical
from data_contracts.diagnoses import is_code_of
from data_contracts.instruments import INSTRUMENTS
from data_contracts.records import AbsenceSpell, columns
from data_contracts.tables import Coded, Table

ITEM_KEYS = frozenset(
    f"{instrument.name}|{item.id}" for instrument in INSTRUMENTS.values() for item in instrument.items
)
_ANSWER_KEYS = frozenset(
    f"{instrument.name}|{item.id}|{float(answer)!r}"
    for instrument in INSTRUMENTS.values()
    for item in instrument.items
    for answer in item.answers
)
_CODES = tuple(code for analyte in ANALYTES for code in analyte.codes)
CODE_KEYS = frozenset(f"{code.code_system}|{code.code}" for code in _CODES)
UNIT_KEYS = frozenset(f"{code.code_system}|{code.code}|{code.unit}" for code in _CODES)

ANSWER_HELPERS = ("item_key", "answer_is_declared")
RESULT_HELPERS = ("code_key", "unit_key", "canonical_value", "hard_low", "hard_high", "pressure_is_contradicted")
ABSENCE_HELPERS = ("diagnosis_fits_system",)

_UNKNOWN = (-1.0, np.nan, np.nan, np.nan, np.nan)
_PATTERNS = {column.name: column.pattern for column in columns(AbsenceSpell) if column.pattern}


def answer_helpers(table: Table) -> Table:
    """Instrument and item of known instruments; of known items, whether they take the answer.

    Some items take over a thousand answers, and Great Expectations copies a set of values many times.
    """
    item_key = _joined(_only(table["instrument"], INSTRUMENTS), table["item"])
    answer_key = _joined(_only(item_key, ITEM_KEYS), _number_words(table["answer"]))
    is_declared = np.array([*(float(word in _ANSWER_KEYS) for word in answer_key.vocabulary), np.nan])
    return {"item_key": item_key, "answer_is_declared": is_declared[answer_key.codes]}


def result_helpers(table: Table) -> Table:
    """System and code; system, code and unit of known codes; the value and its limits in the analyte's canonical unit."""
    unit = table["unit"]
    code_key = _joined(table["code_system"], table["code"])
    # Without its unit a result is refused for that; whether its code is known is then no question any more.
    code_key = Coded(np.where(unit.codes < 0, -1, code_key.codes), code_key.vocabulary)
    unit_key = _joined(_only(code_key, CODE_KEYS), unit)
    position, factor, offset, low, high = np.array([*map(_measure, unit_key.vocabulary), _UNKNOWN]).T[:, unit_key.codes]
    value = table["value"] * factor + offset
    return {
        "code_key": code_key,
        "unit_key": unit_key,
        "canonical_value": value,
        "hard_low": low,
        "hard_high": high,
        "pressure_is_contradicted": _contradicted_pressures(table, position, value),
    }


def absence_helpers(table: Table) -> Table:
    """Whether a diagnosis that has the form of one is a code of the system that its row names."""
    diagnosis = table["diagnosis"]
    words = [word for word in diagnosis.vocabulary if re.fullmatch(_PATTERNS["diagnosis"], word)]
    key = _joined(_only(diagnosis, words), _filled(table["diagnosis_system"], "ICPC-2"))
    fits = [float(is_code_of(*word.split("|"))) for word in key.vocabulary]
    return {"diagnosis_fits_system": np.array([*fits, np.nan])[key.codes]}


def _measure(unit_key: str) -> tuple[float, float, float, float, float]:
    """Return analyte, factor, offset and hard limits of a code in a unit."""
    measure = canonical(*unit_key.split("|", 2))
    if measure is None:
        return _UNKNOWN
    position, factor, offset = measure
    return float(position), factor, offset, ANALYTES[position].hard_low, ANALYTES[position].hard_high


def _contradicted_pressures(table: Table, position: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Return 1.0 for blood pressures of which one beside them says the contrary, 0.0 for other rows.

    A pressure is compared with the versions of the other that were current when either came: the latest ones of the same
    person and day not known later. Row by row in plain Python, as a second opinion on ``lab_rules``.
    """
    places = {analyte.name: place for place, analyte in enumerate(ANALYTES)}
    sides = (places["systolic_bp"], places["diastolic_bp"])
    versions: dict[Any, dict[float, dict[int, list[int]]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for row in np.flatnonzero(np.isin(position, sides)).tolist():
        day = (table["person_id"].codes[row], table["sampled_on"][row])
        versions[day][position[row]][table["known_from"][row].astype(np.int64).item()].append(row)
    value = np.where(table["is_deleted"] == 1, np.nan, value)
    found = np.zeros(len(value))
    for of_day in versions.values():
        for moment in {moment for side in sides for moment in of_day[side]}:
            upper, lower = (_current(of_day[side], moment) for side in sides)
            if upper and lower and value[upper].min() <= value[lower].max():
                found[upper + lower] = 1.0
    return found


def _current(rows: dict[int, list[int]], moment: int) -> list[int]:
    """Return the rows of the latest moment that is not after this one."""
    return rows.get(max((known for known in rows if known <= moment), default=moment), [])


def _only(column: Coded, words: Collection[str]) -> Coded:
    """Return the column with every word that is not among ``words`` made missing."""
    kept = {word: code for code, word in enumerate(column.vocabulary) if word in words}
    return Coded(column.recode(kept), column.vocabulary)


def _filled(column: Coded, word: str) -> Coded:
    """Return the column with ``word`` where it was missing."""
    return Coded(np.where(column.codes < 0, len(column.vocabulary), column.codes), (*column.vocabulary, word))


def _number_words(values: np.ndarray) -> Coded:
    distinct, codes = np.unique(values, return_inverse=True)
    return Coded(np.where(np.isnan(values), -1, codes).astype(np.int32), tuple(map(repr, distinct.tolist())))


def _joined(left: Coded, right: Coded) -> Coded:
    """Return the two texts of each row with a bar between them; missing where one is."""
    is_whole = (left.codes >= 0) & (right.codes >= 0)
    width = max(len(right.vocabulary), 1)
    pairs, place = np.unique(left.codes[is_whole].astype(np.int64) * width + right.codes[is_whole], return_inverse=True)
    codes = np.full(len(left), -1, dtype=np.int32)
    codes[is_whole] = place
    words = [f"{left.vocabulary[pair // width]}|{right.vocabulary[pair % width]}" for pair in pairs.tolist()]
    return Coded(codes, tuple(words))
