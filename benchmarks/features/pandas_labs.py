"""Lab results in pandas: conversion, the series of exact values with what is derived, levels, distances and trends."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandas_survey import trend
from pandas_tables import Persons, Tables, current, last

_INPUTS = ("height", "weight", "creatinine", "total_cholesterol", "hdl", "triglycerides")
_DERIVED = ("bmi", "egfr", "non_hdl", "ldl")
_BOUND, _COMPUTED, _MEASURED = 0, 1, 2
"""Of the results of one day the measured exact one counts, else the derived one, else the bound."""
_MOST_TRIGLYCERIDES, _TRIGLYCERIDES_PER_VLDL = 4.5, 2.2
_MICROMOLES_PER_MG = 88.4
_ADULT, _OLDEST = 18, 120
_SMALLEST_SHARE = 1e-6
_N = 64
"""Analytes per person in a group number."""
Declarations = dict[str, pd.DataFrame]


def labs(tables: Tables, keys: Declarations, persons: Persons, people: pd.DataFrame, t: int) -> list[pd.DataFrame]:
    """Return the features of lab results, everybody in order; ``people`` has birth year and ``is_female``."""
    analytes = keys["analytes"]
    measured = _results(tables, keys, persons, t)
    exact = last(measured[measured["rank"] == _MEASURED], ["group", "day"], "order")[["group", "day", "value"]]
    derived = _derived(exact, people, analytes)
    latest = _latest(measured, derived)
    recent = measured[measured["day"] >= t - 730].drop_duplicates("group")
    counts = pd.DataFrame(
        {
            "lab_bounds_count": (latest["rank"] == _BOUND).groupby(latest["group"] // _N).sum(),
            "analytes_measured_730": recent.groupby(recent["group"] // _N).size(),
        }
    ).fillna(0)
    return [
        persons.in_order(_levels(latest, keys, people, t)),
        persons.in_order(_trends(exact, derived, analytes)),
        persons.with_zeros(counts, "lab", []),
    ]


def _results(tables: Tables, keys: Declarations, persons: Persons, t: int) -> pd.DataFrame:
    """All results sampled before t as known then, in the canonical unit; ``order`` ranks those of an analyte."""
    rows = persons.of_consenting(tables["lab_results"], "lab")
    known = current(rows[rows["sampled_on"] < t], ["person", "code_system", "code", "sampled_on"], t)
    codes = keys["codes"].merge(keys["analytes"][["analyte", "position"]], on="analyte")
    codes["text_rank"] = codes["code"].rank(method="dense").astype(np.int64)
    names = ["code_system", "code", "unit"]
    joined = known.astype(dict.fromkeys(names, str)).merge(codes, on=names)
    factor, offset = joined["factor"], joined["offset"]
    rank = np.where(joined["comparator"].isna(), _MEASURED, _BOUND)
    return pd.DataFrame(
        {
            "group": joined["person"] * _N + joined["position"],
            "day": joined["sampled_on"],
            "value": joined["value"] * factor + offset,
            "own_low": joined["reference_low"] * factor + offset,
            "own_high": joined["reference_high"] * factor + offset,
            "comparator": joined["comparator"].astype(object),
            "rank": rank,
            # Exact before bound, then known last, then by code.
            "order": (rank * (1 << 18) + joined["known_from"]) * (1 << 10) + joined["text_rank"],
        }
    )


def _derived(exact: pd.DataFrame, people: pd.DataFrame, analytes: pd.DataFrame) -> pd.DataFrame:
    """What follows from the exact measured values of a day: group, day, value."""
    position = dict(zip(analytes["analyte"], analytes["position"], strict=True))
    inputs = exact[(exact["group"] % _N).isin([position[name] for name in _INPUTS])]
    keyed = inputs.assign(person=inputs["group"] // _N, analyte=inputs["group"] % _N)
    wide = keyed.pivot(index=["person", "day"], columns="analyte", values="value")
    wide = wide.reindex(columns=[position[name] for name in _INPUTS]).set_axis(_INPUTS, axis=1).reset_index()
    height = wide.groupby("person")["height"]
    wide["height"] = height.ffill().fillna(height.transform("first")) / 100
    total, hdl, fat = wide["total_cholesterol"], wide["hdl"], wide["triglycerides"]
    ldl = total - hdl - fat / _TRIGLYCERIDES_PER_VLDL
    found = {
        "bmi": wide["weight"] / (wide["height"] * wide["height"]),
        "egfr": _egfr(wide, people.reindex(wide["person"]).set_axis(wide.index)),
        "non_hdl": (total - hdl).where(hdl < total),
        "ldl": ldl.where((fat <= _MOST_TRIGLYCERIDES) & (ldl > 0)),
    }
    hard = analytes.set_index("analyte")
    parts = []
    for name, value in found.items():
        sound = value.between(hard.at[name, "hard_low"], hard.at[name, "hard_high"])
        group = wide["person"] * _N + position[name]
        parts.append(pd.DataFrame({"group": group, "day": wide["day"], "value": value})[sound])
    return pd.concat(parts, ignore_index=True)


def _year(day: pd.Series) -> pd.Series:
    return pd.Series(day.to_numpy().astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970, day.index)


def _egfr(wide: pd.DataFrame, people: pd.DataFrame) -> pd.Series:
    """CKD-EPI 2009 without its race term; women have the factor 144."""
    female, age = people["is_female"] == 1, _year(wide["day"]) - people["birth_year"]
    kappa, low, scale = (np.where(female, *pair) for pair in ((0.7, 0.9), (-0.329, -0.411), (144, 141)))
    ratio = wide["creatinine"] / _MICROMOLES_PER_MG / kappa
    rate = scale * ratio.clip(upper=1) ** low * ratio.clip(lower=1) ** -1.209 * 0.993**age
    return rate.where(age >= _ADULT)


def _latest(measured: pd.DataFrame, derived: pd.DataFrame) -> pd.DataFrame:
    """The latest result of each person and analyte, measured or derived."""
    computed = derived.assign(rank=_COMPUTED, order=_COMPUTED << 28)
    results = pd.concat([measured, computed], ignore_index=True).sort_values(["group", "day", "order"])
    return results.drop_duplicates("group", keep="last")


def _levels(latest: pd.DataFrame, keys: Declarations, people: pd.DataFrame, t: int) -> pd.DataFrame:
    """Values, distances and ages, one column each."""
    analytes = keys["analytes"]
    of = latest["group"] % _N
    rows = pd.DataFrame(
        {
            "person": latest["group"] // _N,
            "analyte": of.map(analytes.set_index("position")["analyte"]),
            "examination": of.map(analytes.set_index("position")["examination"]),
            "day": latest["day"],
            "value": latest["value"],
            "distance": _distances(latest.assign(position=of), keys, people),
        }
    )
    values = rows.pivot(index="person", columns="analyte", values="value")
    distances = rows.pivot(index="person", columns="analyte", values="distance")
    distances = distances[[name for name in analytes.loc[analytes["has_distance"], "analyte"] if name in distances]]
    ages = t - rows.groupby(["person", "examination"])["day"].max().unstack()
    return pd.concat([values, distances.add_suffix("_distance"), ages.add_suffix("_age_days")], axis=1)


def _distances(latest: pd.DataFrame, keys: Declarations, people: pd.DataFrame) -> np.ndarray:
    """How far outside the laboratory's own interval or, without, that of the person's sex and age."""
    of_person = people.reindex(latest["group"] // _N)
    age = _year(latest["day"]).to_numpy() - of_person["birth_year"].to_numpy()
    asked = latest.assign(is_female=of_person["is_female"].to_numpy(), age=np.minimum(age, _OLDEST))
    limits = keys["limits"].merge(keys["analytes"][["analyte", "position"]], on="analyte")
    rows = asked.merge(limits, on=["position", "is_female", "age"], how="left")
    value, low, high = (rows[name].to_numpy() for name in ("value", "low", "high"))
    own_low, own_high = rows["own_low"].to_numpy(), rows["own_high"].to_numpy()
    sign = rows["comparator"]
    own = _distance(value, own_low, own_high, sign, (value, own_low, own_high, own_low, own_high))
    # In single precision, so that a value on a limit is on it whatever a conversion did to its last bits.
    inside = rows["low_inside"].to_numpy(), rows["high_inside"].to_numpy()
    single = tuple(column.astype(np.float32) for column in (value, low, high, *inside))
    has_own = ~(np.isnan(own_low) & np.isnan(own_high))
    return np.where(has_own, own, _distance(value, low, high, sign, single))


def _distance(
    value: np.ndarray, low: np.ndarray, high: np.ndarray, sign: pd.Series, compared: tuple[np.ndarray, ...]
) -> np.ndarray:
    """Share of the limit by which the value passes it; of a bound only where all that it leaves possible, from 0 on, agrees."""
    number, lowest, highest, low_inside, high_inside = compared
    passed = np.where(number > highest, high, np.where(number < lowest, low, np.nan))
    has_low, has_high = ~np.isnan(low), ~np.isnan(high)
    share = np.divide(value - passed, passed, out=np.full(len(value), np.nan), where=passed > value * _SMALLEST_SHARE)
    known = np.where(np.isnan(passed), np.where(has_low | has_high, 0.0, np.nan), share)
    strict = sign.isin(["<", ">"]).to_numpy()
    below = (number < low_inside) | (strict & (number <= low_inside))
    above = (number > high_inside) | (strict & (number >= high_inside))
    reaches_above = np.where(strict, number > highest, number > high_inside)
    reaches_below = np.where(strict, number < lowest, number < low_inside)
    undecided = (sign.isin(["<", "<="]).to_numpy() & ~below & ((low > 0) | reaches_above)) | (
        sign.isin([">", ">="]).to_numpy() & ~above & (has_high | reaches_below)
    )
    return np.where(undecided, np.nan, known)


def _trends(exact: pd.DataFrame, derived: pd.DataFrame, analytes: pd.DataFrame) -> pd.DataFrame:
    """Changes and slopes of what is followed, over measured values and, on other days, derived ones."""
    followed = analytes[analytes["is_followed"]].set_index("position")["analyte"]
    series = pd.concat([exact, derived]).drop_duplicates(["group", "day"])
    series = series[(series["group"] % _N).isin(followed.index)].sort_values(["group", "day"])
    rows = trend(series, "group", "value").reset_index()
    rows = rows.assign(person=rows["group"] // _N, analyte=(rows["group"] % _N).map(followed))
    return pd.concat(
        [
            rows.pivot(index="person", columns="analyte", values=f"value_{what}").add_suffix(f"_{what}")
            for what in ("change", "slope")
        ],
        axis=1,
    )
