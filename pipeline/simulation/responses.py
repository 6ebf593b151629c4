"""Who answers which survey wave: invited where one works, less likely to answer when distressed, exhausted or absent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.simulation.blocks import BLOCK_SIZE, Block
from pipeline.simulation.consents import Consents
from pipeline.simulation.drift import response_log_odds
from pipeline.simulation.employments import Employments
from pipeline.simulation.latents import Latents
from pipeline.simulation.persons import Persons
from pipeline.simulation.spells import Spells, overlaps
from pipeline.simulation.timeline import years_of
from pipeline.simulation.workplaces import Workplaces


@dataclass(frozen=True)
class Responses:
    """Answered questionnaires (person, answered_on) and the number of invitations behind them, by wave."""

    person: np.ndarray
    answered_on: np.ndarray
    wave: np.ndarray
    invited: np.ndarray


def draw_responses(
    block: Block, rng: np.random.Generator, workplaces: Workplaces, persons: Persons, employments: Employments,
    consents: Consents, latents: Latents, certified: Spells,
) -> Responses:  # fmt: skip
    """Go through the yearly waves; who drops out is not asked again."""
    numbers, everyone = block.parameters.survey, np.arange(BLOCK_SIZE)
    is_active, invitations = np.ones(BLOCK_SIZE, dtype=bool), np.zeros(BLOCK_SIZE, dtype=int)
    drop_out = np.array(numbers.drop_out)
    parts, invited = [], []
    for wave_days in _wave_days(block, workplaces):
        is_invited, day = _invitation(employments, wave_days)
        day = day + rng.integers(0, numbers.answer_within + 1, BLOCK_SIZE)
        _, is_readable = consents.readable("survey", everyone, day, block.timeline.end)
        is_invited &= is_active & is_readable & (day >= persons.onboarded_on)
        log_odds = _log_odds(block, workplaces, persons, latents, day)
        log_odds += numbers.response_absent * overlaps(_single_days(everyone, day), certified)
        answers = is_invited & (rng.random(BLOCK_SIZE) < 1 / (1 + np.exp(-log_odds)))
        stops = rng.random(BLOCK_SIZE) < drop_out[np.minimum(invitations, len(drop_out) - 1)]
        is_active &= ~(is_invited & stops)
        invitations += is_invited
        parts.append((np.flatnonzero(answers), day[answers]))
        invited.append(is_invited)
    wave = np.repeat(np.arange(len(parts)), [len(person) for person, _ in parts])
    person, answered_on = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Responses(person, answered_on, wave, np.array(invited))


def _wave_days(block: Block, workplaces: Workplaces) -> np.ndarray:
    """Return each company's survey day in every calendar year that the data touch: (waves, companies)."""
    numbers, timeline = block.parameters.survey, block.timeline
    first, last = years_of(np.array([timeline.start, timeline.end - 1]))
    new_year = np.arange(first, last + 1).astype(str).astype("datetime64[D]").astype(int)
    low = np.where(workplaces.asked_in_spring, numbers.spring_days[0], numbers.autumn_days[0])
    high = np.where(workplaces.asked_in_spring, numbers.spring_days[1], numbers.autumn_days[1])
    return new_year[:, None] + np.floor(low + workplaces.survey_place * (high - low)).astype(int)


def _invitation(employments: Employments, wave_days: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return who is employed on the survey day of the own company, and that day."""
    day = wave_days[employments.company]
    covers = employments.exists & (employments.start_day <= day) & (day <= employments.end_day)
    return covers.any(axis=0), day[covers.argmax(axis=0), np.arange(BLOCK_SIZE)]


def _log_odds(block: Block, workplaces: Workplaces, persons: Persons, latents: Latents, day: np.ndarray) -> np.ndarray:
    numbers, names = block.parameters.survey, block.parameters.latents.names
    deviation = latents.deviation[block.timeline.quarter_of(day), np.arange(BLOCK_SIZE)]
    is_public = np.array([row["division"] in numbers.public_divisions for row in block.parameters.industries])
    observed = numbers.response_women * (persons.is_female - 0.5)
    observed += numbers.response_per_10_years * persons.decades(years_of(day))
    observed += numbers.response_public * is_public[workplaces.industry[persons.company]]
    unobserved = numbers.response_distress * deviation[:, names.index("distress")]
    unobserved += numbers.response_exhaustion * deviation[:, names.index("exhaustion")]
    changed = response_log_odds(block, deviation[:, names.index("exhaustion")], day)
    return numbers.response + persons.engagement + observed + unobserved + changed


def _single_days(person: np.ndarray, day: np.ndarray) -> Spells:
    return Spells(person, day, np.ones_like(day), np.zeros_like(day))
