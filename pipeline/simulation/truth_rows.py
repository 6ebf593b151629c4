"""The true risks of a block as rows of truth/truth.csv: everyone employed, on the first day of every quarter."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pipeline.simulation import rows, truth
from pipeline.simulation.blocks import BLOCK_SIZE
from pipeline.simulation.world import World


def truth_rows(world: World) -> Iterator[rows.Rows]:
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
