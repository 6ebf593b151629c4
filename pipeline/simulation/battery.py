"""Any declared instruments, asked once of given persons: what an acceptance check compares with published figures.

Nothing of it is written. Everybody asked answers every item, in the middle of the first year of the data.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from data_contracts.instruments import INSTRUMENTS, score
from pipeline.simulation.blocks import BLOCK_SIZE
from pipeline.simulation.survey import ALL, draw_stable_parts, form_of, scale_models, scale_values, under_reporting
from pipeline.simulation.world import World

_QUARTERS_INTO_THE_YEAR = 2


def battery_answers(
    world: World, instruments: Sequence[str], persons: np.ndarray, *, again: bool = False
) -> dict[str, np.ndarray]:
    """Return answer codes (persons, items) of each instrument; ``again``: of the same persons two weeks later.

    An instrument's answers depend neither on which others are asked nor of whom.
    """
    block, names = world.block, list(INSTRUMENTS)
    of_stable, *of_instrument = block.stream("battery").spawn(1 + 2 * len(names))
    models = scale_models(block.parameters, dict.fromkeys(names, ALL))
    stable = draw_stable_parts(of_stable, models) | world.stable
    level = world.latents.level[block.timeline.first_index_quarter + _QUARTERS_INTO_THE_YEAR]
    under_reported = under_reporting(world.persons, block.parameters)
    answers = {}
    for name in instruments:
        rng = of_instrument[2 * names.index(name) + again]
        own = scale_models(block.parameters, {name: ALL})
        values = scale_values(rng, own, stable, level, under_reported)
        form = form_of(INSTRUMENTS[name], own, block.parameters)
        codes = form.answer(rng, values, block.parameters.survey.straight_lining)
        codes[~form.is_asked(codes, np.ones(BLOCK_SIZE, dtype=bool))] = np.nan
        answers[name] = codes[persons]
    return answers


def battery_scores(
    world: World, instruments: Sequence[str], persons: np.ndarray, *, again: bool = False
) -> dict[str, np.ndarray]:
    """Return the scores of every scale of the instruments, by scale name, one element per person.

    Short forms that are made of the items of a longer one are scored within it, as ``hscl10_within_hscl25``.
    """
    scores: dict[str, np.ndarray] = {}
    for name, answers in battery_answers(world, instruments, persons, again=again).items():
        instrument = INSTRUMENTS[name]
        columns = score(instrument, answers).T
        scores |= {scale.name: column for scale, column in zip(instrument.scales, columns, strict=True)}
        for short, items in world.block.parameters.survey.short_forms.get(name, {}).items():
            chosen = answers[:, [instrument.item_positions[item] for item in items]]
            scores[f"{short}_within_{name}"] = chosen.mean(axis=1)
    return scores
