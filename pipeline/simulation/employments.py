"""Where each person works and when: hiring, change of job within or out of the cohort, retirement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.simulation.blocks import BLOCK_SIZE, Block
from pipeline.simulation.persons import Persons
from pipeline.simulation.timeline import DAYS_PER_YEAR, years_of
from pipeline.simulation.workplaces import Workplaces

_MOST = 3
"""Employments per person at most."""


@dataclass(frozen=True)
class Employments:
    """Employments in order: arrays (``_MOST``, persons); ``exists`` says which of them came about.

    ``end_day`` is the last day, also where it lies after the end of the data.
    """

    exists: np.ndarray
    company: np.ndarray
    unit: np.ndarray
    start_day: np.ndarray
    end_day: np.ndarray
    occupation: np.ndarray
    position_percent: np.ndarray
    is_shift_work: np.ndarray
    is_leader: np.ndarray

    @property
    def last_day(self) -> np.ndarray:
        """Last day of each person's last employment."""
        return np.where(self.exists, self.end_day, np.iinfo(np.int64).min).max(axis=0)

    def at(self, person: np.ndarray, day: np.ndarray) -> np.ndarray:
        """Return which employment of ``person`` covers ``day``, element by element; -1 for none."""
        covers = self.exists[:, person] & (self.start_day[:, person] <= day) & (day <= self.end_day[:, person])
        return np.where(covers.any(axis=0), covers.argmax(axis=0), -1)

    def latest_on(self, day: np.ndarray) -> np.ndarray:
        """Return the latest employment begun by ``day``, the first one for days before it."""
        begun = self.exists[1:] & (self.start_day[1:] <= np.asarray(day)[..., None, :])
        return begun.sum(axis=-2)


def draw_employments(block: Block, workplaces: Workplaces, persons: Persons) -> Employments:
    """Draw each person's employments, one after the other."""
    rng, numbers = block.stream("employments"), block.parameters.employments
    retires_on = _retirement_day(block, rng, persons)
    exists, company, start_day, end_day = [], [], [], []
    here, goes_on, begins = persons.company, np.ones(BLOCK_SIZE, dtype=bool), persons.hired_on
    at_risk_from = persons.observed_from
    for _ in range(_MOST):
        ends, moves = _draw_end(block, rng, persons, at_risk_from, retires_on)
        exists.append(goes_on)
        company.append(here)
        start_day.append(begins)
        end_day.append(ends)
        begins = at_risk_from = ends + 1 + rng.integers(0, numbers.gap + 1, BLOCK_SIZE)
        here = _another_company(rng, workplaces, here)
        goes_on = goes_on & moves & (begins < block.timeline.end) & (begins + numbers.shortest < retires_on)
    companies = np.array(company)
    industry = workplaces.industry[companies]
    return Employments(
        exists=np.array(exists),
        company=companies,
        unit=workplaces.first_unit[companies] + rng.integers(0, workplaces.unit_count[companies]),
        start_day=np.array(start_day),
        end_day=np.array(end_day),
        occupation=_draw_occupation(block, rng, industry),
        position_percent=_draw_position(block, rng, persons),
        is_shift_work=rng.random(industry.shape)
        < np.array([row["shift"] for row in block.parameters.industries])[industry],
        is_leader=rng.random(industry.shape) < numbers.leader,
    )


def _retirement_day(block: Block, rng: np.random.Generator, persons: Persons) -> np.ndarray:
    numbers = block.parameters.employments
    age = numbers.retirement_from + rng.exponential(1 / numbers.retirement_rate, BLOCK_SIZE)
    past_62 = persons.age(years_of(persons.observed_from)) >= numbers.retirement_from
    wait = rng.exponential(1 / numbers.retirement_rate, BLOCK_SIZE) * DAYS_PER_YEAR
    born = (persons.birth_year - 1970) * DAYS_PER_YEAR + rng.integers(0, 365, BLOCK_SIZE)
    planned = np.where(past_62, persons.observed_from + wait, born + age * DAYS_PER_YEAR)
    latest = born + numbers.last_age * DAYS_PER_YEAR
    return np.maximum(np.minimum(planned, latest), persons.observed_from + numbers.shortest).astype(int)


def _draw_end(
    block: Block, rng: np.random.Generator, persons: Persons, at_risk_from: np.ndarray, retires_on: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the last day of an employment, and whether the person moves to another company of the cohort."""
    numbers = block.parameters.employments
    change_rate = numbers.job_change * np.exp(numbers.job_change_age_slope * persons.decades(years_of(at_risk_from)))
    changes = rng.exponential(1 / change_rate) * DAYS_PER_YEAR
    leaves = rng.exponential(1 / numbers.leaves_work, BLOCK_SIZE) * DAYS_PER_YEAR
    own_choice = at_risk_from + numbers.shortest + np.minimum(changes, leaves)
    ends = np.minimum(own_choice, retires_on).astype(int)
    stays = rng.random(BLOCK_SIZE) < numbers.stays_in_cohort
    return ends, stays & (changes < leaves) & (own_choice < retires_on)


def _another_company(rng: np.random.Generator, workplaces: Workplaces, company: np.ndarray) -> np.ndarray:
    """Draw companies by their number of participants; who draws the own one goes to its neighbour."""
    share = workplaces.participants / workplaces.participants.sum()
    drawn = rng.choice(len(share), BLOCK_SIZE, p=share)
    return np.where(drawn == company, (drawn + 1) % len(share), drawn)


def _draw_occupation(block: Block, rng: np.random.Generator, industry: np.ndarray) -> np.ndarray:
    """Return positions in the industry's list of occupations."""
    counts = np.array([len(row["occupations"]) for row in block.parameters.industries])
    return rng.integers(0, counts[industry])


def _draw_position(block: Block, rng: np.random.Generator, persons: Persons) -> np.ndarray:
    numbers = block.parameters.employments
    share = np.where(persons.is_female, numbers.part_time["female"], numbers.part_time["male"])
    is_part_time = rng.random((_MOST, BLOCK_SIZE)) < share
    position = rng.choice(numbers.part_time_positions, (_MOST, BLOCK_SIZE), p=numbers.part_time_weights)
    return np.where(is_part_time, position, 100)
