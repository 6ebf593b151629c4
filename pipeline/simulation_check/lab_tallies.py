"""Health checks: values at the ages of the published samples, spreads, correlations; results as the laboratories sent them."""

from __future__ import annotations

from typing import Any

import numpy as np

from data_contracts.analytes import ANALYTES, canonical
from pipeline.simulation.labs import draw_lab_rows
from pipeline.simulation.timeline import years_of
from pipeline.simulation.world import World
from pipeline.simulation_check.absence_tallies import SEXES
from pipeline.simulation_check.measured import Measured, Sums
from pipeline.simulation_check.moments import at_age, deviation_at_age_spread, pair_sums, within_groups_correlation

LOGARITHMIC = ("triglycerides", "crp", "ferritin")
COLUMNS = (
    "age", "bmi", "hba1c_percent", "total_cholesterol", "hdl", "triglycerides", "waist", "systolic_bp", "diastolic_bp",
    "haemoglobin", *(f"log_{name}" for name in LOGARITHMIC),
)  # fmt: skip
TROMSO_AGE, TROMSO_AGE_SD, TROMSO_FROM = 57.0, 11.0, 40
"""Tromsø 7: ages 40-84, mean 57, SD 11 (recalled). The cohort is younger: values are taken at that age from a straight
line in age through everybody from 40 on."""

HUNT_AGE = 53.0
"""HUNT3: adults from 20 on, mean age 53 (recalled)."""

TROMSO_WOMEN = ("hba1c_percent", "total_cholesterol", "hdl", "triglycerides", "waist", "systolic_bp", "diastolic_bp")
CORRELATED = {
    "bmi_systolic_bp": ("bmi", "systolic_bp"), "bmi_hdl": ("bmi", "hdl"), "bmi_triglycerides": ("bmi", "log_triglycerides"),
    "bmi_crp": ("bmi", "log_crp"), "bmi_waist": ("bmi", "waist"),
}  # fmt: skip


def tally(world: World, count: int) -> Sums:
    """Return the sums of one block."""
    matrix, is_woman = panels(world, count)
    is_older = matrix[:, 0] >= TROMSO_FROM
    return {
        "by_sex": np.stack([pair_sums(matrix[is_woman == sex]) for sex in (False, True)]),
        "from_40_by_sex": np.stack([pair_sums(matrix[(is_woman == sex) & is_older]) for sex in (False, True)]),
    }


def panels(world: World, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the values of every panel, (panels, columns), and who is a woman; a "<" result counts as its limit."""
    results = draw_lab_rows(
        world.block, world.workplaces, world.persons, world.employments, world.consents, world.latents
    )
    keys, values = [], []
    for rows in results:
        here = rows["person"] < count
        keys.append((rows["person"].astype(np.int64) << 32 | rows["sampled_on"])[here])
        values.append(_canonical_values(rows)[here])
    panel = np.unique(np.concatenate(keys))
    columns = {}
    for name, key, value in zip(world.block.parameters.labs.analytes, keys, values, strict=True):
        columns[name] = np.full(len(panel), np.nan)
        columns[name][np.searchsorted(panel, key)] = value
    person, day = panel >> 32, panel & 0xFFFFFFFF
    columns["age"] = (years_of(day) - world.persons.birth_year[person]).astype(float)
    columns["bmi"] = columns["weight"] / (columns["height"] / 100) ** 2
    columns["hba1c_percent"] = 0.09148 * columns["hba1c"] + 2.152
    columns |= {f"log_{name}": np.log(columns[name]) for name in LOGARITHMIC}
    return np.stack([columns[name] for name in COLUMNS], axis=1), world.persons.is_female[person]


def _canonical_values(rows: dict[str, Any]) -> np.ndarray:
    """Return values in the analyte's own unit, whichever way the laboratory reported them."""
    factors, offsets = [], []
    for code_system, code, unit in zip(
        *(rows[name].vocabulary for name in ("code_system", "code", "unit")), strict=True
    ):
        found = canonical(code_system, code, unit)
        assert found is not None, f"{code_system} {code} in {unit} belongs to none of {len(ANALYTES)} analytes"
        factors.append(found[1])
        offsets.append(found[2])
    place = rows["code"].codes
    return np.asarray(rows["value"] * np.array(factors)[place] + np.array(offsets)[place])


def measure(sums: Sums) -> dict[str, Measured]:
    """Return means and deviations in each analyte's unit, and correlations within sex."""
    place, by_sex, older = COLUMNS.index, sums["by_sex"], sums["from_40_by_sex"]
    found = {}
    for name in TROMSO_WOMEN:
        found[f"lab_mean.{name}.women"] = at_age(older[1], 0, place(name), TROMSO_AGE)
        found[f"lab_sd.{name}.women"] = deviation_at_age_spread(older[1], 0, place(name), TROMSO_AGE_SD)
    found["lab_mean.hba1c_percent.men"] = at_age(older[0], 0, place("hba1c_percent"), TROMSO_AGE)
    found["lab_sd.hba1c_percent.men"] = deviation_at_age_spread(older[0], 0, place("hba1c_percent"), TROMSO_AGE_SD)
    for sex, of_sex in zip(SEXES, by_sex, strict=True):
        for name in ("systolic_bp", "diastolic_bp"):
            found[f"lab_mean_hunt.{name}.{sex}"] = at_age(of_sex, 0, place(name), HUNT_AGE)
    for name, (one, other) in CORRELATED.items():
        found[f"lab_correlation.{name}"] = within_groups_correlation(by_sex, place(one), place(other))
    iron = within_groups_correlation(by_sex[1:], place("haemoglobin"), place("log_ferritin"))
    return found | {"lab_correlation.haemoglobin_ferritin.women": iron}
