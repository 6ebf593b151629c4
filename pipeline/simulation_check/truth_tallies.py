"""Does the true risk come true? Calibration and discrimination of the simulator's own risk of long sick leave."""

from __future__ import annotations

import numpy as np

from pipeline.simulation.spells import Spells
from pipeline.simulation.timeline import QUARTERS_PER_YEAR
from pipeline.simulation.truth.absence import HORIZON, AbsenceRisk, at_work
from pipeline.simulation.world import World
from pipeline.simulation_check.exposure import employed_throughout, of_first
from pipeline.simulation_check.measured import Measured, Sums, quotient
from pipeline.simulation_check.regression import logistic

BINS = 400
OUTCOME = "long_sick_leave"
GAP = 16
"""Certified stretches whose gap is shorter are one episode."""

LONG = 16
"""Certified days that an episode must exceed."""


def tally(world: World, count: int) -> Sums:
    """Return, by bin of the true risk, index rows, events and the sum of risks.

    A row is a person at work on the first day of a year of the data, who is employed throughout the year after.
    """
    block, found, risks = world.block, np.zeros((3, BINS)), AbsenceRisk(world.block, world.hazard)
    person, first_day, days = episodes(world.certified.take(of_first(world.certified, count)))
    for quarter in block.timeline.index_quarters[::QUARTERS_PER_YEAR]:
        t = int(block.timeline.quarters[quarter])
        if t + HORIZON > block.timeline.end:
            break
        risk = risks.on(quarter, world.course, world.latents)[OUTCOME][:count]
        counted = employed_throughout(world.employments, t, t + HORIZON) & at_work(block, quarter, world.certified)
        counted = counted[:count] & (world.persons.observed_from[:count] <= t)
        begins = (first_day >= t) & (first_day < t + HORIZON) & (days > LONG)
        event = np.bincount(person[begins], minlength=count) > 0
        place = np.minimum((risk * BINS).astype(int), BINS - 1)[counted]
        for row, weight in enumerate((np.ones(count), event, risk)):
            found[row] += np.bincount(place, weight[counted], minlength=BINS)
    return {"by_risk": found}


def episodes(spells: Spells) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return person, first day and certified days of each episode; spells are sorted by person and first day."""
    if not len(spells.person):
        return spells.person, spells.first_day, spells.days
    gap = spells.first_day[1:] - spells.last_day[:-1] - 1
    is_new = np.append(True, (spells.person[1:] != spells.person[:-1]) | (gap >= GAP))
    episode = np.cumsum(is_new) - 1
    days = np.bincount(episode, spells.days)
    return spells.person[is_new], spells.first_day[is_new], days


def measure(sums: Sums) -> dict[str, Measured]:
    """Return slope, observed over expected events, and the area under the ROC curve."""
    rows, events, risks = sums["by_risk"]
    if events.sum() < 10:
        return dict.fromkeys(
            ("calibration.slope", "calibration.observed_to_expected", "auroc.truth"), Measured.nothing()
        )
    filled = rows > 0
    mean = np.clip(risks[filled] / rows[filled], 1e-6, 1 - 1e-6)
    design = np.stack([np.ones(filled.sum()), np.log(mean / (1 - mean))], axis=1)
    coefficients, covariance = logistic(design, events[filled], rows[filled])
    observed = Measured(float(events.sum()), float(np.sqrt(events.sum())))
    return {
        "calibration.slope": Measured(float(coefficients[1]), float(np.sqrt(covariance[1, 1]))),
        "calibration.observed_to_expected": quotient(observed, Measured(float(risks.sum()), 0.0)),
        "auroc.truth": binned_auroc(events, rows - events),
    }


def binned_auroc(events: np.ndarray, others: np.ndarray) -> Measured:
    """Return the AUROC of the bins' order; ties count half."""
    n_events, n_others = events.sum(), others.sum()
    below = np.cumsum(others) - others
    value = float(events @ (below + others / 2) / (n_events * n_others))
    return Measured(value, auroc_error(value, n_events, n_others))


def auroc_error(value: float, n_events: float, n_others: float) -> float:
    """Return the standard error of an AUROC (Hanley and McNeil 1982)."""
    first, second = value / (2 - value), 2 * value**2 / (1 + value)
    spread = value * (1 - value) + (n_events - 1) * (first - value**2) + (n_others - 1) * (second - value**2)
    return float(np.sqrt(max(spread, 0.0) / (n_events * n_others)))
