"""Where each person works and when: hiring, change of job within or out of the cohort, and what ends working life."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pipeline.simulation.blocks import BLOCK_SIZE, Block
from pipeline.simulation.persons import REFERENCE_AGE, Persons
from pipeline.simulation.spells import Spells
from pipeline.simulation.timeline import DAYS_PER_YEAR, years_of
from pipeline.simulation.workplaces import Workplaces

_MOST = 3
"""Employments per person at most."""

ENDS = ("job_change", "left_work", "retired", "died", "health")
"""What ends an employment; health: on work assessment allowance or disability benefit after a year of sick pay."""


@dataclass(frozen=True)
class Employments:
    """Employments in order: arrays (``_MOST``, persons); ``exists`` says which of them came about.

    ``end_day`` is the last day, also where it lies after the end of the data; ``ended_by`` is a position in ``ENDS``.
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
    ended_by: np.ndarray

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
    retires_on, dies_on = _retirement_day(block, rng, persons), _day_of_death(block, rng, persons)
    exists, company, start_day, end_day, ended_by = [], [], [], [], []
    here, goes_on, begins = persons.company, np.ones(BLOCK_SIZE, dtype=bool), persons.hired_on
    at_risk_from = persons.observed_from
    for _ in range(_MOST):
        ends, cause, moves = _draw_end(block, rng, persons, at_risk_from, (retires_on, dies_on))
        exists.append(goes_on)
        company.append(here)
        start_day.append(begins)
        end_day.append(ends)
        ended_by.append(cause)
        begins = at_risk_from = ends + 1 + rng.integers(0, numbers.gap + 1, BLOCK_SIZE)
        here = _another_company(rng, workplaces, here)
        goes_on = goes_on & moves & (begins < block.timeline.end) & (begins + numbers.shortest < retires_on)
        goes_on &= begins < dies_on
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
        ended_by=np.array(ended_by),
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


def _day_of_death(block: Block, rng: np.random.Generator, persons: Persons) -> np.ndarray:
    """Draw from a rate that grows with age (Gompertz); nobody dies right after joining."""
    numbers = block.parameters.employments
    slope, age = numbers.death_age_slope, persons.age(years_of(persons.observed_from))
    rate = numbers.death_rate * np.exp(slope * (age - REFERENCE_AGE))
    years = np.log1p(slope * rng.exponential(size=BLOCK_SIZE) / rate) / slope
    return persons.observed_from + numbers.shortest + (years * DAYS_PER_YEAR).astype(int)


def _draw_end(
    block: Block, rng: np.random.Generator, persons: Persons, at_risk_from: np.ndarray,
    last: tuple[np.ndarray, np.ndarray],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """Return the last day of an employment, what ends it, and whether the person moves to another company here."""
    numbers, (retires_on, dies_on) = block.parameters.employments, last
    change_rate = numbers.job_change * np.exp(numbers.job_change_age_slope * persons.decades(years_of(at_risk_from)))
    changes = rng.exponential(1 / change_rate) * DAYS_PER_YEAR
    leaves = rng.exponential(1 / numbers.leaves_work, BLOCK_SIZE) * DAYS_PER_YEAR
    first = at_risk_from + numbers.shortest
    days = np.array([first + changes, first + leaves, retires_on, np.maximum(dies_on, at_risk_from)])
    cause = days.argmin(axis=0)
    stays = rng.random(BLOCK_SIZE) < numbers.stays_in_cohort
    return days.min(axis=0).astype(int), cause, stays & (cause == ENDS.index("job_change"))


def ended_by_health(block: Block, persons: Persons, employments: Employments, certified: Spells) -> Employments:
    """End working life where sick pay is used up and the person does not return: work assessment or disability."""
    rng, numbers = block.stream("health_exits"), block.parameters.employments
    used_up = certified.days >= block.parameters.absence.longest
    leaves = used_up & (rng.random(len(used_up)) < numbers.leaves_after_sick_pay)
    leaves &= certified.last_day >= (persons.observed_from + numbers.shortest)[certified.person]
    ends = np.full(BLOCK_SIZE, np.iinfo(np.int64).max)
    np.minimum.at(ends, certified.person[leaves], certified.last_day[leaves])
    exists = employments.exists & (employments.start_day <= ends)
    cut = employments.end_day > ends
    ended_by = np.where(cut, ENDS.index("health"), employments.ended_by)
    return replace(employments, exists=exists, end_day=np.where(cut, ends, employments.end_day), ended_by=ended_by)


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
