"""Predictors chosen from what is published, not on data: few enough for a few thousand persons.

How they enter was not all settled beforehand: that days of absence may bend (``CURVED``), and that an unanswered question on
health counts (``FLAGGED``), was decided on out-of-fold results of SYNTHETIC training rows.

Prior absence days and spells; self-rated health; work ability; distress and complaints; age, sex, education; sleep and BMI;
shift work. Numbers in brackets: [1] Airaksinen 2018, Scand J Work Environ Health 44:274. [3] Nyberg 2023, ibid. 4124. [4] van
der Burg 2020, BMC Public Health 20:699. [5] Roelen 2013, BMC Public Health 13:105. [6] van Hoffen 2015, ibid. 15:1235.
[8], [9] Bosman 2019, J Occup Rehabil (s10926-018-09825-y), 2018, Scand J Work Environ Health 3703. [11] Lundin 2017, PubMed
28385066. [22] Borritz 2006, Occup Environ Med 63:98.
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
