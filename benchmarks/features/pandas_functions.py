"""Scales that no declared key describes, from a frame with one column per item of an instrument, NaN where missing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

_ACTIVITIES = ("vigorous", "moderate", "walking")
_TENTHS_OF_MET = pd.Series((80.0, 40.0, 33.0), _ACTIVITIES)
_SHORTEST_BOUT, _MOST_MINUTES, _MOST_MINUTES_IN_ALL = 10, 180, 960
_MENTAL_WORK, _PHYSICAL_WORK = 1, 2
_SHC = {"musculoskeletal": 8, "pseudoneurology": 7, "gastrointestinal": 7, "allergy": 5, "flu": 2}


def _ipaq(wide: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.Series]:
    """Days and minutes after the published cleaning rules, NaN where these give no score, and tenths of MET-minutes."""
    days = wide[[f"{activity}_days" for activity in _ACTIVITIES]].set_axis(_ACTIVITIES, axis=1)
    minutes = (
        wide[[f"{activity}_minutes" for activity in _ACTIVITIES]].set_axis(_ACTIVITIES, axis=1).mask(days == 0, 0.0)
    )
    kept = (minutes.sum(axis=1, skipna=False) <= _MOST_MINUTES_IN_ALL) & days.notna().all(axis=1)
    long = minutes >= _SHORTEST_BOUT
    days = days.where(long, 0.0)[kept].reindex(wide.index)
    minutes = minutes.clip(upper=_MOST_MINUTES).where(long, 0.0)[kept].reindex(wide.index)
    return days, minutes, (days * minutes * _TENTHS_OF_MET).sum(axis=1, skipna=False)


def _met_minutes(wide: pd.DataFrame) -> pd.Series:
    return _ipaq(wide)[2] / 10


def _category(wide: pd.DataFrame) -> pd.Series:
    days, minutes, tenths = _ipaq(wide)
    all_days = days.sum(axis=1)
    long_days = days[["moderate", "walking"]].where(minutes[["moderate", "walking"]] >= 30, 0.0).sum(axis=1)
    is_moderate = (
        ((days["vigorous"] >= 3) & (minutes["vigorous"] >= 20))
        | (long_days >= 5)
        | ((all_days >= 5) & (tenths >= 6000))
    )
    is_high = ((days["vigorous"] >= 3) & (tenths >= 15000)) | ((all_days >= 7) & (tenths >= 30000))
    return pd.Series(np.select([is_high, is_moderate], [3.0, 2.0], 1.0), wide.index).where(tenths.notna())


def _sum(wide: pd.DataFrame, names: list[str]) -> pd.Series:
    return wide[names].sum(axis=1, skipna=False)


def _start_back_psychosocial(wide: pd.DataFrame) -> pd.Series:
    bothered = (wide["item_9"] >= 3).where(wide["item_9"].notna())
    return _sum(wide, [f"item_{number}" for number in range(5, 9)]) + bothered.astype(float)


def _start_back_total(wide: pd.DataFrame) -> pd.Series:
    return _sum(wide, [f"item_{number}" for number in range(1, 5)]) + _start_back_psychosocial(wide)


def _start_back_group(wide: pd.DataFrame) -> pd.Series:
    group = np.select([_start_back_psychosocial(wide) >= 4, _start_back_total(wide) <= 3], [3.0, 1.0], 2.0)
    return pd.Series(group, wide.index)


def _work_ability_index(wide: pd.DataFrame) -> pd.Series:
    work = wide["work_type"]
    tilt = np.select([work == _PHYSICAL_WORK, work == _MENTAL_WORK], [0.5, -0.5], 0.0)
    demands = (1 + tilt) * wide["physical"] + (1 - tilt) * wide["mental"]
    diseases = wide["diseases"]
    health = (6 - diseases).clip(lower=1).mask(diseases == 0, 7.0)
    points = _sum(wide, [f"resources_{number}" for number in (1, 2, 3)])
    resources = 1.0 + (points >= 4) + (points >= 7) + (points >= 10)
    return _sum(wide, ["work_ability", "impairment", "sick_leave", "prognosis"]) + demands + health + resources


def _complaints(part: str) -> list[str]:
    return [f"{part}_{number}" for number in range(1, _SHC[part] + 1)]


def _count(wide: pd.DataFrame, items: list[str], least: int) -> pd.Series:
    """Items of that many points, if all are answered."""
    return (wide[items] >= least).sum(axis=1).where(wide[items].notna().all(axis=1))


def _all_complaints() -> list[str]:
    return [item for part in _SHC for item in _complaints(part)]


def _shc_groups(wide: pd.DataFrame) -> pd.Series:
    reached = sum((wide[_complaints(part)].max(axis=1) >= 2).astype(float) for part in _SHC)
    return reached.where(wide[_all_complaints()].notna().all(axis=1))


FUNCTIONS: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
    "ipaq_met_minutes": _met_minutes,
    "ipaq_category": _category,
    "start_back_total": _start_back_total,
    "start_back_psychosocial": _start_back_psychosocial,
    "start_back_risk_group": _start_back_group,
    "wai_work_ability_index": _work_ability_index,
    "shc_complaints_count": lambda wide: _count(wide, _all_complaints(), 1),
    "shc_substantial_count": lambda wide: _count(wide, _all_complaints(), 2),
    "shc_pain_regions_count": lambda wide: _count(wide, _complaints("musculoskeletal"), 1),
    "shc_groups_count": _shc_groups,
}
"""How each of these scales is computed."""
