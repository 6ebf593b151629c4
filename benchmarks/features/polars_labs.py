"""Lab results in Polars: conversion, the series of exact values with what is derived, levels, distances and trends."""

from __future__ import annotations

import polars as pl
from polars_survey import trend
from polars_tables import Tables, current, in_order, last, of_consenting, with_zeros

_INPUTS = ("height", "weight", "creatinine", "total_cholesterol", "hdl", "triglycerides")
_DERIVED = ("bmi", "egfr", "non_hdl", "ldl")
_BOUND, _COMPUTED, _MEASURED = 0, 1, 2
"""Of the results of one day the measured exact one counts, else the derived one, else the bound."""
_MOST_TRIGLYCERIDES, _TRIGLYCERIDES_PER_VLDL = 4.5, 2.2
_MICROMOLES_PER_MG = 88.4
_ADULT, _OLDEST = 18, 120
_SMALLEST_SHARE = 1e-6
Declarations = dict[str, pl.DataFrame]


def labs(tables: Tables, keys: Declarations, persons: pl.LazyFrame, people: pl.LazyFrame, t: int) -> list[pl.LazyFrame]:
    """Return the features of lab results, each part in the order of ``persons``.

    ``people`` has the birth year and ``is_female`` of each person.
    """
    measured = _results(tables, keys, persons, t).collect().lazy()
    followed = keys["analytes"].filter("is_followed")["analyte"].cast(pl.String).to_list()
    exact = _by_day(measured.filter(pl.col("analyte").cast(pl.String).is_in([*_INPUTS, *_DERIVED, *followed])))
    derived = _derived(exact, people, keys["analytes"]).collect().lazy()
    latest = _latest(measured, derived).collect().lazy()
    levels = _wide(latest.join(people, on="person", how="left"), keys, t)
    bounds = latest.group_by("person").agg(lab_bounds_count=(pl.col("rank") == _BOUND).sum())
    recent = measured.filter(pl.col("day") >= t - 730).group_by("person").agg(
        analytes_measured_730=pl.col("analyte").n_unique()
    )  # fmt: skip
    counts = bounds.join(recent, on="person", how="left")
    return [
        in_order(persons, levels),
        in_order(persons, _trends(exact, derived, followed)),
        with_zeros(persons, counts, "lab", []),
    ]


def _results(tables: Tables, keys: Declarations, persons: pl.LazyFrame, t: int) -> pl.LazyFrame:
    """All results sampled before t as known then, in the canonical unit; ``order`` ranks those of an analyte."""
    rows = of_consenting(tables["lab_results"].filter(pl.col("sampled_on") < t), persons, "lab")
    known = current(rows, ["person", "code_system", "code", "sampled_on"], t)
    in_order_of_text = pl.col("code").cast(pl.String).rank("dense").cast(pl.Int64)
    codes = keys["codes"].with_columns(text_rank=in_order_of_text).lazy()
    factor, offset = pl.col("factor"), pl.col("offset")
    rank = pl.when(pl.col("comparator").is_null()).then(_MEASURED).otherwise(_BOUND)
    return known.join(codes, on=["code_system", "code", "unit"]).select(
        "person",
        "analyte",
        "comparator",
        day="sampled_on",
        value=pl.col("value") * factor + offset,
        own_low=pl.col("reference_low") * factor + offset,
        own_high=pl.col("reference_high") * factor + offset,
        rank=rank,
        order=_order(pl.col("sampled_on"), rank, pl.col("known_from"), pl.col("text_rank")),
    )


def _order(day: pl.Expr, rank: pl.Expr, known_from: pl.Expr, text_rank: pl.Expr) -> pl.Expr:
    """By day, then exact before bound, then known last, then by code, in one integer."""
    return ((day.cast(pl.Int64) * 4 + rank) * (1 << 18) + known_from) * (1 << 10) + text_rank


def _by_day(measured: pl.LazyFrame) -> pl.LazyFrame:
    exact = measured.filter(pl.col("rank") == _MEASURED)
    return (
        last(exact, ["person", "analyte", "day"], "order").select("person", "analyte", "day", "value").collect().lazy()
    )


def _derived(exact: pl.LazyFrame, people: pl.LazyFrame, analytes: pl.DataFrame) -> pl.LazyFrame:
    """What follows from the exact measured values of a day: person, analyte, day, value."""
    by_day = (
        exact.group_by("person", "day")
        .agg(pl.when(pl.col("analyte") == name).then("value").max().alias(name) for name in _INPUTS)
        .sort("person", "day")
        .join(people, on="person", how="left", maintain_order="left")
    )
    so_far = pl.col("height").forward_fill().over("person")
    height = so_far.fill_null(pl.col("height").drop_nulls().first().over("person")) / 100
    total, hdl, fat = pl.col("total_cholesterol"), pl.col("hdl"), pl.col("triglycerides")
    ldl = total - hdl - fat / _TRIGLYCERIDES_PER_VLDL
    formulas = by_day.select(
        "person",
        "day",
        bmi=pl.col("weight") / (height * height),
        egfr=_egfr(),
        non_hdl=pl.when(hdl < total).then(total - hdl),
        ldl=pl.when((fat <= _MOST_TRIGLYCERIDES) & (ldl > 0)).then(ldl),
    )
    hard = analytes.lazy().select("analyte", "hard_low", "hard_high")
    return (
        formulas.unpivot(_DERIVED, index=["person", "day"], variable_name="analyte")
        .drop_nulls("value")
        .with_columns(pl.col("analyte").cast(pl.Categorical))
        .join(hard, on="analyte")
        .filter(pl.col("value") >= pl.col("hard_low"), pl.col("value") <= pl.col("hard_high"))
        .select("person", "analyte", "day", "value")
    )


def _year(day: pl.Expr) -> pl.Expr:
    return day.cast(pl.Date).dt.year()


def _egfr() -> pl.Expr:
    """CKD-EPI 2009 without its race term; women have the factor 144."""
    female, age = pl.col("is_female"), _year(pl.col("day")) - pl.col("birth_year")
    kappa, low, scale = (
        pl.when(female).then(pl.lit(for_women)).otherwise(pl.lit(for_men))
        for for_women, for_men in ((0.7, 0.9), (-0.329, -0.411), (144.0, 141.0))
    )
    ratio = pl.col("creatinine") / _MICROMOLES_PER_MG / kappa
    rate = scale * ratio.clip(upper_bound=1) ** low * ratio.clip(lower_bound=1) ** -1.209 * pl.lit(0.993) ** age
    return pl.when(age >= _ADULT).then(rate)


def _latest(measured: pl.LazyFrame, derived: pl.LazyFrame) -> pl.LazyFrame:
    """The latest result of each person and analyte, measured or derived."""
    zero = pl.lit(0)
    computed = derived.with_columns(
        pl.lit(None, pl.Categorical).alias("comparator"),
        *(pl.lit(None, pl.Float64).alias(name) for name in ("own_low", "own_high")),
        rank=pl.lit(_COMPUTED),
        order=_order(pl.col("day"), pl.lit(_COMPUTED), zero, zero),
    )
    wanted = ["person", "analyte", "comparator", "day", "value", "own_low", "own_high", "rank", "order"]
    results = pl.concat([measured.select(wanted), computed.select(wanted)])
    return last(results, ["person", "analyte"], "order")


def _wide(latest: pl.LazyFrame, keys: Declarations, t: int) -> pl.LazyFrame:
    """Values, distances and ages, one column each."""
    analytes = keys["analytes"].with_columns(pl.col("analyte", "examination").cast(pl.String))
    examination = keys["analytes"].lazy().select("analyte", "examination")
    rows = _with_distance(latest, keys).join(examination, on="analyte", how="left")
    of = pl.col("analyte")
    return rows.group_by("person").agg(
        *(pl.when(of == name).then("value").max().alias(name) for name in analytes["analyte"]),
        *(
            pl.when(of == name).then("distance").max().alias(f"{name}_distance")
            for name in analytes.filter("has_distance")["analyte"]
        ),
        *(
            (t - pl.when(pl.col("examination") == name).then("day").max()).alias(f"{name}_age_days")
            for name in analytes["examination"].unique(maintain_order=True)
        ),
    )


def _with_distance(latest: pl.LazyFrame, keys: Declarations) -> pl.LazyFrame:
    """How far outside the laboratory's own interval or, without, that of the person's sex and age."""
    rows = latest.with_columns(
        age=(_year(pl.col("day")) - pl.col("birth_year")).cast(pl.Int64).clip(upper_bound=_OLDEST),
        is_female=pl.col("is_female").cast(pl.Int64),
    ).join(keys["limits"].lazy(), on=["analyte", "is_female", "age"], how="left")
    has_own = pl.col("own_low").is_not_null() | pl.col("own_high").is_not_null()
    value, low, high = pl.col("value"), pl.col("low"), pl.col("high")
    single = (column.cast(pl.Float32) for column in (value, low, high, pl.col("low_inside"), pl.col("high_inside")))
    own_low, own_high = pl.col("own_low"), pl.col("own_high")
    own = _distance(value, own_low, own_high, value, own_low, own_high, own_low, own_high)
    # In single precision, so that a value on a limit is on it whatever a conversion did to its last bits.
    return rows.with_columns(distance=pl.when(has_own).then(own).otherwise(_distance(value, low, high, *single)))


def _distance(
    value: pl.Expr, low: pl.Expr, high: pl.Expr,
    compared: pl.Expr, lowest: pl.Expr, highest: pl.Expr, low_inside: pl.Expr, high_inside: pl.Expr,
) -> pl.Expr:  # fmt: skip
    """Share of the limit by which the value passes it; of a bound only where all that it leaves possible, from 0 on, agrees."""
    passed = pl.when(compared > highest).then(high).when(compared < lowest).then(low)
    share = pl.when(passed > value * _SMALLEST_SHARE).then((value - passed) / passed)
    known = pl.when(passed.is_not_null()).then(share).when(low.is_not_null() | high.is_not_null()).then(0.0)
    sign = pl.col("comparator")
    strict = (sign == "<") | (sign == ">")
    is_upper, is_lower = (sign == "<") | (sign == "<="), (sign == ">") | (sign == ">=")
    below = ((compared < low_inside) | (strict & (compared <= low_inside))).fill_null(False)
    above = ((compared > high_inside) | (strict & (compared >= high_inside))).fill_null(False)
    reaches_above = pl.when(strict).then(compared > highest).otherwise(compared > high_inside).fill_null(False)
    reaches_below = pl.when(strict).then(compared < lowest).otherwise(compared < low_inside).fill_null(False)
    undecided = (is_upper & ~below & ((low > 0).fill_null(False) | reaches_above)) | (
        is_lower & ~above & (high.is_not_null() | reaches_below)
    )
    return pl.when(sign.is_null() | ~undecided).then(known)


def _trends(exact: pl.LazyFrame, derived: pl.LazyFrame, followed: list[str]) -> pl.LazyFrame:
    """Changes and slopes of what is followed, over measured values and, on other days, derived ones."""
    keys = ["person", "analyte", "day"]
    wanted = pl.col("analyte").cast(pl.String).is_in(followed)
    more = derived.join(exact, on=keys, how="anti").select(*keys, "value")
    series = pl.concat([exact.select(*keys, "value"), more]).filter(wanted)
    rows = trend(series.with_columns(pl.col("analyte").to_physical()), ["person", "analyte"], "value")
    names = pl.Series(followed, dtype=pl.Categorical).to_physical().to_list()
    return rows.group_by("person").agg(
        pl.when(pl.col("analyte") == code).then(f"value_{what}").max().alias(f"{name}_{what}")
        for what in ("change", "slope")
        for name, code in zip(followed, names, strict=True)
    )
