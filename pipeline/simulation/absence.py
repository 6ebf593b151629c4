"""Doctor-certified spells as they happened: when, how long, for what, and how the risk of the next one grows."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pipeline.simulation.blocks import BLOCK_SIZE, Block
from pipeline.simulation.hazard import Hazard
from pipeline.simulation.latents import Latents
from pipeline.simulation.spells import Spells, joined

_NO_RATE = 1e-12
"""Spells per day of someone who is on leave: next to nothing, so that the clock can still be divided by it."""


@dataclass(frozen=True)
class Course:
    """All spells of a block and, at the first day of each quarter, the state that the rate depends on.

    ``prior`` (quarters, persons): recent spells, halved with time; ``free_from``: first day that may begin a new spell.
    """

    spells: Spells
    prior: np.ndarray
    free_from: np.ndarray


@dataclass
class _State:
    """Where each person stands: first free day, recent spells, and what is left of the clock to the next spell."""

    free_from: np.ndarray
    prior: np.ndarray
    budget: np.ndarray


@dataclass(frozen=True)
class _Kinds:
    """What a spell that begins in a quarter may be: cumulated probability of chapters, and their mean log days."""

    up_to: np.ndarray
    log_mean: np.ndarray


def draw_course(block: Block, rng: np.random.Generator, hazard: Hazard, latents: Latents) -> Course:
    """Run every person through the quarters, from spell to spell (an exponential clock against the running rate)."""
    timeline, deviation = block.timeline, latents.deviation
    free_from = np.full(BLOCK_SIZE, timeline.quarters[0])
    state = _State(free_from, _usual_prior(block, hazard, deviation[0]), rng.exponential(size=BLOCK_SIZE))
    priors, frees, found = [], [], []
    for quarter, (begins, ends) in enumerate(pairwise(timeline.quarters)):
        priors.append(state.prior.copy())
        frees.append(state.free_from.copy())
        now = deviation[quarter]
        rate, who = hazard.rate(quarter, now), np.arange(BLOCK_SIZE)
        kinds = _Kinds(np.cumsum(hazard.chapter(quarter, now), axis=1)[:, :-1], hazard.log_mean_days(now))
        while len(who):
            who, first_day = _next_onsets(state, hazard, rng, rate, who, begins, ends)
            spells = _draw_spells(rng, hazard, kinds, who, first_day)
            found.append(spells)
            state.free_from[who] = spells.last_day + 1 + _requalification(block, spells)
            who = who[state.free_from[who] < ends]
        state.prior *= np.exp(-hazard.decay_per_day * (ends - begins))
    return Course(joined(found), np.array(priors), np.array(frees))


def _usual_prior(block: Block, hazard: Hazard, deviation: np.ndarray) -> np.ndarray:
    """Recent spells that a person's rate keeps up in the long run, so that rates do not drift after the start.

    Spells add as many as are forgotten: rate x (1 + effect x prior) = decay x prior; nobody begins one while absent.
    """
    rate = hazard.rate(0, deviation)
    rate /= 1 + rate * 2 * block.parameters.absence.weighted_days_per_spell
    rate = np.minimum(rate, hazard.decay_per_day / (2 * max(hazard.prior_spell, _NO_RATE)))
    return rate / (hazard.decay_per_day - hazard.prior_spell * rate)


def _next_onsets(
    state: _State, hazard: Hazard, rng: np.random.Generator, rate: np.ndarray, who: np.ndarray, begins: int, ends: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return who falls ill before the quarter ends, and when; the clock of the others runs on."""
    per_day = np.maximum(rate[who] * (1 + hazard.prior_spell * state.prior[who]), _NO_RATE)
    clock = np.maximum(state.free_from[who], begins)
    onset = clock + state.budget[who] / per_day
    happens = onset < ends
    state.budget[who[~happens]] -= (per_day * np.maximum(ends - clock, 0))[~happens]
    who = who[happens]
    state.budget[who] = rng.exponential(size=len(who))
    state.prior[who] += 1
    return who, np.floor(onset[happens]).astype(int)


def _draw_spells(
    rng: np.random.Generator, hazard: Hazard, kinds: _Kinds, who: np.ndarray, first_day: np.ndarray
) -> Spells:
    chapter = (rng.random((len(who), 1)) > kinds.up_to[who]).sum(axis=1)
    return Spells(who, first_day, hazard.chapters.draw_days(rng, kinds.log_mean[who, chapter]), chapter)


def _requalification(block: Block, spells: Spells) -> np.ndarray:
    """Days without a right to sick pay after a spell that used it up."""
    numbers = block.parameters.absence
    return np.where(spells.days >= numbers.longest, numbers.requalification, 0)
