"""SYNTHETIC samples in which nothing has moved: persons with several rows, in the reference and in the current rows at once.

30 features in six groups that are correlated within a group and within a person: normal scores, skewed amounts, counts that are
mostly 0, rare yes/no answers; missing with the person (who does not answer one question does not answer the next).
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit
from scipy.stats import norm

from models.monitoring.comparison import Sample
from models.monitoring.response import Invited

GROUPS = ("survey", "laboratory", "absence", "work", "life", "sleep")
FEATURES_EACH = 5
KINDS = ("normal", "skewed", "count", "rare", "normal")
PERSON, FACTOR = 0.6, 0.5
"""Share of the variance between persons, and share that the features of a group have in common."""

REFERENCE_ROWS, CURRENT_ROWS = 6, 2
STAYING = 0.8
"""Share of the current persons who are in the reference too."""

NAMES = tuple(f"{group}_{place}_{kind}" for group in GROUPS for place, kind in enumerate(KINDS))
FEATURE_GROUPS = tuple(group for group in GROUPS for _ in KINDS)


def null_samples(
    random: np.random.Generator, reference_persons: int, current_persons: int
) -> tuple[Sample, Sample]:  # fmt: skip
    """Draw a reference and a current sample from one population."""
    staying = int(STAYING * current_persons)
    persons = np.arange(reference_persons + current_persons - staying)
    level = _correlated(random, len(persons))
    tends_to_miss = random.normal(-2.0, 1.0, len(persons))
    before = np.repeat(persons[:reference_persons], REFERENCE_ROWS)
    after = np.repeat(persons[reference_persons - staying :], CURRENT_ROWS)
    return _sample(random, before, level, tends_to_miss), _sample(random, after, level, tends_to_miss)


def null_answers(random: np.random.Generator, persons: int) -> tuple[Invited, Invited]:
    """Draw who answers in two periods, of the same persons; 60 % do."""
    willing = random.normal(0.5, 1.0, persons)
    groups = {
        "sex": np.where(random.random(persons) < 0.5, "female", "male"),
        "age": np.array(["to 39", "40 to 54", "55 on"])[random.integers(0, 3, persons)],
        "education": np.array(["school", "vocational", "university"])[random.integers(0, 3, persons)],
    }
    person = np.repeat(np.arange(persons), 2)
    found = [
        Invited(random.random(len(person)) < expit(willing[person]), person,
                {name: group[person] for name, group in groups.items()})
        for _ in range(2)
    ]  # fmt: skip
    return found[0], found[1]


def null_outcomes(
    random: np.random.Generator, persons: int, dates: int, company_spread: float = 0.0, company_size: int = 20
) -> tuple[np.ndarray, list[np.ndarray], np.ndarray]:
    """Draw calibrated risks and what happened in the year after each quarterly date.

    Events of a quarter are drawn once: the rows of a person at neighbouring dates look at the same days.

    Returns
    -------
    risks, shape (persons,); a list of outcomes, one array per date; company of each person.
    """
    company = np.arange(persons) // company_size
    told = random.normal(-1.5, 1.0, persons)
    shock = company_spread * random.normal(size=company.max() + 1)[company]
    risk = expit(told + shock)
    quarterly = 1 - (1 - risk) ** 0.25
    had = random.random((dates + 3, persons)) < quarterly
    outcomes = [had[date : date + 4].any(axis=0).astype(float) for date in range(dates)]
    return _on_average(told, company_spread), outcomes, company


def _on_average(log_odds: np.ndarray, spread: float) -> np.ndarray:
    """Risk averaged over companies: what a calibrated model that does not know the company says."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(15)
    return np.asarray(expit(log_odds[:, None] + spread * nodes) @ (weights / weights.sum()))


def _correlated(random: np.random.Generator, rows: int) -> np.ndarray:
    shared = np.repeat(random.normal(size=(rows, len(GROUPS))), FEATURES_EACH, axis=1)
    own = random.normal(size=(rows, len(NAMES)))
    return np.asarray(np.sqrt(FACTOR) * shared + np.sqrt(1 - FACTOR) * own)


def _sample(random: np.random.Generator, of: np.ndarray, level: np.ndarray, tends_to_miss: np.ndarray) -> Sample:
    hidden = np.sqrt(PERSON) * level[of] + np.sqrt(1 - PERSON) * _correlated(random, len(of))
    values = hidden.copy()
    for column, name in enumerate(NAMES):
        values[:, column] = _shaped(hidden[:, column], name.rsplit("_", 1)[1])
    values[random.random(values.shape) < expit(tends_to_miss[of])[:, None]] = np.nan
    return Sample(values, of, NAMES)


def _shaped(hidden: np.ndarray, kind: str) -> np.ndarray:
    """Turn standard normal values into the marginal distribution of a feature."""
    if kind == "skewed":
        return np.exp(hidden)
    if kind == "count":
        return np.floor(np.maximum(0.0, 20 * (norm.cdf(hidden) - 0.75)))
    if kind == "rare":
        return (hidden > norm.ppf(0.95)) * 1.0
    return hidden
