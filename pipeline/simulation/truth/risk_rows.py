"""The true risks of a block as rows of truth/truth.csv: everyone employed, on the first day of every quarter.

Columns: person, index_date, at_work, on_parental_leave, and one probability per outcome; the events of absence are
parameters. ``at_work`` means employed and without a certified day in the 16 days before. It is also true of people on
parental leave: they cannot fall ill until they are back, which the risk allows for, but no source that a model reads
tells of the leave.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pipeline.simulation import rows
from pipeline.simulation.blocks import BLOCK_SIZE
from pipeline.simulation.truth.absence import AbsenceRisk, at_work
from pipeline.simulation.truth.burnout import BurnoutRisk
from pipeline.simulation.world import World

_DECIMALS = 5


def truth_rows(world: World) -> Iterator[rows.Rows]:
    """Yield the true risks of everyone employed, quarter by quarter."""
    block, everyone = world.block, np.arange(BLOCK_SIZE)
    absence, burnout = AbsenceRisk(block, world.hazard), BurnoutRisk(block, world.models)
    for quarter in block.timeline.index_quarters:
        index_date = np.full(BLOCK_SIZE, block.timeline.quarters[quarter])
        is_employed = (world.employments.at(everyone, index_date) >= 0) & (world.persons.onboarded_on < index_date)
        risks = absence.on(quarter, world.course, world.latents)
        risks["burnout"] = burnout.on(quarter, world.latents, world.stable)
        table = {"person": everyone, "index_date": index_date, "at_work": at_work(block, quarter, world.certified)}
        table["on_parental_leave"] = world.parental.on_leave[quarter]
        table |= {name: np.round(risk, _DECIMALS) for name, risk in risks.items()}
        yield {name: column[is_employed] for name, column in table.items()}
