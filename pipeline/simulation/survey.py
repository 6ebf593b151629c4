"""Item answers by a graded response model: latents move a scale, the scale moves its items, thresholds make answers.

Items, answer codes, reversed items and scales come from the declared instruments; only the loadings are parameters.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from data_contracts.instruments import INSTRUMENTS, Instrument, Scale
from data_contracts.tables import Coded
from pipeline.simulation.blocks import BLOCK_SIZE, Block
from pipeline.simulation.latents import Latents, correlation_matrix, effects
from pipeline.simulation.parameters import Parameters
from pipeline.simulation.persons import Persons
from pipeline.simulation.responses import Responses


@dataclass(frozen=True)
class ScaleModel:
    """How one scale answers: its weights on the latents, and centre, spread and loading of its items in answer codes.

    ``unique`` is the weight of what is stable in the person and in no latent, so that the scale has variance 1.
    """

    scale: Scale
    weights: np.ndarray
    unique: float
    centres: np.ndarray
    spread: float
    loading: float
    only_clients: bool

    def trait(self, level: np.ndarray, stable: np.ndarray) -> np.ndarray:
        """Return the scale's value in SD from latents (..., latents) and the person's stable part (...)."""
        return level @ self.weights + self.unique * stable


def scale_models(parameters: Parameters) -> dict[str, ScaleModel]:
    """Return a model for every declared scale that owns items, by scale name."""
    models = {}
    for instrument in INSTRUMENTS.values():
        for scale in _owners(instrument).values():
            models[scale.name] = _scale_model(parameters, instrument, scale)
    return models


def _owners(instrument: Instrument) -> dict[str, Scale]:
    """Item id -> the first scored scale that lists it (criteria read the items of another scale)."""
    owners: dict[str, Scale] = {}
    for scale in sorted(instrument.scales, key=lambda scale: scale.method == "criteria"):
        for item in scale.items:
            owners.setdefault(item, scale)
    return owners


def _scale_model(parameters: Parameters, instrument: Instrument, scale: Scale) -> ScaleModel:
    numbers = parameters.survey.scales.get(scale.name) or _default(parameters, instrument, scale)
    weights = effects(parameters, numbers["latents"])
    explained = float(weights @ correlation_matrix(parameters) @ weights)
    offsets = numbers["step"] * (np.arange(len(scale.items)) - (len(scale.items) - 1) / 2)
    return ScaleModel(
        scale=scale,
        weights=weights,
        unique=float(np.sqrt(max(0.0, 1 - explained))),
        centres=numbers["centre"] + offsets,
        spread=numbers["spread"],
        loading=numbers["loading"],
        only_clients=numbers.get("asked_of") == "clients",
    )


def _default(parameters: Parameters, instrument: Instrument, scale: Scale) -> dict[str, Any]:
    """Return plausible numbers for a scale that the parameter file does not name."""
    numbers, position = parameters.survey.default, instrument.item_positions[scale.items[0]]
    answers = instrument.items[position].answers
    low, high = min(answers), max(answers)
    sign = 1 if scale.higher_is_worse else -1
    named = parameters.survey.default_latents[scale.domain]
    return {
        "centre": (low if sign > 0 else high) + sign * numbers["centre"] * (high - low),
        "spread": numbers["spread"] * (high - low),
        "loading": numbers["loading"],
        "step": 0.0,
        "latents": {name: sign * effect for name, effect in named.items()},
    }


def draw_stable_parts(rng: np.random.Generator, models: dict[str, ScaleModel]) -> dict[str, np.ndarray]:
    """Draw, per scale, what is stable in each person and in no latent."""
    return {name: rng.normal(size=BLOCK_SIZE) for name in models}


def survey_rows(
    block: Block, rng: np.random.Generator, responses: Responses, persons: Persons, latents: Latents,
    models: dict[str, ScaleModel], stable: dict[str, np.ndarray],
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """Yield the answers of one instrument after the other: person, instrument, item, answer, answered_on."""
    numbers, person = block.parameters.survey, responses.person
    level = latents.level[block.timeline.quarter_of(responses.answered_on), person]
    for instrument in INSTRUMENTS.values():
        answers = _answers(rng, instrument, models, level, {name: part[person] for name, part in stable.items()})
        straight = rng.random(len(person)) < numbers.straight_lining
        answers = np.where(straight[:, None], _first_position(instrument, answers), answers)
        asked = np.array([persons.has_clients[person] | ~_model_of(instrument, models, item.id).only_clients
                          for item in instrument.items]).T  # fmt: skip
        sheet, item = np.nonzero(asked & (rng.random(answers.shape) >= numbers.item_missing))
        codes = np.zeros(len(sheet), dtype=np.int32)
        yield {
            "person": person[sheet],
            "instrument": Coded(codes, (instrument.name,)),
            "item": Coded(item.astype(np.int32), tuple(item.id for item in instrument.items)),
            "answer": answers[sheet, item],
            "answered_on": responses.answered_on[sheet],
            "known_from": responses.answered_on[sheet],
        }


def _model_of(instrument: Instrument, models: dict[str, ScaleModel], item: str) -> ScaleModel:
    return models[_owners(instrument)[item].name]


def _answers(
    rng: np.random.Generator, instrument: Instrument, models: dict[str, ScaleModel], level: np.ndarray,
    stable: dict[str, np.ndarray],
) -> np.ndarray:  # fmt: skip
    """Return answer codes, (sheets, items)."""
    answers = np.empty((len(level), len(instrument.items)))
    for column, item in enumerate(instrument.items):
        model = _model_of(instrument, models, item.id)
        trait = model.trait(level, stable[model.scale.name])
        noise = np.sqrt(1 - model.loading**2) * rng.normal(size=len(level))
        wanted = model.centres[model.scale.items.index(item.id)] + model.spread * (model.loading * trait + noise)
        codes = np.sort(item.answers)
        position = np.searchsorted((codes[1:] + codes[:-1]) / 2, wanted)
        answers[:, column] = codes[::-1][position] if item.id in model.scale.reversed_items else codes[position]
    return answers


def _first_position(instrument: Instrument, answers: np.ndarray) -> np.ndarray:
    """Return sheets on which every item is ticked at the place of the first one."""
    place = np.searchsorted(np.sort(instrument.items[0].answers), answers[:, 0])
    return np.stack(
        [np.sort(item.answers)[np.minimum(place, len(item.answers) - 1)] for item in instrument.items], axis=1
    )
