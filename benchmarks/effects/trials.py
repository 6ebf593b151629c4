"""SYNTHETIC trials with a known effect: workplaces that differ, skewed absence, drop-out, arms unlike at baseline.

A workplace has a level of its own (``icc``), quarters of it are alike the more the nearer they lie (first-order
autoregression), and its absence in a quarter is a gamma variate, as few persons have most of the days.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class World:
    """What trials are drawn from; absence in per cent of agreed man-days.

    ``level_sd`` is of workplaces, ``quarter_sd`` of what moves with a workplace's quarters (correlation ``memory`` from one
    to the next), ``person_sd`` of a person's quarter. ``trend`` is of all, per quarter. ``imbalance`` lifts the level of the
    arm with the intervention.
    """

    companies: int = 76
    quarters: int = 12
    before: int = 6
    starts: tuple[int, ...] = (0,)
    with_intervention: int = 34
    persons: float = 15.0
    effect: float = -1.3
    level: float = 7.0
    trend: float = 0.1
    level_sd: float = 1.8
    quarter_sd: float = 1.0
    memory: float = 0.5
    person_sd: float = 14.0
    imbalance: float = 1.9
    leaves: float = 0.1
    chosen_when_bad: bool = False


def trial(world: World, seed: int) -> pd.DataFrame:
    """Return the panel of one trial (columns of models.effects.panel)."""
    rng = np.random.default_rng(seed)
    shape = (world.companies, world.quarters)
    moving = _moving(world, rng)
    with_it = _arm(world, moving)
    start = np.where(
        with_it, world.before + np.array(world.starts)[np.arange(world.companies) % len(world.starts)], np.inf
    )
    # Bounded, so that no mean has to be cut at nought, which would change the effect.
    level = (
        world.level + world.level_sd * np.clip(rng.normal(size=world.companies), -1.8, 1.8) + world.imbalance * with_it
    )
    after = np.arange(world.quarters) >= start[:, None]
    mean = np.maximum(level[:, None] + moving + world.trend * np.arange(world.quarters) + world.effect * after, 0.2)
    size = np.ceil(world.persons * rng.lognormal(-0.18, 0.6, world.companies)) + 2
    spread = world.person_sd**2 / size[:, None] * mean / world.level
    outcome = rng.gamma(mean**2 / spread, spread / mean, shape)
    last = np.where(
        rng.random(world.companies) < world.leaves, rng.integers(world.before + 2, world.quarters, world.companies), 999
    )
    frame = pd.DataFrame({
        "company": np.repeat([f"c{n:03d}" for n in range(world.companies)], world.quarters),
        "period": np.tile(np.arange(world.quarters), world.companies),
        "outcome": outcome.ravel(),
        "weight": np.repeat(size, world.quarters),
        "start": np.repeat(np.where(np.isinf(start), np.nan, start), world.quarters),
    })  # fmt: skip
    return frame[frame["period"].to_numpy() < np.repeat(last, world.quarters)].reset_index(drop=True)


def _moving(world: World, rng: np.random.Generator) -> np.ndarray:
    shocks = np.clip(rng.normal(size=(world.companies, world.quarters)), -2, 2)
    moving = np.empty_like(shocks)
    moving[:, 0] = shocks[:, 0]
    for quarter in range(1, world.quarters):
        moving[:, quarter] = world.memory * moving[:, quarter - 1] + np.sqrt(1 - world.memory**2) * shocks[:, quarter]
    return world.quarter_sd * moving


def _arm(world: World, moving: np.ndarray) -> np.ndarray:
    """The first ones, whose numbers are as good as drawn; or those in a bad period, who come forward for help."""
    if not world.chosen_when_bad:
        return np.arange(world.companies) < world.with_intervention
    rank = np.argsort(np.argsort(-moving[:, : world.before].mean(axis=1)))
    return rank < world.with_intervention


def alerted(persons: int, effect: float, seed: int, threshold: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    """Return risks and days absent in the year after of SYNTHETIC persons; those at or above the threshold are helped."""
    rng = np.random.default_rng(seed)
    risk = rng.beta(2, 6, persons)
    mean = 4 + 50 * risk**1.5 + effect * (risk >= threshold)
    return risk, rng.gamma(0.8, mean / 0.8)
