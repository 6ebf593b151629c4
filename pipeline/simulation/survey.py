"""Item answers by a graded response model: latents move a scale, the scale moves its items, thresholds make answers.

Items, answer codes, reversed items and scales come from the declared instruments; which of them are asked and the
loadings are parameters. An item with very many answer codes (minutes a day) is an amount: log-normal, in round numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from data_contracts.instruments import INSTRUMENTS, Instrument, Item, Scale
from data_contracts.tables import Coded
from pipeline.simulation.blocks import BLOCK_SIZE, Block
from pipeline.simulation.latents import Latents, correlation_matrix, effects
from pipeline.simulation.parameters import Parameters
from pipeline.simulation.persons import Persons
from pipeline.simulation.responses import Responses

FEWEST_CODES_OF_AN_AMOUNT = 21


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
    """Return a model for every scale that is asked, by scale name."""
    models = {}
    for name, asked in parameters.survey.instruments.items():
        for scale in _owners(INSTRUMENTS[name]).values():
            if asked == "all" or scale.name in asked:
                models[scale.name] = _scale_model(parameters, INSTRUMENTS[name], scale)
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
    for name in numbers.instruments:
        items = _asked_items(INSTRUMENTS[name], models)
        answers = _answers(rng, items, numbers, level, {scale: part[person] for scale, part in stable.items()})
        straight = rng.random(len(person)) < numbers.straight_lining
        answers = np.where(straight[:, None], _first_position(items, answers), answers)
        asked = _is_asked(items, answers, persons.has_clients[person], numbers)
        sheet, item = np.nonzero(asked & (rng.random(answers.shape) >= numbers.item_missing))
        yield {
            "person": person[sheet],
            "instrument": Coded(np.zeros(len(sheet), dtype=np.int32), (name,)),
            "item": Coded(item.astype(np.int32), tuple(one.id for one in items)),
            "answer": answers[sheet, item],
            "answered_on": responses.answered_on[sheet],
            "known_from": responses.answered_on[sheet],
        }


def _asked_items(instrument: Instrument, models: dict[str, ScaleModel]) -> dict[Item, ScaleModel]:
    """Return the items of the scales that are asked, each with the model of its scale."""
    owners = _owners(instrument)
    return {item: models[owners[item.id].name] for item in instrument.items if owners[item.id].name in models}


def _answers(
    rng: np.random.Generator, items: dict[Item, ScaleModel], numbers: Any, level: np.ndarray,
    stable: dict[str, np.ndarray],
) -> np.ndarray:  # fmt: skip
    """Return answer codes, (sheets, items)."""
    answers = np.empty((len(level), len(items)))
    for column, (item, model) in enumerate(items.items()):
        trait = model.trait(level, stable[model.scale.name])
        noise = np.sqrt(1 - model.loading**2) * rng.normal(size=len(level))
        standing = model.loading * trait + noise
        if len(item.answers) >= FEWEST_CODES_OF_AN_AMOUNT:
            answers[:, column] = _amounts(item, numbers, standing)
        else:
            answers[:, column] = _codes(item, model, standing)
    return answers


def _codes(item: Item, model: ScaleModel, standing: np.ndarray) -> np.ndarray:
    """Return the answer code next to where each person stands on the item."""
    wanted = model.centres[model.scale.items.index(item.id)] + model.spread * standing
    codes = np.sort(item.answers)
    position = np.searchsorted((codes[1:] + codes[:-1]) / 2, wanted)
    return codes[::-1][position] if item.id in model.scale.reversed_items else codes[position]


def _amounts(item: Item, numbers: Any, standing: np.ndarray) -> np.ndarray:
    amount = numbers.amounts.get(item.id, numbers.amounts["default"])
    wanted = amount["median"] * np.exp(amount["log_sd"] * standing)
    rounded = amount["step"] * np.maximum(1, np.rint(wanted / amount["step"]))
    return np.clip(rounded, min(item.answers), max(item.answers))


def _is_asked(items: dict[Item, ScaleModel], answers: np.ndarray, has_clients: np.ndarray, numbers: Any) -> np.ndarray:
    """Client items are asked of those who have clients, amounts of those who do the thing at all; (sheets, items)."""
    asked = np.ones(answers.shape, dtype=bool)
    column_of = {item.id: column for column, item in enumerate(items)}
    for column, (item, model) in enumerate(items.items()):
        if model.only_clients:
            asked[:, column] = has_clients
        condition = numbers.amounts.get(item.id, {}).get("only_if")
        if condition is not None:
            asked[:, column] &= answers[:, column_of[condition]] > 0
    return asked


def _first_position(items: dict[Item, ScaleModel], answers: np.ndarray) -> np.ndarray:
    """Return sheets on which every item with as many answers as the first one is ticked at the same place."""
    first, *_ = items
    place = np.searchsorted(np.sort(first.answers), answers[:, 0])
    return np.stack(
        [
            np.sort(item.answers)[place] if len(item.answers) == len(first.answers) else answers[:, column]
            for column, item in enumerate(items)
        ],
        axis=1,
    )
