"""Logistic and Poisson regression of counts in cells, by Newton's method."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pipeline.simulation_check.measured import Measured

_STEPS, _LONGEST_STEP, _SMALLEST_STEP = 50, 1.0, 1e-9
Moments = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Linear predictor -> expected counts and their variance."""


def logistic(design: np.ndarray, events: np.ndarray, trials: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return coefficients and their covariance of a logistic regression on cells with ``events`` of ``trials``."""

    def moments(linear: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        chance = 1 / (1 + np.exp(-linear))
        return trials * chance, trials * chance * (1 - chance)

    return _fit(design, events, moments, np.zeros(design.shape[1]))


def poisson(design: np.ndarray, total: np.ndarray, persons: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return coefficients and covariance of a log-linear model of ``total`` events of ``persons``; column 0 is 1."""
    start = np.zeros(design.shape[1])
    start[0] = np.log(max(total.sum(), 0.5) / persons.sum())

    def moments(linear: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        expected = persons * np.exp(linear)
        return expected, expected

    return _fit(design, total, moments, start)


def _fit(
    design: np.ndarray, observed: np.ndarray, moments: Moments, coefficients: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Short steps and a generalised inverse: in a small run a group may have no event at all, or no persons."""
    for _ in range(_STEPS):
        expected, variance = moments(design @ coefficients)
        covariance = np.linalg.pinv(design.T @ (variance[:, None] * design), hermitian=True)
        step = covariance @ (design.T @ (observed - expected))
        length = np.abs(step).max()
        coefficients = coefficients + step * min(1.0, _LONGEST_STEP / max(length, _SMALLEST_STEP))
        if length < _SMALLEST_STEP:
            break
    return coefficients, covariance


def least_squares(products: np.ndarray) -> list[Measured]:
    """Return the coefficients of a linear regression from the products of (predictors, outcome) with each other."""
    inner, cross, squares = products[:-1, :-1], products[:-1, -1], products[-1, -1]
    count = inner[0, 0]
    if count < len(inner) + 1 or np.linalg.matrix_rank(inner) < len(inner):
        return [Measured.nothing()] * len(inner)
    coefficients = np.linalg.solve(inner, cross)
    rest = max(squares - coefficients @ cross, 0.0) / (count - len(inner))
    errors = np.sqrt(rest * np.diag(np.linalg.inv(inner)))
    return [Measured(float(value), float(error)) for value, error in zip(coefficients, errors, strict=True)]
