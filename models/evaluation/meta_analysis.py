"""One number from many workplaces: its average over workplaces, how much they differ, and what a new one may expect.

Random-effects model by restricted maximum likelihood; interval of the average after Hartung, Knapp, Sidik and Jonkman,
never narrower than without their factor (Rover C et al. BMC Med Res Methodol 2015;15:99); prediction interval with
``k - 2`` degrees of freedom (Higgins JPT et al. J R Stat Soc A 2009;172:137; Riley RD et al. BMJ 2011;342:d549).
For prediction models: Debray TPA et al. Stat Methods Med Res 2019;28:2768.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

_MOST_STEPS = 200
_SMALL_STEP = 1e-12


@dataclass(frozen=True)
class Pooled:
    """The average of k clusters on the scale on which they were pooled.

    Parameters
    ----------
    k : int
    mean, low, high : float
        Average over clusters with its 95 % interval; NaN interval with one cluster.
    prediction_low, prediction_high : float
        Where the number of a new cluster lies, 95 %; NaN with fewer than three clusters.
    tau_squared : float
        Variance between clusters.
    i_squared : float
        Share of the variance of the clusters' numbers that is between clusters rather than chance.
    """

    k: int
    mean: float
    low: float
    high: float
    prediction_low: float
    prediction_high: float
    tau_squared: float
    i_squared: float


def pool(values: np.ndarray, standard_errors: np.ndarray) -> Pooled:
    """Pool numbers of clusters.

    Parameters
    ----------
    values, standard_errors : float64 arrays, shape (k,)
        Finite; standard errors above 0.
    """
    variances, k = standard_errors**2, len(values)
    tau_squared = variance_between(values, variances)
    mean, error = average(values, variances, tau_squared)
    within = typical_variance(variances)
    reach = _quantile(k - 2) * float(np.sqrt(tau_squared + error**2))
    return Pooled(
        k=k,
        mean=mean,
        low=mean - _quantile(k - 1) * error,
        high=mean + _quantile(k - 1) * error,
        prediction_low=mean - reach,
        prediction_high=mean + reach,
        tau_squared=tau_squared,
        i_squared=tau_squared / (tau_squared + within),
    )


def variance_between(values: np.ndarray, variances: np.ndarray) -> float:
    """Return the variance between clusters that has the largest restricted likelihood, 0 or more (Fisher scoring).

    Reference: Viechtbauer W. Bias and efficiency of meta-analytic variance estimators. J Educ Behav Stat 2005;30:261.
    """
    if len(values) < 2:
        return 0.0
    tau_squared = moment_variance(values, variances)
    for _ in range(_MOST_STEPS):
        weight = 1 / (variances + tau_squared)
        residual = values - np.average(values, weights=weight)
        score = (weight**2 * residual**2).sum() - weight.sum() + (weight**2).sum() / weight.sum()
        projected = (weight**2).sum() - 2 * (weight**3).sum() / weight.sum()
        projected += ((weight**2).sum() / weight.sum()) ** 2
        before, tau_squared = tau_squared, max(0.0, tau_squared + float(score / projected))
        if abs(tau_squared - before) < _SMALL_STEP:
            break
    return tau_squared


def moment_variance(values: np.ndarray, variances: np.ndarray) -> float:
    """Return the variance between clusters by the method of moments. DerSimonian R, Laird N. Control Clin Trials 1986;7:177."""
    weight = 1 / variances
    q = (weight * (values - np.average(values, weights=weight)) ** 2).sum()
    scale = weight.sum() - (weight**2).sum() / weight.sum()
    return max(0.0, float((q - (len(values) - 1)) / scale))


def average(values: np.ndarray, variances: np.ndarray, tau_squared: float) -> tuple[float, float]:
    """Return the weighted average and its standard error, widened where clusters differ more than the weights expect."""
    weight = 1 / (variances + tau_squared)
    mean = float(np.average(values, weights=weight))
    factor = float((weight * (values - mean) ** 2).sum()) / max(len(values) - 1, 1)
    return mean, float(np.sqrt(max(1.0, factor) / weight.sum()))


def typical_variance(variances: np.ndarray) -> float:
    """Return the variance within a cluster that stands for all of them. Higgins JPT, Thompson SG. Stat Med 2002;21:1539."""
    weight, k = 1 / variances, len(variances)
    spread = weight.sum() ** 2 - (weight**2).sum()
    return float((k - 1) * weight.sum() / spread) if spread > 0 else float(variances[0])


def _quantile(freedom: int) -> float:
    return float(stdtrit(freedom, 0.975)) if freedom > 0 else float("nan")
