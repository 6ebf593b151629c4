"""Questionnaires as answered: means, spreads, alphas, shares of cases, stability from year to year."""

from __future__ import annotations

import numpy as np

from pipeline.simulation.world import World
from pipeline.simulation_check.absence_tallies import SEXES
from pipeline.simulation_check.measured import Measured, Sums, share
from pipeline.simulation_check.moments import complete_sums, correlation, cronbach_alpha, deviation, mean, pair_sums
from pipeline.simulation_check.sheets import Sheets

BURNOUT = ("cbi_personal", "cbi_work", "cbi_client")
SCALES = (*BURNOUT, "oss3_social_support", "who5_wellbeing")
RELIABLE = (*(("cbi", name) for name in BURNOUT), ("bis", "bis_insomnia"), ("shc", "shc_musculoskeletal"))
COMPLAINTS = {"headache": 0, "neck": 1, "low_back": 3, "shoulder": 5}
"""Column of each complaint among the musculoskeletal items, in the order of the printed form (recalled)."""

HISTOGRAM_EDGES = np.arange(-6.25, 107, 12.5)
"""Half an answer code wide, and centred on the codes: narrower bins would show which scores are possible at all."""

A_YEAR_APART = (330, 400)
HSCL_10_CUT = 1.85


def tally(world: World, sheets: Sheets) -> Sums:
    """Return the sums of one block."""
    scores = sheets.scores()
    is_woman = world.persons.is_female[sheets.person]
    matrix = np.stack([scores[name] for name in SCALES], axis=1)
    alphas = {f"alpha_{scale}": complete_sums(sheets.items(name, scale)) for name, scale in RELIABLE}
    complaints = sheets.items("shc", "shc_musculoskeletal")
    complete = complaints[~np.isnan(complaints).any(axis=1)]
    distress = scores["hscl10_distress"]
    burnout = np.concatenate([sheets.items("cbi", name) for name in BURNOUT[:2]], axis=1)
    return {
        "scores_by_sex": np.stack([pair_sums(matrix[is_woman == sex]) for sex in (False, True)]),
        "histograms": np.stack([_histogram(scores[name]) for name in BURNOUT]),
        "stability": pair_sums(_pairs(sheets, scores["cbi_personal"])),
        "distressed": _counts(distress >= HSCL_10_CUT, ~np.isnan(distress)),
        "any_complaint": _counts((complete > 0).any(axis=1), np.ones(len(complete))),
        "severe_complaint": _counts((complete == 3).any(axis=1), np.ones(len(complete))),
        "complaints": np.stack(
            [_counts(complete[:, place] > 0, np.ones(len(complete))) for place in COMPLAINTS.values()]
        ),
        "straight_lining": straight_lining(sheets.answers["cbi"], burnout.shape[1]),
        **alphas,
    }


def _counts(cases: np.ndarray, among: np.ndarray) -> np.ndarray:
    return np.array([cases.sum(), among.sum()], dtype=float)


def _histogram(scores: np.ndarray) -> np.ndarray:
    """Count scores by bin."""
    return np.histogram(scores[~np.isnan(scores)], bins=HISTOGRAM_EDGES)[0].astype(float)


def _pairs(sheets: Sheets, scores: np.ndarray) -> np.ndarray:
    """Return (score, score of the same person about a year later)."""
    gap = sheets.answered_on[1:] - sheets.answered_on[:-1]
    low, high = A_YEAR_APART
    same = (sheets.person[1:] == sheets.person[:-1]) & (gap >= low) & (gap <= high)
    return np.column_stack([scores[:-1][same], scores[1:][same]])


def straight_lining(answers: np.ndarray, fewest: int) -> np.ndarray:
    """Count sheets with one and the same code everywhere, among those with at least ``fewest`` answers.

    The Copenhagen inventory has a reversed item, so that hardly anybody who reads it answers all alike.
    """
    enough = answers[(~np.isnan(answers)).sum(axis=1) >= fewest]
    return _counts(np.nanmin(enough, axis=1) == np.nanmax(enough, axis=1), np.ones(len(enough)))


def measure(sums: Sums) -> dict[str, Measured]:
    """Return means and deviations in points, shares in percent."""
    men, women = sums["scores_by_sex"]
    both, place = men + women, SCALES.index
    found = {}
    for name in BURNOUT:
        found[f"scale_mean.{name}"] = mean(both, place(name))
        found[f"scale_sd.{name}"] = deviation(both, place(name))
    support = place("oss3_social_support")
    for sex, of_sex in zip(SEXES, (men, women), strict=True):
        found[f"scale_mean.oss3.{sex}"] = mean(of_sex, support)
        found[f"scale_sd.oss3.{sex}"] = deviation(of_sex, support)
    complaints = zip(COMPLAINTS, sums["complaints"], strict=True)
    return found | {
        "scale_mean.who5": mean(both, place("who5_wellbeing")),
        **{f"alpha.{scale}": cronbach_alpha(sums[f"alpha_{scale}"]) for _, scale in RELIABLE},
        "stability.cbi_personal": correlation(sums["stability"], 0, 1),
        "cases.hscl10": share(*sums["distressed"]),
        "cases.any_musculoskeletal": share(*sums["any_complaint"]),
        "cases.severe_musculoskeletal": share(*sums["severe_complaint"]),
        **{f"cases.{name}": share(*counts) for name, counts in complaints},
        "answers.straight_lining": share(*sums["straight_lining"]),
    }
