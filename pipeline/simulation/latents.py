"""Latent health and strain of each person by quarter: a part of one's own that changes slowly, and the workplace's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.simulation.blocks import BLOCK_SIZE, Block
from pipeline.simulation.employments import Employments
from pipeline.simulation.parameters import Parameters
from pipeline.simulation.persons import Persons
from pipeline.simulation.timeline import QUARTERS_PER_YEAR
from pipeline.simulation.workplaces import Workplaces


@dataclass(frozen=True)
class Latents:
    """Latents in SD, arrays (quarters, persons, latents).

    ``own`` varies between persons alike in sex and age, ``workplace`` is shared in a unit, ``expected`` is the level of
    the person's sex and age. Rates of absence follow ``deviation``: the base rates have the gradients of sex and age.
    """

    own: np.ndarray
    workplace: np.ndarray
    expected: np.ndarray

    @property
    def deviation(self) -> np.ndarray:
        """How far a person lies from others of the same sex and age."""
        return self.own + self.workplace

    @property
    def level(self) -> np.ndarray:
        """What the person answers from."""
        return self.own + self.workplace + self.expected


def draw_latents(block: Block, workplaces: Workplaces, persons: Persons, employments: Employments) -> Latents:
    """Draw the person's own part as a stationary AR(1) and add workplace, sex and age."""
    rng, parameters, timeline = block.stream("latents"), block.parameters, block.timeline
    between = np.array([parameters.workplaces.variance_shared[name] for name in parameters.latents.names])
    root = np.linalg.cholesky(correlation_matrix(parameters)).T * np.sqrt(1 - between)
    rho = quarterly_correlation(parameters)
    noise = rng.normal(size=(len(timeline), BLOCK_SIZE, len(between))) @ root
    noise[1:] *= np.sqrt(1 - rho**2)
    for quarter in range(1, len(timeline)):
        noise[quarter] += rho * noise[quarter - 1]
    at = employments.latest_on(timeline.middles[:, None] + np.zeros(BLOCK_SIZE, dtype=int))
    unit = np.take_along_axis(employments.unit, at, axis=0)
    workplace = workplaces.latent_shift[np.arange(len(timeline))[:, None], unit]
    return Latents(noise, workplace, _expected(block, persons))


def _expected(block: Block, persons: Persons) -> np.ndarray:
    latents = block.parameters.latents
    women = effects(block.parameters, latents.women)
    age = effects(block.parameters, latents.per_10_years)
    decades = persons.decades(block.timeline.years[:, None])
    return decades[:, :, None] * age + (persons.is_female - 0.5)[:, None] * women


def effects(parameters: Parameters, named: dict[str, float]) -> np.ndarray:
    """Return effects given by latent name as a vector over all latents."""
    names = parameters.latents.names
    vector = np.zeros(len(names))
    for name, effect in named.items():
        vector[names.index(name)] = effect
    return vector


def correlation_matrix(parameters: Parameters) -> np.ndarray:
    """Return the correlations of the latents between persons of one workplace, sex and age."""
    upper = parameters.latents.correlations
    matrix = np.eye(len(upper) + 1)
    for row, values in enumerate(upper):
        matrix[row, row + 1 :] = matrix[row + 1 :, row] = values
    return matrix


def quarterly_correlation(parameters: Parameters) -> float:
    """Return the correlation of a latent with itself a quarter later."""
    return float(parameters.latents.yearly_correlation ** (1 / QUARTERS_PER_YEAR))
