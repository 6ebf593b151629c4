"""Certified and self-certified spells: how often, how long, how soon they end."""

from __future__ import annotations

import numpy as np

from pipeline.simulation.spells import Spells
from pipeline.simulation.timeline import DAYS_PER_YEAR
from pipeline.simulation.world import World
from pipeline.simulation_check.absence_tallies import standardised
from pipeline.simulation_check.exposure import Exposure, of_first
from pipeline.simulation_check.measured import Measured, Sums, percent, quotient, ratio, ratio_sums, share

LONGEST = 400
GROUPS = ("up_to_31_days", "over_31_days", "all_days")


def tally(world: World, count: int) -> Sums:
    """Return the sums of one block."""
    exposure = Exposure.of(world, count)
    is_sex = np.stack([~world.persons.is_female[:count], world.persons.is_female[:count]])
    years = exposure.employed_days().sum(axis=(0, 1)) / DAYS_PER_YEAR
    doctor = world.certified.take(of_first(world.certified, count))
    own = world.self_certified.take(of_first(world.self_certified, count))
    new, new_own = (spells.take(np.flatnonzero(exposure.starts_inside(spells))) for spells in (doctor, own))
    starts, own_starts = (np.bincount(spells.person, minlength=count) for spells in (new, new_own))
    days = np.bincount(np.minimum(new.days, LONGEST), minlength=LONGEST + 1)
    return {
        "certified_per_year": ratio_sums(starts * is_sex, years * is_sex),
        "self_certified_per_year": ratio_sums(own_starts * is_sex, years * is_sex),
        "days": days.astype(float),
        "at_maximum": np.array(
            [(new.days >= world.block.parameters.absence.longest).sum(), (new.days > 16).sum()], float
        ),
        "first_quarters": _first_quarters(world, exposure, count),
        "rule_breaches": _rule_breaches(world, count),
    }


def _first_quarters(world: World, exposure: Exposure, count: int) -> np.ndarray:
    """Return certified days lost in first quarters by how much of the quarter the spell takes: ratio sums (3, 5).

    Statistics Norway's groups look at the quarter alone: a long spell that ends on its tenth day is one of ten days.
    """
    is_first = world.block.timeline.seasons[world.block.timeline.index_quarters] == 0
    rows = of_first(world.certified, count)
    spells = world.certified.take(rows)
    by_job = exposure.spell_days(spells)[:, is_first]
    days = by_job.sum(axis=0)
    work = (by_job * exposure.position[:, None, spells.person]).sum(axis=0) * world.grade[rows] / 100
    group = (days > 31).astype(int) + (days >= np.diff(exposure.edges)[is_first, None])
    in_group = [(work * (group == place)).sum(axis=0) for place in range(len(GROUPS))]
    lost = np.stack([np.bincount(spells.person, found, minlength=count) for found in in_group])
    return ratio_sums(lost, lost.sum(axis=0))


def _rule_breaches(world: World, count: int) -> np.ndarray:
    """Count what the law does not allow: certified beyond 365 days, graded outside 20-100 %, own spells too long or many."""
    doctor = world.certified.take(of_first(world.certified, count))
    own = world.self_certified.take(of_first(world.self_certified, count))
    grade = world.grade[of_first(world.certified, count)]
    at = np.maximum(world.employments.at(own.person, own.first_day), 0)
    has_ia = world.workplaces.has_ia_agreement[world.employments.company[at, own.person]]
    too_long = own.days > np.where(has_ia, 8, 3)
    spells, days = in_twelve_months(own)
    too_many = np.where(has_ia, days > 24, spells > 4)
    counts = ((doctor.days > 365), (grade < 20) | (grade > 100), too_long, too_many)
    return np.array([count.sum() for count in counts], dtype=float)


def in_twelve_months(own: Spells) -> tuple[np.ndarray, np.ndarray]:
    """Return, for each spell, how many spells and days the person has had in 365 days, itself included."""
    span = 1 << 20
    order = np.lexsort((own.first_day, own.person))
    key = (own.person * span + own.first_day)[order]
    earliest, latest = np.searchsorted(key, key - 364), np.arange(1, len(key) + 1)
    total = np.concatenate([[0], np.cumsum(own.days[order])])
    spells, days = np.zeros((2, len(key)), dtype=int)
    spells[order], days[order] = latest - earliest, total[latest] - total[earliest]
    return spells, days


def measure(sums: Sums) -> dict[str, Measured]:
    """Return frequencies per year, shares in percent and the mean in days."""
    men, women = (ratio(part) for part in sums["certified_per_year"])
    breaches = float(sums["rule_breaches"].sum())
    return {
        "spells.per_year": standardised([men, women]),
        "spells.women_to_men": quotient(women, men),
        "spells.self_certified_per_year": standardised([ratio(part) for part in sums["self_certified_per_year"]]),
        "spells.share_at_maximum": share(*sums["at_maximum"]),
        "spells.rule_breaches": Measured(breaches, 0.0),
        **_of_lengths(sums["days"]),
        **{
            f"certified_in_first_quarters.{name}": percent(part)
            for name, part in zip(GROUPS, sums["first_quarters"], strict=True)
        },
    }


def _of_lengths(count: np.ndarray) -> dict[str, Measured]:
    length = np.arange(len(count))
    spells, days = count.sum(), count @ length
    found = {
        "spells.share_up_to_16_days": share(count[:17].sum(), spells),
        "spells.share_up_to_56_days": share(count[:57].sum(), spells),
        "spells.share_over_90_days": share(count[91:].sum(), spells),
        "spells.mean_days": ratio(_length_sums(count, length, np.ones_like(length))),
        "spells.exit_hazard_first_to_second_week": quotient(_exits(count, 1, 7), _exits(count, 8, 14)),
        "spells.exit_hazard_months_10_12_to_7_9": quotient(_exits(count, 274, 364), _exits(count, 183, 273)),
    }
    for least in (16, 56, 90):
        part = ratio(_length_sums(count, length * (length > least), length))
        found[f"spells.days_in_spells_over_{least}_days"] = part.times(100) if days else Measured.nothing()
    return found


def _length_sums(count: np.ndarray, numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    products = (numerator, denominator, numerator**2, numerator * denominator, denominator**2)
    return np.array([float(count @ product) for product in products])


def _exits(count: np.ndarray, first: int, last: int) -> Measured:
    """Return the share per day that ends in [first, last] of those that still last."""
    ends = count[first : last + 1]
    lasting = count.sum() - np.concatenate([[0.0], np.cumsum(count)])[first : last + 1]
    return share(ends.sum(), lasting.sum())
