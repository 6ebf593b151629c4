"""Scales that no declared key describes, as Polars expressions over the item columns of an instrument."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

_ACTIVITIES = ("vigorous", "moderate", "walking")
_TENTHS_OF_MET = (80.0, 40.0, 33.0)
_SHORTEST_BOUT, _MOST_MINUTES, _MOST_MINUTES_IN_ALL = 10, 180, 960
_MENTAL_WORK, _PHYSICAL_WORK = 1, 2
_SHC = {"musculoskeletal": 8, "pseudoneurology": 7, "gastrointestinal": 7, "allergy": 5, "flu": 2}


def _column_sum(columns: list[pl.Expr]) -> pl.Expr:
    """Sum that is null where any of the columns is."""
    total = columns[0]
    for column in columns[1:]:
        total = total + column
    return total


def _ipaq() -> tuple[list[pl.Expr], list[pl.Expr], pl.Expr]:
    """Days and minutes after the published cleaning rules, null where these give no score, and tenths of MET-minutes."""
    days = [pl.col(f"{activity}_days") for activity in _ACTIVITIES]
    minutes = [
        pl.when(day == 0).then(0.0).otherwise(pl.col(f"{activity}_minutes"))
        for day, activity in zip(days, _ACTIVITIES, strict=True)
    ]
    kept = (_column_sum(minutes) <= _MOST_MINUTES_IN_ALL) & _column_sum(days).is_not_null()
    long = [minute >= _SHORTEST_BOUT for minute in minutes]
    days = [
        pl.when(kept).then(pl.when(is_long).then(day).otherwise(0.0)) for day, is_long in zip(days, long, strict=True)
    ]
    minutes = [
        pl.when(kept).then(pl.when(is_long).then(minute.clip(upper_bound=_MOST_MINUTES)).otherwise(0.0))
        for minute, is_long in zip(minutes, long, strict=True)
    ]
    tenths = _column_sum([met * day * minute for met, day, minute in zip(_TENTHS_OF_MET, days, minutes, strict=True)])
    return days, minutes, tenths


def _met_minutes() -> pl.Expr:
    return _ipaq()[2] / 10


def _category() -> pl.Expr:
    days, minutes, tenths = _ipaq()
    all_days = _column_sum(days)
    long_days = [
        pl.when(minute >= 30).then(day).otherwise(0.0) for day, minute in zip(days[1:], minutes[1:], strict=True)
    ]
    is_moderate = (
        ((days[0] >= 3) & (minutes[0] >= 20)) | (_column_sum(long_days) >= 5) | ((all_days >= 5) & (tenths >= 6000))
    )
    is_high = ((days[0] >= 3) & (tenths >= 15000)) | ((all_days >= 7) & (tenths >= 30000))
    level = pl.when(is_high).then(3.0).when(is_moderate).then(2.0).otherwise(1.0)
    return pl.when(tenths.is_not_null()).then(level)


def _start_back_psychosocial() -> pl.Expr:
    bothered = (pl.col("item_9") >= 3).cast(pl.Float64)
    return _column_sum([*(pl.col(f"item_{number}") for number in range(5, 9)), bothered])


def _start_back_total() -> pl.Expr:
    return _column_sum([pl.col(f"item_{number}") for number in range(1, 5)]) + _start_back_psychosocial()


def _start_back_group() -> pl.Expr:
    return pl.when(_start_back_psychosocial() >= 4).then(3.0).when(_start_back_total() <= 3).then(1.0).otherwise(2.0)


def _work_ability_index() -> pl.Expr:
    work = pl.col("work_type")
    tilt = pl.when(work == _PHYSICAL_WORK).then(0.5).when(work == _MENTAL_WORK).then(-0.5).otherwise(0.0)
    demands = (1 + tilt) * pl.col("physical") + (1 - tilt) * pl.col("mental")
    diseases = pl.col("diseases")
    health = pl.when(diseases == 0).then(7.0).otherwise((6 - diseases).clip(1))
    points = _column_sum([pl.col(f"resources_{number}") for number in (1, 2, 3)])
    resources = 1.0 + (points >= 4) + (points >= 7) + (points >= 10)
    rest = [pl.col(name) for name in ("work_ability", "impairment", "sick_leave", "prognosis")]
    return _column_sum([*rest, demands, health, resources])


def _complaints(part: str) -> list[pl.Expr]:
    return [pl.col(f"{part}_{number}") for number in range(1, _SHC[part] + 1)]


def _shc_count(least: int) -> pl.Expr:
    """Items of that many points, of all 29."""
    return _column_sum([(item >= least).cast(pl.Float64) for part in _SHC for item in _complaints(part)])


def _shc_regions() -> pl.Expr:
    return _column_sum([(item >= 1).cast(pl.Float64) for item in _complaints("musculoskeletal")])


def _shc_groups() -> pl.Expr:
    found = [pl.max_horizontal(_complaints(part)) >= 2 for part in _SHC]
    all_answered = _shc_count(1).is_not_null()
    return pl.when(all_answered).then(_column_sum([group.cast(pl.Float64) for group in found]))


FUNCTIONS: dict[str, Callable[[], pl.Expr]] = {
    "ipaq_met_minutes": _met_minutes,
    "ipaq_category": _category,
    "start_back_total": _start_back_total,
    "start_back_psychosocial": _start_back_psychosocial,
    "start_back_risk_group": _start_back_group,
    "wai_work_ability_index": _work_ability_index,
    "shc_complaints_count": lambda: _shc_count(1),
    "shc_substantial_count": lambda: _shc_count(2),
    "shc_pain_regions_count": _shc_regions,
    "shc_groups_count": _shc_groups,
}
"""How each of these scales is computed; null where any item it needs is missing."""
