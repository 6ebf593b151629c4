"""The one home of the open/closed interval rule, in integer days since 1970-01-01 (Europe/Oslo calendar days).

* ``t``, the index date, is the morning of day ``t``: nothing that happens or becomes known *on* day ``t`` is known at ``t``.
* A row is visible at ``t`` iff ``known_from < t``.
* Lookback is ``[t - L, t)`` and horizon ``[t, t + H)``: both half-open, so no day is ever in both.
* Spells cover ``first_day..last_day``, both included.

All functions take scalars or NumPy arrays and broadcast.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

OSLO = ZoneInfo("Europe/Oslo")
EPOCH = date(1970, 1, 1)

NO_DAY = np.iinfo(np.int32).min
"""Stands for "no date" in an integer day array (for example the ``last_day`` of a running spell)."""

_DAY = np.dtype("datetime64[D]")
_NO_DAY = np.int64(NO_DAY)

Days = Any  # an int or an integer array; NumPy's typing cannot say "either, and broadcast" without noise


def day_number(day: date | str) -> int:
    """Return the integer day of a calendar date (or its ISO text)."""
    if isinstance(day, str):
        day = date.fromisoformat(day)
    return (day - EPOCH).days


def calendar_date(day: int) -> date:
    """Return the calendar date of an integer day."""
    return date.fromordinal(EPOCH.toordinal() + int(day))


def local_date(text: str) -> date:
    """Read an ISO date, or an ISO timestamp turned into its Oslo calendar day.

    A timestamp without an offset is local time already. Raises ValueError for anything else.
    """
    if len(text) == 10:
        return date.fromisoformat(text)
    moment = datetime.fromisoformat(text)
    return moment.date() if moment.tzinfo is None else moment.astimezone(OSLO).date()


def to_day_numbers(days: np.ndarray) -> np.ndarray:
    """Turn ``datetime64[D]`` into int32 day numbers, NaT into ``NO_DAY``."""
    numbers = days.astype(_DAY, copy=False).view(np.int64)
    return np.maximum(numbers, _NO_DAY).astype(np.int32)  # NaT is the smallest int64


def today() -> date:
    """Return the calendar day it is in Oslo now, wherever this machine stands."""
    return datetime.now(OSLO).date()


def latest_index_date() -> date:
    """Return the last morning that can be predicted for: what is known today counts for tomorrow at the latest."""
    return today() + timedelta(days=1)


def is_visible(known_from: Days, t: Days) -> Any:
    """True where a row known from ``known_from`` may be used on the morning of ``t``."""
    return known_from < t


def lookback(t: Days, days: Days) -> tuple[Any, Any]:
    """Bounds ``[start, end)`` of the ``days`` days before ``t``."""
    return t - days, t


def horizon(t: Days, days: Days) -> tuple[Any, Any]:
    """Bounds ``[start, end)`` of the ``days`` days from ``t`` on."""
    return t, t + days


def is_within(day: Days, window: tuple[Any, Any]) -> Any:
    """True where ``day`` lies in the half-open ``window``."""
    return (day >= window[0]) & (day < window[1])
