"""Risks of persons: a long spell within a calendar year or five years, and who is absent again and again."""

from __future__ import annotations

import numpy as np

from pipeline.simulation.spells import Spells
from pipeline.simulation.world import World
from pipeline.simulation_check.absence_tallies import SEXES, standardised
from pipeline.simulation_check.exposure import lost_before, new_years, of_first, years_before
from pipeline.simulation_check.measured import Measured, Sums, percent, ratio_sums, total

LIMITS = (16, 56, 90)
FREQUENT = 6
"""Certified spells in three years that make a person frequently absent (NAV)."""


def tally(world: World, count: int) -> Sums:
    """Return the sums of one block."""
    timeline = world.block.timeline
    spells = world.certified.take(of_first(world.certified, count))
    is_sex = np.stack([~world.persons.is_female[:count], world.persons.is_female[:count]])
    at_risk, events = annual_events(world, spells, count)
    end, third_last = timeline.end, years_before(timeline.end, 3)
    followed = ~lost_before(world.employments, end)[:count]
    present = followed & (third_last >= timeline.history_start)
    known, five = years_before(end, 6), years_before(end, 5)
    before = followed & (known >= timeline.history_start)
    stayed = followed & (world.employments.start_day[0, :count] <= five) & (five >= timeline.start)
    over_56 = has_start(spells, five, end, count, longer_than=56)
    return {
        "annual": np.stack([ratio_sums(found * is_sex, at_risk * is_sex) for found in events]),
        "five_years": ratio_sums(stayed * over_56 * is_sex, stayed * is_sex),
        **frequent_sums(spells, third_last, end, present, is_sex),
        "next_none": _none_after(spells, (known, third_last, end), before, count),
    }


def annual_events(world: World, spells: Spells, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return years at risk per person, and years with a new spell longer than each limit: (persons,), (3, persons).

    At risk in a calendar year is who is employed on its first day and in the data by then.
    """
    everyone = np.arange(count)
    at_risk, events = np.zeros(count), np.zeros((len(LIMITS), count))
    for first, end in new_years(world.block.timeline.start, world.block.timeline.end):
        employed = world.employments.at(everyone, np.full(count, first)) >= 0
        employed &= world.persons.observed_from[:count] <= first
        at_risk += employed
        for place, limit in enumerate(LIMITS):
            events[place] += employed & has_start(spells, first, end, count, longer_than=limit)
    return at_risk, events


def has_start(spells: Spells, first: int, end: int, count: int, longer_than: int = 0) -> np.ndarray:
    """Return which persons begin a spell in [first, end) that lasts more than ``longer_than`` days."""
    chosen = (spells.first_day >= first) & (spells.first_day < end) & (spells.days > longer_than)
    return np.bincount(spells.person[chosen], minlength=count) > 0


def frequent_sums(spells: Spells, first: int, end: int, present: np.ndarray, is_sex: np.ndarray) -> Sums:
    """Return shares of persons with any spell, of spells and of days that belong to persons with six or more."""
    chosen = (spells.first_day >= first) & (spells.first_day < end)
    number = np.bincount(spells.person[chosen], minlength=len(present)) * present
    days = np.bincount(spells.person[chosen], spells.days[chosen], minlength=len(present)) * present
    often = number >= FREQUENT
    return {
        "frequent_persons": ratio_sums(often * is_sex, (number > 0) * is_sex),
        "frequent_spells": ratio_sums(number * often, number),
        "frequent_days": ratio_sums(days * often, days),
    }


def _none_after(spells: Spells, edges: tuple[int, int, int], present: np.ndarray, count: int) -> np.ndarray:
    """Return the share without any spell in the second period among those often absent in the first."""
    first, middle, end = edges
    earlier = (spells.first_day >= first) & (spells.first_day < middle)
    often = present & (np.bincount(spells.person[earlier], minlength=count) >= FREQUENT)
    return ratio_sums(often & ~has_start(spells, middle, end, count), often)


def measure(sums: Sums) -> dict[str, Measured]:
    """Return risks and shares in percent."""
    found: dict[str, Measured] = {}
    for limit, by_sex in zip(LIMITS, sums["annual"], strict=True):
        parts = [percent(part) for part in by_sex]
        found |= {f"annual_risk.over_{limit}_days.{sex}": part for sex, part in zip(SEXES, parts, strict=True)}
        found[f"annual_risk.over_{limit}_days.total"] = standardised(parts)
    found |= {f"five_year_risk.over_56_days.{sex}": percent(part)
              for sex, part in zip(SEXES, sums["five_years"], strict=True)}  # fmt: skip
    men, women = sums["frequent_persons"]
    return found | {
        "frequent.persons": percent(total(sums["frequent_persons"])),
        "frequent.persons.men": percent(men),
        "frequent.persons.women": percent(women),
        "frequent.spells": percent(sums["frequent_spells"]),
        "frequent.days": percent(sums["frequent_days"]),
        "frequent.none_in_next_period": percent(sums["next_none"]),
    }
