"""Sickness absence against the Norwegian rules: what is unusual is pointed out, and nothing is refused for it.

No warning makes a row wrong; each is worth asking the sender about. Sources: folketrygdloven chapter 8 (employer period of 16
calendar days, absences with fewer than 16 days between them counted together, 52 weeks, self-certification after two months of
employment, re-hiring within two weeks, three days at a time and four times in twelve months) and the extended
self-certification of the IA agreement (eight days at a time, 24 days in twelve months). That days of earlier
self-certification count when the next absence begins within 16 days (section 8-24) is taken to hold for both schemes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np

from data_contracts.current_rows import current_rows
from data_contracts.records import AbsenceSpell, Employment
from data_contracts.tables import Table, take
from data_contracts.time_windows import NO_DAY, to_day_numbers
from data_contracts.violations import Violation

Scheme = Literal["extended", "ordinary"]

EMPLOYER_PERIOD_DAYS = 16
DAYS_BETWEEN_ABSENCES = 16
LONGEST_SICK_PAY_DAYS = 364
MONTHS_BEFORE_SELF_CERTIFICATION = 2
DAYS_BETWEEN_EMPLOYMENTS = 14
LOWEST_GRADE = 20
TWELVE_MONTHS = 365
_NEVER = np.iinfo(np.int32).max


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
    "self-certified too long": "More days at a time, absences within 16 days counted together, than the scheme allows.",
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
    spells = _Spells(tables["absence_spells"])
    if not len(spells.rows):
        return []
    numbers = row_numbers["absence_spells"]
    findings = [*_of_absence(spells, QUOTAS[scheme]), *_of_employment(spells, _Jobs(tables["employments"], spells))]
    found = [
        Violation("absence_spells", int(numbers[row]), column, rule, None, WARNINGS[rule])
        for rule, column, is_so in findings
        for row in spells.rows[is_so].tolist()
    ]
    return sorted(found, key=lambda one: one.row)


class _Spells:
    """Current spells as day numbers, sorted by person and first day; all attributes but ``persons`` are arrays."""

    def __init__(self, table: Table) -> None:
        rows = current_rows(AbsenceSpell, table)
        self.persons = {text: code for code, text in enumerate(table["person_id"].vocabulary)}
        order = np.lexsort((to_day_numbers(table["first_day"][rows]), table["person_id"].codes[rows]))
        self.rows = rows[order]
        table = take(table, self.rows)
        self.person = table["person_id"].codes
        self.first = to_day_numbers(table["first_day"])
        self.by_self = table["kind"].recode({"self_certified": 1}, 0) == 1
        self.grade = table["grade_percent"]
        last, known_from = to_day_numbers(table["last_day"]), to_day_numbers(table["known_from"])
        # A running certificate reaches at least to the day of its last report; of a running self-certification nobody
        # knows more than that it has begun.
        so_far = np.where(self.by_self, self.first, np.maximum(self.first, known_from))
        self.last = np.where(last == NO_DAY, so_far, last)


class _Runs(NamedTuple):
    """Chosen spells one after the other; arrays over all spells, meaningless where a spell is not chosen.

    ``gap`` is the number of days since the latest day of an earlier chosen spell of the person (negative: they overlap;
    huge: there is none), ``new_days`` the days that no earlier one covers.
    """

    gap: np.ndarray
    new_days: np.ndarray

    @classmethod
    def of(cls, spells: _Spells, chosen: np.ndarray) -> _Runs:
        rows = chosen.nonzero()[0]
        gap, new_days = np.zeros((2, len(chosen)), dtype=np.int64)
        first, last = spells.first[rows].astype(np.int64), spells.last[rows].astype(np.int64)
        lift = spells.person[rows].astype(np.int64) * 2**32
        reach = np.full(len(rows), -(2**40))
        reach[1:] = np.maximum.accumulate(last + lift)[:-1] - lift[1:]  # of another person: far in the past
        gap[rows] = first - reach - 1
        new_days[rows] = np.maximum(0, last - np.maximum(first, reach + 1) + 1)
        return cls(gap, new_days)


def _days_of_chain(spells: _Spells, chain: np.ndarray, days: np.ndarray) -> np.ndarray:
    """Return, per spell, the sum of ``days`` from the first spell of its chain to itself; ``chain`` opens where it is true."""
    total = np.cumsum(days)
    opens = np.maximum.accumulate(np.where(chain, np.arange(len(chain)), 0))
    return total - total[opens] + days[opens]


def _of_absence(spells: _Spells, quota: Quota) -> Iterator[tuple[str, str, np.ndarray]]:
    """Yield rule, blamed column, and the mask of spells, for what the spells say by themselves."""
    by_self, every = spells.by_self, np.ones(len(spells.rows), dtype=bool)
    all_runs, own, certified = (_Runs.of(spells, chosen) for chosen in (every, by_self, ~by_self))
    chain = all_runs.gap >= DAYS_BETWEEN_ABSENCES
    absent_days = _days_of_chain(spells, chain, all_runs.new_days)
    own_days = _days_of_chain(spells, chain, own.new_days)
    certified_days = _days_of_chain(spells, chain, certified.new_days)
    overlaps = np.where(by_self, own.gap, certified.gap) < 0
    yield "overlapping spells", "first_day", overlaps
    yield "longer than 52 weeks", "last_day", ~by_self & (certified_days > LONGEST_SICK_PAY_DAYS)
    yield "grade under 20 %", "grade_percent", ~by_self & (spells.grade < LOWEST_GRADE)
    yield "graded self-certification", "grade_percent", by_self & (spells.grade < 100)
    yield "self-certified after the employer period", "last_day", by_self & (absent_days > EMPLOYER_PERIOD_DAYS)
    yield "self-certified too long", "last_day", by_self & (own_days > quota.days_at_a_time)
    yield "self-certified too often", "first_day", _over_quota(spells, own, quota)


def _over_quota(spells: _Spells, own: _Runs, quota: Quota) -> np.ndarray:
    """True for self-certified spells with which the twelve months up to their last day go over the quota."""
    over = np.zeros(len(spells.rows), dtype=bool)
    rows = spells.by_self.nonzero()[0]
    if not len(rows):
        return over
    lift = spells.person[rows].astype(np.int64) * 2**32
    reach = np.maximum.accumulate(spells.last[rows] + lift)
    window = spells.last[rows] - TWELVE_MONTHS + 1
    opens = reach.searchsorted(window + lift)
    days, times = np.append(0, np.cumsum(own.new_days[rows])), np.append(0, np.cumsum(own.gap[rows] > 0))
    # Of the spell that the window cuts, only the days inside it count.
    days_inside = days[1:] - days[opens] - np.maximum(0, window - spells.first[rows][opens])
    most_times, most_days = (np.inf if most is None else most for most in quota[1:])
    over[rows] = (times[1:] - times[opens] > most_times) | (days_inside > most_days)
    return over


class _Jobs:
    """Current employments of the persons who have spells, in the order of person, company and first day."""

    def __init__(self, table: Table, spells: _Spells) -> None:
        table = take(table, current_rows(Employment, table))
        person = table["person_id"].recode(spells.persons)
        first, last = to_day_numbers(table["start_date"]), to_day_numbers(table["end_date"])
        order = np.lexsort((first, table["company_id"].codes, person))
        order = order[person[order] >= 0]
        self.person, self.first = person[order], first[order]
        self.last = np.where(last == NO_DAY, _NEVER, last)[order]
        company = table["company_id"].codes[order]
        goes_on = (self.person[1:] == self.person[:-1]) & (company[1:] == company[:-1])
        goes_on &= self.first[1:] <= self.last[:-1].astype(np.int64) + DAYS_BETWEEN_EMPLOYMENTS + 1
        opens = np.append(True, ~goes_on)[: len(order)]
        # Whoever is re-hired within two weeks keeps the right that the earlier employment gave.
        self.hired = self.first[np.maximum.accumulate(np.where(opens, np.arange(len(order)), 0))]


def _of_employment(spells: _Spells, jobs: _Jobs) -> Iterator[tuple[str, str, np.ndarray]]:
    """Yield rule, blamed column, and the mask of spells, for what the spells say beside the employments."""
    start, end = jobs.person.searchsorted(spells.person), jobs.person.searchsorted(spells.person, side="right")
    n_jobs = end - start
    spell = np.arange(len(spells.rows)).repeat(n_jobs)
    job = np.arange(len(spell)) - (n_jobs.cumsum() - n_jobs).repeat(n_jobs) + start.repeat(n_jobs)
    covers = (jobs.first[job] <= spells.first[spell]) & (spells.first[spell] <= jobs.last[job])
    n_covering = np.bincount(spell[covers], minlength=len(spells.rows))
    hired, first_employed = np.full((2, len(spells.rows)), _NEVER, dtype=np.int32)
    np.minimum.at(hired, spell[covers], jobs.hired[job[covers]])
    np.minimum.at(first_employed, spell, jobs.first[job])
    yield "two employments at once", "first_day", n_covering > 1
    # Absence from before the first employment is the history that somebody brought along.
    outside = (n_covering == 0) & ((first_employed <= spells.first) | (n_jobs == 0))
    yield "outside employment", "first_day", outside
    too_soon = spells.by_self & (n_covering > 0) & (spells.first < _months_later(hired))
    yield "self-certified too soon", "first_day", too_soon


def _months_later(day: np.ndarray) -> np.ndarray:
    """Return the same day of the month two months later, or that month's last day."""
    date = np.where(day == _NEVER, 0, day).astype("datetime64[D]")
    month = date.astype("datetime64[M]")
    later = month + MONTHS_BEFORE_SELF_CERTIFICATION
    longest = (later + 1).astype("datetime64[D]") - 1
    return np.minimum(later.astype("datetime64[D]") + (date - month.astype("datetime64[D]")), longest).astype(np.int64)
