"""Everything that is true in one block of persons, drawn in causal order, before any source reports it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.simulation.absence import Course, Hazard, draw_course, make_hazard
from pipeline.simulation.blocks import BLOCK_SIZE, Block
from pipeline.simulation.certificates import draw_grades
from pipeline.simulation.consents import Consents, draw_consents
from pipeline.simulation.employments import Employments, draw_employments
from pipeline.simulation.latents import Latents, draw_latents
from pipeline.simulation.persons import Persons, draw_persons
from pipeline.simulation.responses import Responses, draw_responses
from pipeline.simulation.self_certified import draw_self_certified
from pipeline.simulation.spells import Spells
from pipeline.simulation.survey import ScaleModel, draw_stable_parts, scale_models
from pipeline.simulation.workplaces import Workplaces, draw_workplaces


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
