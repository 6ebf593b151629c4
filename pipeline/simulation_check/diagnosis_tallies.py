"""Diagnoses and grades of certified spells: shares by ICPC-2 chapter, the winter of the airways, graded absence."""

from __future__ import annotations

import numpy as np

from pipeline.simulation.parameters import Parameters
from pipeline.simulation.spells import Spells
from pipeline.simulation.timeline import years_of
from pipeline.simulation.world import World
from pipeline.simulation_check.exposure import Exposure, of_first
from pipeline.simulation_check.measured import Measured, Sums, percent, quotient, ratio, ratio_sums

GROUPS = {
    "back": ("L", ("L02", "L03", "L84", "L86")),
    "neck_shoulder_arm": ("L", ("L01", "L08", "L09", "L10", "L11", "L12", "L83", "L92", "L93")),
    "lighter_mental": ("P", ("P01", "P02", "P29")),
    "anxiety_depression": ("P", ("P74", "P76")),
}
"""NAV's groups of diagnoses within a chapter. A code is drawn from the chapter's list with equal chances, so a group's
share follows from the list."""


def tally(world: World, count: int) -> Sums:
    """Return the sums of one block over spells that begin while employed, within the data."""
    rows = of_first(world.certified, count)
    rows = rows[Exposure.of(world, count).starts_inside(world.certified.take(rows))]
    spells, grade = world.certified.take(rows), world.grade[rows]
    chapters = np.arange(len(world.block.parameters.absence.chapters))[:, None]
    of_chapter = spells.chapter == chapters
    ones, lost = np.ones(len(rows)), spells.days * grade / 100
    season = (spells.first_day.astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12) // 3
    starts = np.stack([_sums(of_chapter & (season == one), season == one, spells.person, count) for one in (0, 2)])
    return {
        "spells": _sums(of_chapter, ones, spells.person, count),
        "days": _sums(of_chapter * lost, lost, spells.person, count),
        "starts_winter_summer": starts,
        "graded": _graded(world, spells, grade, count),
    }


def _sums(numerator: np.ndarray, denominator: np.ndarray, person: np.ndarray, count: int) -> np.ndarray:
    """Return ratio sums with the spells of each person added up first."""
    upper = np.stack([np.bincount(person, row, minlength=count) for row in np.atleast_2d(numerator)])
    return ratio_sums(upper, np.bincount(person, denominator, minlength=count))


def _graded(world: World, spells: Spells, grade: np.ndarray, count: int) -> np.ndarray:
    """Return graded spells over all spells of each group, then grades over graded spells: (groups, 5)."""
    is_graded, is_woman = grade < 100, world.persons.is_female[spells.person]
    is_older = years_of(spells.first_day) - world.persons.birth_year[spells.person] >= 50
    pregnant = list(world.block.parameters.absence.chapters).index("W")
    everyone = np.ones(len(grade), dtype=bool)
    groups = (
        everyone, spells.days <= 16, spells.days > 90, spells.chapter == pregnant, is_woman, ~is_woman, is_older, ~is_older,
    )  # fmt: skip
    parts = [_sums(is_graded & group, group, spells.person, count)[0] for group in groups]
    for chosen in (grade == 50, (grade >= 20) & (grade < 50)):
        parts.append(_sums(chosen, is_graded, spells.person, count)[0])
    return np.stack(parts)


def measure(sums: Sums, parameters: Parameters) -> dict[str, Measured]:
    """Return shares in percent."""
    chapters = parameters.absence.chapters
    found: dict[str, Measured] = {}
    for kind in ("spells", "days"):
        shares = {name: percent(part) for name, part in zip(chapters, sums[kind], strict=True)}
        found |= {f"diagnosis.{kind}.{name}": part for name, part in shares.items()}
        for group, (chapter, members) in GROUPS.items():
            codes = chapters[chapter]["codes"]
            found[f"diagnosis.{kind}.{group}"] = shares[chapter].times(sum(c in members for c in codes) / len(codes))
    airways = list(chapters).index("R")
    winter, summer = (ratio(part[airways]) for part in sums["starts_winter_summer"])
    found["season.airways_winter_to_summer"] = quotient(winter, summer)
    return found | _of_grades(sums["graded"])


def _of_grades(sums: np.ndarray) -> dict[str, Measured]:
    whole, short, long, pregnant, women, men, older, younger, half, below_half = (percent(part) for part in sums)
    return {
        "grading.all": whole,
        "grading.up_to_16_days": short,
        "grading.over_90_days": long,
        "grading.pregnancy": pregnant,
        "grading.women_to_men": quotient(women, men),
        "grading.age_50_to_younger": quotient(older, younger),
        "grading.grade_50": half,
        "grading.grade_20_to_49": below_half,
    }
