"""Worlds of the simulator, one block each, in any scenarios."""

from __future__ import annotations

from datetime import date

import numpy as np

from data_contracts.time_windows import day_number
from pipeline.simulation.blocks import Block
from pipeline.simulation.parameters import read_parameters
from pipeline.simulation.spells import Spells
from pipeline.simulation.timeline import Timeline
from pipeline.simulation.world import World, build_world

START, END = date(2021, 1, 1), date(2026, 1, 1)


def block_of(*scenarios: str, number: int = 0, start: date = START, end: date = END) -> Block:
    parameters = read_parameters(scenarios)
    timeline = Timeline.between(start, end, parameters.cohort.history, parameters.cohort.burn_in)
    return Block(7, number, timeline, parameters)


def world_of(*scenarios: str, number: int = 0) -> World:
    return build_world(block_of(*scenarios, number=number))


def spells_of(*told: tuple[int, str, int]) -> Spells:
    person, first_day, days = zip(*told, strict=True)
    first = np.array([day_number(day) for day in first_day])
    return Spells(np.array(person), first, np.array(days), np.zeros(len(told), dtype=int))
