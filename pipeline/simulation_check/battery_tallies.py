"""Instruments of the battery: burnout by two tools, versions of one checklist, retest, work strain, cases, complaints."""

from __future__ import annotations

import numpy as np

from data_contracts.instruments import INSTRUMENTS
from pipeline.simulation.battery import battery_answers, battery_scores
from pipeline.simulation.world import World
from pipeline.simulation_check.measured import Measured, Sums, share
from pipeline.simulation_check.moments import complete_sums, correlation, cronbach_alpha, mean, pair_sums
from pipeline.simulation_check.sheets import scale_items

ASKED = ("cbi", "bat23", "hscl25", "bis", "copsoq3_core")
COMPLAINTS = ("shc_pseudoneurology", "shc_gastrointestinal", "shc_allergy", "shc_flu")
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
CASES = ("bat23", "hscl25", "bis")
BAT_HIGH = 2.59
HSCL_25_CUT = 1.75
"""Distress is above it (the cut-off of the short form is a case itself)."""


def tally(world: World, count: int) -> Sums:
    """Return the sums of one block: of those who answered the first questionnaire, as published samples have answered."""
    persons = np.unique(world.responses.person[world.responses.wave == 0])
    persons = persons[persons < count]
    scores = battery_scores(world, ASKED, persons)
    scores["bis_insomnia_again"] = battery_scores(world, ("bis",), persons, again=True)["bis_insomnia"]
    answers = battery_answers(world, ("bat23", "shc"), persons)
    complaints = {scale: _items(answers, "shc", scale) for scale in COMPLAINTS}
    cases = (scores["bat23_core"] >= BAT_HIGH, scores["hscl25_distress"] > HSCL_25_CUT, scores["bis_case"] == 1)
    return {
        "pairs": pair_sums(np.stack([scores[name] for name in COLUMNS], axis=1)),
        "bat_items": complete_sums(_items(answers, "bat23", "bat23_core")),
        "cases": np.array([[case.sum(), len(persons)] for case in cases], dtype=float),
        "complain": np.array(
            [[(items > 0).any(axis=1).sum(), len(items)] for items in complaints.values()], dtype=float
        ),
        **{f"alpha_{scale}": complete_sums(items) for scale, items in complaints.items()},
    }


def _items(answers: dict[str, np.ndarray], instrument: str, scale: str) -> np.ndarray:
    return scale_items(answers[instrument], instrument, scale, INSTRUMENTS[instrument].item_positions)


def measure(sums: Sums) -> dict[str, Measured]:
    """Return correlations, and shares in percent."""
    place = COLUMNS.index
    complain = zip(COMPLAINTS, sums["complain"], strict=True)
    return {
        **{name: correlation(sums["pairs"], place(one), place(other)) for name, (one, other) in PAIRS.items()},
        "alpha.bat23": cronbach_alpha(sums["bat_items"]),
        **{f"alpha.{scale}": cronbach_alpha(sums[f"alpha_{scale}"]) for scale in COMPLAINTS},
        **{f"cases.{name}": share(*counts) for name, counts in zip(CASES, sums["cases"], strict=True)},
        **{f"cases.{scale.replace('shc', 'any')}": share(*counts) for scale, counts in complain},
        "scale_mean.self_rated_health": mean(sums["pairs"], place("copsoq3_self_rated_health")),
    }
