"""Pooling against metafor's printed example (BCG vaccine trials), statsmodels, and the likelihood itself."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from statsmodels.stats.meta_analysis import combine_effects

from models.evaluation.meta_analysis import average, moment_variance, pool, variance_between

# Colditz GA et al. JAMA 1994;271:698, as in metafor's dat.bcg: cases and others, vaccinated and not.
TRIALS = np.array([
    (4, 119, 11, 128), (6, 300, 29, 274), (3, 228, 11, 209), (62, 13536, 248, 12619), (33, 5036, 47, 5761),
    (180, 1361, 372, 1079), (8, 2537, 10, 619), (505, 87886, 499, 87892), (29, 7470, 45, 7232), (17, 1699, 65, 1600),
    (186, 50448, 141, 27197), (5, 2493, 3, 2338), (27, 16886, 29, 17825),
], dtype=float)  # fmt: skip
_A, _B, _C, _D = TRIALS.T
RATIOS = np.log(_A / (_A + _B)) - np.log(_C / (_C + _D))
VARIANCES = 1 / _A - 1 / (_A + _B) + 1 / _C - 1 / (_C + _D)


def test_agrees_with_metafor():
    """``rma(yi, vi, data=dat.bcg, test="knha")`` as printed in metafor's README, version 4.3."""
    found = pool(RATIOS, np.sqrt(VARIANCES))
    printed = {"tau_squared": 0.3132, "i_squared": 0.9222, "mean": -0.7145, "low": -1.1084, "high": -0.3206}
    for name, number in printed.items():
        assert getattr(found, name) == pytest.approx(number, abs=5.1e-5), name
    assert average(RATIOS, VARIANCES, found.tau_squared)[1] == pytest.approx(0.1808, abs=5.1e-5)


def test_a_new_cluster_is_within_reach_of_a_t_with_two_fewer_than_the_clusters():
    """metafor prints 0.14 to 1.76 with k - 1 = 12 degrees of freedom; with Higgins' k - 2 = 11 it is wider."""
    found = pool(RATIOS, np.sqrt(VARIANCES))
    reach = (found.prediction_high - found.mean) / 2.200985160082949  # t of 0.975 with 11 degrees of freedom
    assert reach == pytest.approx(np.sqrt(0.31324 + 0.18079**2), abs=1e-4)
    assert np.exp(found.mean - reach * 2.178812829667229) == pytest.approx(0.14, abs=0.005)
    assert np.exp(found.mean + reach * 2.178812829667229) == pytest.approx(1.76, abs=0.005)


def test_moments_and_error_agree_with_statsmodels():
    theirs = combine_effects(RATIOS, VARIANCES, method_re="chi2", use_t=True)
    ours = moment_variance(RATIOS, VARIANCES)
    assert ours == pytest.approx(theirs.tau2, abs=1e-12)
    mean, error = average(RATIOS, VARIANCES, ours)
    assert mean == pytest.approx(theirs.mean_effect_re, abs=1e-12)
    assert error == pytest.approx(theirs.sd_eff_w_re_hksj, abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_the_variance_between_has_the_largest_restricted_likelihood(seed):
    random = np.random.default_rng(seed)
    variances = random.uniform(0.02, 0.5, 12)
    values = random.normal(0.3, np.sqrt(0.15 + variances))

    def minus_likelihood(tau_squared):
        weight = 1 / (variances + tau_squared)
        residual = values - np.average(values, weights=weight)
        return 0.5 * (np.log(weight.sum()) - np.log(weight).sum() + weight @ residual**2)

    best = minimize_scalar(minus_likelihood, bounds=(0, 5), method="bounded", options={"xatol": 1e-10}).x
    assert variance_between(values, variances) == pytest.approx(best, abs=1e-5)


def test_equal_clusters_do_not_differ_and_their_interval_is_not_narrowed():
    """All the same: Hartung and Knapp's factor alone would make the interval a point."""
    found = pool(np.full(6, 0.4), np.full(6, 0.3))
    assert (found.tau_squared, found.i_squared) == (0, 0)
    assert found.high - found.mean == pytest.approx(2.570581835636314 * 0.3 / np.sqrt(6))


def test_one_or_two_clusters_say_what_they_can():
    one, two = pool(np.array([0.4]), np.array([0.1])), pool(np.array([0.4, 0.6]), np.array([0.1, 0.1]))
    assert one.mean == pytest.approx(0.4)
    assert np.isnan([one.low, one.prediction_low, two.prediction_high]).all()
    assert two.low < two.mean < two.high
