"""Predictors chosen before any data were seen, from what is published: few enough for a few thousand persons.

DOMAIN.md section 1, "Who carries the signal": prior absence days and spells; self-rated health; work ability; distress and
complaints; age, sex, education; sleep and BMI; shift work. Number in brackets: the source list there.
"""

from __future__ import annotations

PRIOR_ABSENCE = ("days_doctor_365", "starts_doctor_365", "days_doctor_730", "days_self_365", "starts_self_365")
SHORT = ("age_years", "is_female", "srh_self_rated_health", "days_doctor_365", "starts_doctor_365")

CORE = (
    "age_years",  # Roelen 2013 [5], Airaksinen 2018 [1]
    "is_female",  # [1]
    "education",  # socio-economic status [1], [4]
    "days_doctor_365",  # prior sickness absence [1], [5]
    "starts_doctor_730",  # spells [5]
    "starts_self_365",  # spells [5]
    "srh_self_rated_health",  # [1], [4], [5]
    "was_work_ability",  # ability now against best, single item [11]
    "hscl10_distress",  # distress [1], [6]
    "cbi_personal",  # burnout scales [22]
    "cbi_work",  # [22]
    "pain_sites_count",  # musculoskeletal complaints [8], [9]
    "bis_insomnia",  # sleep [1]
    "bmi",  # [1]
    "shift_work",  # [1], [3]
)

CURVED = ("days_doctor_365",)
"""Core features that may bend: most persons have no such day, and the first ones weigh more than the hundredth."""

FLAGGED = ("srh_self_rated_health",)
"""Core features whose being missing counts: who leaves the survey unanswered is not like the median answer."""

LEADERS = (
    "age_years", "days_doctor_365", "days_doctor_730", "days_self_365", "weighted_days_doctor_730", "was_work_ability",
    "srh_self_rated_health", "hscl10_distress", "cbi_personal", "cbi_work",
)  # fmt: skip
"""Features that may bend in the model of all features."""
