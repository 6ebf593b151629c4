"""What is true of persons and companies and no model may see: rows of truth/persons.csv and truth/companies.csv."""

from __future__ import annotations

import numpy as np

from data_contracts.tables import Coded
from data_contracts.time_windows import NO_DAY
from pipeline.simulation import rows
from pipeline.simulation.employments import ENDS
from pipeline.simulation.trial import ARMS, NEVER
from pipeline.simulation.world import World

STILL_EMPLOYED = "none"


def truth_persons(world: World) -> rows.Rows:
    """Return one row per person: group, frailty, births and what ended working life by the end of the data."""
    persons, last_day = world.persons, world.employments.last_day
    last = world.employments.exists.sum(axis=0) - 1
    everyone = np.arange(len(last))
    has_ended = last_day < world.block.timeline.end
    ended_by = np.where(has_ended, 1 + world.employments.ended_by[last, everyone], 0)
    inside = world.block.timeline.index_quarters
    return {
        "person": everyone,
        "immigrant_background": persons.has_immigrant_background,
        "frailty": np.round(world.hazard.frailty, 4),
        "quarters_on_parental_leave": world.parental.on_leave[inside].sum(axis=0),
        "work_ended_by": Coded(ended_by.astype(np.int32), (STILL_EMPLOYED, *ENDS)),
        "work_ended_on": np.where(has_ended, last_day, NO_DAY),
    }


def truth_companies(world: World) -> rows.Rows:
    """Return one row per company: arm and course of the trial, its true effect, and whether the company is different."""
    workplaces, trial = world.workplaces, world.workplaces.trial
    held = trial.sessions_held(world.block.timeline.end)
    ratios = np.array([1.0, *world.block.parameters.workplaces.intervention["rate_ratios"]])
    count = len(workplaces.company_ids)
    return {
        "company": np.arange(count),
        "company_id": Coded(np.arange(count, dtype=np.int32), workplaces.company_ids),
        "is_different": workplaces.is_different,
        "arm": Coded(trial.arm.astype(np.int32), ARMS),
        "started_on": np.where(trial.started_on == NEVER, NO_DAY, trial.started_on),
        "sessions_held": held,
        "completed": trial.is_intervention & (held == trial.sessions.shape[1]),
        "withdrew_on": np.where(trial.withdrew_on == NEVER, NO_DAY, trial.withdrew_on),
        "rate_ratio": ratios[held],
    }
