"""Means, spreads, correlations and Cronbach's alpha from sums of products over pairs of observed values."""

from __future__ import annotations

import numpy as np

from pipeline.simulation_check.measured import Measured


def pair_sums(values: np.ndarray) -> np.ndarray:
    """Return count, sum, sum of squares and of products for every pair of columns; NaN is not observed: (4, m, m)."""
    observed = ~np.isnan(values)
    filled, seen = np.where(observed, values, 0.0), observed.astype(float)
    return np.stack([seen.T @ seen, filled.T @ seen, (filled**2).T @ seen, filled.T @ filled])


def mean(sums: np.ndarray, column: int) -> Measured:
    """Return the mean of a column."""
    count, spread = sums[0, column, column], deviation(sums, column).value
    if count < 2:
        return Measured.nothing()
    return Measured(float(sums[1, column, column] / count), spread / float(np.sqrt(count)))


def deviation(sums: np.ndarray, column: int) -> Measured:
    """Return the standard deviation of a column (n - 1)."""
    count = sums[0, column, column]
    if count < 2:
        return Measured.nothing()
    value = float(np.sqrt(max(covariance(sums)[column, column], 0.0)))
    return Measured(value, value / float(np.sqrt(2 * (count - 1))))


def covariance(sums: np.ndarray) -> np.ndarray:
    """Return the covariance of every pair of columns over the rows that have both (n - 1)."""
    count, total, _, product = sums
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((product - total * total.T / count) / (count - 1))


def correlation(sums: np.ndarray, first: int, second: int) -> Measured:
    """Return Pearson's correlation of two columns over the rows that have both."""
    count = sums[0, first, second]
    if count < 4:
        return Measured.nothing()
    spreads = [sums[2, i, j] - sums[1, i, j] ** 2 / count for i, j in ((first, second), (second, first))]
    product = (count - 1) * covariance(sums)[first, second]
    return of_correlation(float(product / np.sqrt(spreads[0] * spreads[1])), float(count))


def of_correlation(value: float, count: float) -> Measured:
    """Return a correlation with its error (normal theory)."""
    return Measured(value, (1 - value**2) / float(np.sqrt(max(count - 3, 1))))


def within_groups_correlation(groups: np.ndarray, first: int, second: int) -> Measured:
    """Return the correlation within groups (the means of the groups taken out); ``groups`` is (groups, 4, m, m)."""
    products = np.zeros(3)
    for sums in groups:
        # All three terms over the rows that have both values.
        count, both = sums[0, first, second], (sums[1, first, second], sums[1, second, first])
        squares = np.array([sums[2, first, second], sums[2, second, first], sums[3, first, second]])
        products += squares - np.array([both[0] ** 2, both[1] ** 2, both[0] * both[1]]) / max(count, 1)
    count = float(groups[:, 0, first, second].sum())
    if count < 4:
        return Measured.nothing()
    return of_correlation(float(products[2] / np.sqrt(products[0] * products[1])), count)


def complete_sums(items: np.ndarray) -> np.ndarray:
    """Return :func:`pair_sums` of the rows without any missing value."""
    return pair_sums(items[~np.isnan(items).any(axis=1)])


def cronbach_alpha(sums: np.ndarray) -> Measured:
    """Return Cronbach's alpha of all columns from :func:`complete_sums`, its error after Bonett (2002)."""
    count, items = float(sums[0, 0, 0]), sums.shape[-1]
    if count < 3:
        return Measured.nothing()
    matrix = covariance(sums)
    alpha = items / (items - 1) * (1 - np.trace(matrix) / matrix.sum())
    return Measured(float(alpha), float((1 - alpha) * np.sqrt(2 * items / ((items - 1) * (count - 2)))))


def at_age(sums: np.ndarray, age: int, column: int, wanted: float) -> Measured:
    """Return the expected value of a column at an age, from a straight line in age."""
    count = sums[0, age, column]
    if count < 4:
        return Measured.nothing()
    slope, rest, mean_age, age_squares = _line(sums, age, column)
    mean_value = sums[1, column, age] / count
    error = rest * np.sqrt(1 / count + (wanted - mean_age) ** 2 / age_squares)
    return Measured(float(mean_value + slope * (wanted - mean_age)), float(error))


def deviation_at_age_spread(sums: np.ndarray, age: int, column: int, age_deviation: float) -> Measured:
    """Return the standard deviation of a column in people whose age varies by ``age_deviation``."""
    count = sums[0, age, column]
    if count < 4:
        return Measured.nothing()
    slope, rest, _, _ = _line(sums, age, column)
    value = float(np.hypot(rest, slope * age_deviation))
    return Measured(value, value / float(np.sqrt(2 * (count - 2))))


def _line(sums: np.ndarray, age: int, column: int) -> tuple[float, float, float, float]:
    """Return slope, residual deviation, mean age and the sum of squares of age."""
    count = sums[0, age, column]
    age_squares = sums[2, age, column] - sums[1, age, column] ** 2 / count
    squares = sums[2, column, age] - sums[1, column, age] ** 2 / count
    products = sums[3, age, column] - sums[1, age, column] * sums[1, column, age] / count
    slope = products / age_squares
    rest = np.sqrt(max(squares - slope * products, 0.0) / (count - 2))
    return float(slope), float(rest), float(sums[1, age, column] / count), float(age_squares)
