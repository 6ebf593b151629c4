"""One block's world as rows of every table, in the order in which they are written."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pipeline.simulation import rows
from pipeline.simulation.files.arrow_rows import concatenated
from pipeline.simulation.guidance import draw_guidance_rows
from pipeline.simulation.labs import draw_lab_rows
from pipeline.simulation.survey import survey_rows
from pipeline.simulation.truth.groups import truth_companies, truth_persons
from pipeline.simulation.truth.risk_rows import truth_rows
from pipeline.simulation.world import World

TRUTH_FILES = {
    "truth": "truth/truth.csv",
    "truth_persons": "truth/persons.csv",
    "truth_companies": "truth/companies.csv",
}
"""Where the tables lie that no reader of a source may see; always CSV."""


def tables_of(world: World, count: int) -> Iterator[tuple[str, rows.Rows]]:
    """Yield (table, rows) of the block; only companies that employ one of its first ``count`` persons have events."""
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
    yield from (("truth", risks) for risks in truth_rows(world))
    yield "truth_persons", truth_persons(world)
    groups = truth_companies(world)
    is_here = np.isin(groups.pop("company"), companies)
    yield "truth_companies", {name: column[is_here] for name, column in groups.items()}


def block_tables(world: World, count: int) -> dict[str, rows.Rows]:
    """Return all rows of the block's first ``count`` persons, table by table, under their names."""
    parts: dict[str, list[rows.Rows]] = {}
    for table, found in rows.of_first_persons(tables_of(world, count), world.block, count):
        parts.setdefault(table, []).append(found)
    return {table: concatenated(found) for table, found in parts.items()}
