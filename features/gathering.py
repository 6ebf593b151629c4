"""From checked tables to blocks: whose row it is, whether it may be used, and from when until when it is to be believed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data_contracts.analytes import ANALYTES, canonical
from data_contracts.tables import Coded, Table, take
from data_contracts.time_windows import NO_DAY, to_day_numbers
from features.blocks import Block, block, versions
from features.segments import packed_key

EDUCATION = {"basic": 1, "secondary": 2, "tertiary_short": 3, "tertiary_long": 4}
MENTAL, MUSCULOSKELETAL, OTHER_CHAPTER = 0, 1, 2
CHAPTER_GROUPS = {"P": MENTAL, "L": MUSCULOSKELETAL}
EVENT_KINDS = ("leader_change", "reorganisation", "downsizing", "intervention_session")
UNKNOWN = -1
"""Missing in the small integer columns (flags, codes)."""


@dataclass(frozen=True)
class Rows:
    """Rows of one table that may be used, with their owner and dates as integers."""

    table: Table
    owner: np.ndarray
    known_from: np.ndarray
    is_deleted: np.ndarray
    n_owners: int

    def current(self, *key: np.ndarray) -> tuple[Rows, np.ndarray]:
        """Return the rows that are ever the version to believe, and their ``known_until``; ``key`` names the fact."""
        chosen, known_until = versions(packed_key(self.owner, *key), self.known_from, self.is_deleted)
        if len(chosen) == len(self.owner) and (chosen[1:] > chosen[:-1]).all():
            return self, known_until
        return self.take(chosen), known_until

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

    def block(self, known_until: np.ndarray, sort_by: tuple[str, ...], **columns: np.ndarray) -> Block:
        """Build the block of these rows."""
        columns |= {"known_from": self.known_from, "known_until": known_until}
        return block(self.owner, self.n_owners, columns, sort_by)


def gather_persons(rows: Rows) -> Block:
    """Birth year, sex and education, per version of a person."""
    rows, known_until = rows.current()
    return rows.block(
        known_until,
        ("known_from",),
        birth_year=rows.table["birth_year"].astype(np.float32),
        is_female=rows.table["sex"].recode({"male": 0, "female": 1}, UNKNOWN).astype(np.int8),
        education=rows.table["education_level"].recode(EDUCATION, UNKNOWN).astype(np.int8),
    )


def gather_employments(rows: Rows, companies: dict[str, int], units: dict[str, int]) -> Block:
    """Employments; companies and units as their rank by name, so that ties break alike in every batch."""
    rows, known_until = rows.current(rows.table["company_id"].recode(companies), rows.days("start_date"))
    return rows.block(
        known_until,
        ("start", "company", "known_from"),
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
    """Spells: who certified, how much, which chapter group, which days."""
    rows, known_until = rows.current(rows.table["spell_id"].codes)
    diagnosis = rows.table["diagnosis"]
    chapters = {text: CHAPTER_GROUPS.get(text[0], OTHER_CHAPTER) for text in diagnosis.vocabulary}
    return rows.block(
        known_until,
        ("first",),
        first=rows.days("first_day"),
        last=rows.days("last_day"),
        by_doctor=rows.table["kind"].recode({"self_certified": 0, "doctor_certified": 1}).astype(bool),
        grade=rows.small("grade_percent"),
        chapter=diagnosis.recode(chapters, OTHER_CHAPTER).astype(np.int8),
    )


def gather_guidance(rows: Rows) -> Block:
    """Guidance sessions by day."""
    rows, known_until = rows.current(rows.table["domain"].codes, rows.days("held_on"))
    return rows.block(known_until, ("day",), day=rows.days("held_on"))


def gather_events(rows: Rows, units: dict[str, int]) -> Block:
    """Workplace events per company; ``unit`` is -1 where the whole company is meant."""
    kind = rows.table["kind"].recode({name: position for position, name in enumerate(EVENT_KINDS)})
    rows, known_until = rows.current(rows.table["unit_id"].codes, kind, rows.days("occurred_on"))
    kind = rows.table["kind"].recode({name: position for position, name in enumerate(EVENT_KINDS)})
    unit = rows.table["unit_id"].recode(units, UNKNOWN)
    return rows.block(known_until, ("day",), day=rows.days("occurred_on"), kind=kind.astype(np.int8), unit=unit)


def gather_labs(rows: Rows) -> Block:
    """Lab values in their canonical unit, with the verdict against the reference interval for either sex."""
    code = rows.table["code_system"].codes, rows.table["code"].codes
    rows, known_until = rows.current(rows.days("sampled_on"), *code)
    analyte, factor, offset = _conversions(rows.table)
    known = np.flatnonzero(analyte != UNKNOWN)
    if len(known) < len(analyte):
        rows, known_until = rows.take(known), known_until[known]
        analyte, factor, offset = analyte[known], factor[known], offset[known]
    value = rows.table["value"] * factor + offset
    own = [rows.table[name] * factor + offset for name in ("reference_low", "reference_high")]
    return rows.block(
        known_until,
        ("analyte", "day", "known_from", "code"),
        analyte=analyte,
        day=rows.days("sampled_on"),
        code=_code_rank(rows.table["code"]),
        value=value.astype(np.float32),
        outside_female=_outside(value, own, analyte, "f"),
        outside_male=_outside(value, own, analyte, "m"),
    )


def _code_rank(codes: Coded) -> np.ndarray:
    ranks = {text: rank for rank, text in enumerate(sorted(codes.vocabulary))}
    return codes.recode(ranks).astype(np.int16)


def _conversions(table: Table) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Analyte (int8, -1 unknown), factor and offset per row; each combination of codes is looked up once."""
    columns = [table[name] for name in ("code_system", "code", "unit")]
    shape = tuple(len(column.vocabulary) + 1 for column in columns)
    cell = np.ravel_multi_index([column.codes + 1 for column in columns], shape)
    analyte = np.full(int(np.prod(shape)), UNKNOWN, dtype=np.int8)
    factor, offset = np.ones(len(analyte)), np.zeros(len(analyte))
    words = [(None, *column.vocabulary) for column in columns]
    for position in np.flatnonzero(np.bincount(cell, minlength=1)):
        texts = [word[place] for word, place in zip(words, np.unravel_index(position, shape), strict=True)]
        found = None if None in texts else canonical(*texts)
        if found is not None:
            analyte[position], factor[position], offset[position] = found
    return analyte[cell], factor[cell], offset[cell]


def _reference_limits(sex: str) -> np.ndarray:
    limits = [[getattr(analyte, f"ref_{end}_{sex}") for analyte in ANALYTES] for end in ("low", "high")]
    return np.array([[np.nan if limit is None else limit for limit in row] for row in limits], dtype=np.float64)


_FALLBACK = {"f": _reference_limits("f"), "m": _reference_limits("m")}


def _outside(value: np.ndarray, own: list[np.ndarray], analyte: np.ndarray, sex: str) -> np.ndarray:
    """1 outside, 0 inside, -1 without any limit: the laboratory's own interval if it gave one, else the fallback."""
    low, high = own
    has_own = ~(np.isnan(low) & np.isnan(high))
    low = np.where(has_own, low, _FALLBACK[sex][0][analyte])
    high = np.where(has_own, high, _FALLBACK[sex][1][analyte])
    verdict = ((value < low) | (value > high)).astype(np.int8)
    return np.where(np.isnan(low) & np.isnan(high), np.int8(UNKNOWN), verdict)


assert NO_DAY < 0, "an open end must sort before every real day"
