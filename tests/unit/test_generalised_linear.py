"""Newton's method on Gram matrices, where columns say nearly the same and rows are many: rounding must not end a training."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import LinAlgError

from models.estimators import generalised_linear
from models.estimators.generalised_linear import _ROUNDING, Curvature, _newton_step, curvature, ridge


def rows(n: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns of which two are nearly one, an event of each twentieth, and weights."""
    random = np.random.default_rng(seed)
    Z = random.normal(size=(n, 3)).astype(np.float32)
    Z[:, 2] = Z[:, 1] + np.float32(1e-4) * random.normal(size=n).astype(np.float32)
    return Z, (random.random(n) < 0.05).astype(float), random.uniform(0.5, 2, n)


def in_double(Z: np.ndarray, weight: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """The Hessian of a logistic model by its formula, all in float64."""
    design = np.column_stack([Z.astype(np.float64), np.ones(len(Z))])
    risk = 1 / (1 + np.exp(-(design @ beta)))
    return np.asarray((design * (weight * risk * (1 - risk) / weight.sum())[:, None]).T @ design)


def test_a_hessian_of_very_many_rows_is_exact_enough_to_be_inverted():
    """Summed in float32 alone it is off by more than what is added to its diagonal: so a million persons ended a training."""
    random = np.random.default_rng(1)
    Z = random.normal(size=(600_000, 12)).astype(np.float32)
    y, beta = np.zeros(len(Z)), np.append(np.zeros(12), -3.0)
    found = curvature(Z, y, y + 1, beta, "event").hessian
    wanted = in_double(Z, y + 1, beta)
    assert np.abs(found - wanted).max() < _ROUNDING[0] / 2 * np.diag(wanted).mean()


@pytest.mark.parametrize("n", [999, 1000, 1001, 2500])
def test_rows_are_summed_once_each_whatever_their_number(monkeypatch, n):
    Z, y, weight = rows(n)
    beta = np.zeros(4)
    whole = curvature(Z, y, weight, beta, "event")
    monkeypatch.setattr(generalised_linear, "_SUMMED_AT_ONCE", 1000)
    found = curvature(Z, y, weight, beta, "event")
    np.testing.assert_allclose(found.hessian, whole.hessian, rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(found.gradient, whole.gradient, rtol=1e-4, atol=1e-8)


def test_a_hessian_that_rounding_made_indefinite_still_gives_a_step_downhill():
    hessian = np.diag([1.0, 1.0, -5e-5])
    gradient = np.array([0.5, -0.25, 0.0])
    step = _newton_step(Curvature(gradient, hessian), np.zeros(3), gradient)
    assert gradient @ step < 0
    np.testing.assert_allclose(step[:2], -gradient[:2], rtol=1e-3)


def test_a_hessian_that_is_no_rounding_is_not_made_up_for():
    gradient = np.ones(3)
    with pytest.raises(LinAlgError):
        _newton_step(Curvature(gradient, np.diag([1.0, 1.0, -1.0])), np.zeros(3), gradient)


def test_the_fit_is_where_the_penalised_likelihood_is_flat(monkeypatch):
    monkeypatch.setattr(generalised_linear, "_SUMMED_AT_ONCE", 1000)
    Z, y, weight = rows(20_000)
    beta = ridge(Z, y, weight, 1.0, "event")
    design = np.column_stack([Z.astype(np.float64), np.ones(len(Z))])
    slope = design.T @ (weight * (1 / (1 + np.exp(-(design @ beta))) - y)) + np.append(beta[:3], 0.0)
    assert np.abs(slope).max() / weight.sum() < 1e-6
