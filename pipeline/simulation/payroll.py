"""A trap on purpose: payroll as the only source of certified absence, which it enters when it closes a quarter.

What remains of a certified spell that runs on the first day of a quarter is entered as a new spell from that day, and the
16 days before it are booked as self-certified; of what has ended by then only spells within the employer period are
entered. Who is absent on that day then has no certified day in the washout before it, stays in the cohort, and an "episode"
begins on the index date: prevalent cases count as incident.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pipeline.simulation.blocks import Block
from pipeline.simulation.spells import Spells, joined

REBOOKED_DAYS = 16
_MOST_SELF_CERTIFIED = 8


@dataclass(frozen=True)
class Booked:
    """Spells as the register has them. ``is_reentered``: of the certified; ``is_rebooked``: of the self-certified."""

    certified: Spells
    grade: np.ndarray
    is_reentered: np.ndarray
    self_certified: Spells
    is_rebooked: np.ndarray


def as_booked(block: Block, certified: Spells, grade: np.ndarray, self_certified: Spells) -> Booked:
    """Return the spells unchanged, or as payroll enters them at each quarter where the parameters say so."""
    spells = certified
    if not block.parameters.certificates.payroll_close:
        nobody, none = np.zeros(len(grade), dtype=bool), np.zeros(len(self_certified.person), dtype=bool)
        return Booked(spells, grade, nobody, self_certified, none)
    closes = block.timeline.quarters[block.timeline.quarters <= block.timeline.end]
    short = np.flatnonzero((spells.days <= REBOOKED_DAYS) & ~_runs_over(spells, closes))
    entered, source, rebooked = [spells.take(short)], [short], []
    for close, next_close in pairwise(np.append(closes, np.iinfo(np.int32).max)):
        runs = np.flatnonzero((spells.first_day < close) & (spells.last_day >= close))
        # A spell that goes on past the next close is cut before the days that will then be self-certified.
        goes_on = spells.last_day[runs] >= next_close
        last_day = np.where(goes_on, next_close - REBOOKED_DAYS - 1, spells.last_day[runs])
        entered.append(spells.take(runs).between(close, last_day))
        source.append(runs)
        rebooked += _rebooked(spells.take(runs), close)
    found, rows = joined(entered, in_order=False), np.concatenate(source)
    order = np.lexsort((found.first_day, found.person))
    own = joined([self_certified, *rebooked], in_order=False)
    is_rebooked = np.arange(len(own.person)) >= len(self_certified.person)
    return Booked(found.take(order), grade[rows][order], (np.arange(len(rows)) >= len(short))[order], own, is_rebooked)


def _runs_over(spells: Spells, closes: np.ndarray) -> np.ndarray:
    """True for spells that run on a close and began before it."""
    last_close = np.searchsorted(closes, spells.last_day, side="right") - 1
    return (last_close >= 0) & (spells.first_day < closes[last_close])


def _rebooked(spells: Spells, closes: int) -> list[Spells]:
    """Return the last days before payroll closes as two touching self-certified spells, as far as the spell reaches."""
    parts = []
    for first in (closes - REBOOKED_DAYS, closes - _MOST_SELF_CERTIFIED):
        part = spells.between(first, first + _MOST_SELF_CERTIFIED - 1)
        parts.append(part.take(np.flatnonzero(part.days > 0)))
    return parts
