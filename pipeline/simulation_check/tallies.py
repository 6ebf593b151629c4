"""Everything that the check counts, theme by theme, over any number of blocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.simulation.parameters import read_parameters
from pipeline.simulation.world import World
from pipeline.simulation_check import (
    absence_tallies,
    battery_tallies,
    diagnosis_tallies,
    effect_tallies,
    lab_tallies,
    response_tallies,
    risk_tallies,
    spell_tallies,
    survey_tallies,
    truth_tallies,
    workplace_tallies,
)
from pipeline.simulation_check.measured import Measured, Sums
from pipeline.simulation_check.sheets import Sheets
from pipeline.simulation_check.targets import industries_with_target

BLOCKS_WITH_SHEETS = 20
"""Questionnaires and laboratory results are compared in the first 20 blocks: enough for a third decimal."""


@dataclass(frozen=True)
class Tallies:
    """Sums by theme; what no block has counted yet is not there."""

    sums: dict[str, Sums]
    scenarios: tuple[str, ...]

    def merge(self, other: Tallies) -> Tallies:
        """Return the tallies of both, whatever the order."""
        assert self.scenarios == other.scenarios, f"cannot merge {self.scenarios} with {other.scenarios}"
        themes = {**self.sums, **other.sums}
        return Tallies({theme: _added(self.sums.get(theme), other.sums.get(theme)) for theme in themes}, self.scenarios)


def _added(one: Sums | None, other: Sums | None) -> Sums:
    if one is None or other is None:
        return one or other or {}
    return {name: _sum(array, other[name]) for name, array in one.items()}


def _sum(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.asarray(one + other)


def tally_block(world: World, count: int) -> Tallies:
    """Count one block: its first ``count`` persons."""
    sums = {
        "absence": absence_tallies.tally(world, count),
        "spells": spell_tallies.tally(world, count),
        "risks": risk_tallies.tally(world, count),
        "diagnoses": diagnosis_tallies.tally(world, count),
        "responses": response_tallies.tally(world, count),
        "workplaces": workplace_tallies.tally(world, count),
        "truth": truth_tallies.tally(world, count),
    }
    if world.block.number < BLOCKS_WITH_SHEETS:
        sheets = Sheets.of(world, count)
        sums["survey"] = survey_tallies.tally(world, sheets)
        sums["effects"] = effect_tallies.tally(world, sheets)
        sums["battery"] = battery_tallies.tally(world, count)
        sums["labs"] = lab_tallies.tally(world, count)
    return Tallies(sums, world.block.parameters.scenarios)


def statistics(tallies: Tallies) -> dict[str, Measured]:
    """Return every simulated number by target id."""
    parameters, sums = read_parameters(tallies.scenarios), tallies.sums
    divisions = tuple(row["division"] for row in parameters.industries)
    return {
        **absence_tallies.measure(sums["absence"], divisions, industries_with_target()),
        **spell_tallies.measure(sums["spells"]),
        **risk_tallies.measure(sums["risks"]),
        **diagnosis_tallies.measure(sums["diagnoses"], parameters),
        **response_tallies.measure(sums["responses"]),
        **workplace_tallies.measure(sums["workplaces"]),
        **truth_tallies.measure(sums["truth"]),
        **survey_tallies.measure(sums["survey"]),
        **effect_tallies.measure(sums["effects"]),
        **battery_tallies.measure(sums["battery"]),
        **lab_tallies.measure(sums["labs"]),
    }
