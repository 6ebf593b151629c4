"""Who takes part: sex by industry, age, education, and when each person joined the programme."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.simulation.blocks import BLOCK_SIZE, Block
from pipeline.simulation.timeline import DAYS_PER_YEAR, years_of
from pipeline.simulation.workplaces import Workplaces

EDUCATION = ("basic", "secondary", "tertiary_short", "tertiary_long")


REFERENCE_AGE = 45
"""Effects given per 10 years of age are zero here."""


@dataclass(frozen=True)
class Persons:
    """The persons of one block, one array element each; days as integers."""

    is_female: np.ndarray
    birth_year: np.ndarray
    education: np.ndarray
    company: np.ndarray
    has_clients: np.ndarray
    hired_on: np.ndarray
    observed_from: np.ndarray
    onboarded_on: np.ndarray
    engagement: np.ndarray
    has_immigrant_background: np.ndarray

    def age(self, year: np.ndarray | int) -> np.ndarray:
        """Return the age reached in a calendar year."""
        return year - self.birth_year

    def decades(self, year: np.ndarray | int) -> np.ndarray:
        """Return ten-year steps from the reference age."""
        return (self.age(year) - REFERENCE_AGE) / 10


def draw_persons(block: Block, workplaces: Workplaces) -> Persons:
    """Draw the block's persons. ``observed_from`` is the later of hiring and the start of the data."""
    rng, numbers, timeline = block.stream("persons"), block.parameters.persons, block.timeline
    company = np.repeat(np.arange(len(workplaces.company_ids)), workplaces.participants)
    industry = workplaces.industry[company]
    is_female = rng.random(BLOCK_SIZE) < _of_industry(block, "women")[industry]
    youngest, oldest = numbers.age_range
    age = youngest + (oldest - youngest) * rng.beta(numbers.age_shape, numbers.age_shape, BLOCK_SIZE)
    hired_on = _draw_hiring(block, rng, age)
    observed_from = np.maximum(hired_on, timeline.start)
    return Persons(
        is_female=is_female,
        birth_year=(years_of(observed_from) - np.floor(age)).astype(int),
        education=_draw_education(block, rng, industry),
        company=company,
        has_clients=rng.random(BLOCK_SIZE) < _of_industry(block, "clients")[industry],
        hired_on=hired_on,
        observed_from=observed_from,
        onboarded_on=observed_from + rng.integers(numbers.onboarding[0], numbers.onboarding[1] + 1, BLOCK_SIZE),
        engagement=rng.normal(0, numbers.engagement_sd, BLOCK_SIZE),
        has_immigrant_background=rng.random(BLOCK_SIZE) < _of_industry(block, "immigrants")[industry],
    )


def _of_industry(block: Block, column: str) -> np.ndarray:
    return np.array([row[column] for row in block.parameters.industries])


def _draw_hiring(block: Block, rng: np.random.Generator, age: np.ndarray) -> np.ndarray:
    numbers, timeline = block.parameters.persons, block.timeline
    was_employed = rng.random(BLOCK_SIZE) < numbers.employed_at_start
    tenure = np.minimum(rng.exponential(numbers.tenure_mean, BLOCK_SIZE), age - 18) * DAYS_PER_YEAR
    last_hiring = max(timeline.start + 1, timeline.end - block.parameters.employments.shortest)
    hired_later = rng.integers(timeline.start, last_hiring, BLOCK_SIZE)
    return np.where(was_employed, timeline.start - 1 - tenure.astype(int), hired_later)


def _draw_education(block: Block, rng: np.random.Generator, industry: np.ndarray) -> np.ndarray:
    """Return positions in ``EDUCATION``."""
    numbers = block.parameters.persons
    is_tertiary = rng.random(BLOCK_SIZE) < _of_industry(block, "tertiary")[industry]
    level = rng.random(BLOCK_SIZE)
    return np.where(
        is_tertiary, np.where(level < numbers.tertiary_long, 3, 2), np.where(level < numbers.basic_education, 0, 1)
    )
