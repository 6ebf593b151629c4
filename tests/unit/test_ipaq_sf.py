"""Activity scores against the guidelines written down once more in plain Python, one person at a time."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.instruments import INSTRUMENTS, score

ACTIVITIES = {"vigorous": 8.0, "moderate": 4.0, "walking": 3.3}
IPAQ_SF = INSTRUMENTS["ipaq_sf"]

Reported = dict[str, tuple[int | None, int | None]]


def slow(reported: Reported) -> tuple[float, float]:
    """MET-minutes and category; NaN where the guidelines exclude the person."""
    if any(days is None or (days > 0 and minutes is None) for days, minutes in reported.values()):
        return math.nan, math.nan
    done = {activity: (days, minutes) for activity, (days, minutes) in reported.items() if days}
    if sum(minutes for _, minutes in done.values()) > 960:
        return math.nan, math.nan
    done = {activity: (days, min(minutes, 180)) for activity, (days, minutes) in done.items() if minutes >= 10}
    total = sum(ACTIVITIES[activity] * days * minutes for activity, (days, minutes) in done.items())
    return total, _category(done, round(total, 6))


def _category(done: dict[str, tuple[int, int]], total: float) -> float:
    vigorous_days, vigorous_minutes = done.get("vigorous", (0, 0))
    all_days = sum(days for days, _ in done.values())
    long_days = sum(days for activity, (days, minutes) in done.items() if activity != "vigorous" and minutes >= 30)
    if (vigorous_days >= 3 and total >= 1500) or (all_days >= 7 and total >= 3000):
        return 3.0
    if (vigorous_days >= 3 and vigorous_minutes >= 20) or long_days >= 5 or (all_days >= 5 and total >= 600):
        return 2.0
    return 1.0


# Minutes crowd around every limit: 10, 20, 30, 180 and, three together, 960.
_DAYS = st.one_of(st.integers(0, 7), st.none())
_MINUTES = st.one_of(
    st.sampled_from((0, 9, 10, 11, 19, 20, 29, 30, 31, 60, 179, 180, 181, 320, 321, 480, 481)),
    st.integers(0, 1440),
    st.none(),
)


@settings(max_examples=500, deadline=None)
@given(st.fixed_dictionaries({activity: st.tuples(_DAYS, _MINUTES) for activity in ACTIVITIES}))
def test_agrees_with_the_guidelines_person_by_person(reported: Reported) -> None:
    sheet = [math.nan if cell is None else float(cell) for one in ACTIVITIES for cell in reported[one]]
    met_minutes, category, _ = score(IPAQ_SF, np.array([[*sheet, 300.0]]))[0]
    np.testing.assert_allclose((met_minutes, category), slow(reported), rtol=1e-12)
