"""The whole cohort: block after block through the causal order, written to CSV source files with a SYNTHETIC stamp."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from data_contracts.errors import SettingsError
from pipeline.simulation import rows, truth
from pipeline.simulation.absence import Course, Hazard, draw_course, make_hazard
from pipeline.simulation.blocks import BLOCK_SIZE, Block
from pipeline.simulation.certificates import draw_grades
from pipeline.simulation.consents import Consents, draw_consents
from pipeline.simulation.employments import Employments, draw_employments
from pipeline.simulation.guidance import draw_guidance_rows
from pipeline.simulation.labs import draw_lab_rows
from pipeline.simulation.latents import Latents, draw_latents
from pipeline.simulation.parameters import read_parameters
from pipeline.simulation.persons import Persons, draw_persons
from pipeline.simulation.rates import Rates
from pipeline.simulation.responses import Responses, draw_responses
from pipeline.simulation.self_certified import draw_self_certified
from pipeline.simulation.source_files import SourceFiles
from pipeline.simulation.spells import Spells
from pipeline.simulation.survey import ScaleModel, draw_stable_parts, scale_models, survey_rows
from pipeline.simulation.timeline import Timeline
from pipeline.simulation.workplaces import Workplaces, draw_workplaces

Progress = Callable[[int], None]
"""Called after each block with the number of persons that it added."""


@dataclass(frozen=True)
class World:
    """Everything that is true in one block, before any source reports it."""

    block: Block
    workplaces: Workplaces
    persons: Persons
    employments: Employments
    consents: Consents
    latents: Latents
    hazard: Hazard
    course: Course
    certified: Spells
    grade: np.ndarray
    self_certified: Spells
    responses: Responses
    models: dict[str, ScaleModel]
    stable: dict[str, np.ndarray]
    streams: dict[str, np.random.Generator]


def simulate(
    directory: Path, persons: int, seed: int, start: date, end: date, progress: Progress | None = None
) -> dict[str, Any]:
    """Write a synthetic cohort's source files into ``directory`` and return counts and rates."""
    parameters = read_parameters()
    if (end - start).days < 365:
        raise SettingsError(f"simulate: {start} to {end} is less than a year; choose a later end.")
    timeline = Timeline.between(start, end, parameters.cohort.history, parameters.cohort.burn_in)
    rates = Rates()
    with SourceFiles(directory) as files:
        for number in range(-(-persons // BLOCK_SIZE)):
            world = build_world(Block(seed, number, timeline, parameters))
            count = min(BLOCK_SIZE, persons - number * BLOCK_SIZE)
            for table, block_rows in rows.of_first_persons(_tables(world, count), world.block, count):
                files.write(table, block_rows)
            rates.add(world.block, world.persons, world.employments, world.certified, world.grade, world.self_certified,
                      world.responses, count)  # fmt: skip
            if progress is not None:
                progress(count)
    summary = {
        "synthetic": True, "persons": persons, "seed": seed, "start": start.isoformat(), "end": end.isoformat(),
        "parameters_sha256": parameters.sha256, "rows": files.rows, "rates": rates.summary(),
    }  # fmt: skip
    _stamp(directory, summary)
    return summary


def build_world(block: Block) -> World:
    """Draw one block in causal order: workplace, person, latent health, absence, response."""
    workplaces = draw_workplaces(block)
    persons = draw_persons(block, workplaces)
    employments = draw_employments(block, workplaces, persons)
    consents = draw_consents(block, persons)
    latents = draw_latents(block, workplaces, persons, employments)
    absence, survey = block.stream("absence"), block.stream("survey")
    at = employments.latest_on(block.timeline.middles[:, None] + np.zeros(BLOCK_SIZE, dtype=int))
    industry = workplaces.industry[np.take_along_axis(employments.company, at, axis=0)]
    hazard = make_hazard(block, absence, workplaces, persons, industry)
    course = draw_course(block, absence, hazard, latents, persons)
    certified = _as_employed(course.spells, employments, block)
    models = scale_models(block.parameters)
    stable = draw_stable_parts(survey, models)
    return World(
        block=block,
        workplaces=workplaces,
        persons=persons,
        employments=employments,
        consents=consents,
        latents=latents,
        hazard=hazard,
        course=course,
        certified=certified,
        grade=draw_grades(block, absence, certified),
        self_certified=draw_self_certified(block, workplaces, persons, employments, latents, certified),
        responses=draw_responses(block, survey, workplaces, persons, employments, consents, latents, certified),
        models=models,
        stable=stable,
        streams={"absence": absence, "survey": survey},
    )


def _as_employed(spells: Spells, employments: Employments, block: Block) -> Spells:
    """Keep the spells of the register's history that began before the person left working life."""
    began = spells.first_day <= employments.last_day[spells.person]
    return spells.take(np.flatnonzero(began & (spells.last_day >= block.timeline.history_start)))


def _tables(world: World, count: int) -> Iterator[tuple[str, rows.Rows]]:
    block, streams = world.block, world.streams
    employment = rows.employment_rows(block, world.workplaces, world.employments, world.consents)
    companies = np.unique(employment.pop("company")[employment["person"] < count])
    yield "persons", rows.person_rows(block, world.persons)
    yield "employments", employment
    yield "consents", rows.consents_as_rows(block, world.consents)
    sheets = (block, streams["survey"], world.responses, world.persons, world.latents, world.models, world.stable)
    for answers in survey_rows(*sheets):
        yield "survey_answers", answers
    for results in draw_lab_rows(
        block, world.workplaces, world.persons, world.employments, world.consents, world.latents
    ):
        yield "lab_results", results
    spells = (world.certified, world.grade, world.self_certified)
    yield "absence_spells", rows.absence_rows(block, streams["absence"], *spells, world.consents)
    yield "workplace_events", rows.event_rows(block, world.workplaces, companies)
    yield "guidance_sessions", draw_guidance_rows(block, world.responses, world.consents, world.latents)
    yield from (("truth", truth_rows) for truth_rows in _truth(world))


def _truth(world: World) -> Iterator[rows.Rows]:
    """Yield the true risks of everyone employed, quarter by quarter."""
    block, burnout = world.block, truth.BurnoutRisk(world.block, world.models)
    everyone = np.arange(BLOCK_SIZE)
    for quarter in block.timeline.index_quarters:
        index_date = np.full(BLOCK_SIZE, block.timeline.quarters[quarter])
        is_employed = (world.employments.at(everyone, index_date) >= 0) & (world.persons.onboarded_on < index_date)
        sick_leave = truth.long_sick_leave(block, quarter, world.hazard, world.course, world.latents, world.persons)
        table = {
            "person": everyone, "index_date": index_date, "at_work": truth.at_work(block, quarter, world.certified),
            "long_sick_leave": np.round(sick_leave, 5),
            "burnout": np.round(burnout.on(quarter, world.latents, world.stable), 5),
        }  # fmt: skip
        yield {name: column[is_employed] for name, column in table.items()}


def _stamp(directory: Path, summary: dict[str, Any]) -> None:
    """Say in the directory itself that nobody in it is real."""
    (directory / "source.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    (directory / "SYNTHETIC.md").write_text(
        "# SYNTHETIC data\n\n"
        "Every person, company and spell in this directory is invented by a simulator. Nothing here says anything\n"
        "about real people, and no result on these data is evidence about them. Identifiers begin with SYNTHETIC-.\n\n"
        f"* persons: {summary['persons']}, seed: {summary['seed']}, {summary['start']} to {summary['end']}\n"
        f"* parameters.yaml, sha256: {summary['parameters_sha256']}\n"
        "* truth/truth.csv holds the simulator's own risks; it is for judging models, never for training them.\n",
        encoding="utf-8",
    )
