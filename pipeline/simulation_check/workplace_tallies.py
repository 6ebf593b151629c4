"""Workplaces: how many take part, new leaders, what colleagues share, consents, and who leaves."""

from __future__ import annotations

import numpy as np

from pipeline.simulation.consents import SOURCES
from pipeline.simulation.employments import ENDS
from pipeline.simulation.timeline import DAYS_PER_YEAR, years_of
from pipeline.simulation.workplaces import EVENT_KINDS
from pipeline.simulation.world import World
from pipeline.simulation_check.clusters import icc, icc_sums
from pipeline.simulation_check.exposure import Exposure
from pipeline.simulation_check.measured import Measured, Sums, percent, ratio, ratio_sums, share
from pipeline.simulation_check.moments import correlation, pair_sums

SHARED = ("exhaustion", "demands", "support")
RETIREMENT_AGE = 62
LATENT_PAIRS = {name: ("exhaustion", name) for name in ("distress", "sleep", "pain")}


def tally(world: World, count: int) -> Sums:
    """Return the sums of one block."""
    size = np.bincount(world.persons.company[:count])
    given = world.consents.given[SOURCES.index("absence"), :count]
    has_ia = world.workplaces.has_ia_agreement[: len(size)]
    names = world.block.parameters.latents.names
    quarter = int(world.block.timeline.index_quarters[len(world.block.timeline.index_quarters) // 2])
    deviation = world.latents.deviation[quarter, :count]
    company = _company_on(world, quarter, count)
    works = np.flatnonzero(company >= 0)
    chosen = [names.index(name) for name in ("exhaustion", *LATENT_PAIRS)]
    return {
        "participants": ratio_sums(size, size > 0),
        "new_leaders": _new_leaders(world),
        "ia": ratio_sums(size * has_ia, size),
        "register_consent": np.array([given.sum(), count], dtype=float),
        "icc": np.stack([icc_sums(deviation[works, names.index(name)], company[works]) for name in SHARED]),
        "icc_of_absence": _icc_of_absence(world, quarter, works, company[works]),
        "latents": pair_sums(deviation[:, chosen]),
        "job_changes": _job_changes(world, count),
    }


def _company_on(world: World, quarter: int, count: int) -> np.ndarray:
    """Return each person's company on the first day of a quarter, -1 for who does not work then."""
    everyone = np.arange(count)
    job = world.employments.at(everyone, np.full(count, world.block.timeline.quarters[quarter]))
    return np.where(job >= 0, world.employments.company[np.maximum(job, 0), everyone], -1)


def _new_leaders(world: World) -> np.ndarray:
    """Count the units that get a new leader within the first three years of the data."""
    events, timeline = world.workplaces.events, world.block.timeline
    within = (events.occurred_on >= timeline.start) & (events.occurred_on < timeline.start + 3 * DAYS_PER_YEAR)
    chosen = within & (events.kind == EVENT_KINDS.index("leader_change"))
    return np.array([len(np.unique(events.unit[chosen])), len(world.workplaces.unit_ids)], dtype=float)


def _icc_of_absence(world: World, quarter: int, works: np.ndarray, company: np.ndarray) -> np.ndarray:
    """Return :func:`icc_sums` of the log rate of new spells, what sex, age and industry make of it taken out."""
    rate = world.hazard.rate(quarter, world.latents.deviation[quarter])[works]
    at_risk = np.flatnonzero(rate > 0)  # Nobody on parental leave can begin a spell.
    works, company, log_rate = works[at_risk], company[at_risk], np.log(rate[at_risk])
    industry = world.workplaces.industry[company]
    year = world.block.timeline.years[quarter]
    group = np.clip((world.persons.age(year)[works] - 20) // 5, 0, 9) * 2 + world.persons.is_female[works]
    dummies = [group == one for one in np.unique(group)] + [industry == one for one in np.unique(industry)[1:]]
    design = np.stack(dummies, axis=1).astype(float)
    rest = log_rate - design @ (np.linalg.pinv(design.T @ design) @ (design.T @ log_rate))
    return icc_sums(rest, company, industry)


def _job_changes(world: World, count: int) -> np.ndarray:
    """Return changes of job, within or out of the cohort, per year employed, before the age of retirement."""
    exposure, timeline = Exposure.of(world, count), world.block.timeline
    years = timeline.years[timeline.index_quarters][:, None]
    is_young = world.persons.age(years)[:, :count] < RETIREMENT_AGE
    worked = (exposure.employed_days() * is_young).sum(axis=(0, 1)) / DAYS_PER_YEAR
    end_day = world.employments.end_day[:, :count]
    age = years_of(end_day) - world.persons.birth_year[:count]
    changed = world.employments.exists[:, :count] & (world.employments.ended_by[:, :count] == ENDS.index("job_change"))
    ended = changed & (end_day < timeline.end - 1) & (age < RETIREMENT_AGE)
    return ratio_sums(ended.sum(axis=0), worked)


def measure(sums: Sums) -> dict[str, Measured]:
    """Return counts, shares in percent and correlations."""
    clusters = {f"icc.{name}": icc(part) for name, part in zip(SHARED, sums["icc"], strict=True)}
    latents = {
        f"correlation.latent.exhaustion_{name}": correlation(sums["latents"], 0, place)
        for place, name in enumerate(LATENT_PAIRS, start=1)
    }
    return {
        **clusters,
        **latents,
        "icc.absence_rate": icc(sums["icc_of_absence"]),
        "workplaces.participants": ratio(sums["participants"]),
        "workplaces.new_leader_in_3_years": share(*sums["new_leaders"]),
        "workplaces.persons_in_ia_firms": percent(sums["ia"]),
        "consents.register": share(*sums["register_consent"]),
        "employments.job_changes": percent(sums["job_changes"]),
    }
