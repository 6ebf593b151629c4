"""Laboratory results of the simulator: published values, what hangs together, and what is never measured."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from data_contracts.analytes import ANALYTES, canonical
from pipeline.simulation import parameters
from pipeline.simulation.labs import draw_lab_rows, draw_lab_traits, stable_share
from pipeline.simulation.parameters import read_parameters
from pipeline.simulation.timeline import years_of
from tests.lib.surveyed_worlds import correlation, worlds

PARAMETERS = read_parameters()


# Laboratories


@cache
def results() -> dict[str, np.ndarray]:
    """Panels of the base worlds: one column per analyte in its own unit, NaN where not measured, "<" as half its limit."""
    names = list(PARAMETERS.labs.analytes)
    blocks = []
    for world in worlds():
        tables = draw_lab_rows(
            world.block, world.workplaces, world.persons, world.employments, world.consents, world.latents
        )
        keys = [rows["person"].astype(np.int64) << 32 | rows["sampled_on"] for rows in tables]
        panels = np.unique(np.concatenate(keys))
        found = {name: np.full(len(panels), np.nan) for name in names}
        found |= {f"{name}_high": np.full(len(panels), np.nan) for name in names}
        laboratory = np.zeros(len(panels), dtype=int)
        for name, key, rows in zip(names, keys, tables, strict=True):
            place, (factor, offset) = np.searchsorted(panels, key), conversions(rows)
            value = rows["value"] * factor + offset
            found[name][place] = np.where(rows["comparator"].codes == 0, value / 2, value)
            found[f"{name}_high"][place] = rows["reference_high"] * factor + offset
            laboratory[place] = rows["laboratory"].codes
        person, day = panels >> 32, panels & 0xFFFFFFFF
        blocks.append(found | {
            "person": person + 1000 * world.block.number, "is_woman": world.persons.is_female[person], "day": day,
            "age": years_of(day) - world.persons.birth_year[person], "laboratory": laboratory,
        })  # fmt: skip
    merged = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
    return merged | {"bmi": merged["weight"] / (merged["height"] / 100) ** 2}


def conversions(rows: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    texts = zip(*(rows[name].vocabulary for name in ("code_system", "code", "unit")), strict=True)
    found = [canonical(*text) for text in texts]
    assert None not in found
    table = np.array([one[1:] for one in found if one is not None])[rows["code"].codes]
    return table[:, 0], table[:, 1]


@pytest.mark.parametrize(
    ("analyte", "mean", "sd", "tolerance"),
    [("hba1c", 37.6, 3.3, 0.8), ("total_cholesterol", 5.63, 1.0, 0.15), ("hdl", 1.75, 0.5, 0.08),
     ("triglycerides", 1.34, 0.7, 0.1), ("waist", 90.6, 12.5, 2), ("systolic_bp", 128.7, 20.3, 3),
     ("diastolic_bp", 73.2, 9.7, 1.5)],
)  # fmt: skip
def test_women_have_the_values_of_tromsoe_at_its_mean_age(
    analyte: str, mean: float, sd: float, tolerance: float
) -> None:
    """The survey's women are 57 on average, ours 51: the straight line through age makes them comparable."""
    found = results()
    chosen = found["is_woman"] & (found["age"] >= 40) & ~np.isnan(found[analyte])
    age, values = found["age"][chosen], found[analyte][chosen]
    slope, level = np.polyfit(age - 57, values, 1)
    assert level == pytest.approx(mean, abs=tolerance)
    assert values.std() == pytest.approx(sd, rel=0.15)
    assert slope > -0.01


@pytest.mark.parametrize(
    ("one", "other", "published", "of"),
    [("bmi", "systolic_bp", 0.30, None), ("bmi", "hdl", -0.35, None), ("bmi", "log triglycerides", 0.35, None),
     ("bmi", "log crp", 0.40, None), ("bmi", "waist", 0.85, None), ("log ferritin", "haemoglobin", 0.30, "women")],
)  # fmt: skip
def test_analytes_hang_together_as_published(one: str, other: str, published: float, of: str | None) -> None:
    found, log = results(), "log "
    first, second = (np.log(found[n.removeprefix(log)]) if n.startswith(log) else found[n] for n in (one, other))
    sexes = (True,) if of == "women" else (True, False)
    parts = []
    for sex in sexes:
        chosen = (found["is_woman"] == sex) & ~np.isnan(first) & ~np.isnan(second)
        parts.append(correlation(first[chosen], second[chosen]))
    assert np.mean(parts) == pytest.approx(published, abs=0.05)


def test_traits_are_standard_scores_and_what_panels_measure() -> None:
    """Absence may depend on the traits: a trait that the panels do not show would make laboratories useless by mistake."""
    traits = [draw_lab_traits(world.block, world.persons, world.latents) for world in worlds()]
    found = results()
    assert list(traits[0]) == list(PARAMETERS.labs.analytes)
    for name, model in PARAMETERS.labs.analytes.items():
        trait = np.concatenate([one[name] for one in traits])
        assert trait.mean() == pytest.approx(0, abs=0.05)
        assert trait.std() == pytest.approx(1, abs=0.04)
        chosen = found["is_woman"] & ~np.isnan(found[name]) & (found["age"] > 40) & (found["age"] < 50)
        value = np.log(found[name][chosen]) if model.get("log") else found[name][chosen]
        expected = np.sqrt(stable_share(model, PARAMETERS.labs.person_share, is_woman=True))
        assert correlation(trait[found["person"][chosen]], value) == pytest.approx(expected, abs=0.13), name


def test_iron_stores_and_haemoglobin_hang_together_in_women_only() -> None:
    world = worlds()[0]
    traits = draw_lab_traits(world.block, world.persons, world.latents)
    woman = world.persons.is_female
    assert correlation(traits["ferritin"][woman], traits["haemoglobin"][woman]) > 0.25
    assert abs(correlation(traits["ferritin"][~woman], traits["haemoglobin"][~woman])) < 0.1


def test_vitamin_d_is_highest_after_the_summer() -> None:
    found = results()
    month = found["day"].astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12
    autumn, spring = (np.nanmean(found["vitamin_d"][np.isin(month, chosen)]) for chosen in ((7, 8, 9), (1, 2, 3)))
    assert autumn - spring == pytest.approx(2 * PARAMETERS.labs.vitamin_d_season, abs=4)


def test_low_crp_keeps_its_comparator_and_laboratories_differ_a_little() -> None:
    found = results()
    assert 0.3 < (found["crp"] == 0.5).mean() < 0.6
    measured = [np.nanmean(found["hba1c"][found["laboratory"] == place]) for place in range(3)]
    assert measured[1] > measured[0] > measured[2]
    of_women = np.where(found["is_woman"], found["creatinine_high"], np.nan)
    limits = [np.nanmean(of_women[found["laboratory"] == place]) for place in range(3)]
    assert limits[0] < limits[1] < limits[2]
    assert set(found["systolic_bp_high"][~np.isnan(found["systolic_bp_high"])]) == {140.0}


def test_what_no_sample_can_give_is_the_only_thing_never_measured() -> None:
    """Derived analytes are left to their derivation; cortisol needs a clock time that the table does not hold."""
    derived = {analyte.name for analyte in ANALYTES if analyte.derived_from} - {"ldl"}
    assert {analyte.name for analyte in ANALYTES} - set(PARAMETERS.labs.analytes) == derived | {"cortisol"}


def test_scenarios_of_the_survey_change_only_what_they_name() -> None:
    for name, section in (("response_not_at_random", "survey"), ("subgroup_harm", "survey")):
        assert set(parameters.read_scenario(name)["parameters"]) == {section}
