"""How spells reach us: late, in instalments, sometimes planned too long, twice, or by mistake.

A spell is one fact with versions: each certificate moves its last day and is known some days after it was needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from data_contracts.records import CERTIFICATE_ADVANCE_DAYS
from data_contracts.time_windows import NO_DAY
from pipeline.simulation.blocks import Block
from pipeline.simulation.drift import certificate_delay
from pipeline.simulation.persons import Persons
from pipeline.simulation.spells import Spells
from pipeline.simulation.timeline import years_of

Rows = dict[str, Any]


def draw_grades(block: Block, rng: np.random.Generator, persons: Persons, spells: Spells) -> np.ndarray:
    """Return the grade of each certified spell in percent.

    Long spells are graded more often, and those of women, of older persons and of pregnancy.
    """
    numbers = block.parameters.certificates
    chance = np.array(numbers.graded)[np.searchsorted([16, 56, 90], spells.days, side="left")]
    decades = persons.decades(years_of(persons.observed_from))
    tilt = numbers.graded_women * (persons.is_female - 0.5) + numbers.graded_per_10_years * decades
    chance = chance * np.exp(tilt)[spells.person]
    pregnancy = list(block.parameters.absence.chapters).index("W")
    chance = np.where(spells.chapter == pregnancy, numbers.graded_pregnancy, chance)
    is_graded = rng.random(len(spells.days)) < chance
    return np.where(is_graded, rng.choice(numbers.grades, len(spells.days), p=numbers.grade_weights), 100)


@dataclass(frozen=True)
class _Plan:
    """How many certificates each spell takes: days of the first one, and which are left open or were too long."""

    first_length: np.ndarray
    is_open: np.ndarray
    is_too_long: np.ndarray
    versions: np.ndarray


def draw_certificates(block: Block, rng: np.random.Generator, spells: Spells, grade: np.ndarray) -> Rows:
    """Return the versions of certified spells; ``spell`` numbers them, ``natural`` is the day each could be known."""
    extension, plan = block.parameters.certificates.extension, _draw_plan(block, rng, spells)
    spell = np.repeat(np.arange(len(spells.days)), plan.versions)
    turn = np.arange(len(spell)) - np.repeat(np.cumsum(plan.versions) - plan.versions, plan.versions)
    first_day, last_day = spells.first_day[spell], spells.last_day[spell]
    planned = first_day + plan.first_length[spell] + turn * extension - 1
    shown = np.where(turn == plan.versions[spell] - 1, last_day, planned)
    shown = np.where(plan.is_open[spell] & (turn == 0), NO_DAY, shown)
    needed = np.where(turn == 0, first_day, planned - extension + 1)
    is_closing = (turn == 1) & (plan.is_open | plan.is_too_long)[spell]
    needed = np.where(is_closing, last_day + 1, needed)
    delay = certificate_delay(block, needed, _delay(block, rng, turn == 0))
    return {
        "spell": spell,
        "first_day": first_day,
        "last_day": shown,
        "natural": _increasing(spell, turn, needed + delay),
        "is_deleted": np.zeros(len(spell), dtype=bool),
        **_facts(spells, grade, spell),
    }


def _draw_plan(block: Block, rng: np.random.Generator, spells: Spells) -> _Plan:
    """A short spell is certified whole, sometimes for longer than needed; a long one in instalments, sometimes open."""
    numbers, count = block.parameters.certificates, len(spells.days)
    too_much = np.where(rng.random(count) < numbers.shortened, rng.integers(1, 8, count), 0)
    first_length = np.minimum(spells.days + too_much, numbers.first_planned)
    is_open = (spells.days > first_length) & (rng.random(count) < numbers.open_ended)
    is_too_long = spells.days < first_length
    extensions = np.ceil(np.maximum(spells.days - first_length, 0) / numbers.extension).astype(int)
    return _Plan(first_length, is_open, is_too_long, np.where(is_open | is_too_long, 2, 1 + extensions))


def _facts(spells: Spells, grade: np.ndarray, spell: np.ndarray) -> Rows:
    return {"person": spells.person[spell], "grade": grade[spell], "chapter": spells.chapter[spell]}


def _delay(block: Block, rng: np.random.Generator, is_first: np.ndarray) -> np.ndarray:
    """Return days from need to knowledge: mostly a few, sometimes weeks, and for a planned absence below zero."""
    numbers, count = block.parameters.certificates, len(is_first)
    usual = np.minimum(rng.exponential(numbers.delay_mean, count), numbers.delay_longest).astype(int)
    low, high = numbers.late_days
    delay = np.where(rng.random(count) < numbers.late, rng.integers(low, high + 1, count), usual)
    advance = rng.integers(1, CERTIFICATE_ADVANCE_DAYS + 1, count)
    return np.where(is_first & (rng.random(count) < numbers.in_advance), -advance, delay)


def _increasing(group: np.ndarray, turn: np.ndarray, days: np.ndarray) -> np.ndarray:
    """Return days that grow by at least one from version to version within each group."""
    span = 1 << 20
    return np.maximum.accumulate(days - turn + group * span) - group * span + turn


def add_mistakes(block: Block, rng: np.random.Generator, rows: Rows, spell_count: int) -> Rows:
    """Add spells that were registered a second time by mistake, and later deleted."""
    wrong = np.flatnonzero(rng.random(spell_count) < block.parameters.certificates.wrongly_registered)
    origin = np.searchsorted(rows["spell"], wrong)
    origin = origin[rows["last_day"][origin] != NO_DAY]
    ghosts = {name: np.repeat(column[origin], 2) for name, column in rows.items()}
    is_deleted = np.tile([False, True], len(origin))
    ghosts["spell"] = spell_count + np.repeat(np.arange(len(origin)), 2)
    ghosts["natural"] = ghosts["natural"] + np.where(is_deleted, np.repeat(rng.integers(3, 40, len(origin)), 2), 0)
    ghosts["is_deleted"] = is_deleted
    return {name: np.concatenate([rows[name], ghosts[name]]) for name in rows}


def self_certified_rows(block: Block, rng: np.random.Generator, spells: Spells, first_number: int) -> Rows:
    """Return one row per self-certified spell, known after it has ended."""
    count = len(spells.person)
    delay = rng.integers(0, block.parameters.self_certified.known_after + 1, count)
    return {
        "spell": first_number + np.arange(count),
        "first_day": spells.first_day,
        "last_day": spells.last_day,
        "natural": spells.last_day + delay,
        "is_deleted": np.zeros(count, dtype=bool),
        **_facts(spells, np.full(count, 100), np.arange(count)),
    }


def latest_per_day(group: np.ndarray, known_from: np.ndarray) -> np.ndarray:
    """Return the rows that are the last version of their fact on the day they were read (rows in version order)."""
    same_fact = group[1:] == group[:-1]
    return np.append(~(same_fact & (known_from[1:] == known_from[:-1])), np.ones(min(len(group), 1), dtype=bool))
