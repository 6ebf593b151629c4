"""Births and parental leave: a competing absence, in whole quarters, during which no sick leave can begin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.simulation.blocks import BLOCK_SIZE, Block
from pipeline.simulation.persons import Persons


@dataclass(frozen=True)
class Parental:
    """Per quarter and person: late in a pregnancy, and on parental leave. The employment goes on."""

    is_pregnant: np.ndarray
    on_leave: np.ndarray


def draw_parental(block: Block, persons: Persons) -> Parental:
    """Draw births by sex and age, at least two years apart, and the quarters around them."""
    rng, numbers, timeline = block.stream("parental"), block.parameters.employments, block.timeline
    place = rng.random((len(timeline), BLOCK_SIZE))
    age = persons.age(timeline.years[:, None])
    band = np.searchsorted(numbers.birth_age_bands, age, side="right") - 1
    bands = len(numbers.birth_age_bands)
    inside = (band >= 0) & (band < bands - 1)
    women, men = np.array([*numbers.births["female"], 0.0]), np.array([*numbers.births["male"], 0.0])
    per_year = np.where(persons.is_female, women[band], men[band]) * inside
    is_pregnant, on_leave = np.zeros_like(inside), np.zeros_like(inside)
    last_birth = np.full(BLOCK_SIZE, -numbers.quarters_between_births)
    for quarter in range(len(timeline)):
        born = (place[quarter] < per_year[quarter] / 4) & (quarter - last_birth >= numbers.quarters_between_births)
        last_birth[born] = quarter
        mother, father = born & persons.is_female, born & ~persons.is_female
        first, last = numbers.mothers_leave
        is_pregnant[max(quarter + first - numbers.late_pregnancy, 0) : max(quarter + first, 0), mother] = True
        on_leave[max(quarter + first, 0) : quarter + last + 1, mother] = True
        first, last = numbers.fathers_leave
        on_leave[quarter + first : quarter + last + 1, father] = True
    return Parental(is_pregnant & ~on_leave, on_leave)
