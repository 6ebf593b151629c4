"""Six blocks of the simulator for three years, drawn once for a file of tests."""

from __future__ import annotations

from datetime import date
from functools import cache

import numpy as np

from pipeline.simulation.blocks import Block
from pipeline.simulation.parameters import read_parameters
from pipeline.simulation.timeline import Timeline
from pipeline.simulation.world import World, build_world

BLOCKS = 6


@cache
def worlds(*scenarios: str) -> tuple[World, ...]:
    timeline = Timeline.between(date(2021, 1, 1), date(2024, 1, 1), 8, 4)
    return tuple(build_world(Block(11, number, timeline, read_parameters(scenarios))) for number in range(BLOCKS))


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(one, other)[0, 1])
