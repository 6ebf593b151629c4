"""Laboratory panels at the health check: correlated analytes, reported the way each laboratory reports them."""

from __future__ import annotations

from typing import Any

import numpy as np

from data_contracts.analytes import ANALYTES, Analyte, AnalyteCode, canonical, reference_limits
from data_contracts.tables import Coded
from pipeline.simulation.blocks import BLOCK_SIZE, Block
from pipeline.simulation.consents import Consents
from pipeline.simulation.employments import Employments
from pipeline.simulation.latents import Latents
from pipeline.simulation.persons import REFERENCE_AGE, Persons
from pipeline.simulation.timeline import DAYS_PER_YEAR, years_of
from pipeline.simulation.workplaces import Workplaces

_POSITIONS = {analyte.name: position for position, analyte in enumerate(ANALYTES)}


def draw_lab_rows(
    block: Block,
    workplaces: Workplaces,
    persons: Persons,
    employments: Employments,
    consents: Consents,
    latents: Latents,
) -> list[dict[str, Any]]:
    """Return one set of rows per analyte: person, code, comparator, value, unit, limits, laboratory, days."""
    rng, numbers = block.stream("labs"), block.parameters.labs
    person, sampled_on, known_from = _draw_panels(block, rng, employments, persons, consents)
    scores = _FactorScores(block, rng, persons, latents, person)
    laboratory = workplaces.laboratory[employments.company[np.maximum(employments.at(person, sampled_on), 0), person]]
    has_infection = rng.random(len(person)) < numbers.infection
    age = years_of(sampled_on) - persons.birth_year[person]
    systolic = np.full(len(person), np.inf)
    tables = []
    for name, model in numbers.analytes.items():
        value = _values(model, persons, person, sampled_on, scores.of(model["factors"]))
        if name == "crp":
            value = np.where(has_infection, value * numbers.infection_factor, value)
        if name == "systolic_bp":
            systolic = value
        if name == "diastolic_bp":
            value = np.minimum(value, systolic - numbers.pulse_pressure)
        if name == "vitamin_d":
            value = value + numbers.vitamin_d_season * np.cos(
                2 * np.pi * (sampled_on % DAYS_PER_YEAR - 255) / DAYS_PER_YEAR
            )
        measured = rng.random(len(person)) < numbers.measured
        limits = reference_limits(
            np.full(len(person), _POSITIONS[name]), persons.is_female[person].astype(np.int8), age
        )
        rows = _reported(block, ANALYTES[_POSITIONS[name]], model, value, laboratory, limits)
        rows |= {"person": person, "sampled_on": sampled_on, "known_from": known_from}
        tables.append({column: values[measured] for column, values in rows.items()})
    return tables


def _draw_panels(
    block: Block, rng: np.random.Generator, employments: Employments, persons: Persons, consents: Consents
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return person, day and day of the answer of the panels that took place."""
    numbers, timeline = block.parameters.labs, block.timeline
    first = persons.onboarded_on + rng.integers(numbers.first_panel[0], numbers.first_panel[1], BLOCK_SIZE)
    between = int(numbers.years_between * DAYS_PER_YEAR)
    most = int((timeline.end - timeline.start) / between) + 1
    moved = rng.integers(-numbers.moved, numbers.moved + 1, (most, BLOCK_SIZE))
    day = first + np.arange(most)[:, None] * between + moved
    attends = rng.random(day.shape) < numbers.attends
    panel, person = np.nonzero(attends & (day >= persons.onboarded_on))
    sampled_on = day[panel, person]
    answered_on = sampled_on + rng.integers(numbers.answer_after[0], numbers.answer_after[1] + 1, len(person))
    known_from, is_readable = consents.readable("lab", person, answered_on, timeline.end)
    takes_place = is_readable & (employments.at(person, sampled_on) >= 0)
    return person[takes_place], sampled_on[takes_place], known_from[takes_place]


class _FactorScores:
    """Shared causes of analytes (body mass, lipids, ...): stable in the person, so that panels of one person agree."""

    def __init__(
        self, block: Block, rng: np.random.Generator, persons: Persons, latents: Latents, person: np.ndarray
    ) -> None:
        numbers = block.parameters.labs
        names = sorted({factor for model in numbers.analytes.values() for factor in model["factors"]})
        stable = {name: rng.normal(size=BLOCK_SIZE) for name in names}
        health = latents.deviation[
            block.timeline.first_index_quarter, :, block.parameters.latents.names.index("physical_health")
        ]
        stable["bmi"] = numbers.bmi_health * health + np.sqrt(1 - numbers.bmi_health**2) * stable["bmi"]
        self._factors = {name: values[person] for name, values in stable.items()}
        self._rng, self._person, self._share = rng, person, numbers.person_share

    def of(self, loadings: dict[str, float]) -> np.ndarray:
        """Return an analyte's standard score per panel."""
        own, now = self._rng.normal(size=BLOCK_SIZE)[self._person], self._rng.normal(size=len(self._person))
        rest = np.sqrt(self._share) * own + np.sqrt(1 - self._share) * now
        shared = sum(loading * self._factors[name] for name, loading in loadings.items())
        return shared + np.sqrt(1 - sum(loading**2 for loading in loadings.values())) * rest


def _values(
    model: dict[str, Any], persons: Persons, person: np.ndarray, day: np.ndarray, score: np.ndarray
) -> np.ndarray:
    """Return values in the analyte's canonical unit."""
    centre = np.where(persons.is_female[person], model["women"], model["men"])
    decades = (years_of(day) - persons.birth_year[person] - REFERENCE_AGE) / 10
    if model.get("log"):
        return centre * np.exp(model["age"] * decades + model["sd"] * score)
    return centre + model["age"] * decades + model["sd"] * score


def _reported(
    block: Block,
    analyte: Analyte,
    model: dict[str, Any],
    value: np.ndarray,
    laboratory: np.ndarray,
    limits: tuple[np.ndarray, np.ndarray],
) -> dict[str, Any]:
    """Turn canonical values into code, unit, rounding, "<" and reference limits of each laboratory."""
    value = np.clip(value, analyte.hard_low * 1.02 + 1e-3, analyte.hard_high * 0.98)
    below = model.get("below", 0.0)
    is_below = np.round(value, model["decimals"]) < below
    value = np.where(is_below, below, value)
    laboratories = block.parameters.labs.laboratories
    codes = [_code(analyte, row["codes"]) for row in laboratories]
    factor = np.array([code.factor for code in codes])[laboratory]
    offset = np.array([code.offset for code in codes])[laboratory]
    decimals = np.array([_decimals(model["decimals"], code.factor) for code in codes])[laboratory]
    shift = 1 + block.parameters.labs.reference_shift * (np.arange(len(codes)) - 1)[laboratory]
    low, high = (limit * shift for limit in limits)
    place = laboratory.astype(np.int32)
    return {
        "code_system": Coded(place, tuple(code.code_system for code in codes)),
        "code": Coded(place, tuple(code.code for code in codes)),
        "unit": Coded(place, tuple(code.unit for code in codes)),
        "laboratory": Coded(place, tuple(row["name"] for row in laboratories)),
        "comparator": Coded(np.where(is_below, 0, -1).astype(np.int32), ("<",)),
        "value": _rounded((value - offset) / factor, decimals),
        "reference_low": _rounded((low - offset) / factor, decimals),
        "reference_high": _rounded((high - offset) / factor, decimals),
    }


def _code(analyte: Analyte, overrides: dict[str, list[str]]) -> AnalyteCode:
    """Return how a laboratory reports an analyte: by its own code if it has one, else by the first declared."""
    if analyte.name not in overrides:
        return analyte.codes[0]
    system, code, unit = overrides[analyte.name]
    found = canonical(system, code, unit)
    if found is None or ANALYTES[found[0]] is not analyte:
        raise ValueError(f"{system} {code} in {unit} is no declared code of {analyte.name}")
    return AnalyteCode(system, code, unit, found[1], found[2])


def _decimals(decimals: int, factor: float) -> int:
    """Keep about as many significant digits in another unit: 5.2 mmol/L is 201 mg/dL, 36 mmol/mol is 5.4 %."""
    return max(0, decimals + int(np.rint(np.log10(factor))))


def _rounded(value: np.ndarray, decimals: np.ndarray) -> np.ndarray:
    scale = 10.0**decimals
    return np.rint(value * scale) / scale
