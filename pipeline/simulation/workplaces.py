"""Companies with their units, how demands and support differ between them, and what happens to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.simulation.blocks import BLOCK_SIZE, Block
from pipeline.simulation.timeline import DAYS_PER_YEAR
from pipeline.simulation.trial import NEVER, Trial, draw_trial

_MOST_COMPANIES = BLOCK_SIZE
"""A company has at least one participant, so a block never needs more companies than persons."""

EVENT_KINDS = ("leader_change", "reorganisation", "downsizing", "intervention_session")


@dataclass(frozen=True)
class Events:
    """What happened where: kind (position in ``EVENT_KINDS``), company, unit (-1: the whole company), value, days."""

    kind: np.ndarray
    company: np.ndarray
    unit: np.ndarray
    value: np.ndarray
    occurred_on: np.ndarray
    known_from: np.ndarray


@dataclass(frozen=True)
class Workplaces:
    """The companies of one block and their units (units are numbered through the block).

    ``absence_level`` is what companies alike in all else differ by in the rate of certified spells, ``rate_ratio``
    (quarters, companies) the effect of an intervention on it.
    """

    company_ids: tuple[str, ...]
    unit_ids: tuple[str, ...]
    industry: np.ndarray
    participants: np.ndarray
    has_ia_agreement: np.ndarray
    laboratory: np.ndarray
    asked_in_spring: np.ndarray
    survey_place: np.ndarray
    first_unit: np.ndarray
    unit_count: np.ndarray
    unit_company: np.ndarray
    latent_shift: np.ndarray
    events: Events
    is_different: np.ndarray
    absence_level: np.ndarray
    rate_ratio: np.ndarray
    trial: Trial


def draw_workplaces(block: Block) -> Workplaces:
    """Draw companies until the block's persons have a place; the last company is cut."""
    rng, numbers, industries = block.stream("workplaces"), block.parameters.workplaces, block.parameters.industries
    headcount, participants = _sizes(block, rng)
    count = int(np.searchsorted(np.cumsum(participants), BLOCK_SIZE)) + 1
    participants = participants[:count]
    participants[-1] -= participants.sum() - BLOCK_SIZE
    unit_count = np.maximum(1, np.rint(headcount[:count] / numbers.persons_per_unit)).astype(int)
    unit_company = np.repeat(np.arange(count), unit_count)
    laboratories = block.parameters.labs.laboratories
    industry = rng.choice(len(industries), count, p=_shares([row["share"] for row in industries]))
    has_ia_agreement = rng.random(count) < numbers.ia_agreement
    laboratory = rng.choice(len(laboratories), count, p=_shares([row["share"] for row in laboratories]))
    asked_in_spring = rng.random(count) < block.parameters.survey.spring
    survey_place = rng.random(count)
    trial, of_company = draw_trial(block, count), rng.normal(size=(count, len(block.parameters.latents.names) + 1))
    events = _draw_events(block, rng, unit_company, trial)
    company_ids = tuple(f"SYNTHETIC-C{block.number:04d}{company:03d}" for company in range(count))
    first_unit = np.cumsum(unit_count) - unit_count
    return Workplaces(
        company_ids=company_ids,
        unit_ids=tuple(f"{company_ids[c]}-U{u - first_unit[c] + 1}" for u, c in enumerate(unit_company)),
        industry=industry,
        participants=participants,
        has_ia_agreement=has_ia_agreement,
        laboratory=laboratory,
        asked_in_spring=asked_in_spring,
        survey_place=survey_place,
        first_unit=first_unit,
        unit_count=unit_count,
        unit_company=unit_company,
        latent_shift=_latent_shift(block, of_company[:, 1:], unit_company, events),
        events=events,
        is_different=block.stream("different").random(count) < numbers.different["share"],
        absence_level=np.exp(numbers.absence_log_sd * of_company[:, 0] - numbers.absence_log_sd**2 / 2),
        rate_ratio=trial.rate_ratio(block),
        trial=trial,
    )


def _sizes(block: Block, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return headcount and participants of more companies than a block needs; the first ones may be fixed."""
    numbers = block.parameters.workplaces
    headcount = np.exp(rng.normal(np.log(numbers.headcount_median), numbers.headcount_log_sd, _MOST_COMPANIES))
    participants = np.maximum(1, rng.binomial(np.ceil(headcount).astype(int), numbers.participation))
    fixed = np.array(numbers.participants_fixed, dtype=int)
    participants[: len(fixed)] = fixed
    headcount[: len(fixed)] = fixed / numbers.participation
    return headcount, participants


def _shares(values: list[float]) -> np.ndarray:
    return np.array(values) / sum(values)


def _draw_events(block: Block, rng: np.random.Generator, unit_company: np.ndarray, trial: Trial) -> Events:
    numbers, units = block.parameters.workplaces, len(unit_company)
    companies = int(unit_company[-1]) + 1
    leader = _dates(block, rng, units, numbers.leader_change)
    reorganised = _dates(block, rng, companies, numbers.reorganisation)
    downsized = _dates(block, rng, companies, numbers.downsizing)
    sessions = _session_dates(block, rng, trial)
    dates = (leader, reorganised, downsized, sessions)
    kind = np.repeat(np.arange(len(EVENT_KINDS)), [len(days) for _, days in dates])
    place = np.concatenate([places for places, _ in dates])
    occurred_on = np.concatenate([days for _, days in dates])
    at_unit = kind == EVENT_KINDS.index("leader_change")
    low, high = numbers.downsizing_share
    value = np.where(kind == EVENT_KINDS.index("downsizing"), rng.uniform(low, high, len(kind)), np.nan)
    known_from = occurred_on + rng.integers(0, numbers.event_known_after + 1, len(kind))
    company = place.copy()
    company[at_unit] = unit_company[place[at_unit]]
    return Events(kind, company, np.where(at_unit, place, -1), np.round(value, 2), occurred_on, known_from)


def _dates(block: Block, rng: np.random.Generator, places: int, per_year: float) -> tuple[np.ndarray, np.ndarray]:
    """Draw events of a constant rate from the first day of the history on: (place, day)."""
    first, end = block.timeline.history_start, block.timeline.end
    counts = rng.poisson(per_year * (end - first) / DAYS_PER_YEAR, places)
    return np.repeat(np.arange(places), counts), rng.integers(first, end, counts.sum())


def _session_dates(block: Block, rng: np.random.Generator, trial: Trial) -> tuple[np.ndarray, np.ndarray]:
    """Return the sessions of the trial; without a trial every company holds them, and they change nothing.

    The same numbers are drawn in both cases, so that companies are the same with and without a trial.
    """
    numbers, companies = block.parameters.workplaces, len(trial.arm)
    sessions = np.array(numbers.intervention_days)
    moved = rng.integers(-numbers.intervention_moved, numbers.intervention_moved + 1, (companies, len(sessions)))
    planned = block.timeline.start + sessions + moved
    held = planned < block.timeline.end
    held[:, -1] &= rng.random(companies) >= numbers.intervention_dropped
    if trial.arm.any():
        planned, held = trial.sessions, trial.sessions < NEVER
    return np.nonzero(held)[0], planned[held]


def _latent_shift(block: Block, of_company: np.ndarray, unit_company: np.ndarray, events: Events) -> np.ndarray:
    """Return how far a unit's persons lie from the rest: float (quarters, units, latents), in SD.

    ``of_company`` (companies, latents) is what companies differ by on their own, as standard scores.
    """
    numbers, names = block.parameters.workplaces, block.parameters.latents.names
    between = np.sqrt([numbers.variance_shared[name] for name in names])
    company = of_company * between
    shift = np.repeat(company[None, unit_company], len(block.timeline), axis=0)
    for kind, effects in numbers.event_effects.items():
        chosen = np.flatnonzero(events.kind == EVENT_KINDS.index(kind))
        touched = np.where(
            events.unit[chosen, None] >= 0,
            events.unit[chosen, None] == np.arange(len(unit_company)),
            events.company[chosen, None] == unit_company,
        )
        since = block.timeline.middles[:, None] - events.occurred_on[chosen]
        works = (since >= 0) & (since < numbers.event_effect_days)
        size = np.minimum(works.astype(float) @ touched, 1.0)
        for name, effect in effects.items():
            shift[:, :, names.index(name)] += effect * size
    return shift
