"""A simulated number with its sampling error, and the sums over persons from which rates and shares are made.

Everything is kept as sums, so a cohort of any size is checked in the same memory and blocks may be added in any order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Sums = dict[str, np.ndarray]
"""What one theme keeps of a block: arrays that are added up over blocks."""


@dataclass(frozen=True)
class Measured:
    """A simulated value and its standard error; both are NaN where the run has nothing to measure."""

    value: float
    standard_error: float

    @classmethod
    def nothing(cls) -> Measured:
        """Return the measurement of a run that has none."""
        return cls(float("nan"), float("nan"))

    def times(self, factor: float) -> Measured:
        """Return the measurement in another unit."""
        return Measured(self.value * factor, self.standard_error * abs(factor))


def ratio_sums(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Return what a ratio of totals and its error need, summed over the last axis (persons): (..., 5)."""
    numerator, denominator = np.broadcast_arrays(numerator.astype(float), denominator.astype(float))
    products = (
        numerator, denominator, numerator * numerator, numerator * denominator, denominator * denominator,
    )  # fmt: skip
    return np.stack([product.sum(axis=-1) for product in products], axis=-1)


def ratio(sums: np.ndarray) -> Measured:
    """Return the total of numerators over the total of denominators, with the error between persons (linearised)."""
    numerator, denominator, squares, products, denominator_squares = sums
    if denominator <= 0:
        return Measured.nothing()
    value = numerator / denominator
    variance = squares - 2 * value * products + value**2 * denominator_squares
    return Measured(float(value), float(np.sqrt(max(variance, 0.0)) / denominator))


def percent(sums: np.ndarray) -> Measured:
    """Return :func:`ratio` in percent."""
    return ratio(sums).times(100)


def share(count: float, total: float) -> Measured:
    """Return a share of independent cases in percent, its error never below that of one case in the total."""
    if total <= 0:
        return Measured.nothing()
    value = count / total
    return Measured(100 * value, 100 * float(np.sqrt(max(value * (1 - value), 1 / total) / total)))


def weighted(parts: list[Measured], weights: list[float]) -> Measured:
    """Return the weighted mean of independent measurements."""
    weight = np.array(weights) / sum(weights)
    values = np.array([part.value for part in parts])
    errors = np.array([part.standard_error for part in parts])
    return Measured(float(weight @ values), float(np.sqrt((weight**2) @ errors**2)))


def quotient(upper: Measured, lower: Measured) -> Measured:
    """Return the quotient of two independent measurements."""
    if not lower.value > 0:
        return Measured.nothing()
    value = upper.value / lower.value
    relative = np.hypot(upper.standard_error / max(abs(upper.value), 1e-12), lower.standard_error / lower.value)
    return Measured(value, float(abs(value) * relative))


def difference(first: Measured, second: Measured) -> Measured:
    """Return the difference of two independent measurements."""
    return Measured(first.value - second.value, float(np.hypot(first.standard_error, second.standard_error)))


def total(sums: np.ndarray) -> np.ndarray:
    """Add up the leading axis of ratio sums: the ratio of several groups together."""
    return np.asarray(sums.sum(axis=0))
