"""Doctor-certified spells as they happened: when, how long, for what, and how the risk of the next one grows."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pipeline.simulation.blocks import BLOCK_SIZE, Block
from pipeline.simulation.diagnoses import Chapters
from pipeline.simulation.latents import Latents, correlation_matrix, effects
from pipeline.simulation.persons import Persons
from pipeline.simulation.spells import Spells, joined
from pipeline.simulation.workplaces import Workplaces


@dataclass(frozen=True)
class Hazard:
    """What the rate of new spells is made of.

    ``fixed`` (quarters, persons): spells per day from sex, age, industry, frailty and season. ``latent_rate``: log rate
    per SD of each latent, and ``own_variance`` the variance of that product over a person's own part.
    """

    fixed: np.ndarray
    latent_rate: np.ndarray
    own_variance: float
    prior_spell: float
    decay_per_day: float

    def rate(self, quarter: int, deviation: np.ndarray) -> np.ndarray:
        """Spells per day at the first spell ever, given the latents' deviation (persons, latents)."""
        return self.fixed[quarter] * np.exp(deviation @ self.latent_rate)


@dataclass(frozen=True)
class Course:
    """All spells of a block and, at the first day of each quarter, the state that the rate depends on.

    ``prior`` (quarters, persons): recent spells, halved with time; ``free_from``: first day that may begin a new spell.
    """

    spells: Spells
    prior: np.ndarray
    free_from: np.ndarray


def make_hazard(
    block: Block, rng: np.random.Generator, workplaces: Workplaces, persons: Persons, industry: np.ndarray
) -> Hazard:
    """Draw frailty and put the rate together. ``industry`` (quarters, persons) is where the person works."""
    numbers, parameters = block.parameters.absence, block.parameters
    latent_rate = effects(parameters, numbers.latent_effects)
    within = 1 - effects(parameters, parameters.workplaces.variance_shared)
    root = np.sqrt(within) * latent_rate
    variance = float(root @ correlation_matrix(parameters) @ root)
    frailty = rng.gamma(numbers.frailty_shape, 1 / numbers.frailty_shape, BLOCK_SIZE)
    level = np.where(persons.is_female, numbers.level["female"], numbers.level["male"])
    per_day = _certified_share(block, persons) / numbers.weighted_days_per_spell
    season = np.array(numbers.season)[block.timeline.seasons][:, None]
    fixed = per_day * _industry_factor(block)[industry] * season * level * frailty * np.exp(-variance / 2)
    decay = np.log(2) / numbers.prior_spell_half_life
    return Hazard(fixed, latent_rate, variance, numbers.prior_spell_effect, float(decay))


def _certified_share(block: Block, persons: Persons) -> np.ndarray:
    """Return NAV's share of days certified absent by sex and age: (quarters, persons)."""
    numbers = block.parameters.absence
    band = np.clip((persons.age(block.timeline.years[:, None]) - 20) // 5, 0, len(numbers.certified_men) - 1)
    women, men = np.array(numbers.certified_women), np.array(numbers.certified_men)
    return np.where(persons.is_female, women[band], men[band]) / 100


def _industry_factor(block: Block) -> np.ndarray:
    """Return each industry's rate relative to what its sex mix alone would give."""
    level = block.parameters.absence.certified_all
    women = np.array([row["women"] for row in block.parameters.industries])
    rate = np.array([row["certified"] for row in block.parameters.industries]) / level["all_2021"]
    by_mix = (women * level["women_2017"] + (1 - women) * level["men_2017"]) / level["all_2017"]
    return rate / by_mix


@dataclass
class _State:
    """Where each person stands: first free day, recent spells, and what is left of the clock to the next spell."""

    free_from: np.ndarray
    prior: np.ndarray
    budget: np.ndarray


def draw_course(block: Block, rng: np.random.Generator, hazard: Hazard, latents: Latents, persons: Persons) -> Course:
    """Run every person through the quarters, from spell to spell (an exponential clock against the running rate)."""
    timeline, chapters = block.timeline, Chapters.of(block.parameters)
    free_from = np.full(BLOCK_SIZE, timeline.quarters[0])
    state = _State(free_from, np.zeros(BLOCK_SIZE), rng.exponential(size=BLOCK_SIZE))
    priors, frees, found = [], [], []
    for quarter, (begins, ends) in enumerate(pairwise(timeline.quarters)):
        priors.append(state.prior.copy())
        frees.append(state.free_from.copy())
        deviation = latents.deviation[quarter]
        rate, who = hazard.rate(quarter, deviation), np.arange(BLOCK_SIZE)
        while len(who):
            who, first_day = _next_onsets(state, hazard, rng, rate, who, begins, ends)
            spells = _draw_spells(
                block, rng, chapters, persons, who, first_day, deviation[who], timeline.seasons[quarter]
            )
            found.append(spells)
            state.free_from[who] = spells.last_day + 1 + _requalification(block, spells)
            who = who[state.free_from[who] < ends]
        state.prior *= np.exp(-hazard.decay_per_day * (ends - begins))
    return Course(joined(found), np.array(priors), np.array(frees))


def _next_onsets(
    state: _State, hazard: Hazard, rng: np.random.Generator, rate: np.ndarray, who: np.ndarray, begins: int, ends: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return who falls ill before the quarter ends, and when; the clock of the others runs on."""
    per_day = rate[who] * (1 + hazard.prior_spell * state.prior[who])
    clock = np.maximum(state.free_from[who], begins)
    onset = clock + state.budget[who] / per_day
    happens = onset < ends
    state.budget[who[~happens]] -= (per_day * np.maximum(ends - clock, 0))[~happens]
    who = who[happens]
    state.budget[who] = rng.exponential(size=len(who))
    state.prior[who] += 1
    return who, np.floor(onset[happens]).astype(int)


def _draw_spells(
    block: Block, rng: np.random.Generator, chapters: Chapters, persons: Persons,
    who: np.ndarray, first_day: np.ndarray, deviation: np.ndarray, season: int,
) -> Spells:  # fmt: skip
    numbers = block.parameters.absence
    chance = chapters.probability(deviation, persons.is_female[who], season)
    chapter = (rng.random((len(who), 1)) > np.cumsum(chance, axis=1)[:, :-1]).sum(axis=1)
    log_mean = chapters.log_mean_days(deviation)[np.arange(len(who)), chapter]
    days = np.ceil(np.exp(log_mean + numbers.duration_log_sd * rng.normal(size=len(who))))
    return Spells(who, first_day, np.clip(days, 1, numbers.longest).astype(int), chapter)


def _requalification(block: Block, spells: Spells) -> np.ndarray:
    """Days without a right to sick pay after a spell that used it up."""
    numbers = block.parameters.absence
    return np.where(spells.days >= numbers.longest, numbers.requalification, 0)
