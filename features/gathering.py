"""From checked tables to blocks: whose row it is, what it says in numbers, and from when until when to believe it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data_contracts.analytes import canonical
from data_contracts.diagnoses import ICPC2_CHAPTERS, chapter, is_code_of
from data_contracts.tables import Coded, Table, take
from data_contracts.time_windows import to_day_numbers
from features.blocks import Block, block, sorted_block, versions

EDUCATION = {"basic": 1, "secondary": 2, "tertiary_short": 3, "tertiary_long": 4}
MENTAL, MUSCULOSKELETAL, RESPIRATORY, OTHER_CHAPTER = range(4)
CHAPTER_CODES = {"P": MENTAL, "L": MUSCULOSKELETAL, "R": RESPIRATORY}
PREGNANCY_CHAPTER = "W"
GUIDANCE_DOMAINS = ("sleep", "stress", "physical_activity", "diet", "pain", "mental_health", "work")
_GUIDANCE_CODES = {name: code for code, name in enumerate(GUIDANCE_DOMAINS)}
EVENT_KINDS = ("leader_change", "reorganisation", "downsizing", "intervention_session")
_EVENT_CODES = {name: code for code, name in enumerate(EVENT_KINDS)}
UNKNOWN = -1
"""Missing in the small integer columns (flags, codes)."""
_LETTERS = {letter: position for position, letter in enumerate(ICPC2_CHAPTERS)}
_CHAPTER_OF_LETTER = np.array(
    [*(CHAPTER_CODES.get(one, OTHER_CHAPTER) for one in _LETTERS), OTHER_CHAPTER], dtype=np.int8
)
"""Chapter group of each chapter; the last is that of a spell without diagnosis (-1)."""
EXACT = 0
COMPARATORS = {"<": -2, "<=": -1, ">=": 1, ">": 2}
"""How a result bounds the true value: the sign is the side on which it lies, 2 leaves the bound itself out."""
NO_OWN_INTERVAL = np.inf
"""Distance of a result from the laboratory's own interval where it gave none."""
FURTHEST = 1e6
"""No distance is larger: a limit that is no more than a millionth of the value is none to measure by."""
_NOISE = 1e-7
"""What lies less outside lies on the limit: the conversion of a unit may change the last bits of a value."""


@dataclass(frozen=True)
class Rows:
    """Rows of one table that may be used, with their owner and dates as integers."""

    table: Table
    owner: np.ndarray
    known_from: np.ndarray
    is_deleted: np.ndarray
    n_owners: int

    def current(self, *key: np.ndarray) -> tuple[Rows, np.ndarray]:
        """Return the rows that are ever the version to believe, and their ``known_until``; ``key`` names the fact.

        They come sorted by owner, key and ``known_from``.
        """
        chosen, known_until = versions((self.owner, *key), self.known_from, self.is_deleted)
        is_all = len(chosen) == len(self.owner) and (chosen[1:] > chosen[:-1]).all()
        return self if is_all else self.take(chosen), known_until

    def take(self, chosen: np.ndarray) -> Rows:
        """Return the chosen rows (mask or positions)."""
        dates = self.known_from[chosen], self.is_deleted[chosen]
        return Rows(take(self.table, chosen), self.owner[chosen], *dates, self.n_owners)

    def days(self, column: str) -> np.ndarray:
        """Return a date column as int32 day numbers."""
        return to_day_numbers(self.table[column])

    def small(self, column: str, missing: int = UNKNOWN) -> np.ndarray:
        """Return a flag or a small whole number as int8."""
        values = self.table[column]
        return np.where(np.isnan(values), missing, values).astype(np.int8)

    def block(
        self, known_until: np.ndarray, sort_by: tuple[np.ndarray, ...] | None = None, **columns: np.ndarray
    ) -> Block:
        """Build the block, sorted by owner and then ``sort_by``, by default in the order ``current`` gave the rows."""
        columns |= {"known_from": self.known_from, "known_until": known_until}
        if sort_by is None:
            return sorted_block(self.owner, self.n_owners, columns)
        return block(self.owner, self.n_owners, columns, sort_by)


def gather_persons(rows: Rows) -> Block:
    """Birth year, sex and education, per version of a person."""
    rows, known_until = rows.current()
    return rows.block(
        known_until,
        birth_year=rows.table["birth_year"].astype(np.float32),
        is_female=rows.table["sex"].recode({"male": 0, "female": 1}, UNKNOWN).astype(np.int8),
        education=rows.table["education_level"].recode(EDUCATION, UNKNOWN).astype(np.int8),
    )


def gather_employments(rows: Rows, companies: dict[str, int], units: dict[str, int]) -> Block:
    """Employments; companies and units as their rank by name, so that ties break alike in every batch."""
    rows, known_until = rows.current(rows.days("start_date"), rows.table["company_id"].recode(companies))
    return rows.block(
        known_until,
        start=rows.days("start_date"),
        end=rows.days("end_date"),
        company=rows.table["company_id"].recode(companies),
        unit=rows.table["unit_id"].recode(units, UNKNOWN),
        position_percent=rows.table["position_percent"].astype(np.float64),
        shift_work=rows.small("shift_work"),
        is_leader=rows.small("is_leader"),
        division=_leading_number(rows.table["industry_code"], 2),
        occupation=_leading_number(rows.table["occupation_code"], 1),
    )


def _leading_number(codes: Coded, digits: int) -> np.ndarray:
    return codes.recode({text: int(text[:digits]) for text in codes.vocabulary}, UNKNOWN).astype(np.int8)


def gather_absences(rows: Rows) -> Block:
    """Spells: who certified, how much, which chapter group, whether of pregnancy and birth or without diagnosis, which days."""
    rows, known_until = rows.current(rows.table["spell_id"].codes)
    letter = _chapters(rows.table)
    first = rows.days("first_day")
    return rows.block(
        known_until,
        (first,),
        first=first,
        last=rows.days("last_day"),
        by_doctor=rows.table["kind"].recode({"self_certified": 0, "doctor_certified": 1}).astype(bool),
        grade=rows.small("grade_percent"),
        chapter=_CHAPTER_OF_LETTER[letter],
        of_pregnancy=letter == _LETTERS[PREGNANCY_CHAPTER],
        has_diagnosis=letter >= 0,
    )


def _chapters(spells: Table) -> np.ndarray:
    """Position of every spell's chapter in ``_LETTERS``, -1 without diagnosis: a letter means another in the other system."""
    codes, is_icd = spells["diagnosis"], spells["diagnosis_system"].recode({"ICD-10": 1}, 0) == 1
    of_system = [
        codes.recode({text: _LETTERS[chapter(text, system)] for text in codes.vocabulary if is_code_of(text, system)})
        for system in ("ICPC-2", "ICD-10")
    ]
    return np.where(is_icd, of_system[1], of_system[0])


def gather_guidance(rows: Rows) -> Block:
    """Guidance sessions by day, and what they were about."""
    rows, known_until = rows.current(rows.days("held_on"), rows.table["domain"].codes)
    domain = rows.table["domain"].recode(_GUIDANCE_CODES).astype(np.int8)
    return rows.block(known_until, day=rows.days("held_on"), domain=domain)


def gather_events(rows: Rows, units: dict[str, int]) -> Block:
    """Workplace events per company; ``unit`` is -1 where the whole company is meant."""
    rows, known_until = rows.current(rows.days("occurred_on"), rows.table["unit_id"].codes, rows.table["kind"].codes)
    return rows.block(
        known_until,
        day=rows.days("occurred_on"),
        kind=rows.table["kind"].recode(_EVENT_CODES).astype(np.int8),
        unit=rows.table["unit_id"].recode(units),
    )


def gather_labs(rows: Rows) -> Block:
    """Lab values in their canonical unit, with the distance from the laboratory's own interval, if it gave one.

    Of the results of one day, exact ones come after bounds.
    """
    code = rows.table["code_system"].codes, rows.table["code"].codes
    rows, known_until = rows.current(rows.days("sampled_on"), *code)
    analyte, factor, offset = _conversions(rows.table)
    known = (analyte != UNKNOWN).nonzero()[0]
    if len(known) < len(analyte):
        rows, known_until = rows.take(known), known_until[known]
        analyte, factor, offset = analyte[known], factor[known], offset[known]
    value = rows.table["value"] * factor + offset
    limits = (rows.table[name] * factor + offset for name in ("reference_low", "reference_high"))
    day = rows.days("sampled_on")
    signs = rows.table["comparator"]
    comparator = np.where(signs.codes < 0, EXACT, signs.recode(COMPARATORS)).astype(np.int8)
    return rows.block(
        known_until,
        (analyte, day, comparator == EXACT, rows.known_from, _rank(rows.table["code"])),
        analyte=analyte,
        day=day,
        value=value,
        comparator=comparator,
        distance=_own_distance(value, comparator, *limits),
    )


def _own_distance(value: np.ndarray, comparator: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    found = np.full(len(value), NO_OWN_INTERVAL, dtype=np.float32)
    rows = ((low == low) | (high == high)).nonzero()[0]
    if len(rows):
        value, comparator, low, high = value[rows], comparator[rows], low[rows], high[rows]
        low_of_use, high_of_use = (np.where(limit > value / FURTHEST, limit, np.nan) for limit in (low, high))
        of_rows = distance(value, low_of_use, high_of_use)
        of_rows[(value > high) & (high_of_use != high)] = np.nan
        of_rows[undecided(value, comparator, low, high)] = np.nan
        found[rows] = of_rows
    return found


def _rank(texts: Coded) -> np.ndarray:
    return texts.recode({text: rank for rank, text in enumerate(sorted(texts.vocabulary))})


def _conversions(table: Table) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Analyte (int8, -1 unknown), factor and offset per row; each combination of codes is looked up once."""
    systems, codes, units = (table[name] for name in ("code_system", "code", "unit"))
    n_codes, n_units = len(codes.vocabulary) + 1, len(units.vocabulary) + 1
    cell = ((systems.codes + 1) * n_codes + codes.codes + 1) * n_units + units.codes + 1
    n_cells = (len(systems.vocabulary) + 1) * n_codes * n_units
    analyte = np.full(n_cells, UNKNOWN, dtype=np.int8)
    factor, offset = np.ones(n_cells), np.zeros(n_cells)
    for position in np.bincount(cell, minlength=1).nonzero()[0].tolist():
        rest, unit = divmod(position, n_units)
        system, code = divmod(rest, n_codes)
        if system and code and unit:
            texts = systems.vocabulary[system - 1], codes.vocabulary[code - 1], units.vocabulary[unit - 1]
            found = canonical(*texts)
            if found is not None:
                analyte[position], factor[position], offset[position] = found
    return analyte[cell], factor[cell], offset[cell]


def distance(value: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return how far values lie outside their limits, as a share of the limit that is passed.

    Parameters
    ----------
    value : float64 array, shape (n,), not negative
    low, high : float64 arrays, shape (n,), positive
        NaN is no limit.

    Returns
    -------
    float64 array, shape (n,)
        ``(value - high) / high`` above and ``(value - low) / low``, at least -1, below; 0 inside, on a limit and without any.
    """
    found = np.fmax(value / high, 1) + np.fmin(value / low, 1) - 2
    found[np.abs(found) < _NOISE] = 0
    return found


def undecided(value: np.ndarray, comparator: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return the positions of bounds of which only a part of what is possible lies outside the limits, which are inside.

    What is possible begins at 0.

    Parameters
    ----------
    value, low, high : float arrays of one type, shape (n,)
        NaN is no limit.
    comparator : int8 array, shape (n,)
        As in ``COMPARATORS``, or ``EXACT``.

    Returns
    -------
    int64 array
    """
    rows = comparator.nonzero()[0]
    if not len(rows):
        return rows
    value, comparator, low, high = value[rows], comparator[rows], low[rows], high[rows]
    beyond = np.nextafter(value, np.copysign(value.dtype.type(np.inf), comparator))
    nearest = np.where(np.abs(comparator) == 2, beyond, value)
    # No amount is negative: nothing lies below a lower limit of 0, or of less after the conversion of a unit.
    least, most = np.where(comparator < 0, 0, nearest), np.where(comparator > 0, np.inf, nearest)
    may_be_outside = (least < low) | (most > high)
    must_be_outside = (most < low) | (least > high)
    return np.asarray(rows[may_be_outside & ~must_be_outside])
