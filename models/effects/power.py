"""What effect a design can see: closed forms for clustered designs, after Hussey & Hughes (2007).

A design is a matrix of noughts and ones, companies by periods. Parallel groups are one period; with a baseline there are two;
in a stepped wedge companies begin one after the other. One formula serves all of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

DESIGNS = ("parallel", "parallel-with-baseline", "stepped-wedge")


@dataclass(frozen=True)
class Clusters:
    """What is measured: ``companies`` in all, ``persons`` per company and period, other persons in each period.

    ``sd`` is of persons within and between companies together, ``icc`` the share of its square that lies between.
    """

    companies: int
    persons: float
    sd: float
    icc: float


def design_matrix(design: str, companies: int, periods: int) -> np.ndarray:
    """Return 1 where a company has the intervention, shape (companies, periods).

    Raises
    ------
    ValueError
        If the design is not known, or its periods do not fit it.
    """
    half = np.arange(companies) < companies // 2
    if design == "parallel":
        return half[:, None].astype(float)
    if design == "parallel-with-baseline":
        return np.column_stack([np.zeros(companies), half])
    if design != "stepped-wedge" or periods < 3 or companies < periods - 1:
        raise ValueError(f"no {design} design of {companies} companies over {periods} periods")
    # As many companies as can be begin at each step; none in the first period, all in the last.
    first = 1 + np.arange(companies) * (periods - 1) // companies
    return (np.arange(periods) >= first[:, None]).astype(float)


def variance(matrix: np.ndarray, clusters: Clusters) -> float:
    """Return the variance of the estimated effect; equation 7 of Hussey & Hughes."""
    n, periods = matrix.shape
    within = clusters.sd**2 * (1 - clusters.icc) / clusters.persons
    between = clusters.sd**2 * clusters.icc
    total = matrix.sum()
    by_period, by_company = (matrix.sum(axis=0) ** 2).sum(), (matrix.sum(axis=1) ** 2).sum()
    below = (n * total - by_period) * within
    below += (total**2 + n * periods * total - periods * by_period - n * by_company) * between
    return float(n * within * (within + periods * between) / below)


def design_effect(clusters: Clusters) -> float:
    """Return how many times more persons parallel groups need than if persons were drawn one by one: 1 + (m - 1) ICC."""
    return 1 + (clusters.persons - 1) * clusters.icc


def power(effect: float, matrix: np.ndarray, clusters: Clusters, alpha: float = 0.05) -> float:
    """Return the chance that a two-sided test at ``alpha`` finds the effect; t with companies - 2 degrees of freedom."""
    df = clusters.companies - 2
    limit = stats.t.ppf(1 - alpha / 2, df)
    distance = abs(effect) / np.sqrt(variance(matrix, clusters))
    return float(stats.nct.sf(limit, df, distance) + stats.nct.cdf(-limit, df, distance))


def least_effect(matrix: np.ndarray, clusters: Clusters, chance: float = 0.8, alpha: float = 0.05) -> float:
    """Return the smallest effect that is found with probability ``chance``, in units of ``sd``'s measure."""
    df = clusters.companies - 2
    t = stats.t.ppf(1 - alpha / 2, df) + stats.t.ppf(chance, df)
    return float(t * np.sqrt(variance(matrix, clusters)))
