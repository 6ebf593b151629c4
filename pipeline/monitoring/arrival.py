"""Whether records arrive as they used to: how long after the event each came, how many, and which tables have fallen silent.

A delay is ``known_from`` less the day of the event, of the first record of each event. Delays are compared by the day of
arrival, not of the event: of recent events the late ones are not there yet. Weeks in which nothing comes are seen at once as
silence, and what comes then as delay.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from data_contracts.readers.parquet_files import n_partitions, read_partition
from data_contracts.tables import Table
from data_contracts.time_windows import day_number, is_visible, to_day_numbers
from models.monitoring.comparison import FEWEST_PERSONS, TOO_FEW, Sample, Shift, shifts
from pipeline.monitoring.windows import window_start

EVENT_DAYS = {
    "survey_answers": "answered_on", "lab_results": "sampled_on", "absence_spells": "first_day",
    "guidance_sessions": "held_on", "workplace_events": "occurred_on",
}  # fmt: skip
"""The tables that go on arriving, with the day of what they tell of."""

LONG_QUIET = 31
"""Days without a record that are silence even where longer ones have been before."""


@dataclass(frozen=True, eq=False)
class Arrivals:
    """First records of events.

    Parameters
    ----------
    owner : str array, shape (n,)
        Person, or company of what happened to a workplace.
    known_on, delay : int32 arrays, shape (n,)
        Day on which the record could be read, and days since the event.
    """

    owner: np.ndarray
    known_on: np.ndarray
    delay: np.ndarray

    def between(self, start: int, end: int) -> Arrivals:
        """Return what could be read from day ``start`` to before ``end``."""
        chosen = (self.known_on >= start) & (self.known_on < end)
        return Arrivals(self.owner[chosen], self.known_on[chosen], self.delay[chosen])


def arrivals_of(table: Table, event_day: str, index_day: int) -> Arrivals:
    """Return the first record of each event of a table that was known on the morning of a day; an event is owner and day."""
    known_on = to_day_numbers(table["known_from"])
    kept = np.flatnonzero(is_visible(known_on, index_day) & (table["is_deleted"] != 1.0))
    owner = table["person_id" if "person_id" in table else "company_id"][kept].compact()
    known_on, day = known_on[kept], to_day_numbers(table[event_day])[kept]
    order = np.lexsort((known_on, day, owner.codes))
    event = np.stack([owner.codes, day])[:, order]
    is_first = np.ones(len(order), dtype=bool)
    is_first[1:] = (event[:, 1:] != event[:, :-1]).any(axis=0)
    rows = order[is_first]
    return Arrivals(
        np.array(owner.vocabulary, dtype=np.str_)[owner.codes[rows]] if len(rows) else np.empty(0, dtype=np.str_),
        known_on[rows], known_on[rows] - day[rows],
    )  # fmt: skip


def arrival(
    tables: Path,
    index_date: date,
    months: int,
    references: Sequence[date],
    lag_days: int,
    advance: Callable[[int], None] = lambda steps: None,
) -> tuple[dict[str, dict[str, Any]], list[Shift]]:
    """Say of each table how its records arrive now, against the same season of the training period.

    Parameters
    ----------
    tables : Path
    index_date : date
    months : int
        Records of the last so many months before each date.
    references : sequence of date
    lag_days : int
        So long after the end of a horizon a label is called mature: what comes later is not in it.

    Returns
    -------
    dict of table to JSON values, and the shifts of the delays, one of each table that can be compared; their name is the table.
    """
    found, moved = {}, []
    for name, event_day in EVENT_DAYS.items():
        arrivals = _read(tables, name, event_day, day_number(index_date))
        windows = [_window(arrivals, on, months) for on in references]
        before = Arrivals(
            *(np.concatenate([getattr(one, part) for one in windows]) for part in ("owner", "known_on", "delay"))
        )
        now = _window(arrivals, index_date, months)
        found[name] = {
            "now": _told(now, lag_days),
            "reference": _told(before, lag_days),
            **_silence(arrivals, index_date, references),
        }
        moved += _delay_shift(name, before, now)
        advance(1)
    return found, moved


def _read(tables: Path, name: str, event_day: str, index_day: int) -> Arrivals:
    parts = [read_partition(tables, partition, [name])[name] for partition in range(n_partitions(tables))]
    has_persons = "person_id" in parts[0]
    found = [arrivals_of(part, event_day, index_day) for part in (parts if has_persons else parts[:1])]
    return Arrivals(*(np.concatenate([getattr(one, part) for one in found]) for part in ("owner", "known_on", "delay")))


def _window(arrivals: Arrivals, on: date, months: int) -> Arrivals:
    return arrivals.between(day_number(window_start(on, months)), day_number(on))


def _told(arrivals: Arrivals, lag_days: int) -> dict[str, Any]:
    """Count and describe arrivals; of few owners nothing is told."""
    if len(np.unique(arrivals.owner)) < FEWEST_PERSONS:
        return {"why_not": TOO_FEW}
    median, late = np.percentile(arrivals.delay, [50, 95])
    return {
        "events": len(arrivals.delay),
        "median_days": float(median),
        "days_until_95_percent": float(late),
        "share_after_lag": float((arrivals.delay > lag_days).mean()),
    }


def _silence(arrivals: Arrivals, index_date: date, references: Sequence[date]) -> dict[str, Any]:
    """Say how long nothing has come, and the longest time without anything in two years before the last reference date.

    Two years, so that what comes once a year has a gap to compare with.
    """
    if not len(arrivals.known_on):
        return {"last_known_from": None, "quiet_days": None, "usual_quiet_days": None, "is_silent": False}
    end = day_number(max(references))
    days = np.unique(arrivals.between(end - 730, end).known_on)
    usual = int(np.diff([*days, end]).max()) if len(days) else None
    quiet = day_number(index_date) - int(arrivals.known_on.max())
    return {
        "last_known_from": (index_date - timedelta(days=quiet)).isoformat(),
        "quiet_days": quiet,
        "usual_quiet_days": usual,
        "is_silent": quiet > max(2 * usual, LONG_QUIET) if usual is not None else quiet > 365,
    }


def _delay_shift(name: str, before: Arrivals, now: Arrivals) -> list[Shift]:
    """Compare logarithms of the days: who joins brings years of history, beside which weeks would not be seen."""
    _, owner = np.unique(np.concatenate([before.owner, now.owner]), return_inverse=True)
    n = len(before.owner)
    first, second = (
        Sample(np.log1p(np.maximum(side.delay, 0.0))[:, None], owners, (name,))
        for side, owners in ((before, owner[:n]), (now, owner[n:]))
    )
    return [one for one in shifts(first, second, [f"arrival: {name}"]) if one.kind == "level"]
