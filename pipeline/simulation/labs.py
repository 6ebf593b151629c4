"""Laboratory panels at the health check: correlated analytes, reported the way each laboratory reports them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from data_contracts.analytes import ANALYTES, reference_limits
from pipeline.simulation.blocks import BLOCK_SIZE, Block
from pipeline.simulation.consents import Consents
from pipeline.simulation.drift import laboratory_factor
from pipeline.simulation.employments import Employments
from pipeline.simulation.lab_reports import reported
from pipeline.simulation.latents import Latents
from pipeline.simulation.persons import REFERENCE_AGE, Persons
from pipeline.simulation.timeline import DAYS_PER_YEAR, years_of
from pipeline.simulation.workplaces import Workplaces

_MOST_VITAMIN_D = 255
"""Day of the year, in the middle of September."""

_POSITIONS = {analyte.name: position for position, analyte in enumerate(ANALYTES)}


@dataclass(frozen=True)
class _Panels:
    """Panels that took place: whose, when, known when, measured by which laboratory, and whether with an infection."""

    person: np.ndarray
    sampled_on: np.ndarray
    known_from: np.ndarray
    laboratory: np.ndarray
    is_woman: np.ndarray
    age: np.ndarray
    has_infection: np.ndarray


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
    panels = _draw_panels(block, rng, workplaces, employments, persons, consents)
    traits = draw_lab_traits(block, persons, latents)
    site_shift = np.array([row["shift"] for row in numbers.laboratories])[panels.laboratory]
    limit_shift = numbers.reference_shift * (panels.laboratory - 1)
    systolic, tables = np.full(len(panels.person), np.inf), []
    for name, model in numbers.analytes.items():
        value = _values(rng, numbers, name, panels, traits[name])
        if name == "systolic_bp":
            systolic = value
        if name == "diastolic_bp":
            value = np.minimum(value, systolic - numbers.pulse_pressure)
        measured = rng.random(len(panels.person)) < numbers.measured
        low, high = reference_limits(
            np.full(len(panels.person), _POSITIONS[name]), panels.is_woman.astype(np.int8), panels.age
        )
        if name not in numbers.measured_on_site:
            value = value * (1 + site_shift)
            low, high = low * (1 + limit_shift), high * (1 + limit_shift)
        value = value * laboratory_factor(block, name, panels.laboratory, panels.sampled_on)
        rows = reported(block, ANALYTES[_POSITIONS[name]], model, value, panels.laboratory, (low, high))
        rows |= {"person": panels.person, "sampled_on": panels.sampled_on, "known_from": panels.known_from}
        tables.append({column: values[measured] for column, values in rows.items()})
    return tables


def _draw_panels(
    block: Block, rng: np.random.Generator, workplaces: Workplaces, employments: Employments, persons: Persons,
    consents: Consents,
) -> _Panels:  # fmt: skip
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
    employment = employments.at(person, sampled_on)
    takes_place = is_readable & (employment >= 0)
    person, sampled_on, employment = person[takes_place], sampled_on[takes_place], employment[takes_place]
    return _Panels(
        person=person,
        sampled_on=sampled_on,
        known_from=known_from[takes_place],
        laboratory=workplaces.laboratory[employments.company[employment, person]],
        is_woman=persons.is_female[person],
        age=years_of(sampled_on) - persons.birth_year[person],
        has_infection=rng.random(len(person)) < numbers.infection,
    )


def draw_lab_traits(block: Block, persons: Persons, latents: Latents) -> dict[str, np.ndarray]:
    """Return, per analyte, each person's stable standard score: mean 0 and SD 1 among persons alike in sex and age.

    Analytes are correlated through shared factors (body mass, lipids, ...); body mass hangs together with the latent
    physical health. What a panel measures is this score and what changes from day to day: see :func:`stable_share`.
    """
    rng, numbers = block.stream("lab_traits"), block.parameters.labs
    names = sorted({name for model in numbers.analytes.values() for name in _loadings(model, is_woman=True)})
    factors = {name: rng.normal(size=BLOCK_SIZE) for name in names}
    health = latents.deviation[
        block.timeline.first_index_quarter, :, block.parameters.latents.names.index("physical_health")
    ]
    factors["bmi"] = numbers.bmi_health * health + np.sqrt(1 - numbers.bmi_health**2) * factors["bmi"]
    traits = {}
    for name, model in numbers.analytes.items():
        own = rng.normal(size=BLOCK_SIZE)
        of_sex = [_trait(model, factors, own, numbers.person_share, is_woman=woman) for woman in (False, True)]
        traits[name] = np.where(persons.is_female, of_sex[1], of_sex[0])
    return traits


def _loadings(model: dict[str, Any], *, is_woman: bool) -> dict[str, float]:
    loadings: dict[str, float] = model["factors"]
    return loadings | model.get("women_factors", {}) if is_woman else loadings


def _trait(
    model: dict[str, Any], factors: dict[str, np.ndarray], own: np.ndarray, person_share: float, *, is_woman: bool
) -> np.ndarray:
    loadings = _loadings(model, is_woman=is_woman)
    unique = 1 - sum(loading**2 for loading in loadings.values())
    shared = sum((loading * factors[name] for name, loading in loadings.items()), np.zeros(BLOCK_SIZE))
    return (shared + np.sqrt(unique * person_share) * own) / np.sqrt(
        stable_share(model, person_share, is_woman=is_woman)
    )


def stable_share(model: dict[str, Any], person_share: float, *, is_woman: bool) -> float:
    """Return the share of an analyte's variance that is the person's: all of the factors, ``person_share`` of the rest."""
    shared = sum(loading**2 for loading in _loadings(model, is_woman=is_woman).values())
    return shared + (1 - shared) * person_share


def _values(rng: np.random.Generator, numbers: Any, name: str, panels: _Panels, trait: np.ndarray) -> np.ndarray:
    """Return values in the analyte's canonical unit."""
    model = numbers.analytes[name]
    of_sex = [stable_share(model, numbers.person_share, is_woman=woman) for woman in (True, False)]
    share = np.where(panels.is_woman, *of_sex)
    score = np.sqrt(share) * trait[panels.person] + np.sqrt(1 - share) * rng.normal(size=len(panels.person))
    from_centre = model["age"] * (panels.age - REFERENCE_AGE) / 10 + model["sd"] * score
    centre = np.where(panels.is_woman, model["women"], model["men"])
    value = centre * np.exp(from_centre) if model.get("log") else centre + from_centre
    if name == "crp":
        return np.where(panels.has_infection, value * numbers.infection_factor, value)
    if name == "vitamin_d":
        year = 2 * np.pi * (panels.sampled_on % DAYS_PER_YEAR - _MOST_VITAMIN_D) / DAYS_PER_YEAR
        return value + numbers.vitamin_d_season * np.cos(year)
    return value
