"""The answered questionnaires of a block as one matrix per instrument, with missing items and straight-lining in."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np

from data_contracts.instruments import INSTRUMENTS, score
from pipeline.simulation.survey import survey_rows
from pipeline.simulation.world import World

_SPAN = 1 << 20


@dataclass(frozen=True)
class Sheets:
    """One element per answered questionnaire, in order of person and day; answers (sheets, items) by instrument."""

    person: np.ndarray
    answered_on: np.ndarray
    answers: dict[str, np.ndarray]

    @classmethod
    def of(cls, world: World, count: int) -> Sheets:
        """Return the sheets of the block's first ``count`` persons; the block's own random stream is left alone."""
        responses = world.responses
        keys = np.unique((responses.person * _SPAN + responses.answered_on)[responses.person < count])
        answers = {}
        rng = copy.deepcopy(world.streams["survey"])
        for rows in survey_rows(
            world.block, rng, responses, world.persons, world.latents, world.models, world.stable
        ):  # fmt: skip
            (name,) = rows["instrument"].vocabulary
            position = INSTRUMENTS[name].item_positions
            matrix = np.full((len(keys), len(position)), np.nan)
            here = rows["person"] < count
            sheet = np.searchsorted(keys, (rows["person"] * _SPAN + rows["answered_on"])[here])
            column = np.array([position[item] for item in rows["item"].vocabulary])[rows["item"].codes[here]]
            matrix[sheet, column] = rows["answer"][here]
            answers[name] = matrix
        return cls(keys // _SPAN, keys % _SPAN, answers)

    def scores(self) -> dict[str, np.ndarray]:
        """Return the scores of every scale that was asked, by scale name."""
        found: dict[str, np.ndarray] = {}
        for name, answers in self.answers.items():
            columns = score(INSTRUMENTS[name], answers).T
            found |= {scale.name: column for scale, column in zip(INSTRUMENTS[name].scales, columns, strict=True)}
        return found

    def items(self, instrument: str, scale_name: str) -> np.ndarray:
        """Return the answers to a scale's items, reversed items turned: (sheets, items)."""
        declared = INSTRUMENTS[instrument]
        return scale_items(self.answers[instrument], instrument, scale_name, declared.item_positions)


def scale_items(answers: np.ndarray, instrument: str, scale_name: str, position: dict[str, int]) -> np.ndarray:
    """Return the columns of a scale's items, turned so that all point the same way."""
    declared = INSTRUMENTS[instrument]
    (scale,) = (one for one in declared.scales if one.name == scale_name)
    columns = []
    for item in scale.items:
        column, codes = answers[:, position[item]], declared.items[position[item]].answers
        columns.append(min(codes) + max(codes) - column if item in scale.reversed_items else column)
    return np.stack(columns, axis=1)
