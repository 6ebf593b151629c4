"""Absence rates: lost days over agreed days, by sex, age, industry and season."""

from __future__ import annotations

import numpy as np

from pipeline.simulation.world import World
from pipeline.simulation_check.exposure import Exposure, of_first
from pipeline.simulation_check.measured import Measured, Sums, percent, quotient, ratio, ratio_sums, weighted

MEN_IN_COUNTRY = 0.533
"""Men's share of all agreed days in Norway: solves 3.8 m + 6.8 (1 - m) = 5.2, NAV's rates of Q2 2017.

Rates of both sexes together are weighted by it, so that a cohort with other industries, and so other sexes, is comparable.
"""

AGE_BANDS = tuple(f"age_{low}_{low + 4}" for low in range(20, 65, 5))
SEXES = ("men", "women")


def tally(world: World, count: int) -> Sums:
    """Return the sums of one block."""
    exposure, persons = Exposure.of(world, count), world.persons
    agreed = exposure.employed_days() * exposure.position[:, None]
    doctor, own = of_first(world.certified, count), of_first(world.self_certified, count)
    weight = world.grade[doctor] / 100
    certified = exposure.absent_days(world.certified.take(doctor), weight) * exposure.position[:, None]
    self_certified = (
        exposure.absent_days(world.self_certified.take(own), np.ones(len(own))) * exposure.position[:, None]
    )
    is_sex = np.stack([~persons.is_female[:count], persons.is_female[:count]])
    quarters = world.block.timeline.index_quarters
    band = (persons.age(world.block.timeline.years[quarters][:, None])[:, :count] - 20) // 5
    industry = world.workplaces.industry[world.employments.company[:, :count]]
    season = world.block.timeline.seasons[quarters]
    return {
        "certified_by_sex": _by(certified, agreed, is_sex),
        "self_certified_by_sex": _by(self_certified, agreed, is_sex),
        "all_by_sex": _by(certified + self_certified, agreed, is_sex),
        "certified_by_age": np.stack(
            [_by(certified * (band == place), agreed * (band == place), is_sex) for place in range(len(AGE_BANDS))]
        ),
        "certified_by_industry": _by_industry(world, certified, agreed, industry),
        "certified_by_season": _by_season(certified, agreed, season),
        "self_certified_by_season": _by_season(self_certified, agreed, season),
    }


def _by(absent: np.ndarray, agreed: np.ndarray, groups: np.ndarray) -> np.ndarray:
    return ratio_sums(absent.sum(axis=(0, 1)) * groups, agreed.sum(axis=(0, 1)) * groups)


def _by_industry(world: World, absent: np.ndarray, agreed: np.ndarray, industry: np.ndarray) -> np.ndarray:
    is_here = industry == np.arange(len(world.block.parameters.industries))[:, None, None]
    return ratio_sums((absent.sum(axis=1) * is_here).sum(axis=1), (agreed.sum(axis=1) * is_here).sum(axis=1))


def _by_season(absent: np.ndarray, agreed: np.ndarray, season: np.ndarray) -> np.ndarray:
    of_season = season == np.arange(4)[:, None]
    return ratio_sums(of_season @ absent.sum(axis=0), of_season @ agreed.sum(axis=0))


def measure(sums: Sums, divisions: tuple[str, ...], published: frozenset[str]) -> dict[str, Measured]:
    """Return rates in percent; ``published``: the industries with a published rate."""
    found: dict[str, Measured] = {}
    for kind, name in (("certified", "certified_percent"), ("self_certified", "self_certified_percent")):
        found |= _rates(name, sums[f"{kind}_by_sex"])
        seasons = [ratio(part) for part in sums[f"{kind}_by_season"]]
        year = weighted(seasons, [1, 1, 1, 1])
        found |= {f"season.{kind}.quarter_{place + 1}": quotient(one, year) for place, one in enumerate(seasons)}
    found |= _rates("absence_percent", sums["all_by_sex"])
    for band, by_sex in zip(AGE_BANDS, sums["certified_by_age"], strict=True):
        found[f"certified_percent.{band}"] = standardised([percent(part) for part in by_sex])
        found[f"certified_percent.men.{band}"] = percent(by_sex[0])
    rates = zip(divisions, sums["certified_by_industry"], strict=True)
    return found | {f"certified_percent.industry_{name}": percent(part) for name, part in rates if name in published}


def _rates(name: str, by_sex: np.ndarray) -> dict[str, Measured]:
    parts = [percent(part) for part in by_sex]
    return {f"{name}.total": standardised(parts)} | {
        f"{name}.{sex}": part for sex, part in zip(SEXES, parts, strict=True)
    }


def standardised(men_women: list[Measured]) -> Measured:
    """Return a rate of both sexes at the country's mix of men and women."""
    return weighted(men_women, [MEN_IN_COUNTRY, 1 - MEN_IN_COUNTRY])
