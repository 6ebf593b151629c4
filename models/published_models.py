"""Published formulas, as printed, to compare our models with.

Roelen CAM et al. BMC Public Health 2013;13:105 (doi 10.1186/1471-2458-13-105): 30 or more sickness absence days in one
year, developed in 535 Dutch health care workers. Its outcome is not ours: recalibrate before comparing.
"""

from __future__ import annotations

from typing import Any

ROELEN_FEATURES = ("age_years", "days_doctor_365", "srh_self_rated_health")
"""Our features in the order of the formula: age, prior absence days, self-rated health (1 poor .. 5 excellent)."""

ROELEN_COEFFICIENTS = (-0.016, 0.007, -0.718)
ROELEN_INTERCEPT = 0.601

ROELEN_TYPICAL = (45.0, 0.0, 4.0)
"""Stands for a value that nobody has, such as self-rated health where it was never asked."""

ROELEN_CAUTION = (
    "the published formula is of 30 or more absence days in a year; here an event is one episode of more than the chosen "
    "days, so its level does not carry over. How its authors coded self-rated health could not be looked up"
)


def roelen_days_log_odds(age_years: Any, prior_absence_days: Any, self_rated_health: Any) -> Any:
    """Log-odds of 30 or more absence days in the coming year; takes numbers or arrays."""
    terms = zip(ROELEN_COEFFICIENTS, (age_years, prior_absence_days, self_rated_health), strict=True)
    return ROELEN_INTERCEPT + sum(coefficient * value for coefficient, value in terms)
