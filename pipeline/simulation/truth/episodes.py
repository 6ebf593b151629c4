"""Which spells make an event of absence: how likely a spell is to be one, and what those do that are not.

The chance that a spell of a chapter is longer than a limit is a smooth function of one number, how much longer than usual
the person's spells are; it is evaluated as a polynomial through Chebyshev nodes (error below 1e-4), at a fraction of the
normal distribution's cost. So are the days that spells take which make no event (error below half a day).
"""

from __future__ import annotations

import numpy as np
from numpy.polynomial import chebyshev, polynomial

from pipeline.simulation.blocks import BLOCK_SIZE
from pipeline.simulation.hazard import Hazard
from pipeline.simulation.parameters import Parameters
from pipeline.simulation.timeline import QUARTERS_PER_YEAR

_DEGREE, _DEGREE_OF_DAYS = 10, 6
_REACH = 5.0
"""Largest difference from the usual log days that is told apart."""

DAYS_PER_STEP = 91


class EpisodeEvents:
    """The events of absence of the parameter file; arrays have one row per event.

    ``joins``: chance that a spell that is too short becomes an event if another begins within 16 days of its end.
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
        self._polynomial = _fitted(self._longer(_nodes(_DEGREE), self._limits) * self._counts)
        # Filled anew in every call: a fresh array of this size would cost more than what is put into it.
        self._coefficients = np.empty((len(self._polynomial), BLOCK_SIZE))
        by_day = self._by_day(typical @ self._chapters.length_effects) * self._share(typical[None])
        self.joins = self._joined(by_day)[:, None]
        self._narrow = np.flatnonzero(~self._counts.astype(bool).all(axis=1))
        days = self._days_taken(self._by_day(_nodes(_DEGREE_OF_DAYS)))
        self._days_polynomial = _fitted(days[:, :, self._narrow])
        self._days_coefficients = np.empty((len(self._days_polynomial), BLOCK_SIZE))
        self._days_off = np.repeat(self._days_taken(by_day).sum(axis=-1)[:, :, None], BLOCK_SIZE, axis=2)

    def chance(self, quarter: int, deviation: np.ndarray, unknown: float = 0.0) -> np.ndarray:
        """Return the probability that a spell that begins in a quarter makes each event: (events, persons).

        ``unknown`` is the share of the latents' variance around the deviation; the share of a chapter, which is curved
        in it, is expanded to second order.
        """
        share = self._hazard.chapter(quarter, deviation)
        np.matmul(self._polynomial, share.T, out=self._coefficients)
        chance = self._at_usual_length(self._coefficients, deviation, _DEGREE)
        if unknown:
            counts = self._counts @ share.T
            chance *= 1 + unknown / 2 * self._tilt_variance * (1 - counts) * (1 - 2 * counts)
        return chance

    def days_off(self, quarter: int, deviation: np.ndarray) -> np.ndarray:
        """Return the days at risk that a spell takes which is no event: (steps, events, persons).

        By step of the year, counted to the step's middle: early in the year a long spell has only begun. They are each
        person's own where the event needs a chapter, as long spells of other chapters then count; else those of a typical
        person. The array is filled anew in every call.
        """
        np.matmul(self._days_polynomial, self._hazard.chapter(quarter, deviation).T, out=self._days_coefficients)
        own = self._at_usual_length(self._days_coefficients, deviation, _DEGREE_OF_DAYS)
        self._days_off[:, self._narrow] = own.reshape(QUARTERS_PER_YEAR, -1, BLOCK_SIZE)
        return self._days_off

    def _at_usual_length(self, coefficients: np.ndarray, deviation: np.ndarray, degree: int) -> np.ndarray:
        """Return polynomials (powers x numbers, persons) at how long each person's spells are: (numbers, persons)."""
        usual = deviation @ self._chapters.length_effects + self._hazard.log_length
        powers = np.ones((degree + 1, BLOCK_SIZE))
        powers[1:] = np.clip(usual / _REACH, -1, 1)
        np.multiply.accumulate(powers, out=powers)
        found: np.ndarray = np.einsum("dep,dp->ep", coefficients.reshape(degree + 1, -1, BLOCK_SIZE), powers)
        return found

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

    def _by_day(self, usual: np.ndarray) -> np.ndarray:
        """Return the probability of each length of a spell, by chapter: (usual..., days from 1 on, chapters)."""
        longer = self._longer(usual, np.arange(1, self._chapters.cap + 1))
        by_day: np.ndarray = -np.diff(longer, axis=-2, prepend=1)
        return by_day

    def _joined(self, by_day: np.ndarray) -> np.ndarray:
        """Chance that two spells, neither longer than the limit, are so together, given that the first is short."""
        days, joins = by_day.sum(axis=1), np.zeros(len(self.names))
        for event, limit in enumerate(self._limits):
            if self._counts[event].all():
                short = days[:limit]
                at_least = short[::-1].cumsum()
                joins[event] = short @ at_least / short.sum()
        return joins

    def _days_taken(self, by_day: np.ndarray) -> np.ndarray:
        """Return the days that spells take which are no event: (usual..., steps, events, chapters)."""
        length = np.arange(1, self._chapters.cap + 1)
        is_other = (length[:, None] <= self._limits[:, None, None]) | (self._counts[:, None, :] == 0)
        passed = DAYS_PER_STEP * (np.arange(QUARTERS_PER_YEAR) + 0.5)
        taken: np.ndarray = np.einsum(
            "...dc,edc,sd->...sec", by_day, is_other, np.minimum(length, passed[:, None]), optimize=True
        )
        return taken


def _nodes(degree: int) -> np.ndarray:
    """Return how much longer than usual spells are at the Chebyshev nodes, in log days: (nodes, 1)."""
    nodes: np.ndarray = _REACH * chebyshev.chebpts1(degree + 1)[:, None]
    return nodes


def _fitted(values: np.ndarray) -> np.ndarray:
    """Return polynomials through values at the nodes, which come first, chapters last: (powers x numbers, chapters)."""
    fitted = polynomial.polyfit(chebyshev.chebpts1(len(values)), values.reshape(len(values), -1), len(values) - 1)
    return fitted.reshape(-1, values.shape[-1])
