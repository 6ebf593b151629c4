"""Self-certified spells of a few days, within the quotas of the law and of the IA agreement."""

from __future__ import annotations

import numpy as np

from pipeline.simulation.blocks import BLOCK_SIZE, Block
from pipeline.simulation.employments import Employments
from pipeline.simulation.latents import Latents, effects
from pipeline.simulation.persons import Persons
from pipeline.simulation.spells import Spells, overlaps
from pipeline.simulation.timeline import DAYS_PER_YEAR
from pipeline.simulation.workplaces import Workplaces

_NO_CHAPTER = -1
_LONG_AGO = np.iinfo(np.int32).min
_REMEMBERED = 24
"""Accepted spells kept per person for the quota; 24 days in 12 months can be at most 24 spells."""


def draw_self_certified(
    block: Block,
    workplaces: Workplaces,
    persons: Persons,
    employments: Employments,
    latents: Latents,
    certified: Spells,
) -> Spells:
    """Draw spells at random days and keep those that the rules allow and that do not fall into other absence."""
    rng, timeline = block.stream("self_certified"), block.timeline
    count = rng.poisson(_rate(block, rng, persons, latents) * timeline.lengths[:, None])
    quarter, person = (np.repeat(index, count.ravel()) for index in np.indices(count.shape).reshape(2, -1))
    first_day = timeline.quarters[quarter] + np.floor(rng.random(len(person)) * timeline.lengths[quarter]).astype(int)
    position = employments.at(person, first_day)
    has_ia = workplaces.has_ia_agreement[employments.company[np.maximum(position, 0), person]]
    days = _draw_days(block, rng, has_ia)
    hired = employments.start_day[np.maximum(position, 0), person]
    ends = employments.end_day[np.maximum(position, 0), person]
    qualified = first_day >= hired + block.parameters.self_certified.qualification
    seen = (first_day >= persons.observed_from[person]) & (first_day < timeline.end)
    allowed = (position >= 0) & qualified & seen & (first_day + days - 1 <= ends)
    spells = Spells(person, first_day, days, np.full(len(person), _NO_CHAPTER))
    rows = np.flatnonzero(allowed & ~overlaps(spells, certified))
    rows = rows[np.lexsort((first_day[rows], person[rows]))]
    return spells.take(rows[_within_quota(block, spells.take(rows), has_ia[rows])])


def _rate(block: Block, rng: np.random.Generator, persons: Persons, latents: Latents) -> np.ndarray:
    """Spells per day, (quarters, persons)."""
    numbers, timeline = block.parameters.self_certified, block.timeline
    frailty = rng.gamma(numbers.frailty_shape, 1 / numbers.frailty_shape, BLOCK_SIZE)
    decades = persons.decades(timeline.years[:, None])
    log_rate = numbers.per_10_years * decades + numbers.women * (persons.is_female - 0.5)
    log_rate += latents.deviation @ effects(block.parameters, numbers.latent_effects)
    season = np.array(numbers.season)[timeline.seasons][:, None]
    return numbers.spells / DAYS_PER_YEAR * season * frailty * np.exp(log_rate)


def _draw_days(block: Block, rng: np.random.Generator, has_ia: np.ndarray) -> np.ndarray:
    numbers, place = block.parameters.self_certified, rng.random(len(has_ia))
    ordinary = np.searchsorted(np.cumsum(numbers.days)[:-1], place)
    in_ia = np.searchsorted(np.cumsum(numbers.days_ia)[:-1], place)
    return 1 + np.where(has_ia, in_ia, ordinary)


def _within_quota(block: Block, spells: Spells, has_ia: np.ndarray) -> np.ndarray:
    """Go through each person's spells in order, all persons at once, and return which are accepted."""
    numbers = block.parameters.self_certified
    accepted = np.zeros(len(spells.person), dtype=bool)
    rank = np.arange(len(spells.person)) - np.searchsorted(spells.person, spells.person)
    days = np.zeros((BLOCK_SIZE, _REMEMBERED), dtype=int)
    first = np.full((BLOCK_SIZE, _REMEMBERED), _LONG_AGO)
    free_from = np.full(BLOCK_SIZE, _LONG_AGO)
    for turn in range(int(rank.max(initial=-1)) + 1):
        rows = np.flatnonzero(rank == turn)
        who, begins = spells.person[rows], spells.first_day[rows]
        recent = first[who] > (begins - 365)[:, None]
        used_days = (days[who] * recent).sum(axis=1) + spells.days[rows]
        fits = np.where(has_ia[rows], used_days <= numbers.most_days_ia, recent.sum(axis=1) < numbers.most_spells)
        fits &= begins > free_from[who]
        rows, who = rows[fits], who[fits]
        accepted[rows] = True
        first[who] = np.column_stack([spells.first_day[rows], first[who, :-1]])
        days[who] = np.column_stack([spells.days[rows], days[who, :-1]])
        free_from[who] = spells.last_day[rows] + 1
    return accepted
