"""How far companies differ beyond what a model of their persons says, and what partial pooling makes of it.

``logit P = level + slope * linear + u`` with one u per company, normal around 0. Companies with many persons keep most of
their own u, small ones are drawn to the others (empirical Bayes). The likelihood is integrated over u by Gauss-Hermite
quadrature; the spread of u is read from its profile: the highest point of a grid, and an interval whose ends lie where the
profile, straight between the points of the grid, has fallen far enough.

References: Stiratelli R, Laird N, Ware JH. Random-effects models for serial observations with binary response. Biometrics
1984;40:961. Debray TPA et al. A framework for developing, implementing, and evaluating clinical prediction models in an
individual participant data meta-analysis. Stat Med 2013;32:3158.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

SPREADS = np.array([0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0, 1.4, 2.0])
"""Standard deviations of the company effect that are tried, in log-odds: 2 is a factor of seven in the odds."""

FEWEST_COMPANIES = 2

_TINY = 1e-300

_DROP = 1.92
"""Fall of the log likelihood at the ends of a 95 % profile interval: half the 0.95 quantile of chi-squared on 1."""

_NODES, _NODE_WEIGHTS = np.polynomial.hermite_e.hermegauss(15)
_LOG_WEIGHTS = np.log(_NODE_WEIGHTS / _NODE_WEIGHTS.sum())


@dataclass(frozen=True, eq=False)
class CompanyEffects:
    """A fitted random-intercept model.

    Parameters
    ----------
    level, slope : float
        The line of an average company.
    spread : float
        Standard deviation between companies, log-odds.
    low : float
    high : float or None
        95 % profile interval of the spread. None: the largest spread of the grid is still within it, so all that is known
        is that the interval reaches to ``SPREADS[-1]`` or beyond.
    effect : float64 array, shape (n_companies,)
        Posterior mean of each company's own intercept.
    """

    level: float
    slope: float
    spread: float
    low: float
    high: float | None
    effect: np.ndarray

    def log_odds(self, linear: np.ndarray, company: np.ndarray) -> np.ndarray:
        """Return log-odds of persons in known companies; -1 and companies without a row have the effect 0."""
        effect = np.append(self.effect, 0.0)  # the last place is that of -1
        return self.level + self.slope * linear + effect[company]


def fit_company_effects(
    linear: np.ndarray, y: np.ndarray, weight: np.ndarray, company: np.ndarray, n_companies: int
) -> CompanyEffects:
    """Fit the random-intercept model.

    Parameters
    ----------
    linear, y, weight : float64 arrays, shape (n,)
        Log-odds of a model that knows nothing of the company; event; what each row counts for, adding up to the number of
        persons.
    company : int array, shape (n,)
        0 .. n_companies - 1; rows with -1 belong to no known company and are not used.
    n_companies : int
    """
    known = np.flatnonzero(company >= 0)
    known = known[np.argsort(company[known], kind="stable")]
    centre, width = linear[known].mean(), max(float(linear[known].std()), 1e-9)
    likelihood = _Likelihood((linear[known] - centre) / width, y[known], weight[known], company[known], n_companies)
    profile, lines = likelihood.profile
    best = int(profile.argmax())
    low, high = _interval(profile)
    level, slope = lines[best][0], lines[best][1] / width
    effect = SPREADS[best] * likelihood.mean_node(lines[best], SPREADS[best])
    return CompanyEffects(float(level - slope * centre), float(slope), float(SPREADS[best]), low, high, effect)


def _interval(profile: np.ndarray) -> tuple[float, float | None]:
    """Where the profile has fallen by ``_DROP`` on either side of its highest point; None above the grid."""
    best, limit = int(profile.argmax()), float(profile.max()) - _DROP
    below = [place for place in range(best) if profile[place] < limit]
    above = [place for place in range(best, len(profile)) if profile[place] < limit]
    low = _crossing(profile, limit, below[-1]) if below else float(SPREADS[0])
    return low, _crossing(profile, limit, above[0] - 1) if above else None


def _crossing(profile: np.ndarray, limit: float, place: int) -> float:
    """The spread between a point of the grid and the next where the profile passes the limit."""
    start, end = profile[place], profile[place + 1]
    return float(SPREADS[place] + (limit - start) / (end - start) * (SPREADS[place + 1] - SPREADS[place]))


@dataclass(frozen=True, eq=False)
class _Likelihood:
    """Of rows in the order of their companies."""

    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    company: np.ndarray
    n_companies: int

    @cached_property
    def profile(self) -> tuple[np.ndarray, list[np.ndarray]]:
        """Largest log likelihood and its line (level, slope) at each spread of the grid."""
        mean = np.average(self.y, weights=self.weight)
        line = np.array([np.log(mean / (1 - mean)), 0.0])
        heights, lines = [], []
        for spread in SPREADS:
            found = minimize(self.loss, line, args=(spread,), jac=True, method="BFGS")
            line = found.x
            heights.append(-float(found.fun))
            lines.append(line)
        return np.array(heights), lines

    def loss(self, line: np.ndarray, spread: float) -> tuple[float, np.ndarray]:
        """Negative log likelihood and its gradient."""
        happened = self._chance_of_what_happened(line, spread)
        by_node = self._by_node(happened)
        top = by_node.max(axis=1, keepdims=True)
        height = float((top[:, 0] + np.log(np.exp(by_node - top).sum(axis=1))).sum())
        unexpected = (_shares(by_node)[self.company] * (1 - happened)).sum(axis=1)
        residual = self.weight * self.sign * unexpected
        return -height, -np.array([residual.sum(), residual @ self.x])

    def mean_node(self, line: np.ndarray, spread: float) -> np.ndarray:
        """Posterior mean of each company's standardised effect, shape (n_companies,)."""
        return np.asarray(_shares(self._by_node(self._chance_of_what_happened(line, spread))) @ _NODES)

    @cached_property
    def sign(self) -> np.ndarray:
        """1 for an event, -1 for none, shape (n,)."""
        return 2 * self.y - 1

    def _chance_of_what_happened(self, line: np.ndarray, spread: float) -> np.ndarray:
        """By row and node: the risk of those with the event, one minus it of the others."""
        own = self.sign * (line[0] + line[1] * self.x)
        return np.asarray(expit(own[:, None] + self.sign[:, None] * (spread * _NODES)))

    def _by_node(self, happened: np.ndarray) -> np.ndarray:
        """Log of what each node adds to a company's likelihood, shape (n_companies, n_nodes)."""
        sums = np.zeros((self.n_companies, len(_NODES)))
        there, first = np.unique(self.company, return_index=True)
        sums[there] = np.add.reduceat(self.weight[:, None] * np.log(np.maximum(happened, _TINY)), first)
        return sums + _LOG_WEIGHTS


def _shares(logs: np.ndarray) -> np.ndarray:
    likelihoods = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(likelihoods / likelihoods.sum(axis=1, keepdims=True))
