"""Worlds of the simulator small enough to be counted by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest

from data_contracts.time_windows import day_number
from pipeline.simulation.blocks import BLOCK_SIZE, Block
from pipeline.simulation.employments import Employments
from pipeline.simulation.parameters import read_parameters
from pipeline.simulation.spells import Spells
from pipeline.simulation.timeline import Timeline
from pipeline.simulation.world import World, build_world
from pipeline.simulation_check.measured import Measured

PARAMETERS = read_parameters()
START, END = date(2021, 1, 1), date(2026, 1, 1)
FIRST, LAST = day_number(START), day_number(END) - 1


def world_of(number: int, start: date = START, end: date = END) -> World:
    timeline = Timeline.between(start, end, PARAMETERS.cohort.history, PARAMETERS.cohort.burn_in)
    return build_world(Block(7, number, timeline, PARAMETERS))


def spells(*rows: tuple[int, str, int]) -> Spells:
    """Spells from (person, first day, days), in order."""
    person, first_day, days = zip(*sorted((who, day_number(day), days) for who, day, days in rows), strict=True)
    return Spells(np.array(person), np.array(first_day), np.array(days), np.zeros(len(rows), dtype=int))


def everyone_works(position: dict[int, int]) -> Employments:
    """One employment for all, in the first company from 2010 on; ``position``: who works less than full time."""
    shape = (3, BLOCK_SIZE)
    percent_of = np.full(shape, 100)
    for person, value in position.items():
        percent_of[:, person] = value
    return Employments(
        exists=np.arange(3)[:, None] + np.zeros(shape) == 0, company=np.zeros(shape, dtype=int),
        unit=np.zeros(shape, dtype=int), start_day=np.full(shape, day_number("2010-01-01")),
        end_day=np.full(shape, day_number("2040-01-01")), occupation=np.zeros(shape, dtype=int), position_percent=percent_of,
        is_shift_work=np.zeros(shape, dtype=bool), is_leader=np.zeros(shape, dtype=bool),
        ended_by=np.zeros(shape, dtype=int),
    )  # fmt: skip


def small(world: World, certified: Spells, grade: list[int] | None = None, **others: Any) -> World:
    """Return a world whose persons 0 and 1 are men and 2 and 3 women, all employed all the time."""
    is_female = np.isin(np.arange(BLOCK_SIZE), [2, 3])
    persons = replace(world.persons, is_female=is_female, observed_from=np.full(BLOCK_SIZE, FIRST),
                      birth_year=np.full(BLOCK_SIZE, 1980))  # fmt: skip
    nothing = Spells(*(np.array([], dtype=int) for _ in range(4)))
    grades = np.full(len(certified.days), 100) if grade is None else np.array(grade)
    changed: dict[str, Any] = {"persons": persons, "employments": everyone_works({}), "certified": certified,
                               "grade": grades, "self_certified": nothing} | others  # fmt: skip
    return replace(world, **changed)


def near(measurement: Measured, value: float) -> bool:
    return measurement.value == pytest.approx(value)
