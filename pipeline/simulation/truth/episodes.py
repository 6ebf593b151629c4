"""Which spells make an event of absence: how likely a spell is to be one, and what those do that are not.

The chance that a spell of a chapter is longer than a limit is a smooth function of one number, how much longer than usual
the person's spells are; it is evaluated as a polynomial through Chebyshev nodes (error below 1e-4), at a fraction of the
normal distribution's cost.
"""

from __future__ import annotations

import numpy as np
from numpy.polynomial import chebyshev, polynomial

from pipeline.simulation.blocks import BLOCK_SIZE
from pipeline.simulation.hazard import Hazard
from pipeline.simulation.parameters import Parameters
from pipeline.simulation.timeline import QUARTERS_PER_YEAR

_DEGREE = 10
_REACH = 5.0
"""Largest difference from the usual log days that is told apart."""

_DAYS_PER_STEP = 91


class EpisodeEvents:
    """The events of absence of the parameter file; arrays have one row per event.

    ``joins``: chance that a spell that is too short becomes an event if another begins within 16 days of its end.
    ``days_off`` (steps, events, 1): days at risk that a spell takes which is no event, on average, by step of the year.
    ``typical`` are the latents of those who fall ill, ``covariance`` is that of a person's own part.
    """

    def __init__(self, parameters: Parameters, hazard: Hazard, typical: np.ndarray, covariance: np.ndarray) -> None:
        self._hazard, self._chapters, named = hazard, hazard.chapters, parameters.truth.events
        self.names = tuple(named)
        self._limits = np.array([event["days"] for event in named.values()])
        self._counts = np.array(
            [[1.0 * (event.get("chapter", one) == one) for one in self._chapters.names] for event in named.values()]
        )
        tilt = self._counts @ self._chapters.tilt
        self._tilt_variance = np.einsum("el,lm,em->e", tilt, covariance, tilt)[:, None]
        self._polynomial = self._fitted_polynomial()
        # Filled anew in every call: a fresh array of this size would cost more than what is put into it.
        self._coefficients = np.empty((len(self._polynomial), BLOCK_SIZE))
        by_day = self._days_of_spells(typical)
        self.joins = self._joined(by_day)[:, None]
        self.days_off = self._days_off(by_day)[:, :, None]

    def chance(self, quarter: int, deviation: np.ndarray, unknown: float = 0.0) -> np.ndarray:
        """Return the probability that a spell that begins in a quarter makes each event: (events, persons).

        ``unknown`` is the share of the latents' variance around the deviation; the share of a chapter, which is curved
        in it, is expanded to second order.
        """
        usual = deviation @ self._chapters.length_effects + self._hazard.log_length
        share = self._hazard.chapter(quarter, deviation)
        np.matmul(self._polynomial, share.T, out=self._coefficients)
        coefficients = self._coefficients.reshape(_DEGREE + 1, len(self.names), BLOCK_SIZE)
        powers = polynomial.polyvander(np.clip(usual / _REACH, -1, 1), _DEGREE)
        chance: np.ndarray = np.einsum("dep,dp->ep", coefficients, np.ascontiguousarray(powers.T))
        counts = self._counts @ share.T
        chance *= 1 + unknown / 2 * self._tilt_variance * (1 - counts) * (1 - 2 * counts)
        return chance

    def _fitted_polynomial(self) -> np.ndarray:
        """Return coefficients, (powers x events, chapters); a chapter that does not count has none."""
        nodes = chebyshev.chebpts1(_DEGREE + 1)
        longer = self._longer(_REACH * nodes[:, None], self._limits) * self._counts
        fitted = polynomial.polyfit(nodes, longer.reshape(len(nodes), -1), _DEGREE)
        return fitted.reshape(-1, longer.shape[-1])

    def _longer(self, usual: np.ndarray, days: np.ndarray) -> np.ndarray:
        """Return the probability that a spell of each chapter is longer: (usual..., days, chapters)."""
        log_mean = self._chapters.log_length + np.asarray(usual)[..., None]
        return self._chapters.longer(log_mean, days[:, None])

    def gradient(self, step: float = 0.1) -> np.ndarray:
        """Return how the log chance moves per SD of each latent, for an average person: (events, latents)."""
        latents = len(self._chapters.length_effects)
        deviation = np.concatenate([np.zeros((1, latents)), step * np.eye(latents)])
        longer = self._longer((deviation @ self._chapters.length_effects)[:, None], self._limits)
        chance = (longer * self._counts * self._share(deviation)[:, None]).sum(axis=-1)
        log_ratio: np.ndarray = np.log(chance[1:] / chance[0]).T
        return log_ratio / step

    def _share(self, deviation: np.ndarray) -> np.ndarray:
        """Shares of the chapters among spells, men and women of all ages alike: (rows, chapters)."""
        odds = self._chapters.log_odds.mean(axis=1)
        share: np.ndarray = np.mean([self._chapters.probability(one, deviation) for one in odds], axis=0)
        return share

    def _days_of_spells(self, typical: np.ndarray) -> np.ndarray:
        """Return the share of spells that have each length and chapter: (days from 1 on, chapters)."""
        longer = self._longer(typical @ self._chapters.length_effects, np.arange(1, self._chapters.cap + 1))
        by_day = -np.diff(longer, axis=0, prepend=1)
        return by_day * self._share(typical[None])

    def _joined(self, by_day: np.ndarray) -> np.ndarray:
        """Chance that two spells, neither longer than the limit, are so together, given that the first is short."""
        days, joins = by_day.sum(axis=1), np.zeros(len(self.names))
        for event, limit in enumerate(self._limits):
            if self._counts[event].all():
                short = days[:limit]
                at_least = short[::-1].cumsum()
                joins[event] = short @ at_least / short.sum()
        return joins

    def _days_off(self, by_day: np.ndarray) -> np.ndarray:
        """Days that a spell takes which is no event, per spell; early in the year a long one has only begun."""
        length = np.arange(1, len(by_day) + 1)
        is_event = (length[:, None] > self._limits[:, None, None]) & (self._counts[:, None, :] > 0)
        per_day = np.where(is_event, 0, by_day).sum(axis=-1)
        passed = _DAYS_PER_STEP * (np.arange(QUARTERS_PER_YEAR) + 0.5)
        off: np.ndarray = np.minimum(length, passed[:, None]) @ per_day.T
        return off
