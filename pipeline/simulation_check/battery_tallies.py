"""Instruments of the battery against each other: burnout by two tools, versions of one checklist, retest, work strain."""

from __future__ import annotations

import numpy as np

from data_contracts.instruments import INSTRUMENTS
from pipeline.simulation.battery import battery_answers, battery_scores
from pipeline.simulation.world import World
from pipeline.simulation_check.measured import Measured, Sums, share
from pipeline.simulation_check.moments import complete_sums, correlation, cronbach_alpha, mean, pair_sums
from pipeline.simulation_check.sheets import scale_items

ASKED = ("cbi", "bat23", "hscl25", "bis", "copsoq3_core")
PAIRS = {
    "correlation.cbi_bat": ("cbi_personal", "bat23_core"),
    "correlation.hscl10_hscl25": ("hscl10_within_hscl25", "hscl25_distress"),
    "correlation.hscl5_hscl25": ("hscl5_within_hscl25", "hscl25_distress"),
    "correlation.work_burnout_quantitative_demands": ("cbi_work", "copsoq3_quantitative_demands"),
    "correlation.work_burnout_emotional_demands": ("cbi_work", "copsoq3_emotional_demands"),
    "correlation.work_burnout_role_conflicts": ("cbi_work", "copsoq3_role_conflicts"),
    "correlation.work_burnout_job_satisfaction": ("cbi_work", "copsoq3_job_satisfaction"),
    "stability.bis_two_weeks": ("bis_insomnia", "bis_insomnia_again"),
}
COLUMNS = (*sorted({name for pair in PAIRS.values() for name in pair}), "copsoq3_self_rated_health")
BAT_HIGH = 2.59


def tally(world: World, count: int) -> Sums:
    """Return the sums of one block."""
    persons = np.arange(count)
    scores = battery_scores(world, ASKED, persons)
    scores["bis_insomnia_again"] = battery_scores(world, ("bis",), persons, again=True)["bis_insomnia"]
    answers = battery_answers(world, ("bat23",), persons)["bat23"]
    core = scale_items(answers, "bat23", "bat23_core", INSTRUMENTS["bat23"].item_positions)
    at_risk = scores["bat23_core"] >= BAT_HIGH
    return {
        "pairs": pair_sums(np.stack([scores[name] for name in COLUMNS], axis=1)),
        "bat_items": complete_sums(core),
        "bat_at_risk": np.array([at_risk.sum(), count], dtype=float),
    }


def measure(sums: Sums) -> dict[str, Measured]:
    """Return correlations, and shares in percent."""
    place = COLUMNS.index
    return {
        **{name: correlation(sums["pairs"], place(one), place(other)) for name, (one, other) in PAIRS.items()},
        "alpha.bat23": cronbach_alpha(sums["bat_items"]),
        "cases.bat23": share(*sums["bat_at_risk"]),
        "scale_mean.self_rated_health": mean(sums["pairs"], place("copsoq3_self_rated_health")),
    }
