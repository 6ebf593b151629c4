"""ICPC-2 chapters of spells: how likely each is, how long its spells last, and which codes are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.simulation.latents import correlation_matrix, effects
from pipeline.simulation.normal import normal_probability
from pipeline.simulation.parameters import Parameters

_NEVER = 1e-12
"""Share of a chapter that does not occur; its logarithm must stay finite."""


@dataclass(frozen=True)
class Chapters:
    """Chapters in the order of the parameter file, as arrays over chapters (and latents)."""

    codes: tuple[tuple[str, ...], ...]
    log_share: np.ndarray
    tilt: np.ndarray
    log_season: np.ndarray
    log_length: np.ndarray
    length_effects: np.ndarray
    log_sd: float
    cap: int

    @classmethod
    def of(cls, parameters: Parameters) -> Chapters:
        """Read the chapters from the parameters."""
        numbers = parameters.absence
        names = list(numbers.chapters)
        by_sex = [_shares_of_sex(numbers, is_female) for is_female in (False, True)]
        tilt = np.array([effects(parameters, numbers.chapter_tilts.get(name, {})) for name in names])
        length_effects = effects(parameters, numbers.duration_effects)
        # Who has spells differs from who has none: an exponential rate moves the latents' mean by correlation @ rate.
        correlation = correlation_matrix(parameters)
        typical = correlation @ effects(parameters, numbers.latent_effects)
        shift = tilt @ typical + np.einsum("ci,ij,cj->c", tilt, correlation, tilt) / 2
        log_season = np.zeros((4, len(names)))
        log_season[:, names.index("R")] = np.log(numbers.airways_season)
        return cls(
            codes=tuple(tuple(chapter["codes"]) for chapter in numbers.chapters.values()),
            log_share=np.log(np.maximum(by_sex, _NEVER)) - shift,
            tilt=tilt,
            log_season=log_season,
            log_length=numbers.duration_log_mean
            - length_effects @ typical
            + np.log([chapter["days"] for chapter in numbers.chapters.values()]),
            length_effects=length_effects,
            log_sd=numbers.duration_log_sd,
            cap=numbers.longest,
        )

    def probability(self, deviation: np.ndarray, is_female: np.ndarray, season: int | None = None) -> np.ndarray:
        """Return the probability of each chapter, (persons, chapters); without a season, that of the whole year."""
        log_odds = self.log_share[is_female.astype(int)] + deviation @ self.tilt.T
        if season is not None:
            log_odds = log_odds + self.log_season[season]
        odds = np.exp(log_odds)
        return odds / odds.sum(axis=1, keepdims=True)

    def log_mean_days(self, deviation: np.ndarray) -> np.ndarray:
        """Return the mean of log days, (persons, chapters)."""
        return self.log_length + (deviation @ self.length_effects)[:, None]

    def probability_longer(self, deviation: np.ndarray, is_female: np.ndarray, days: int) -> np.ndarray:
        """Return the probability that a spell lasts more than ``days``, over all chapters."""
        longer = 1 - normal_probability((np.log(days) - self.log_mean_days(deviation)) / self.log_sd)
        return (self.probability(deviation, is_female) * longer).sum(axis=1)


def _shares_of_sex(numbers: Any, is_female: bool) -> np.ndarray:
    """Return the shares of one sex; pregnancy (W) is women's alone."""
    share = {name: chapter["spells"] for name, chapter in numbers.chapters.items()}
    share["W"] *= is_female / numbers.women_among_spells
    others = sum(share.values()) - share["W"]
    return np.array([value if name == "W" else value * (1 - share["W"]) / others for name, value in share.items()])
