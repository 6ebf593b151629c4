"""The quarters on which health and rates change, from burn-in to a year past the end of the data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from data_contracts.time_windows import day_number

DAYS_PER_YEAR = 365.25
QUARTERS_PER_YEAR = 4


@dataclass(frozen=True)
class Timeline:
    """Calendar of a simulation in integer days.

    ``quarters`` holds the first day of every quarter-long step and one closing day; steps begin on the first of a
    month, and one of them begins in the month of ``start``. No spell that ended before ``history_start`` is written,
    and nothing that becomes known on or after ``end``.
    """

    start: int
    end: int
    history_start: int
    quarters: np.ndarray
    first_index_quarter: int

    @classmethod
    def between(cls, start: date, end: date, history: int, burn_in: int) -> Timeline:
        """Lay quarters over ``[start, end)``, with ``history + burn_in`` of them before and a year after."""
        month = np.datetime64(start, "M").astype(int)
        months_after = np.datetime64(end, "M").astype(int) - month
        steps = np.arange(-(history + burn_in), -(-months_after // 3) + QUARTERS_PER_YEAR + 1)
        quarters = (month + 3 * steps).astype("datetime64[M]").astype("datetime64[D]").astype(int)
        return cls(day_number(start), day_number(end), int(quarters[burn_in]), quarters, history + burn_in)

    def __len__(self) -> int:
        return len(self.quarters) - 1

    @property
    def lengths(self) -> np.ndarray:
        """Days of each quarter."""
        return np.diff(self.quarters)

    @property
    def middles(self) -> np.ndarray:
        """Middle day of each quarter."""
        return (self.quarters[:-1] + self.quarters[1:]) // 2

    @property
    def seasons(self) -> np.ndarray:
        """Calendar quarter (0..3) in which each step has its middle."""
        return self.middles.astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12 // 3

    @property
    def years(self) -> np.ndarray:
        """Calendar year of each step's middle."""
        return self.middles.astype("datetime64[D]").astype("datetime64[Y]").astype(int) + 1970

    def quarter_of(self, day: np.ndarray) -> np.ndarray:
        """Return the step in which a day lies, the first or last one for days outside."""
        return np.clip(np.searchsorted(self.quarters, day, side="right") - 1, 0, len(self) - 1)

    @property
    def index_quarters(self) -> np.ndarray:
        """Steps whose first day lies in ``[start, end)``: the index dates of the truth file."""
        inside = (self.quarters[:-1] >= self.start) & (self.quarters[:-1] < self.end)
        return np.flatnonzero(inside)


def years_of(days: np.ndarray) -> np.ndarray:
    """Return the calendar year of day numbers."""
    return days.astype("datetime64[D]").astype("datetime64[Y]").astype(int) + 1970
