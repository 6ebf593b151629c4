"""Questionnaires: latents move a scale, the scale moves its items; who is asked what, and what is left open.

Items, answer codes, reversed items and scales come from the declared instruments; which of them are asked, and how a
scale answers, are parameters. How an item becomes an answer code is in :mod:`pipeline.simulation.answers`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from data_contracts.instruments import INSTRUMENTS, Instrument, Scale
from data_contracts.tables import Coded
from pipeline.simulation.answers import Form, ItemModel
from pipeline.simulation.blocks import BLOCK_SIZE, Block
from pipeline.simulation.drift import scale_shift
from pipeline.simulation.latents import Latents, correlation_matrix, effects
from pipeline.simulation.parameters import Parameters
from pipeline.simulation.persons import EDUCATION, Persons
from pipeline.simulation.responses import Responses

ALL = "all"


@dataclass(frozen=True)
class ScaleModel:
    """How one scale answers: its weights on the latents, and centre, spread and loading of its items in answer codes.

    Its value has variance 1: ``unique`` is the weight of what is stable in the person and in no latent, ``passing`` of
    what is gone within two weeks. ``items`` has the numbers of items that differ from the rest.
    """

    scale: Scale
    weights: np.ndarray
    unique: float
    passing: float
    centres: np.ndarray
    spread: float
    loading: float
    only_clients: bool
    items: dict[str, dict[str, float]]

    def trait(self, level: np.ndarray, stable: np.ndarray) -> np.ndarray:
        """Return the scale's lasting value in SD from latents (..., latents) and the person's stable part (...)."""
        return level @ self.weights + self.unique * stable

    def item(self, instrument: Instrument, item: str, place: int) -> ItemModel:
        """Return how one of its items is answered; ``place`` is the scale's position among those asked."""
        own = self.items.get(item, {})
        return ItemModel(
            item=instrument.items[instrument.item_positions[item]],
            scale=place,
            loading=own.get("loading", self.loading),
            centre=own.get("centre", self.centres[self.scale.items.index(item)]),
            spread=own.get("spread", self.spread),
            is_reversed=item in self.scale.reversed_items,
            only_clients=self.only_clients,
        )


def scale_models(parameters: Parameters, asked: Mapping[str, Any] | None = None) -> dict[str, ScaleModel]:
    """Return a model for every scale that answers items, by name; ``asked`` instead of the survey's own instruments."""
    models = {}
    for name, scales in (parameters.survey.instruments if asked is None else asked).items():
        for scale in _owners(parameters, INSTRUMENTS[name]).values():
            if scales == ALL or scale.name in scales:
                models[scale.name] = _scale_model(parameters, INSTRUMENTS[name], scale)
    return models


def _owners(parameters: Parameters, instrument: Instrument) -> dict[str, Scale]:
    """Item id -> the scale that answers it: the first that the parameters name, else the first that lists it."""
    named = parameters.survey.scales
    owners: dict[str, Scale] = {}
    for scale in sorted(instrument.scales, key=lambda scale: (scale.name not in named, scale.method == "criteria")):
        for item in scale.items:
            owners.setdefault(item, scale)
    return owners


def _scale_model(parameters: Parameters, instrument: Instrument, scale: Scale) -> ScaleModel:
    numbers = parameters.survey.scales.get(scale.name) or _default(parameters, instrument, scale)
    weights, passing = effects(parameters, numbers["latents"]), numbers.get("passing", 0.0)
    explained = float(weights @ correlation_matrix(parameters) @ weights)
    offsets = numbers["step"] * (np.arange(len(scale.items)) - (len(scale.items) - 1) / 2)
    return ScaleModel(
        scale=scale,
        weights=weights,
        unique=float(np.sqrt(max(0.0, 1 - explained - passing**2))),
        passing=passing,
        centres=numbers["centre"] + offsets,
        spread=numbers["spread"],
        loading=numbers["loading"],
        only_clients=numbers.get("asked_of") == "clients",
        items=numbers.get("items", {}),
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


def form_of(instrument: Instrument, models: dict[str, ScaleModel], parameters: Parameters) -> Form:
    """Return the items of an instrument whose scales are among the models, in order."""
    owners, place = _owners(parameters, instrument), {name: place for place, name in enumerate(models)}
    asked = [(item.id, owners[item.id].name) for item in instrument.items if owners[item.id].name in models]
    items = [models[scale].item(instrument, item, place[scale]) for item, scale in asked]
    return Form(items, parameters.survey.amounts)


def scale_values(
    rng: np.random.Generator, models: dict[str, ScaleModel], stable: dict[str, np.ndarray], level: np.ndarray,
    under_reported: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """Return what persons answer from, (sheets, scales) in SD: lasting and passing part, less what they do not report.

    ``stable`` has, as ``level`` and ``under_reported``, one element per sheet.
    """
    values = np.empty((len(level), len(models)), dtype=np.float32)
    for column, (name, model) in enumerate(models.items()):
        sign = 1 if model.scale.higher_is_worse else -1
        values[:, column] = model.trait(level, stable[name]) - sign * under_reported
        if model.passing:
            values[:, column] += model.passing * rng.standard_normal(len(level))
    return values


def under_reporting(persons: Persons, parameters: Parameters) -> np.ndarray:
    """Return by how many SD of every scale each person reports less strain than there is."""
    bias = parameters.survey.bias
    return bias["shift"] * np.isin(persons.education, [EDUCATION.index(level) for level in bias["education_level"]])


def survey_rows(
    block: Block, rng: np.random.Generator, responses: Responses, persons: Persons, latents: Latents,
    models: dict[str, ScaleModel], stable: dict[str, np.ndarray],
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """Yield the answers of one instrument after the other: person, instrument, item, answer, answered_on."""
    numbers, person = block.parameters.survey, responses.person
    level = latents.level[block.timeline.quarter_of(responses.answered_on), person]
    under_reported = under_reporting(persons, block.parameters)[person]
    values = scale_values(rng, models, {name: part[person] for name, part in stable.items()}, level, under_reported)
    for column, (name, model) in enumerate(models.items()):
        sign = 1 if model.scale.higher_is_worse else -1
        values[:, column] += sign * scale_shift(block, name, responses.answered_on)
    for name in numbers.instruments:
        form = form_of(INSTRUMENTS[name], models, block.parameters)
        answers = form.answer(rng, values, numbers.straight_lining)
        asked = form.is_asked(answers, persons.has_clients[person])
        is_answered = rng.random(answers.shape, dtype=np.float32) >= numbers.item_missing
        sheet, item = np.nonzero(asked & is_answered)
        yield {
            "person": person[sheet],
            "instrument": Coded(np.zeros(len(sheet), dtype=np.int32), (name,)),
            "item": Coded(item.astype(np.int32), tuple(one.item.id for one in form.items)),
            "answer": answers[sheet, item],
            "answered_on": responses.answered_on[sheet],
            "known_from": responses.answered_on[sheet],
        }
