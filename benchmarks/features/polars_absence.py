"""Absence history and its patterns in Polars: interval unions per person and kind, the highest grade of every day."""

from __future__ import annotations

import datetime as dt
import math

import polars as pl
from polars_tables import Tables, current, of_consenting, stretches, with_zeros

_KINDS = ("doctor", "self", "mental", "musculoskeletal", "respiratory", "other_diagnosis", "any")
_N, _DOCTOR = 8, 1000
"""Kinds per person in a group number; what outranks every self-certified grade on the same day."""
_DAYS = {
    "doctor": (30, 90, 180, 365, 730),
    "self": (90, 365, 730),
    **dict.fromkeys(_KINDS[2:6], (365, 730)),
    "any": (365,),
}
_STARTS = {"doctor": (90, 365, 730), "self": (90, 365, 730), **dict.fromkeys(_KINDS[2:6], (365, 730)), "any": (365,)}
_LONGEST = {"doctor": (365, 730), "self": (365,), **dict.fromkeys(_KINDS[2:6], (730,))}
_UNKNOWN = [*(f"days_since_{kind}" for kind in _KINDS[:-1]), "gap_last_doctor", "gap_mean_doctor_730"]
_QUOTA_DAYS, _QUOTA_TIMES = 24, 4


def absence(tables: Tables, diagnoses: pl.DataFrame, persons: pl.LazyFrame, t: int) -> pl.LazyFrame:
    """Return the features of absence history in the order of ``persons``."""
    spells = _spells(tables, diagnoses, persons, t)
    pieces = _pieces(spells).collect().lazy()
    parts = _of_stretches(_all_stretches(spells, pieces), t), _of_pieces(pieces, t), _of_running(spells)
    joined = parts[0]
    for part in parts[1:]:
        joined = joined.join(part, on="person", how="left", maintain_order="left")
    features = with_zeros(persons, joined.with_columns(_combined()), "absence", _UNKNOWN)
    return features.drop("reaching_365", "yesterday").with_columns(_season(t))


def _spells(tables: Tables, diagnoses: pl.DataFrame, persons: pl.LazyFrame, t: int) -> pl.LazyFrame:
    """Spells begun before t as known then, clipped to the days before t."""
    rows = of_consenting(tables["absence_spells"], persons, "absence")
    known = current(rows, ["person", "spell_id"], t).filter(pl.col("first_day") < t)
    chapters = diagnoses.lazy().rename({"kind": "chapter"})
    return (
        known.join(chapters, on=["diagnosis", "diagnosis_system"], how="left", nulls_equal=True)
        .select(
            "person",
            first=pl.col("first_day"),
            last=pl.min_horizontal(pl.col("last_day"), pl.lit(t - 1)),
            is_running=(pl.col("last_day") >= t).fill_null(True),
            by_doctor=pl.col("kind") == "doctor_certified",
            grade=pl.col("grade_percent").cast(pl.Int64),
            chapter=pl.col("chapter").cast(pl.String).fill_null("other_diagnosis"),
        )
        .collect()
        .lazy()
    )


def _pieces(spells: pl.LazyFrame) -> pl.LazyFrame:
    """Split the days of a person into pieces of one certifier and grade: of several the highest, doctors first.

    Only spells that overlap another one are split; most stand alone.
    """
    start = pl.col("person").cast(pl.Int64) * (1 << 20)
    rows = spells.select(
        "person",
        start=start + pl.col("first"),
        end=start + pl.col("last"),
        priority=pl.col("grade") + _DOCTOR * pl.col("by_doctor"),
    ).sort("start")
    opens = (pl.col("start") > pl.col("end").cum_max().shift(1)).fill_null(True)
    clusters = rows.with_columns(cluster=opens.cum_sum()).with_columns(size=pl.len().over("cluster"))
    crowded = clusters.filter(pl.col("size") > 1)
    ends = crowded.select("cluster", cut=pl.col("end") + 1)
    cuts = pl.concat([crowded.select("cluster", cut="start"), ends]).unique().sort("cut")
    spans = cuts.with_columns(until=pl.col("cut").shift(-1).over("cluster") - 1).drop_nulls()
    covered = spans.join(crowded, on="cluster").filter(pl.col("start") <= pl.col("cut"), pl.col("cut") <= pl.col("end"))
    split = covered.group_by("person", "cut", "until").agg(pl.col("priority").max())
    alone = clusters.filter(pl.col("size") == 1).select("person", cut="start", until="end", priority="priority")
    return pl.concat([alone, split]).select(
        "person", "priority", first=pl.col("cut") - start, last=pl.col("until") - start
    )


def _all_stretches(spells: pl.LazyFrame, pieces: pl.LazyFrame) -> pl.LazyFrame:
    """Stretches of every kind, with the gap to the one before of the same person and kind."""
    group = pl.col("person").cast(pl.Int64) * _N
    certifier = pl.when(pl.col("priority") > _DOCTOR).then(0).otherwise(1)
    chapter = pl.col("chapter").replace_strict(_KINDS[2:6], list(range(2, 6)), return_dtype=pl.Int64)
    days = [pl.col("first").cast(pl.Int64), pl.col("last").cast(pl.Int64)]
    intervals = pl.concat(
        [
            pieces.select((group + certifier).alias("group"), *days),
            spells.filter("by_doctor").select((group + chapter).alias("group"), *days),
            spells.select((group + _KINDS.index("any")).alias("group"), *days),
        ]
    )
    is_next = pl.col("group") == pl.col("group").shift(1)
    gap = pl.when(is_next).then(pl.col("first") - pl.col("last").shift(1) - 1)
    return stretches(intervals).with_columns(
        gap=gap, person=(pl.col("group") // _N).cast(pl.UInt32), kind=(pl.col("group") % _N).cast(pl.Int8)
    )


def _inside(window: int, t: int) -> pl.Expr:
    """Days of a stretch or piece inside the window before t."""
    return (pl.col("last") + 1 - pl.max_horizontal(pl.col("first"), pl.lit(t - window))).clip(0)


def _of_stretches(rows: pl.LazyFrame, t: int) -> pl.LazyFrame:
    """All that is counted in stretches, per person."""
    first, last, wanted = pl.col("first"), pl.col("last"), []
    for place, kind in enumerate(_KINDS):
        of_kind = pl.when(pl.col("kind") == place)
        wanted += [of_kind.then(_inside(w, t)).sum().alias(f"days_{kind}_{w}") for w in _DAYS[kind]]
        wanted += [of_kind.then(first >= t - w).sum().alias(f"starts_{kind}_{w}") for w in _STARTS[kind]]
        wanted += [of_kind.then(_inside(w, t)).max().alias(f"longest_{kind}_{w}") for w in _LONGEST.get(kind, ())]
        if kind != "any":
            wanted.append((t - of_kind.then(last).max()).alias(f"days_since_{kind}"))
    by_doctor, every = pl.col("kind") == 0, pl.col("kind") == _KINDS.index("any")
    before = _less_before(365, 730, t)
    return rows.group_by("person").agg(
        *wanted,
        pl.when(every).then(last >= t - 365).sum().alias("reaching_365"),
        (pl.when(every).then(_inside(365, t)).sum() - pl.when(every).then(_inside(275, t)).sum()).alias(
            "days_any_same_season"
        ),
        *(
            (pl.when(pl.col("kind") == place).then(before).sum()).alias(f"trend_days_{_KINDS[place]}")
            for place in (0, 1)
        ),
        pl.col("gap").max_by(pl.when(by_doctor).then(first)).alias("gap_last_doctor"),
        pl.when(by_doctor & (first >= t - 730)).then("gap").mean().alias("gap_mean_doctor_730"),
        pl.when(by_doctor & (last == t - 1)).then(t - first).max().alias("yesterday"),
    )


def _less_before(near: int, far: int, t: int) -> pl.Expr:
    """Days within the near window less those between it and the far one."""
    return 2 * _inside(near, t) - _inside(far, t)


def _of_pieces(pieces: pl.LazyFrame, t: int) -> pl.LazyFrame:
    """Doctor-certified days weighted by grade, per person."""
    rows = pieces.filter(pl.col("priority") > _DOCTOR)
    grade = pl.col("priority") - _DOCTOR
    return rows.group_by("person").agg(
        ((grade * _inside(w, t)).sum() / 100).alias(f"weighted_days_doctor_{w}") for w in (365, 730)
    )


def _of_running(spells: pl.LazyFrame) -> pl.LazyFrame:
    by_doctor = pl.col("by_doctor")
    return spells.filter("is_running").group_by("person").agg(
        running_doctor=by_doctor.any().cast(pl.Int64),
        running_self=(~by_doctor).any().cast(pl.Int64),
        running_grade=pl.when(by_doctor).then("grade").max(),
    )  # fmt: skip


def _combined() -> list[pl.Expr]:
    """Features made of other features."""
    return [
        (pl.col("reaching_365") ** 2 * pl.col("days_any_365")).alias("bradford_365"),
        (pl.col("days_self_365") / _QUOTA_DAYS).clip(upper_bound=1).alias("quota_days_used_365"),
        (pl.col("starts_self_365") / _QUOTA_TIMES).clip(upper_bound=1).alias("quota_times_used_365"),
        pl.when(pl.col("running_doctor") == 1).then("yesterday").alias("running_days_doctor"),
    ]


def _season(t: int) -> list[pl.Expr]:
    day = (dt.date(1970, 1, 1) + dt.timedelta(days=t)).timetuple().tm_yday
    angle = 2 * math.pi * day / 365.25
    return [pl.lit(math.sin(angle)).alias("season_sin"), pl.lit(math.cos(angle)).alias("season_cos")]
