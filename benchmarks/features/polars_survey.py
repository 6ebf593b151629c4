"""Survey scores and answering in Polars: one wide frame per instrument, scored by the declared keys."""

from __future__ import annotations

import polars as pl
from polars_functions import FUNCTIONS
from polars_tables import Tables, in_order, of_consenting, with_zeros

_SHEET = ["person", "day"]
_FEWEST_FOR_STRAIGHT = 5
_SHORTEST_SPAN, _YEAR = 90, 365.25
Declarations = dict[str, pl.DataFrame]


def sheets(tables: Tables, keys: Declarations, persons: pl.LazyFrame, t: int) -> dict[str, pl.LazyFrame]:
    """Return one frame per instrument: person, day, the scales, how many items are answered, whether all alike."""
    rows = of_consenting(tables["survey_answers"], persons, "survey")
    seen = rows.filter(pl.col("known_from") < t, pl.col("answered_on") < t).select(
        "person",
        pl.col("item").cast(pl.Categorical).to_physical(),
        "known_from",
        pl.col("instrument").cast(pl.Categorical),
        day="answered_on",
        answer=pl.when(pl.col("is_deleted") == 0).then("answer"),
    )
    parts = seen.collect().partition_by("instrument", as_dict=True, include_key=False)
    frames = {str(name): frame.lazy() for (name,), frame in parts.items()}
    scored = pl.collect_all([_scored(frame, name, keys) for name, frame in frames.items()])
    return {name: frame.lazy() for name, frame in zip(frames, scored, strict=True)}


def _scored(rows: pl.LazyFrame, instrument: str, keys: Declarations) -> pl.LazyFrame:
    """Spread the answers of an instrument over columns, the last version of each, and score them."""
    declared = keys["items"].filter(pl.col("instrument") == instrument)
    codes = declared.select(pl.col("item").cast(pl.String), code=pl.col("item").to_physical()).rows()
    # The answer known last counts, also where it has been withdrawn (null).
    wide = rows.group_by(_SHEET).agg(
        pl.col("answer").max_by(pl.when(pl.col("item") == code).then("known_from")).alias(item) for item, code in codes
    )
    items = [item for item, _ in codes]
    n_answered = pl.sum_horizontal(pl.col(items).is_not_null())
    is_straight = pl.min_horizontal(items) == pl.max_horizontal(items)
    return wide.select(
        *_SHEET,
        *_scores(instrument, keys),
        n_items=pl.lit(len(items)),
        n_answered=n_answered,
        is_straight=pl.when(n_answered >= _FEWEST_FOR_STRAIGHT).then(is_straight),
    ).filter(pl.col("n_answered") > 0)


def _scores(instrument: str, keys: Declarations) -> list[pl.Expr]:
    scales = keys["scales"].filter(pl.col("instrument") == instrument)
    wanted = []
    for scale in scales.iter_rows(named=True):
        its = keys["scale_items"].filter(pl.col("scale") == scale["scale"])
        values = [
            pl.col(item) if mirror is None else mirror - pl.col(item) for item, mirror in its["item", "mirror"].rows()
        ]
        n_answered = pl.sum_horizontal(value.is_not_null() for value in values)
        if scale["method"] == "function":
            score = FUNCTIONS[scale["scale"]]()
        elif scale["method"] == "criteria":
            score = _meets(keys["criteria"].filter(pl.col("scale") == scale["scale"]))
        else:
            score = pl.sum_horizontal(values) * scale["factor"] / n_answered
        wanted.append(pl.when(n_answered >= scale["fewest_answers"]).then(score).alias(scale["scale"]))
    return wanted


def _meets(criteria: pl.DataFrame) -> pl.Expr:
    """1 if in every part an item reaches its threshold, else 0."""
    parts = criteria.partition_by("part")
    reached = [
        pl.any_horizontal((pl.col(item) >= least).fill_null(False) for item, least in part["item", "threshold"].rows())
        for part in parts
    ]
    return pl.all_horizontal(reached).cast(pl.Float64)


def survey(frames: dict[str, pl.LazyFrame], keys: Declarations, persons: pl.LazyFrame, t: int) -> list[pl.LazyFrame]:
    """Return the features of scores and of answering, each part in the order of ``persons``."""
    parts = [in_order(persons, _latest(frame, name, keys, t)) for name, frame in frames.items()]
    return [*parts, with_zeros(persons, _response(frames, t), "survey", _RESPONSE_UNKNOWN)]


def _latest(frame: pl.LazyFrame, instrument: str, keys: Declarations, t: int) -> pl.LazyFrame:
    """Latest score of every scale, its age, and changes and slopes of what is followed."""
    scales = keys["scales"].filter(pl.col("instrument") == instrument).with_columns(pl.col("scale").cast(pl.String))
    names, followed = scales["scale"].to_list(), scales.filter("is_followed")["scale"].to_list()
    day = pl.when(pl.any_horizontal(pl.col(names).is_not_null())).then("day")
    latest = frame.group_by("person").agg(
        *(pl.col(name).max_by(pl.when(pl.col(name).is_not_null()).then("day")) for name in names),
        (t - day.max()).alias(f"{instrument}_age_days"),
    )
    for name in followed:
        latest = latest.join(trend(frame.select(*_SHEET, value=name), ["person"], name), on="person", how="left")
    return latest


def trend(rows: pl.LazyFrame, group: list[str], prefix: str) -> pl.LazyFrame:
    """Change and yearly slope of ``value`` over the latest two and three days of each group."""
    ordered = rows.drop_nulls("value").sort(*group, "day")
    same = {back: pl.all_horizontal(pl.col(name) == pl.col(name).shift(back) for name in group) for back in (1, 2, -1)}
    value, day = pl.col("value"), pl.col("day")
    x1, x2 = (pl.when(same[back]).then((day.shift(back) - day).cast(pl.Float64)) for back in (1, 2))
    # Both counted from the latest, whose own terms are then 0.
    y1, y2 = (pl.when(same[back]).then(value.shift(back) - value) for back in (1, 2))
    sum_x = x1 + x2
    slope = (3 * (x1 * y1 + x2 * y2) - sum_x * (y1 + y2)) / (3 * (x1 * x1 + x2 * x2) - sum_x * sum_x)
    return (
        ordered.with_columns(
            (-y1).alias(f"{prefix}_change"),
            pl.when(x2 <= -_SHORTEST_SPAN).then(slope * _YEAR).alias(f"{prefix}_slope"),
            is_latest=~same[-1].fill_null(False),
        )
        .filter("is_latest")
        .select(*group, f"{prefix}_change", f"{prefix}_slope")
    )


_RESPONSE_UNKNOWN = ["days_since_survey", "instruments_answered", "survey_items_missing_share", "straight_lining_share"]


_NO_SHEETS = pl.LazyFrame(
    schema={
        "person": pl.UInt32,
        "day": pl.Int32,
        "n_items": pl.Int32,
        "n_answered": pl.UInt32,
        "is_straight": pl.Boolean,
    }
)


def _response(frames: dict[str, pl.LazyFrame], t: int) -> pl.LazyFrame:
    """How, and how often, the person has answered."""
    days = (
        pl.concat([_NO_SHEETS, *(frame.select(_NO_SHEETS.collect_schema().names()) for frame in frames.values())])
        .group_by(_SHEET)
        .agg(
            instruments_answered=pl.len(),
            survey_items_missing_share=1 - pl.col("n_answered").sum() / pl.col("n_items").sum(),
            straight_lining_share=pl.col("is_straight").mean(),
        )
    )
    return days.group_by("person").agg(
        (pl.col("day") >= t - 730).sum().alias("survey_days_730"),
        (t - pl.col("day").max()).alias("days_since_survey"),
        pl.col(_RESPONSE_UNKNOWN[1:]).max_by("day"),
    )
