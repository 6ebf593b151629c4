"""What the published numbers of the HelseIArbeid trial say: the effect, the workdays, and what else could explain them.

Every number is the trial report's (SEEDS.md, section 3, from document 002); what is derived here says how.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

from models.effects.regression_to_the_mean import correlation_that_explains, part_of_difference

BEFORE = {"with": 7.9, "without": 6.0}
"""Doctor-certified absence at the start, per cent (002:222-226)."""

AFTER = {"with": 8.4, "without": 7.8}
"""The same in 2022, after the intervention (002:222-226)."""

OTHER_YEARS = {"2020": 1.2, "2021": 1.6}
"""Differences in change against 2019 that are given without their arm means, percentage points (002:228-230)."""

WORKPLACES = {"with": 34, "without": 42}
"""Workplaces with absence data (002:214-220)."""

WORKDAYS_PER_YEAR = (230, 244)
"""Of a full-time year. The report says "up to 10 workdays" and no divisor; this range is ours (SEEDS.md, section 3)."""

CORRELATIONS = (0.3, 0.5, 0.7, 0.9)
"""Of a workplace's absence in 2019 with that in 2022. The trial published none, so a range is shown."""

ROUNDED_BY = 0.05
"""The arm means are printed to one decimal: each may be off by so much."""


def published_effect() -> dict[str, Any]:
    """Return what follows from the published numbers, and what cannot be computed from them; JSON values."""
    change = {arm: AFTER[arm] - BEFORE[arm] for arm in BEFORE}
    difference = change["without"] - change["with"]
    years = OTHER_YEARS | {"2022": round(difference, 10)}
    low, high = (sum(years.values()) / 100 * days for days in WORKDAYS_PER_YEAR)
    return {
        "difference_in_change_percentage_points": round(difference, 10),
        "change_percentage_points": {arm: round(value, 10) for arm, value in change.items()},
        "difference_by_year": years,
        "percentage_point_years": round(sum(years.values()), 10),
        "workdays_gained_per_full_time_year": {"low": round(low, 2), "high": round(high, 2)},
        "years": len(years),
        "regression_to_the_mean": _regression_to_the_mean(difference, years),
        "interval": _interval(difference),
        "difference_within_rounding": {
            end: round(difference + sign * 4 * ROUNDED_BY, 10) for end, sign in (("low", -1), ("high", 1))
        },
        "cannot_be_computed": list(_UNKNOWN),
    }


_UNKNOWN = (
    "an interval, as the report gives no spread of change between workplaces.",
    "how much of it is regression to the mean, as the report gives no correlation between years.",
    "the differences of 2020 and 2021 anew, as of their arm means only one is given, 7.4 %, with no year beside it.",
    f"the difference closer than by {4 * ROUNDED_BY:.1f} points either way, as four means are printed to one decimal: that "
    "alone, before any sampling error.",
    "the difference with workplaces weighted otherwise, as the report does not say how its means were weighted.",
)


_SAME_IN_ALL_YEARS = (
    "One correlation, of 2019 with 2022, is taken for all three years. Nearer years correlate more, so for 2020 and 2021 the "
    "part is an upper bound, and the workdays left are a lower one."
)


def _regression_to_the_mean(difference: float, years: dict[str, float]) -> dict[str, Any]:
    rows = []
    for correlation in CORRELATIONS:
        part = part_of_difference(BEFORE["with"], BEFORE["without"], correlation)
        left = [value - part for value in years.values()]
        days = [sum(left) / 100 * days for days in WORKDAYS_PER_YEAR]
        rows.append(
            {
                "correlation": correlation,
                "part_percentage_points": round(part, 2),
                "left_in_2022_percentage_points": round(difference - part, 2),
                "left_workdays_over_three_years": {"low": round(min(days), 2), "high": round(max(days), 2)},
            }
        )
    explains = correlation_that_explains(difference, BEFORE["with"], BEFORE["without"])
    return {
        "baseline_difference_percentage_points": round(BEFORE["with"] - BEFORE["without"], 10),
        "by_correlation": rows,
        "explains_all_at_correlation": round(explains, 3),
        "same_in_all_years": _SAME_IN_ALL_YEARS,
    }


def _interval(difference: float) -> dict[str, Any]:
    """Return how much workplaces may differ at most for the interval to exclude nought, and for chance imbalance."""
    root = float(np.sqrt(sum(1 / n for n in WORKPLACES.values())))
    t = float(stats.t.ppf(0.975, sum(WORKPLACES.values()) - 2))
    return {
        "workplaces": WORKPLACES,
        "half_width_per_sd_of_change": round(t * root, 3),
        "excludes_zero_if_sd_of_change_is_below_percentage_points": round(difference / (t * root), 2),
        "baseline_difference_is_chance_at_5_percent_if_sd_is_above_percentage_points": round(
            (BEFORE["with"] - BEFORE["without"]) / (t * root), 2
        ),
    }
