"""Who answers: wave after wave, by sex, age and sector, and how those who do not answer differ."""

from __future__ import annotations

import numpy as np

from pipeline.simulation.consents import SOURCES
from pipeline.simulation.timeline import DAYS_PER_YEAR, years_of
from pipeline.simulation.world import World
from pipeline.simulation_check.exposure import employed_throughout, of_first
from pipeline.simulation_check.measured import Measured, Sums, share
from pipeline.simulation_check.regression import least_squares, logistic

WAVES = 3
PUBLIC = ("84", "85", "86", "88")
"""Divisions of public administration, education, health and social work, taken as the public sector."""

AGE_GROUPS = 9
BIN_EDGES = np.arange(-3.875, 4, 0.25)
"""Edges of the bins of latent exhaustion, in SD."""


def tally(world: World, count: int) -> Sums:
    """Return the sums of one block."""
    invited = world.responses.invited[:, :count]
    answered = np.zeros(invited.shape, dtype=bool)
    here = world.responses.person < count
    answered[world.responses.wave[here], world.responses.person[here]] = True
    first = invited.argmax(axis=0)
    of_wave = np.minimum(first + np.arange(WAVES)[:, None], len(invited) - 1)
    followed = invited.any(axis=0) & (first + WAVES <= len(invited))
    replies = np.take_along_axis(answered, of_wave, axis=0)
    year = int(years_of(np.array([world.block.timeline.start]))[0]) + first
    asked = np.flatnonzero(invited.any(axis=0))
    still_asked = np.take_along_axis(invited, of_wave, axis=0)[1]
    return {
        "waves": np.array([*(replies & followed).sum(axis=1), followed.sum()], dtype=float),
        "stopped": _stopped(world, still_asked, first + 1 < len(invited), year),
        **_first_wave(world, asked, replies[0], year),
    }


def _stopped(world: World, still_asked: np.ndarray, has_next: np.ndarray, year: np.ndarray) -> np.ndarray:
    """Count who is no longer asked at the second wave, among those who still work and consent all that year."""
    count = len(still_asked)
    opening, closing = (_new_year(year + step) for step in (1, 2))
    works = (world.employments.start_day[0, :count] <= opening) & (world.employments.last_day[:count] >= closing)
    consents = world.consents.withdrawn_on[SOURCES.index("survey"), :count] >= closing
    among = has_next & works & consents & world.responses.invited[:, :count].any(axis=0)
    return np.array([(among & ~still_asked).sum(), among.sum()], dtype=float)


def _new_year(year: np.ndarray) -> np.ndarray:
    return np.asarray((year - 1970).astype("datetime64[Y]").astype("datetime64[D]").astype(int))


def _first_wave(world: World, asked: np.ndarray, replied: np.ndarray, year: np.ndarray) -> Sums:
    """Return sums over those asked for the first time: predictors of response, and absence in the year after."""
    persons, middle = world.persons, _new_year(year) + int(DAYS_PER_YEAR / 2)
    job = np.maximum(world.employments.at(asked, middle[asked]), 0)
    divisions = np.array([row["division"] for row in world.block.parameters.industries])
    is_public = np.isin(divisions[world.workplaces.industry[world.employments.company[job, asked]]], PUBLIC)
    age = year[asked] - persons.birth_year[asked]
    is_woman, replies = persons.is_female[asked], replied[asked]
    columns = np.stack([np.ones(len(asked)), is_woman, age / 10, is_public, replies], axis=1).astype(float)
    names = world.block.parameters.latents.names
    quarter = world.block.timeline.quarter_of(middle[asked])
    exhaustion = world.latents.deviation[quarter, asked, names.index("exhaustion")]
    cell = np.digitize(exhaustion, BIN_EDGES) * 2 * AGE_GROUPS + is_woman * AGE_GROUPS + _group(age)
    cells = (len(BIN_EDGES) + 1) * 2 * AGE_GROUPS
    return {
        "products": columns.T @ columns,
        "by_exhaustion": np.stack([np.bincount(cell, weight, minlength=cells) for weight in (replies, None)]),
        "absence_after": _absence_after(world, asked, replies, year[asked] + 1, is_woman * AGE_GROUPS + _group(age)),
    }


def _group(age: np.ndarray) -> np.ndarray:
    return np.asarray(np.clip((age - 20) // 5, 0, AGE_GROUPS - 1).astype(int))


def _absence_after(
    world: World, asked: np.ndarray, replies: np.ndarray, year: np.ndarray, cell: np.ndarray
) -> np.ndarray:
    """Return persons, certified days and their squares by (answered, sex and age) in the next calendar year."""
    days = np.zeros(len(asked))
    stays = np.zeros(len(asked), dtype=bool)
    last_year = int(years_of(np.array([world.block.timeline.end]))[0])
    spells = world.certified.take(of_first(world.certified, int(asked.max(initial=-1)) + 1))
    for one in range(int(year.min(initial=last_year)), last_year):
        first, end = (int(_new_year(np.array([one + step]))[0]) for step in (0, 1))
        inside = np.minimum(spells.last_day + 1, end) - np.maximum(spells.first_day, first)
        total = np.bincount(spells.person, np.maximum(inside, 0), minlength=len(world.persons.birth_year))
        works = employed_throughout(world.employments, first, end)[asked]
        chosen = (year == one) & works
        days[chosen], stays[chosen] = total[asked][chosen], True
    place = (replies.astype(int) * 2 * AGE_GROUPS + cell)[stays]
    weights = (np.ones(len(place)), days[stays], days[stays] ** 2)
    return np.stack([np.bincount(place, weight, minlength=4 * AGE_GROUPS) for weight in weights])


def measure(sums: Sums) -> dict[str, Measured]:
    """Return shares and differences in percent (points), a ratio of absence and a log-odds ratio."""
    *answered, followed = sums["waves"]
    names = ("first_wave", "second_wave", "third_wave")
    _, woman, decade, public = least_squares(sums["products"])
    return {
        **{f"response.{name}": share(number, followed) for name, number in zip(names, answered, strict=True)},
        "response.stopped_at_second_wave": share(*sums["stopped"]),
        "response.women_minus_men": woman.times(100),
        "response.per_10_years": decade.times(100),
        "response.public_minus_private": public.times(100),
        "response.absence_ratio_of_others": _absence_ratio(sums["absence_after"]),
        "response.log_odds_per_sd_exhaustion": _exhaustion_slope(sums["by_exhaustion"]),
    }


def _absence_ratio(sums: np.ndarray) -> Measured:
    """Return days of those who did not answer over what those who did would have had at their sex and age."""
    persons, days, squares = sums.reshape(3, 2, -1)
    both = (persons > 1).all(axis=0)
    if not both.any():
        return Measured.nothing()
    persons, days, squares = persons[:, both], days[:, both], squares[:, both]
    mean = days / persons
    variance = (squares / persons - mean**2) / persons
    observed, expected = days[0].sum(), persons[0] @ mean[1]
    errors = [persons[0] ** 2 @ part for part in variance]
    value = observed / expected
    return Measured(float(value), float(np.sqrt(errors[0] + value**2 * errors[1]) / expected))


def _exhaustion_slope(counts: np.ndarray) -> Measured:
    answered, invited = counts
    rows = np.flatnonzero(invited)
    if invited.sum() < 100:
        return Measured.nothing()
    place, sex_age = np.divmod(rows, 2 * AGE_GROUPS)
    sex, age = np.divmod(sex_age, AGE_GROUPS)
    exhaustion = BIN_EDGES[0] - 0.125 + 0.25 * place
    design = np.stack([np.ones(len(rows)), exhaustion, sex, age - 4.0], axis=1)
    coefficients, covariance = logistic(design, answered[rows], invited[rows])
    return Measured(float(coefficients[1]), float(np.sqrt(covariance[1, 1])))
