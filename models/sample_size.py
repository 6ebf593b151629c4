"""How many persons a model of so many parameters needs, before it is trained.

Persons are counted, not rows: the index dates of one person overlap in what they know and in what they wait for.

References
----------
Riley RD et al. Calculating the sample size required for developing a clinical prediction model. BMJ 2020;368:m441.
Riley RD et al. Minimum sample size for a multivariable prediction model, part I and II. Stat Med 2019;38:1262 and 1276.
Riley RD, Van Calster B, Collins GS. Estimating the Cox-Snell R2 from the C statistic. Stat Med 2021;40:859.
The numbers are those of the package pmsampsize, which simulates where this module integrates.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.special import ndtri, stdtrit

from models.outcomes import OUTCOMES

SHRINKAGE = 0.9
"""Criterion 1: predictions may be at most a tenth too extreme."""

OPTIMISM = 0.05
"""Criterion 2: apparent and adjusted (Nagelkerke) R2 may differ by so much."""

MARGIN = 0.05
"""Binary criterion 3: the 95 % interval of the overall risk reaches so far either way."""

MULTIPLICATIVE_MARGIN = 1.1
"""Continuous criteria 3 and 4: the residual spread and the mean are known to within a tenth."""

RESIDUAL_SPREAD = 234
"""Persons beyond the parameters that make the residual spread known to within a tenth (Stat Med 2019;38:1262)."""

Z = 1.96
"""Standard errors on either side of a 95 % interval, rounded as the packages do."""

_LARGEST = 10**9
_NODES, NODE_WEIGHTS = np.polynomial.hermite_e.hermegauss(120)
NODE_WEIGHTS = NODE_WEIGHTS / NODE_WEIGHTS.sum()

ANTICIPATED: dict[str, dict[str, Any]] = {name: {**outcome.anticipated} for name, outcome in OUTCOMES.items()}
"""What a model of each outcome can be expected to reach, and why: each outcome says it."""

UNKNOWN_OUTCOME = {"c_statistic": 0.70, "source": "an assumption, the low end of what is published for absence"}

USUAL_PREVALENCE = {name: outcome.usual_level for name, outcome in OUTCOMES.items()}
"""Share with the event in a year (mean, of days), to plan by before there are data: each outcome says it."""

SMALLEST_MODEL = 5
"""Parameters of the least demanding candidate that is fitted to data alone: prior absence."""

USUAL_SPREAD = 3.0
"""Standard deviation of absence days over their mean, where it is not known: most have none and a few have months."""


@dataclass(frozen=True)
class Required:
    """Persons that each criterion asks for; the largest decides."""

    criteria: dict[str, int]

    @property
    def persons(self) -> int:
        """Persons that satisfy every criterion."""
        return max(self.criteria.values())

    @property
    def criterion(self) -> str:
        """The criterion that decides, the first of several."""
        return max(self.criteria, key=lambda name: self.criteria[name])


@dataclass(frozen=True)
class Verdict:
    """Whether there are persons enough for a model, and what that rests on.

    Parameters
    ----------
    outcome : str
    enough : bool
    required_persons, persons, missing_persons : int
    parameters : int
        Coefficients that the data may choose freely, splines and interactions counted one by one, before any penalty.
    prevalence : float
        Share of events, or mean days.
    anticipated : dict
        ``c_statistic`` or ``r2``, and ``source``.
    criterion : str
        The one that decides.
    criteria : dict
        Persons by criterion.
    """

    outcome: str
    enough: bool
    required_persons: int
    persons: int
    missing_persons: int
    parameters: int
    prevalence: float
    anticipated: dict[str, Any]
    criterion: str
    criteria: dict[str, int]

    def to_json(self) -> dict[str, Any]:
        """Return all of it as JSON values."""
        return asdict(self)

    def sentence(self) -> str:
        """Return what the verdict says, for a person who decides about data."""
        needs = f"a model of {self.parameters} parameters takes {self.required_persons} persons ({self.criterion})"
        if self.enough:
            return f"enough data for {self.outcome}: {needs}, there are {self.persons}"
        return f"not enough data for {self.outcome}; {self.missing_persons} more persons needed: {needs}"


def verdict(
    outcome: str, n_parameters: int, persons: int, prevalence: float, *, spread: float | None = None
) -> Verdict:
    """Judge whether persons suffice for a model with so many parameters.

    Parameters
    ----------
    outcome : str
        Name of the outcome; decides what discrimination can be expected.
    n_parameters : int
        Coefficients beside the intercept; at least 1.
    persons : int
        Different persons with an observed label, not rows.
    prevalence : float
        Weighted share of events; of ``absence_days`` the weighted mean of days.
    spread : float, optional
        Standard deviation of the days; only for ``absence_days``.

    Returns
    -------
    Verdict
    """
    anticipated = ANTICIPATED.get(outcome, UNKNOWN_OUTCOME)
    if "r2" in anticipated:
        mean = max(prevalence, 1e-6)
        required = required_for_days(n_parameters, anticipated["r2"], mean, spread or USUAL_SPREAD * mean)
    else:
        # No event among n persons is compatible with a few in a hundred: half an event stands for none.
        least = 0.5 / (persons + 1)
        share = min(max(prevalence, least), 1 - least)
        required = required_for_events(n_parameters, r2_of_c_statistic(anticipated["c_statistic"], share), share)
    missing = max(0, required.persons - persons)
    return Verdict(outcome, missing == 0, required.persons, persons, missing, n_parameters, float(prevalence),
                   dict(anticipated), required.criterion, required.criteria)  # fmt: skip


def required_persons(n_parameters: int, share: float, c_statistic: float) -> int:
    """Return the persons that a model of an event needs, from the C statistic it is expected to reach."""
    return required_for_events(n_parameters, r2_of_c_statistic(c_statistic, share), share).persons


def required_for_events(n_parameters: int, r2: float, share: float) -> Required:
    """Return the persons that a model of an event needs (BMJ 2020;368:m441).

    Parameters
    ----------
    n_parameters : int
    r2 : float
        Anticipated Cox-Snell R2, adjusted.
    share : float
        Share of persons with the event.
    """
    small_difference = r2 / (r2 + OPTIMISM * largest_r2(share))
    return Required(
        {
            "shrinkage of at most a tenth": _for_shrinkage(n_parameters, r2, SHRINKAGE),
            "optimism in R2 of at most 0.05": _for_shrinkage(n_parameters, r2, small_difference),
            "overall risk to within 0.05": math.ceil((Z / MARGIN) ** 2 * share * (1 - share)),
        }
    )


def largest_r2(share: float) -> float:
    """Return the Cox-Snell R2 of a perfect model."""
    return 1 - math.exp(2 * (share * math.log(share) + (1 - share) * math.log(1 - share)))


def _for_shrinkage(n_parameters: int, r2: float, shrinkage: float) -> int:
    return math.ceil(n_parameters / ((shrinkage - 1) * math.log(1 - r2 / shrinkage)))


def required_for_days(n_parameters: int, r2: float, mean: float, spread: float) -> Required:
    """Return the persons that a model of a number needs (Stat Med 2019;38:1262), here of days of absence.

    The criteria are those of linear regression. Days are skewed, so a model of them needs rather more than less.

    Parameters
    ----------
    n_parameters : int
    r2 : float
        Anticipated share of explained variance, adjusted.
    mean, spread : float
        Mean and standard deviation of the outcome.
    """
    shrunken = first_number(n_parameters + 2, lambda n: _days_shrinkage(n, n_parameters, r2) >= SHRINKAGE)
    difference = math.ceil(1 + n_parameters * (1 - r2) / OPTIMISM)
    residual = RESIDUAL_SPREAD + n_parameters
    least = max(shrunken, difference, residual)
    residual_spread = spread * math.sqrt(1 - r2)

    def is_mean_known(n: int) -> bool:
        reach = stdtrit(n - n_parameters - 1, 0.975) * residual_spread / math.sqrt(n)
        return bool(1 + reach / mean <= MULTIPLICATIVE_MARGIN)

    return Required(
        {
            "shrinkage of at most a tenth": shrunken,
            "optimism in R2 of at most 0.05": difference,
            "residual spread to within a tenth": residual,
            "mean days to within a tenth": first_number(least, is_mean_known),
        }
    )


def _days_shrinkage(n: int, n_parameters: int, r2: float) -> float:
    apparent = (r2 * (n - n_parameters - 1) + n_parameters) / (n - 1)
    return 1 + (n_parameters - 2) / (n * math.log(1 - apparent))


def first_number(least: int, holds: Any) -> int:
    """Return the first number from ``least`` on that satisfies a condition which, once true, stays true."""
    return least + bisect_left(range(least, _LARGEST), True, key=holds)


def r2_of_c_statistic(c_statistic: float, share: float) -> float:
    """Return the Cox-Snell R2 of a model with this C statistic (Stat Med 2021;40:859), integrated rather than simulated.

    The linear predictor is normal with the same spread in persons with and without the event; logistic regression on it
    is then the true model.

    Parameters
    ----------
    c_statistic : float
        Between 0.5 and 1.
    share : float
    """
    without, with_event = predictor_values(c_statistic, share)
    gained = share * _mean(-np.logaddexp(0, -with_event)) + (1 - share) * _mean(-np.logaddexp(0, without))
    known = share * math.log(share) + (1 - share) * math.log(1 - share)
    return 1 - math.exp(-2 * (gained - known))


def predictor_values(c_statistic: float, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Calibrated log-odds at the quadrature nodes, of persons without and with the event."""
    apart = math.sqrt(2) * float(ndtri(c_statistic))
    centre = math.log(share / (1 - share))
    return centre - apart**2 / 2 + apart * _NODES, centre + apart**2 / 2 + apart * _NODES


def _mean(values: np.ndarray) -> float:
    return float(values @ NODE_WEIGHTS)
