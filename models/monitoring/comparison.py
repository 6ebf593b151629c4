"""Whether features have moved between two sets of rows, column by column: their level and the share that is missing.

The same persons are in both sets, and with several rows, so that persons are counted and not rows: a person's rows in a set
are averaged, and the covariance between the two averages of a person is taken into account. Of two variances the larger
one is used: the cluster-robust one (Welch's, for persons) is too small where a few persons happen to agree (0 of 20 missing),
the one as if nothing had moved (a score test's) where a rare value has become more common. The level is tested by mid-ranks, so
that one value in the tail decides nothing. Student's t has one degree of freedom less than the smaller set has persons.
References: Liang KY, Zeger SL. Biometrika 1986;73:13 (clusters). Datta S, Satten GA. J Am Stat Assoc 2005;100:908 (ranks of
clustered data). How often it is wrong where nothing has moved: ``benchmarks/monitoring/null_runs.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.stats import rankdata
from scipy.stats import t as student

FEWEST_PERSONS = 10
"""Persons that each of two sets must have, for the level with a known value, to be compared."""

TOO_FEW = f"fewer than {FEWEST_PERSONS} persons to compare"

Kind = Literal["level", "missing"]

_COLUMNS_AT_ONCE = 32


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows of features.

    Parameters
    ----------
    values : float array, shape (n, k)
        NaN where missing.
    person : int array, shape (n,)
        Whose row it is; the same number is the same person in every sample.
    names : tuple of str, length k
    """

    values: np.ndarray
    person: np.ndarray
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.values.shape != (len(self.person), len(self.names)):
            raise ValueError(f"{self.values.shape} values for {len(self.person)} rows and {len(self.names)} names")


@dataclass(frozen=True)
class Shift:
    """How far one feature has moved.

    Parameters
    ----------
    name, group : str
        Of the feature.
    kind : "level" or "missing"
    difference : float or None
        Current minus reference: in standard deviations of the reference's rows, or as a difference of missing shares (0..1).
        None where one of the two has no person with a value, or where values do not vary.
    low, high : float or None
        95 % interval of the difference; None where it is not tested.
    p : float or None
        None: not tested, since there are too few persons (:data:`FEWEST_PERSONS`) or nothing varies.
    n_reference, n_current : int
        Persons; of a level those with a known value.
    """

    name: str
    kind: Kind
    group: str
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    n_reference: int
    n_current: int


@dataclass(frozen=True, eq=False)
class Compared:
    """Differences between the means of persons, all arrays of shape (k,); NaN where there is nothing to compare."""

    difference: np.ndarray
    standard_error: np.ndarray
    n_reference: np.ndarray
    n_current: np.ndarray

    @property
    def tested(self) -> np.ndarray:
        """Where there are persons enough and something varies, bool (k,)."""
        return (self._fewer >= FEWEST_PERSONS) & ((self.difference != 0) | (self.standard_error > 0))

    @property
    def p(self) -> np.ndarray:
        """Two-sided p."""
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.abs(self.difference) / self.standard_error
        return np.asarray(2 * student.sf(ratio, np.maximum(self._fewer - 1, 1)))

    @property
    def half_width(self) -> np.ndarray:
        """Half of the 95 % interval."""
        return np.asarray(student.ppf(0.975, np.maximum(self._fewer - 1, 1)) * self.standard_error)

    @property
    def _fewer(self) -> np.ndarray:
        return np.minimum(self.n_reference, self.n_current)


def shifts(reference: Sample, current: Sample, groups: Sequence[str]) -> list[Shift]:
    """Compare every feature's level and missing share.

    Parameters
    ----------
    reference, current : Sample
        With the same features in the same order; a person may be in both.
    groups : sequence of str, length k
        Feature group of each feature.

    Returns
    -------
    list of Shift, two for each feature: its level, then what is missing.
    """
    if reference.names != current.names or len(groups) != len(reference.names):
        raise ValueError("reference, current and groups must name the same features")
    found: list[Shift] = []
    for start in range(0, len(groups), _COLUMNS_AT_ONCE):
        found += _shifts_of(reference, current, groups, slice(start, start + _COLUMNS_AT_ONCE))
    return found


def compare(reference: np.ndarray, of: np.ndarray, current: np.ndarray, by: np.ndarray) -> Compared:
    """Compare the means of the columns of two sets of rows, each person counting once in a set.

    Parameters
    ----------
    reference, current : float arrays, shape (n, k) and (m, k)
        NaN where there is no value.
    of, by : int arrays, shape (n,) and (m,)
        Persons of the rows.
    """
    _, position = np.unique(np.concatenate([of, by]), return_inverse=True)
    n_persons = int(position.max(initial=-1)) + 1
    before = _person_means(reference, position[: len(of)], n_persons)
    after = _person_means(current, position[len(of) :], n_persons)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.fmax(_robust_variance(before, after), _variance_without_shift(before, after))
        difference = _mean(after) - _mean(before)
    return Compared(difference, np.sqrt(variance), _count(before), _count(after))


def _shifts_of(reference: Sample, current: Sample, groups: Sequence[str], chosen: slice) -> list[Shift]:
    before, after = reference.values[:, chosen].astype(float), current.values[:, chosen].astype(float)
    persons = (reference.person, current.person)
    ranks = rankdata(np.concatenate([before, after]), axis=0, nan_policy="omit") if len(before) + len(after) else before
    levels = compare(before, persons[0], after, persons[1])
    ranked = compare(ranks[: len(before)], persons[0], ranks[len(before) :], persons[1])
    missing = compare(np.isnan(before) * 1.0, persons[0], np.isnan(after) * 1.0, persons[1])
    scale = _spread(before, after)
    found: list[Shift] = []
    for place, (name, group) in enumerate(zip(reference.names[chosen], groups[chosen], strict=True)):
        found += [
            _shift(name, "level", group, place, levels, ranked, float(scale[place])),
            _shift(name, "missing", group, place, missing, missing, 1.0),
        ]
    return found


def _shift(name: str, kind: Kind, group: str, place: int, size: Compared, test: Compared, scale: float) -> Shift:
    difference, half = float(size.difference[place]) / scale, float(size.half_width[place]) / scale
    tested = bool(test.tested[place])
    return Shift(
        name, kind, group, _number(difference),
        _number(difference - half) if tested else None, _number(difference + half) if tested else None,
        float(test.p[place]) if tested else None, int(size.n_reference[place]), int(size.n_current[place]),
    )  # fmt: skip


def _spread(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Standard deviation of the reference's rows; of all rows where the reference does not vary; NaN where nothing does."""
    own, both = _standard_deviation(before), _standard_deviation(np.concatenate([before, after]))
    scale = np.where(own > 0, own, both)
    return np.where(scale > 0, scale, np.nan)


def _standard_deviation(values: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.sqrt(_sum((values - _mean(values)) ** 2) / _count(values)))


def _person_means(values: np.ndarray, position: np.ndarray, n_persons: int) -> np.ndarray:
    """Mean of each person's known values, shape (n_persons, k); NaN where there is none."""
    sums, counts = (np.zeros((n_persons, values.shape[1])) for _ in range(2))
    np.add.at(sums, position, np.nan_to_num(values, nan=0.0))
    np.add.at(counts, position, ~np.isnan(values))
    return np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)


def _robust_variance(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    n, m = _count(before), _count(after)
    parts = [np.nan_to_num((side - _mean(side)) / np.sqrt(size * (size - 1.0)), nan=0.0, posinf=0.0, neginf=0.0)
             for side, size in ((before, n), (after, m))]  # fmt: skip
    return np.asarray(((parts[1] - parts[0]) ** 2).sum(axis=0))


def _variance_without_shift(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Both sets have one mean and one variance; persons in both are correlated."""
    n, m = _count(before), _count(after)
    centre = (_sum(before) + _sum(after)) / (n + m)
    spread = (_sum((before - centre) ** 2) + _sum((after - centre) ** 2)) / (n + m - 1.0)
    together = _sum((before - centre) * (after - centre))
    return np.asarray(spread * (1.0 / n + 1.0 / m) - 2.0 * together / (n * m))


def _sum(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.nansum(values, axis=0))


def _count(values: np.ndarray) -> np.ndarray:
    return np.asarray((~np.isnan(values)).sum(axis=0))


def _mean(values: np.ndarray) -> np.ndarray:
    return _sum(values) / _count(values)


def _number(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
