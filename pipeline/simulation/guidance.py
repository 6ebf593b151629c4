"""Personal guidance after a survey, offered to those who carry most, about what they carry most of."""

from __future__ import annotations

from typing import Any

import numpy as np

from data_contracts.tables import Coded
from pipeline.simulation.blocks import Block
from pipeline.simulation.consents import Consents
from pipeline.simulation.latents import Latents
from pipeline.simulation.responses import Responses

_DOMAINS = {"exhaustion": "stress", "distress": "mental_health", "pain": "pain", "sleep": "sleep", "demands": "work"}
_LIFESTYLE = ("physical_activity", "diet")


def draw_guidance_rows(block: Block, responses: Responses, consents: Consents, latents: Latents) -> dict[str, Any]:
    """Return guidance sessions: person, domain, held_on, known_from."""
    rng, numbers = block.stream("guidance"), block.parameters.guidance
    names = block.parameters.latents.names
    level = latents.level[block.timeline.quarter_of(responses.answered_on), responses.person]
    burden = level[:, [names.index(name) for name in _DOMAINS]]
    accepts = (burden.max(axis=1) > numbers.offered_above) & (rng.random(len(level)) < numbers.accepts)
    about_lifestyle = len(_DOMAINS) + rng.integers(0, len(_LIFESTYLE), len(level))
    domain = np.where(rng.random(len(level)) < numbers.lifestyle, about_lifestyle, burden.argmax(axis=1))
    count = np.where(accepts, 1 + rng.choice(len(numbers.sessions), len(level), p=numbers.sessions), 0)
    first = responses.answered_on + rng.integers(numbers.first_after[0], numbers.first_after[1] + 1, len(level))
    row = np.repeat(np.arange(len(level)), count)
    turn = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    held_on = first[row] + turn * numbers.days_between
    person = responses.person[row]
    known_from, is_readable = consents.readable("survey", person, held_on, block.timeline.end)
    rows = {"person": person, "held_on": held_on, "known_from": known_from,
            "domain": Coded(domain[row].astype(np.int32), (*_DOMAINS.values(), *_LIFESTYLE))}  # fmt: skip
    return {name: column[is_readable] for name, column in rows.items()}
