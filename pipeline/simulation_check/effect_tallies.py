"""Burnout and absence three years on, as the Danish PUMA cohort reported it (Borritz 2006).

There the questionnaire asked about the last twelve months; here the third year after an answer is counted.
"""

from __future__ import annotations

import numpy as np

from features.segments import expanded_ranges
from pipeline.simulation.spells import Spells
from pipeline.simulation.timeline import years_of
from pipeline.simulation.world import World
from pipeline.simulation_check.measured import Measured, Sums, quotient
from pipeline.simulation_check.regression import poisson
from pipeline.simulation_check.sheets import Sheets

PUBLISHED_SD = 17.7
"""SD of the work scale of the Copenhagen inventory in PUMA: what one step of the published ratio is."""

WAIT, YEAR = 730, 365
SCORE_STEP, SCORES, AGES, HEALTH = 5, 21, 5, 5
SHAPE = (SCORES, 2, AGES, HEALTH)


def tally(world: World, sheets: Sheets) -> Sums:
    """Return, by work burnout, sex, age and self-rated health: sheets, days and spells of the third year, and squares."""
    scores = sheets.scores()
    work, health = scores["cbi_work"], scores["srh_self_rated_health"]
    person, day = sheets.person, sheets.answered_on
    job = world.employments.at(person, day)
    stays = (job >= 0) & (day + WAIT + YEAR < np.minimum(world.employments.last_day[person], world.block.timeline.end))
    rows = np.flatnonzero(stays & ~np.isnan(work) & ~np.isnan(health))
    person, day = person[rows], day[rows]
    age = np.clip((years_of(day) - world.persons.birth_year[person] - 20) // 10, 0, AGES - 1)
    levels = (np.rint(work[rows] / SCORE_STEP), world.persons.is_female[person], age, health[rows] - 1)
    places = [np.clip(level, 0, most - 1).astype(int) for level, most in zip(levels, SHAPE, strict=True)]
    cell = np.ravel_multi_index(tuple(places), SHAPE)
    doctor, own = (in_year_after(spells, person, day + WAIT) for spells in (world.certified, world.self_certified))
    days, spells = doctor[0] + own[0], doctor[1] + own[1]
    weights = (np.ones(len(rows)), days, spells, days**2, spells**2)
    cells = int(np.prod(SHAPE))
    return {"by_cell": np.stack([np.bincount(cell, weight, minlength=cells) for weight in weights])}


def in_year_after(spells: Spells, person: np.ndarray, day: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return days absent, and spells begun, in the year from the day after each person's ``day`` on."""
    order = np.argsort(spells.person, kind="stable")
    sorted_persons = spells.person[order]
    low = np.searchsorted(sorted_persons, person)
    high = np.searchsorted(sorted_persons, person, side="right")
    row = np.repeat(np.arange(len(person)), high - low)
    spell = order[expanded_ranges(low, high - low)]
    first, end = day[row] + 1, day[row] + 1 + YEAR
    inside = np.minimum(spells.last_day[spell] + 1, end) - np.maximum(spells.first_day[spell], first)
    begun = (spells.first_day[spell] >= first) & (spells.first_day[spell] < end)
    days = np.bincount(row, np.maximum(inside, 0), minlength=len(person))
    return days, np.bincount(row, begun, minlength=len(person))


def measure(sums: Sums) -> dict[str, Measured]:
    """Return rate ratios per SD, adjusted for sex, age and self-rated health, and the ratio of outer quarters."""
    sheets, days, spells, day_squares, spell_squares = sums["by_cell"]
    names = ("days_per_sd", "spells_per_sd", "days_top_to_bottom_quarter")
    if days.sum() < 1000:
        return {f"burnout_effect.{name}": Measured.nothing() for name in names}
    return {
        "burnout_effect.days_per_sd": _rate_ratio(sheets, days, day_squares),
        "burnout_effect.spells_per_sd": _rate_ratio(sheets, spells, spell_squares),
        "burnout_effect.days_top_to_bottom_quarter": _outer_quarters(sheets, days, day_squares),
    }


def _rate_ratio(persons: np.ndarray, total: np.ndarray, squares: np.ndarray) -> Measured:
    """Return exp(coefficient) of a log-linear model; its error allows for over-dispersion (quasi-Poisson)."""
    rows = np.flatnonzero(persons)
    score, sex, age, health = np.unravel_index(rows, SHAPE)
    columns = [np.ones(len(rows)), score * SCORE_STEP / PUBLISHED_SD, sex]
    columns += [age == one for one in np.unique(age)[1:]] + [health == one for one in np.unique(health)[1:]]
    design = np.stack(columns, axis=1).astype(float)
    coefficients, covariance = poisson(design, total[rows], persons[rows])
    mean = np.exp(design @ coefficients)
    rest = squares[rows] - 2 * mean * total[rows] + persons[rows] * mean**2
    dispersion = (rest / mean).sum() / (persons.sum() - len(coefficients))
    value = float(np.exp(coefficients[1]))
    return Measured(value, value * float(np.sqrt(covariance[1, 1] * dispersion)))


def _outer_quarters(persons: np.ndarray, total: np.ndarray, squares: np.ndarray) -> Measured:
    """Return mean days of the quarter of sheets with the highest scores over that of the lowest; ties are split."""
    by_score = [part.reshape(SHAPE).sum(axis=(1, 2, 3)) for part in (persons, total, squares)]
    return quotient(_mean_of_first_quarter([part[::-1] for part in by_score]), _mean_of_first_quarter(by_score))


def _mean_of_first_quarter(by_score: list[np.ndarray]) -> Measured:
    persons, total, squares = by_score
    wanted = persons.sum() / 4
    left = wanted - (np.cumsum(persons) - persons)
    part = np.clip(left / np.maximum(persons, 1), 0, 1)
    mean = float(part @ total / wanted)
    return Measured(mean, float(np.sqrt(max(part @ squares / wanted - mean**2, 0.0) / wanted)))
