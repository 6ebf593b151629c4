"""What the rate of new certified spells is made of: sex, age, industry, frailty, season, workplace and latents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from data_contracts.time_windows import day_number
from pipeline.simulation.blocks import BLOCK_SIZE, Block
from pipeline.simulation.diagnoses import Chapters, age_band
from pipeline.simulation.latents import correlation_matrix, effects
from pipeline.simulation.parameters import Parameters
from pipeline.simulation.parental import Parental
from pipeline.simulation.persons import Persons
from pipeline.simulation.timeline import DAYS_PER_YEAR
from pipeline.simulation.workplaces import Workplaces


@dataclass(frozen=True)
class Hazard:
    """The rate of new spells and what they are for, as far as they do not follow from the latents.

    ``fixed`` (quarters, persons): spells per day of someone whose latents are average. ``latent_rate`` (latents): log
    rate per SD, ``different_rate`` the same in companies that are different (``is_different``, quarters by persons),
    and ``variance`` the variances of both products over a person's own part. ``log_odds`` of chapters and ``factor``,
    how much more often than in ordinary times each chapter occurs, are (quarters, persons, chapters). ``log_length``
    (persons): log days of a person's spells relative to others of the same latents.
    """

    chapters: Chapters
    fixed: np.ndarray
    latent_rate: np.ndarray
    different_rate: np.ndarray
    is_different: np.ndarray
    variance: np.ndarray
    log_odds: np.ndarray
    factor: np.ndarray
    log_length: np.ndarray
    frailty: np.ndarray
    prior_spell: float
    decay_per_day: float

    def rate(self, quarter: int, deviation: np.ndarray) -> np.ndarray:
        """Spells per day at the first spell ever, given the latents' deviation (persons, latents)."""
        effect = np.where(self.is_different[quarter], deviation @ self.different_rate, deviation @ self.latent_rate)
        usual = self.chapters.probability(self.log_odds[quarter], deviation)
        return self.fixed[quarter] * np.exp(effect) * (usual * self.factor[quarter]).sum(axis=1)

    def own_variance(self, quarter: int) -> np.ndarray:
        """Variance of each person's log rate over the own part of the latents."""
        return self.variance[self.is_different[quarter].astype(int)]

    def chapter(self, quarter: int, deviation: np.ndarray) -> np.ndarray:
        """Return the probability of each chapter of a spell that begins in a quarter: (persons, chapters)."""
        odds = self.chapters.probability(self.log_odds[quarter], deviation) * self.factor[quarter]
        return odds / odds.sum(axis=1, keepdims=True)

    def log_mean_days(self, deviation: np.ndarray) -> np.ndarray:
        """Return the mean of log days by chapter: (persons, chapters)."""
        return self.chapters.log_mean_days(deviation) + self.log_length[:, None]

    def longer(self, quarter: int, deviation: np.ndarray, days: int) -> np.ndarray:
        """Return the probability that a spell that begins in a quarter lasts more than ``days``."""
        longer = self.chapters.longer(self.log_mean_days(deviation), days)
        return (self.chapter(quarter, deviation) * longer).sum(axis=1)


def make_hazard(
    block: Block, rng: np.random.Generator, workplaces: Workplaces, persons: Persons, parental: Parental,
    company: np.ndarray, traits: dict[str, np.ndarray],
) -> Hazard:  # fmt: skip
    """Draw frailty and put the rate together.

    Parameters
    ----------
    company : int array, shape (quarters, persons)
        Where the person works.
    traits : dict
        Standard scores (persons,) of the laboratory analytes that have an effect on absence.
    """
    numbers, industry, chapters = block.parameters.absence, workplaces.industry[company], Chapters.of(block.parameters)
    shape = np.where(persons.is_female, numbers.frailty_shape["female"], numbers.frailty_shape["male"])
    frailty = rng.gamma(shape) / shape
    steps = np.arange(len(block.timeline))[:, None]
    is_different = workplaces.is_different[company]
    level = np.where(is_different, block.parameters.workplaces.different["rate_ratio"], 1.0)
    level = level * workplaces.absence_level[company] * workplaces.rate_ratio[steps, company] * ~parental.on_leave
    level = level * np.array(numbers.season)[block.timeline.seasons][:, None]
    latent_rates, variance = _latent_rates(block.parameters)
    fixed = _base_rate(block, persons, industry) * level * frailty * _of_labs(block, traits)
    return Hazard(
        chapters=chapters,
        fixed=fixed * np.exp(-variance / 2)[is_different.astype(int)],
        latent_rate=latent_rates[0],
        different_rate=latent_rates[1],
        is_different=is_different,
        variance=variance,
        log_odds=_log_odds(block, chapters, persons, industry),
        factor=_factors(block, chapters, parental),
        log_length=numbers.duration_frailty * (np.log(frailty) - _mean_log_frailty_of_spells(shape)),
        frailty=frailty,
        prior_spell=numbers.prior_spell_effect,
        decay_per_day=float(np.log(2) / numbers.prior_spell_half_life),
    )


def _mean_log_frailty_of_spells(shape: np.ndarray) -> np.ndarray:
    """Mean log frailty over spells (not persons): digamma(shape + 1) - log(shape), to one percent."""
    return np.log((shape + 0.5) / shape)


def _base_rate(block: Block, persons: Persons, industry: np.ndarray) -> np.ndarray:
    """Return spells per day by sex, age and industry: (quarters, persons)."""
    numbers = block.parameters.absence
    bands = len(numbers.certified_men)
    band = np.clip((persons.age(block.timeline.years[:, None]) - 20) // 5, 0, bands - 1)
    women = np.array(numbers.certified_women) * numbers.level["female"]
    men = np.array(numbers.certified_men) * numbers.level["male"]
    share = np.where(persons.is_female, women[band], men[band]) / 100
    return share / numbers.weighted_days_per_spell * _industry_factor(block)[industry]


def _industry_factor(block: Block) -> np.ndarray:
    """Return each industry's rate relative to what its sex mix alone would give."""
    level, industries = block.parameters.absence.certified_all, block.parameters.industries
    women = np.array([row["women"] for row in industries])
    rate = np.array([row["certified"] * row["level"] for row in industries]) / level["all_2021"]
    by_mix = (women * level["women_2017"] + (1 - women) * level["men_2017"]) / level["all_2017"]
    return rate / by_mix


def _of_labs(block: Block, traits: dict[str, np.ndarray]) -> np.ndarray:
    """Return the rate ratio of each person's laboratory values, one on average."""
    log_rate = np.zeros(BLOCK_SIZE)
    for name, effect in block.parameters.labs.absence_effects.items():
        log_rate += effect * traits[name] - effect**2 / 2
    return np.exp(log_rate)


def _latent_rates(parameters: Parameters) -> tuple[np.ndarray, np.ndarray]:
    """Return log rate per SD in ordinary and in different companies, and the variance of each."""
    usual = parameters.absence.latent_effects
    different = usual | parameters.workplaces.different["latent_effects"]
    rates = np.array([effects(parameters, named) for named in (usual, different)])
    own = np.sqrt(1 - effects(parameters, parameters.workplaces.variance_shared)) * rates
    return rates, np.einsum("ri,ij,rj->r", own, correlation_matrix(parameters), own)


def _log_odds(block: Block, chapters: Chapters, persons: Persons, industry: np.ndarray) -> np.ndarray:
    """Return log-odds of the chapters by sex, age, season and physical load: (quarters, persons, chapters)."""
    timeline = block.timeline
    band = age_band(block.parameters, persons.age(timeline.years[:, None]))
    load = np.array([row["load"] for row in block.parameters.industries])[industry]
    by_person = chapters.log_odds[persons.is_female.astype(int), band] + load[:, :, None] * chapters.load
    return by_person + chapters.log_season[timeline.seasons][:, None]


def _factors(block: Block, chapters: Chapters, parental: Parental) -> np.ndarray:
    """Return how much more often each chapter occurs than usual: late in pregnancy, in a pandemic, with the years."""
    numbers, timeline = block.parameters.absence, block.timeline
    years = (timeline.middles - timeline.start) / DAYS_PER_YEAR
    log_factor = np.zeros((len(timeline), 1, len(chapters.names)))
    for name, per_year in numbers.chapter_drift.items():
        log_factor[:, 0, chapters.names.index(name)] += per_year * years
    for shock in numbers.shock:
        first, last = (day_number(date.fromisoformat(str(shock[name]))) for name in ("first_day", "last_day"))
        within = (first <= timeline.middles) & (timeline.middles <= last)
        for name, factor in shock["factors"].items():
            log_factor[within, 0, chapters.names.index(name)] += np.log(factor)
    pregnancy = np.array([numbers.pregnancy_factors.get(name, 1.0) for name in chapters.names])
    return np.exp(log_factor) * np.where(parental.is_pregnant[:, :, None], pregnancy, 1.0)
