"""Whether risks still mean what they say, looked at as often as one likes: a sequential test with a known false-alarm rate.

Every matured row is a bet at the odds that the model gave. The e-value is the likelihood of the outcomes under other levels and
slopes of the log-odds (a mixture of a grid, both directions, begun at every earlier date in case the change came late) over
their likelihood under the best calibration that still counts as good. By Ville's inequality it reaches 1 / alpha
with probability alpha at most, over all looks together, if the risks are calibrated, also given what each person has had
before (who has had more than the risks say goes on to: frailty), and persons are independent.
Rows of one person whose horizons overlap share their days at risk: index dates are dealt to as many streams as fit into a
horizon, each stream is a test of its own, and the largest of the e-values is divided by the number of streams (Bonferroni: an
average over streams would be no e-process, since one stream tells of another before it has matured).
References: Ramdas A, Grunwald P, Vovk V, Shafer G. Stat Sci 2023;38:576. Wasserman L, Ramdas A, Balakrishnan S. PNAS
2020;117:16880 (composite null). Shin J, Ramdas A, Rinaldo A. arXiv:2203.03532 (start dates). Choe YJ, Ramdas A.
arXiv:2402.09698 (streams).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.special import logit, logsumexp

from models.risk_model import risk_of

LEVELS = np.linspace(-1.0, 1.0, 41)
"""Shifts of the log-odds that are thought of."""

SLOPES = np.array([0.4, 0.6, 0.8, 1.0, 1.25, 1.6])
"""Slopes on the log-odds that are thought of."""

TOLERATED_SLOPE = 0.8
"""Slopes from here to its reciprocal count as calibrated where a shift is tolerated at all: a model is an estimate."""

_EDGE = 1e-9
_LEAST_RISK = 1e-6


class _Grid:
    """The shifts and slopes that are thought of, and which of them count as calibrated, each shape (n_points,)."""

    def __init__(self, tolerance: float) -> None:
        # The edge of what is tolerated is a point of its own: else 0.12 would be 0.1.
        is_there = np.abs(np.abs(LEVELS) - tolerance).min() <= _EDGE
        levels = LEVELS if is_there else np.sort([*LEVELS, -tolerance, tolerance])
        self.level, self.slope = (grid.ravel() for grid in np.meshgrid(levels, SLOPES))
        # Logarithms of the mixture's weights: small shifts are likelier than large ones, and half leave the slope alone.
        weight = -np.abs(self.level) / 0.3 + np.where(self.slope == 1.0, np.log(len(SLOPES) - 1.0), 0.0)
        self.weight = weight - logsumexp(weight)
        slope_span = np.log(1 / TOLERATED_SLOPE) if tolerance > 0 else 0.0
        is_level, is_slope = np.abs(self.level) <= tolerance + _EDGE, np.abs(np.log(self.slope)) <= slope_span + _EDGE
        self.is_null = is_level & is_slope


@dataclass(frozen=True)
class CalibrationState:
    """What the test says after the last date.

    Parameters
    ----------
    e_value : float
        Evidence against calibration now; 1 is none. Alarm at 1 / alpha.
    highest : float
        The largest e-value of all dates so far.
    rows, observed : int
        Rows so far, and those with the event.
    expected : float
        Sum of their risks.
    ratio, low, high : float or None
        Observed over expected, and a (1 - alpha) confidence sequence of it: valid at all dates together. From the stream with
        most rows.
    is_alarm : bool
        An alarm stays: the risks were wrong at some time since the test began.
    first_alarm : int or None
        Index day of the rows that raised it.
    """

    e_value: float
    highest: float
    rows: int
    observed: int
    expected: float
    ratio: float | None
    low: float | None
    high: float | None
    is_alarm: bool
    first_alarm: int | None


@dataclass(eq=False)
class _Stream:
    """The dates of one stream: log-likelihood of each date under the whole grid."""

    last: int
    log_e: float = 0.0
    increments: list[np.ndarray] = field(default_factory=list)
    log_odds: list[np.ndarray] = field(default_factory=list)


class CalibrationTest:
    """A test of calibration that goes on as labels mature; it is recomputed from all matured rows at every look.

    Parameters
    ----------
    alpha : float
        Probability of a false alarm, ever.
    horizon_days : int
        Days that a label looks ahead: index dates of one stream are at least as far apart.
    streams : int
        Index dates that start within one horizon (365 days, quarterly: 4), see :func:`streams_of`. Fixed before the first
        date: it must not depend on what is observed.
    tolerance : float
        Shift of the log-odds that does not count (0.1 is about 10 % more events than predicted), and with it slopes from
        :data:`TOLERATED_SLOPE`. 0: only perfect calibration is calibrated.
    """

    def __init__(self, alpha: float = 0.05, horizon_days: int = 365, streams: int = 4, tolerance: float = 0.1) -> None:
        self._alpha, self._horizon_days, self._n_streams = alpha, horizon_days, streams
        self._grid = _Grid(tolerance)
        self._streams: list[_Stream] = []
        self._centre: float | None = None
        self._highest, self._now = 0.0, 0.0  # logarithms
        self._first_alarm: int | None = None
        self._rows, self._observed, self._expected = 0, 0, 0.0

    def update(
        self, date: int, risks: np.ndarray, y: np.ndarray, clusters: np.ndarray | None = None
    ) -> CalibrationState:
        """Add the rows of one index date, once all of them have matured.

        Parameters
        ----------
        date : int
            Index day of the rows; days rise from call to call.
        risks : float64 array, shape (n,)
            As they were told, one row per person.
        y : array of 0 and 1, shape (n,)
        clusters : array, shape (n,), optional
            Companies: bets within one are averaged, which is exact however alike their outcomes are, and slow.
        """
        stream, log_odds = self._stream_of(date), logit(np.clip(risks, _LEAST_RISK, 1 - _LEAST_RISK))
        if self._centre is None and len(log_odds):
            self._centre = float(log_odds.mean())
        stream.increments.append(_log_likelihoods(self._grid, log_odds, y, self._centre or 0.0, clusters))
        stream.log_odds.append(log_odds)
        self._rows += len(y)
        self._observed += int(y.sum())
        self._expected += float(risks.sum())
        stream.log_e = self._log_e(stream.increments)
        self._now = max(one.log_e for one in self._streams) - np.log(self._n_streams)
        self._highest = max(self._highest, self._now)
        if self._first_alarm is None and self._now >= -np.log(self._alpha):
            self._first_alarm = date
        return self.state

    @property
    def state(self) -> CalibrationState:
        """What is known after the last date."""
        low, high = self._interval() if self._rows else (None, None)
        return CalibrationState(
            float(np.exp(self._now)), float(np.exp(self._highest)), self._rows, self._observed, self._expected,
            self._observed / self._expected if self._rows else None, low, high,
            self._first_alarm is not None, self._first_alarm,
        )  # fmt: skip

    def _stream_of(self, date: int) -> _Stream:
        free = [one for one in self._streams if one.last + self._horizon_days <= date]
        if free:
            chosen = min(free, key=lambda one: one.last)
            chosen.last = date
            return chosen
        if len(self._streams) == self._n_streams:
            raise ValueError(f"more than {self._n_streams} index dates within {self._horizon_days} days")
        self._streams.append(_Stream(date))
        return self._streams[-1]

    def _log_e(self, increments: list[np.ndarray]) -> float:
        """Mix the tests begun at each date; those begun in future hold 1 (0 as a logarithm)."""
        since = np.cumsum(np.array(increments)[::-1], axis=0)[::-1]  # row j: log-likelihood of dates j, j + 1, ...
        each = logsumexp(since + self._grid.weight, axis=1) - since[:, self._grid.is_null].max(axis=1)
        begun = np.arange(1, len(each) + 1)
        prior = 1.0 / (begun * (begun + 1.0))  # what is left for later dates is 1 / (n + 1)
        return float(logsumexp([*(np.log(prior) + each), -np.log(len(each) + 1.0)]))

    def _interval(self) -> tuple[float, float]:
        """Observed over expected under every level and slope that the largest stream does not reject at alpha / streams."""
        stream = max(self._streams, key=lambda one: sum(map(len, one.log_odds)))
        total, told = np.sum(stream.increments, axis=0), np.concatenate(stream.log_odds)
        grid = self._grid
        mixture = logsumexp(total + grid.weight)
        # Never empty: a mean of likelihoods is no larger than the largest of them.
        kept = mixture - total < np.log(self._n_streams / self._alpha)
        centre, expected = self._centre or 0.0, risk_of(told).sum()
        # Within one slope the ratio rises with the level: its ends are enough.
        ratios = [
            float(risk_of(centre + level + slope * (told - centre)).sum() / expected)
            for slope in np.unique(grid.slope[kept])
            for level in (bound(grid.level[kept & (slope == grid.slope)]) for bound in (np.min, np.max))
        ]
        return min(ratios), max(ratios)


def streams_of(days: Sequence[int], horizon_days: int) -> int:
    """Return how many index dates start within one horizon at most: the streams that these dates need."""
    return max((sum(day <= other < day + horizon_days for other in days) for day in days), default=1)


def censoring_shift(leaving: float) -> float:
    """Return how far leaving shifts the log-odds of the rows whose labels are known, where an event that came first is kept.

    Who leaves without the event is lost, who leaves after it is not: of those who leave evenly over the horizon half of the
    events are kept. 20 % leaving: log(0.9 / 0.8) = 0.12.

    Parameters
    ----------
    leaving : float
        Share of those without the event who left within the horizon; above 0.9 counts as 0.9.
    """
    leaving = min(leaving, 0.9)
    return float(np.log((1 - leaving / 2) / (1 - leaving)))


def _log_likelihoods(
    grid: _Grid, log_odds: np.ndarray, y: np.ndarray, centre: float, clusters: np.ndarray | None
) -> np.ndarray:
    """Logarithm of the likelihood ratio of each point of the grid against the risks as told, shape (n_points,)."""
    x = (log_odds - centre)[:, None]
    other = centre + grid.level + grid.slope * x
    told = log_odds[:, None]
    rows = np.logaddexp(0.0, told) - np.logaddexp(0.0, other) + y[:, None] * (other - told)
    if clusters is None:
        return np.asarray(rows.sum(axis=0))
    _, of, sizes = np.unique(clusters, return_inverse=True, return_counts=True)
    averages = np.logaddexp.reduceat(rows[np.argsort(of)], np.cumsum(sizes) - sizes) - np.log(sizes)[:, None]
    return np.asarray(averages.sum(axis=0))
