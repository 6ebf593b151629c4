"""ICPC-2 chapters of spells: how likely each is, how long its spells last, and which codes are written."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.simulation.latents import effects
from pipeline.simulation.normal import normal_probability
from pipeline.simulation.parameters import Parameters

_NEVER = 1e-12
"""Odds of a chapter that does not occur; its logarithm must stay finite."""


@dataclass(frozen=True)
class Chapters:
    """Chapters in the order of the parameter file, as arrays over chapters (and latents).

    ``log_odds`` (sexes, age bands, chapters) is what the latents, season and place of work add to.
    """

    names: tuple[str, ...]
    codes: tuple[tuple[str, ...], ...]
    log_odds: np.ndarray
    tilt: np.ndarray
    log_season: np.ndarray
    load: np.ndarray
    log_length: np.ndarray
    length_effects: np.ndarray
    log_sd: float
    late_exit: tuple[int, float]
    cap: int

    @classmethod
    def of(cls, parameters: Parameters) -> Chapters:
        """Read the chapters from the parameters."""
        numbers = parameters.absence
        names = tuple(numbers.chapters)
        season = np.zeros((4, len(names)))
        season[:, names.index("R")] = np.log(numbers.airways_season)
        return cls(
            names=names,
            codes=tuple(tuple(chapter["codes"]) for chapter in numbers.chapters.values()),
            log_odds=_log_odds(parameters, names),
            tilt=np.array([effects(parameters, numbers.chapter_tilts.get(name, {})) for name in names]),
            log_season=season,
            load=np.array([numbers.chapter_load.get(name, 0.0) for name in names]),
            log_length=np.array([numbers.duration_log_mean + numbers.chapter_log_days[name] for name in names]),
            length_effects=effects(parameters, numbers.duration_effects),
            log_sd=numbers.duration_log_sd,
            late_exit=(numbers.late_exit["from_day"], numbers.late_exit["per_day"]),
            cap=numbers.longest,
        )

    def probability(self, log_odds: np.ndarray, deviation: np.ndarray) -> np.ndarray:
        """Return the probability of each chapter, (persons, chapters), from its log-odds apart from the latents."""
        odds = np.exp(log_odds + deviation @ self.tilt.T)
        return odds / odds.sum(axis=1, keepdims=True)

    def log_mean_days(self, deviation: np.ndarray) -> np.ndarray:
        """Return the mean of log days, (persons, chapters), before early exits and the cap."""
        return self.log_length + (deviation @ self.length_effects)[:, None]

    def longer(self, log_mean: np.ndarray, days: int | np.ndarray) -> np.ndarray:
        """Return the probability that a spell lasts more than ``days``, given its mean of log days (broadcast)."""
        from_day, per_day = self.late_exit
        stays = np.exp(-per_day * np.maximum(np.asarray(days) - from_day, 0))
        usual = 1 - normal_probability((np.log(days) - log_mean) / self.log_sd)
        return np.where(np.asarray(days) >= self.cap, 0.0, stays * usual)

    def draw_days(self, rng: np.random.Generator, log_mean: np.ndarray) -> np.ndarray:
        """Draw lengths: log-normal, with an added constant chance to return late in the sick-pay year, and a cap."""
        from_day, per_day = self.late_exit
        usual = np.exp(log_mean + self.log_sd * rng.normal(size=len(log_mean)))
        late = from_day + rng.exponential(1 / per_day, len(log_mean))
        return np.clip(np.ceil(np.minimum(usual, late)), 1, self.cap).astype(int)


def _log_odds(parameters: Parameters, names: tuple[str, ...]) -> np.ndarray:
    """Return log-odds by sex (men first), age band and chapter; a chapter of women alone never occurs in men."""
    numbers = parameters.absence
    share = np.log([numbers.chapters[name]["spells"] for name in names])
    share = share + np.array([numbers.chapter_log_odds.get(name, 0.0) for name in names])
    bands = len(numbers.chapter_age_bands)
    by_age = np.array([numbers.chapter_age.get(name, [0.0] * bands) for name in names]).T
    women = np.array([numbers.chapter_women.get(name, 0.0) for name in names])
    sexes = np.stack([share - women / 2, share + women / 2])[:, None, :] + by_age
    sexes[0][:, np.isin(names, numbers.chapters_of_women)] = np.log(_NEVER)
    return sexes


def age_band(parameters: Parameters, age: np.ndarray) -> np.ndarray:
    """Return the position of each age among the bands of the chapters."""
    return np.clip(np.searchsorted(parameters.absence.chapter_age_bands, age, side="right") - 1, 0, None)
