"""Everything that is true in one block of persons, drawn in causal order, before any source reports it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.simulation.absence import Course, draw_course
from pipeline.simulation.blocks import BLOCK_SIZE, Block
from pipeline.simulation.certificates import draw_grades
from pipeline.simulation.consents import Consents, draw_consents
from pipeline.simulation.employments import ENDS, Employments, draw_employments, ended_by_health
from pipeline.simulation.hazard import Hazard, make_hazard
from pipeline.simulation.labs import draw_lab_traits
from pipeline.simulation.latents import Latents, draw_latents
from pipeline.simulation.parental import Parental, draw_parental
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
    parental: Parental


def build_world(block: Block) -> World:
    """Draw one block in causal order: workplace, person, latent health, absence, response."""
    workplaces = draw_workplaces(block)
    persons = draw_persons(block, workplaces)
    employments = draw_employments(block, workplaces, persons)
    consents = draw_consents(block, persons).stopped_on(workplaces.trial.withdrew_on[persons.company])
    parental = draw_parental(block, persons)
    latents = draw_latents(block, workplaces, persons, employments)
    absence, survey = block.stream("absence"), block.stream("survey")
    at = employments.latest_on(block.timeline.middles[:, None] + np.zeros(BLOCK_SIZE, dtype=int))
    company = np.take_along_axis(employments.company, at, axis=0)
    traits = draw_lab_traits(block, persons, latents) if block.parameters.labs.absence_effects else {}
    hazard = make_hazard(block, absence, workplaces, persons, parental, company, traits)
    course = draw_course(block, absence, hazard, latents)
    employments = ended_by_health(block, persons, employments, course.spells)
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
        grade=draw_grades(block, absence, persons, certified),
        self_certified=draw_self_certified(block, workplaces, persons, employments, latents, certified),
        responses=draw_responses(block, survey, workplaces, persons, employments, consents, latents, certified),
        models=models,
        stable=stable,
        streams={"absence": absence, "survey": survey},
        parental=parental,
    )


def _as_employed(spells: Spells, employments: Employments, block: Block) -> Spells:
    """Keep the spells of the register's history that began before the person left working life; death ends a spell."""
    last_day = employments.last_day[spells.person]
    kept = np.flatnonzero((spells.first_day <= last_day) & (spells.last_day >= block.timeline.history_start))
    spells, last_day = spells.take(kept), last_day[kept]
    died = (employments.exists & (employments.ended_by == ENDS.index("died"))).any(axis=0)[spells.person]
    return spells.between(spells.first_day, np.where(died, last_day, spells.last_day))
