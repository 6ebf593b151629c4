"""International Physical Activity Questionnaire, short form (IPAQ-SF): activity and sitting in the last seven days."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from data_contracts.instruments.instrument import Band, Instrument, Item, Scale

_ACTIVITIES = ("vigorous", "moderate", "walking")
_DAYS = tuple(f"{activity}_days" for activity in _ACTIVITIES)
_ACTIVITY_ITEMS = tuple(f"{activity}_{unit}" for activity in _ACTIVITIES for unit in ("days", "minutes"))
_UP_TO_A_WEEK = tuple(float(days) for days in range(8))
_UP_TO_A_DAY = tuple(float(minutes) for minutes in range(24 * 60 + 1))

_SHORTEST_BOUT = 10
_MOST_MINUTES = 180
_MOST_MINUTES_IN_ALL = 960
# 8, 4 and 3.3 MET, in whole numbers.
_TENTHS_OF_MET = np.array([[80.0], [40.0], [33.0]])


class _Week(NamedTuple):
    """Days and minutes after the published cleaning rules, and ten times their MET-minutes, which are whole numbers.

    Arrays of shape (3, n_sheets), one row per activity; NaN in sheets that the rules exclude.
    """

    days: np.ndarray
    minutes: np.ndarray
    tenths: np.ndarray


def _cleaned(columns: Mapping[str, np.ndarray]) -> _Week:
    answers = np.array([columns[item] for item in _ACTIVITY_ITEMS])
    days, minutes = answers[::2], answers[1::2]
    minutes[days == 0] = 0.0
    # Minutes are added up before each is capped. What is missing stays so, whatever it is multiplied by.
    is_too_much = _in_all(minutes) > _MOST_MINUTES_IN_ALL
    is_long_enough = minutes >= _SHORTEST_BOUT
    days = days * is_long_enough
    minutes = np.where(is_too_much, np.nan, np.minimum(minutes, _MOST_MINUTES) * is_long_enough)
    return _Week(days, minutes, _TENTHS_OF_MET * days * minutes)


def _in_all(by_activity: np.ndarray) -> np.ndarray:
    return by_activity[0] + by_activity[1] + by_activity[2]


def met_minutes(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return MET-minutes per week; NaN where a needed value is missing or more than 960 minutes a day are reported."""
    return _in_all(_cleaned(columns).tenths) / 10


def category(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return 1 low, 2 moderate, 3 high; NaN where :func:`met_minutes` is.

    Days of different activities are added up, as the guidelines ask: the form does not say which fell together.
    """
    days, minutes, tenths = _cleaned(columns)
    all_days, all_tenths = _in_all(days), _in_all(tenths)
    long_days = days * (minutes >= 30)
    often_vigorous = days[0] >= 3
    is_moderate = (
        (often_vigorous & (minutes[0] >= 20))
        | (long_days[1] + long_days[2] >= 5)
        | ((all_days >= 5) & (all_tenths >= 6000))
    )
    is_high = (often_vigorous & (all_tenths >= 15000)) | ((all_days >= 7) & (all_tenths >= 30000))
    level = np.where(is_high, 3.0, np.where(is_moderate, 2.0, 1.0))
    return np.where(np.isnan(all_tenths), np.nan, level)


IPAQ_SF = Instrument(
    name="ipaq_sf",
    title="International Physical Activity Questionnaire, short form",
    items=(
        *(Item(item, _UP_TO_A_WEEK if item in _DAYS else _UP_TO_A_DAY) for item in _ACTIVITY_ITEMS),
        Item("sitting_minutes", _UP_TO_A_DAY),
    ),
    scales=(
        Scale(
            name="ipaq_met_minutes",
            items=_ACTIVITY_ITEMS,
            method="function",
            fewest_answers=3,
            minimum=0,
            maximum=19278,
            higher_is_worse=False,
            domain="physical_activity",
            modifiable=True,
            label_nb="Fysisk aktivitet i løpet av en uke",
            label_en="Physical activity in a week",
            function=met_minutes,
        ),
        Scale(
            name="ipaq_category",
            items=_ACTIVITY_ITEMS,
            method="function",
            fewest_answers=3,
            minimum=1,
            maximum=3,
            higher_is_worse=False,
            domain="physical_activity",
            modifiable=True,
            label_nb="Fysisk aktivitet, nivå fra 1 til 3",
            label_en="Physical activity, level from 1 to 3",
            function=category,
            bands=(Band("low", 1), Band("moderate", 2), Band("high", 3)),
        ),
        Scale(
            name="ipaq_sitting_minutes",
            items=("sitting_minutes",),
            method="mean",
            fewest_answers=1,
            minimum=0,
            maximum=1440,
            higher_is_worse=True,
            domain="physical_activity",
            modifiable=True,
            label_nb="Minutter sittende på en hverdag",
            label_en="Minutes sitting on a weekday",
        ),
    ),
    coding=(
        "Days: 0 = no day, 7 = every day of the last seven; minutes: 0 = none, 1440 = the whole day, on one such day "
        "(sitting: on a weekday), with hours already turned into minutes by the sender. The two activity scores need "
        "all three numbers of days, and the minutes of every activity whose days are above 0; who reports no day of "
        "an activity is not asked for its minutes, so these may be left out. More than 960 minutes of activity a day "
        "give no score."
    ),
    licence="Free to use (IPAQ group).",
    source=(
        "Guidelines for Data Processing and Analysis of the International Physical Activity Questionnaire (IPAQ), "
        "November 2005. That the 960 minutes are summed before the cap, and that the days of an activity of under 10 "
        "minutes are not counted: recalled."
    ),
)
