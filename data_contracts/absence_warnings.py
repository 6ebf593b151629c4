"""Sickness absence against the Norwegian rules: what is unusual is pointed out, and nothing is refused for it.

No warning makes a row wrong; each is worth asking the sender about. Sources: folketrygdloven chapter 8 (employer period
of 16 calendar days, 52 weeks, self-certification after two months of employment, three days at a time and four times in
twelve months) and the extended self-certification of the IA agreement (eight days at a time, 24 days in twelve months).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np

from data_contracts.current_rows import current_rows
from data_contracts.records import AbsenceSpell, Employment
from data_contracts.tables import Table, n_rows, take
from data_contracts.time_windows import NO_DAY, to_day_numbers
from data_contracts.violations import Violation

Scheme = Literal["extended", "ordinary"]

EMPLOYER_PERIOD_DAYS = 16
LONGEST_SICK_PAY_DAYS = 364
DAYS_BEFORE_SELF_CERTIFICATION = 61
LOWEST_GRADE = 20
TWELVE_MONTHS = 365


class Quota(NamedTuple):
    """How much a person may self-certify; None is no limit."""

    days_at_a_time: int
    times_in_12_months: int | None
    days_in_12_months: int | None


QUOTAS: dict[Scheme, Quota] = {"extended": Quota(8, None, 24), "ordinary": Quota(3, 4, None)}

WARNINGS: dict[str, str] = {
    "overlapping spells": "Two spells of one kind cover the same day; the day counts once, with its highest grade.",
    "two employments at once": "The person has more than one employment; a spell counts as absence from all of them.",
    "outside employment": "The spell begins after an employment has ended and before another begins, or without any.",
    "longer than 52 weeks": "Sick pay ends after 52 weeks; a spell that goes on is usually one that was never closed.",
    "grade under 20 %": "Sick pay starts at 20 %; a lower grade is usually a misread number.",
    "graded self-certification": "Self-certified absence is always full absence.",
    "self-certified after the employer period": "Self-certification ends with the employer period of 16 calendar days.",
    "self-certified too soon": "Self-certification may be used after two months of employment.",
    "self-certified too long": "More days at a time than the scheme allows.",
    "self-certified too often": "More times, or more days, in twelve months than the scheme allows.",
}
"""Every warning about absence, with what it means for whoever is asked about it."""


def absence_warnings(
    tables: dict[str, Table], row_numbers: dict[str, np.ndarray], scheme: Scheme = "extended"
) -> list[Violation]:
    """Return what is unusual in the current versions of the spells, each blamed on one row and column.

    Parameters
    ----------
    tables : accepted tables; ``absence_spells`` and ``employments`` are read
    row_numbers : for each table, the number under which each of its rows stands in its source
    scheme : which quota of self-certification the firms have
    """
    if not n_rows(tables["absence_spells"]):
        return []
    spells = _Spells(tables)
    numbers = row_numbers["absence_spells"]
    found = [
        Violation("absence_spells", int(numbers[row]), column, rule, None, WARNINGS[rule])
        for rule, column, rows in _findings(spells, QUOTAS[scheme])
        for row in spells.rows[np.unique(rows)].tolist()
    ]
    return sorted(found, key=lambda one: one.row)


class _Spells:
    """Current spells as day numbers, sorted by person and first day, beside the current employments."""

    def __init__(self, tables: dict[str, Table]) -> None:
        table = tables["absence_spells"]
        rows = current_rows(AbsenceSpell, table)
        persons = {text: code for code, text in enumerate(table["person_id"].vocabulary)}
        self.n_persons = len(persons)
        order = np.lexsort((to_day_numbers(table["first_day"][rows]), table["person_id"].codes[rows]))
        self.rows = rows[order]
        table = take(table, self.rows)
        self.person = table["person_id"].codes
        self.first = to_day_numbers(table["first_day"])
        last = to_day_numbers(table["last_day"])
        # A running spell reaches at least to the day on which it was last reported.
        self.last = np.where(last == NO_DAY, np.maximum(self.first, to_day_numbers(table["known_from"])), last)
        self.is_self = table["kind"].recode({"self_certified": 1}, 0) == 1
        self.grade = table["grade_percent"]
        self.days = self.last - self.first + 1
        jobs = tables["employments"]
        jobs = take(jobs, current_rows(Employment, jobs))
        self.job_person = jobs["person_id"].recode(persons)
        self.job_first = to_day_numbers(jobs["start_date"])
        last = to_day_numbers(jobs["end_date"])
        self.job_last = np.where(last == NO_DAY, np.iinfo(np.int32).max, last)

    def first_employed(self) -> np.ndarray:
        """Return, per spell, the day on which the person's first employment began; without any, a day before every spell."""
        began = np.full(self.n_persons, np.iinfo(np.int32).max, dtype=np.int32)
        known = self.job_person >= 0
        np.minimum.at(began, self.job_person[known], self.job_first[known])
        began[began == np.iinfo(np.int32).max] = np.iinfo(np.int32).min
        return began[self.person]

    def jobs_on_first_day(self) -> tuple[np.ndarray, np.ndarray]:
        """Return, per spell, how many employments cover its first day, and the earliest day that one of them began."""
        order = np.argsort(self.job_person, kind="stable")
        person = self.job_person[order]
        start, end = person.searchsorted(self.person), person.searchsorted(self.person, side="right")
        n_jobs = end - start
        spell = np.arange(len(self.person)).repeat(n_jobs)
        job = order[np.arange(len(spell)) - (n_jobs.cumsum() - n_jobs).repeat(n_jobs) + start.repeat(n_jobs)]
        covers = (self.job_first[job] <= self.first[spell]) & (self.first[spell] <= self.job_last[job])
        began = np.full(len(self.person), np.iinfo(np.int32).max, dtype=np.int32)
        np.minimum.at(began, spell[covers], self.job_first[job[covers]])
        return np.bincount(spell[covers], minlength=len(self.person)), began


def _findings(spells: _Spells, quota: Quota) -> Iterator[tuple[str, str, np.ndarray]]:
    """Yield rule, blamed column, and positions among the spells."""
    n_jobs, began = spells.jobs_on_first_day()
    by_self = spells.is_self
    too_soon = by_self & (n_jobs > 0) & (spells.first - began < DAYS_BEFORE_SELF_CERTIFICATION)
    yield "overlapping spells", "first_day", _overlapping(spells)
    yield "two employments at once", "first_day", (n_jobs > 1).nonzero()[0]
    # Absence from before the first employment is the history that somebody brought along.
    yield "outside employment", "first_day", ((n_jobs == 0) & (spells.first_employed() <= spells.first)).nonzero()[0]
    yield (
        "longer than 52 weeks",
        "last_day",
        (~by_self & (_run_days(spells, ~by_self) > LONGEST_SICK_PAY_DAYS)).nonzero()[0],
    )
    yield "grade under 20 %", "grade_percent", (~by_self & (spells.grade < LOWEST_GRADE)).nonzero()[0]
    yield "graded self-certification", "grade_percent", (by_self & (spells.grade < 100)).nonzero()[0]
    every = np.ones(len(by_self), dtype=bool)
    yield (
        "self-certified after the employer period",
        "last_day",
        (by_self & (_run_days(spells, every) > EMPLOYER_PERIOD_DAYS)).nonzero()[0],
    )
    yield "self-certified too soon", "first_day", too_soon.nonzero()[0]
    yield "self-certified too long", "last_day", (by_self & (spells.days > quota.days_at_a_time)).nonzero()[0]
    yield "self-certified too often", "first_day", _over_quota(spells, quota)


def _overlapping(spells: _Spells) -> np.ndarray:
    """Positions of spells that begin on or before the last day of an earlier spell of the same person and kind."""
    found = [np.empty(0, dtype=np.intp)]
    for kind in (spells.is_self, ~spells.is_self):
        chosen = kind.nonzero()[0]
        reach = _latest_so_far(spells.person[chosen], spells.last[chosen])
        follows = np.append(False, spells.person[chosen][1:] == spells.person[chosen][:-1])[: len(chosen)]
        found.append(chosen[follows & (spells.first[chosen] <= np.append(0, reach)[: len(chosen)])])
    return np.concatenate(found)


def _latest_so_far(person: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Running maximum of ``last`` within each person; rows come sorted by person."""
    lift = person.astype(np.int64) * 2**32
    return np.maximum.accumulate(last + lift) - lift


def _run_days(spells: _Spells, chosen: np.ndarray) -> np.ndarray:
    """Days from the first day of the unbroken run of chosen spells that a spell lies in to its own last day (0: not chosen)."""
    rows = chosen.nonzero()[0]
    result = np.zeros(len(chosen), dtype=np.int64)
    if not len(rows):
        return result
    person, first, last = spells.person[rows], spells.first[rows], spells.last[rows]
    reach = _latest_so_far(person, last)
    opens = np.append(True, (person[1:] != person[:-1]) | (first[1:] > reach[:-1] + 1))
    result[rows] = last - first[opens][np.cumsum(opens) - 1] + 1
    return result


def _over_quota(spells: _Spells, quota: Quota) -> np.ndarray:
    """Positions of self-certified spells with which the twelve months up to their last day go over the quota."""
    rows = spells.is_self.nonzero()[0]
    if not len(rows):
        return rows
    person, first, last = spells.person[rows], spells.first[rows], spells.last[rows]
    lift = person.astype(np.int64) * 2**32
    window = last - TWELVE_MONTHS + 1
    opens = (_latest_so_far(person, last) + lift).searchsorted(window + lift)
    total = np.append(0, np.cumsum(spells.days[rows]))
    # Of the spell that the window cuts, only the days inside it count.
    days = total[1:] - total[opens] - np.maximum(0, window - first[opens])
    times = np.arange(len(rows)) - opens + 1
    most_times, most_days = (np.inf if most is None else most for most in quota[1:])
    return rows[(times > most_times) | (days > most_days)]
