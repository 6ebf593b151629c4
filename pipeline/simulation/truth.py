"""The true risks behind the data, from the whole latent state on the morning of an index date.

``long_sick_leave`` = 1 - exp(-H), where H sums over the next four quarters: the rate of new spells x the probability
that a spell lasts more than 16 days. The future of the latents is averaged over (each quarter's expected rate, exact
for a log-normal), recent spells enter by their expected number, and days without a right to sick pay count as free of
risk. Not modelled: short spells that join to a long episode, and the spread of H around its mean. Leaving employment is
ignored: the risk is that of a person who stays.

``burnout`` = probability that the personal or the work scale of the Copenhagen Burnout Inventory is 50 or more at a
survey 245 days later, answered by everyone: the two scale values are normal given today's latents and stable parts
(their changes taken as perfectly correlated), and a score given its scale value is normal with the mean and variance of
its items. Who answers is somewhat healthier than that.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from pipeline.simulation.absence import Course, Hazard
from pipeline.simulation.blocks import BLOCK_SIZE, Block
from pipeline.simulation.diagnoses import Chapters
from pipeline.simulation.latents import Latents, correlation_matrix, quarterly_correlation
from pipeline.simulation.normal import normal_probability
from pipeline.simulation.persons import Persons
from pipeline.simulation.spells import Spells, overlaps
from pipeline.simulation.survey import ScaleModel
from pipeline.simulation.timeline import DAYS_PER_YEAR, QUARTERS_PER_YEAR

HORIZON = 365
WASHOUT = 16


def long_sick_leave(
    block: Block, quarter: int, hazard: Hazard, course: Course, latents: Latents, persons: Persons
) -> np.ndarray:
    """Return each person's true risk of a long spell that begins within a year of the quarter's first day."""
    chapters, rho = Chapters.of(block.parameters), quarterly_correlation(block.parameters)
    begins, prior = block.timeline.quarters[quarter], course.prior[quarter].copy()
    edges = np.append(block.timeline.quarters[quarter : quarter + QUARTERS_PER_YEAR], begins + HORIZON)
    total = np.zeros(BLOCK_SIZE)
    for step, (first, end) in enumerate(pairwise(edges)):
        kept = rho**step
        deviation = kept * latents.own[quarter] + latents.workplace[quarter]
        drift = np.exp((1 - kept**2) * hazard.own_variance / 2)
        at_risk = end - np.clip(course.free_from[quarter], first, end)
        spells = hazard.rate(quarter + step, deviation) * drift * (1 + hazard.prior_spell * prior) * at_risk
        is_long = chapters.probability_longer(deviation, persons.is_female, block.parameters.truth.long_spell)
        total += spells * is_long
        prior = prior * np.exp(-hazard.decay_per_day * (end - first)) + spells * (1 - is_long)
    return 1 - np.exp(-total)


def at_work(block: Block, quarter: int, certified: Spells) -> np.ndarray:
    """Return who has no certified day in the 16 days before the quarter's first day."""
    everyone = np.arange(BLOCK_SIZE)
    first = np.full(BLOCK_SIZE, block.timeline.quarters[quarter] - WASHOUT)
    return ~overlaps(Spells(everyone, first, np.full(BLOCK_SIZE, WASHOUT), everyone), certified)


class BurnoutRisk:
    """True risk of a high burnout score at the next survey."""

    def __init__(self, block: Block, models: dict[str, ScaleModel]) -> None:
        self._scales = [models["cbi_personal"], models["cbi_work"]]
        self._cut = block.parameters.truth.burnout_cut
        quarters = block.parameters.truth.burnout_gap / DAYS_PER_YEAR * QUARTERS_PER_YEAR
        self._kept = quarterly_correlation(block.parameters) ** quarters
        self._correlation = correlation_matrix(block.parameters)
        self._grid = np.linspace(-6, 6, 241)
        self._high = [self._high_score(model) for model in self._scales]

    def _high_score(self, model: ScaleModel) -> np.ndarray:
        """Return P(score >= cut) on the grid of scale values; half a score step is the continuity correction."""
        codes = np.arange(0, 101, 25.0)
        wanted = model.centres[:, None, None] + model.spread * model.loading * self._grid[:, None]
        spread = model.spread * np.sqrt(1 - model.loading**2)
        below = normal_probability((codes[:-1] + 12.5 - wanted) / spread)
        chance = np.diff(below, axis=-1, prepend=0, append=1)
        mean = (chance * codes).sum(axis=-1)
        variance = ((chance * codes**2).sum(axis=-1) - mean**2).sum(axis=0) / len(mean) ** 2
        half_step = 12.5 / len(mean)
        return 1 - normal_probability((self._cut - half_step - mean.mean(axis=0)) / np.sqrt(variance))

    def on(self, quarter: int, latents: Latents, stable: dict[str, np.ndarray]) -> np.ndarray:
        """Return each person's risk on the first day of a quarter."""
        nodes, shares = np.polynomial.hermite_e.hermegauss(9)
        expected = self._kept * latents.own[quarter] + latents.workplace[quarter] + latents.expected[quarter]
        low = np.ones((BLOCK_SIZE, len(nodes)))
        for model, high in zip(self._scales, self._high, strict=True):
            mean = model.trait(expected, stable[model.scale.name])
            spread = np.sqrt((1 - self._kept**2) * (model.weights @ self._correlation @ model.weights))
            low *= 1 - np.interp(mean[:, None] + spread * nodes, self._grid, high)
        return 1 - low @ (shares / shares.sum())
