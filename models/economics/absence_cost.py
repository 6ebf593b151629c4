"""What a day and a spell of absence cost, and who bears it: the employer in the first 16 days, the state afterwards.

Lost is the work of the days. From day 17 NAV refunds the wage up to a ceiling, and no contribution is paid on what is
refunded (recalled): of that the employer is relieved, and society is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import exp, log
from statistics import NormalDist

from scipy.optimize import brentq

from models.economics.inputs import EconomicInputs

LOG_MEAN, LOG_SD, LONGEST = 2.10, 2.10, 365
"""Length of doctor-certified spells in calendar days, lognormal up to the maximum of a year (DOMAIN section 7)."""

LENGTH_BY_OUTCOME = {"long_sick_leave": 1.0, "long_sick_leave_mental": 1.28, "long_sick_leave_musculoskeletal": 1.15}
"""Mean length of all spells of such a diagnosis, short ones too, against that of all diagnoses: share of days over share of
spells, by ICPC-2 chapter (DOMAIN section 7)."""

LONG = 16
"""A spell is long if it lasts more than so many calendar days, as in the outcomes."""

CALENDAR_YEAR = 365


@dataclass(frozen=True)
class Kroner:
    """An amount by who bears it."""

    society: float
    employer: float

    @property
    def state(self) -> float:
        """What neither the employer nor the absent person bears: sick pay, and the contribution that falls away."""
        return self.society - self.employer


def expected_days(cap: float, log_mean: float = LOG_MEAN) -> float:
    """Return the mean of min(length, cap) over all doctor-certified spells, in calendar days."""
    normal = NormalDist()
    at = (log(cap) - log_mean) / LOG_SD
    return exp(log_mean + LOG_SD**2 / 2) * normal.cdf(at - LOG_SD) + cap * (1 - normal.cdf(at))


@cache
def log_mean_of(outcome: str) -> float:
    """Return the log-mean at which spells of an outcome's diagnoses are ``LENGTH_BY_OUTCOME`` times as long as all spells."""
    wanted = LENGTH_BY_OUTCOME[outcome] * expected_days(LONGEST)
    return float(brentq(lambda log_mean: expected_days(LONGEST, log_mean) - wanted, LOG_MEAN - 2, LOG_MEAN + 2))


def days_of_a_long_spell(outcome: str) -> float:
    """Return the mean length of the spells that an outcome counts, those over ``LONG`` days, in calendar days."""
    log_mean = log_mean_of(outcome)
    share_long = 1 - NormalDist().cdf((log(LONG) - log_mean) / LOG_SD)
    beyond = expected_days(LONGEST, log_mean) - expected_days(LONG, log_mean)  # of all spells, short ones have none
    return LONG + beyond / share_long


def cost_of_days(inputs: EconomicInputs, in_employer_period: float, after: float) -> Kroner:
    """Return what calendar days of absence cost, for the mean position and grade.

    Parameters
    ----------
    inputs : EconomicInputs
    in_employer_period, after : float
        Calendar days that the employer pays, and that NAV refunds.
    """
    absent = inputs.position_percent.value / 100 * inputs.grade_percent.value / 100
    a_day = inputs.full_time_wage.value * inputs.on_costs.value * absent / CALENDAR_YEAR
    refunded = min(1.0, inputs.sick_pay_ceiling.value / inputs.full_time_wage.value) * a_day
    lost = a_day * inputs.output_value.value
    return Kroner((in_employer_period + after) * lost, in_employer_period * lost + after * (lost - refunded))


def cost_of_a_long_spell(inputs: EconomicInputs, outcome: str) -> Kroner:
    """Return what one spell of an outcome costs."""
    days = days_of_a_long_spell(outcome)
    paid = min(days, inputs.employer_days.value)
    return cost_of_days(inputs, paid, days - paid)
