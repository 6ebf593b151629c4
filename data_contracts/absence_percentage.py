"""Sickness absence as NAV and SSB count it: lost man-days as a percentage of agreed man-days.

Definitions (NAV, "Om statistikken - sykefravær", 4.1; SSB, "Om statistikken - sykefravær"): agreed man-days are Mondays
to Fridays less public holidays, times the position share. Lost man-days are those of them on which the person is away
ill, times the degree of absence (self-certified absence counts as 100 %). Holiday leave is not subtracted (since 2018).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache

import numpy as np

from data_contracts.current_rows import current_rows
from data_contracts.records import AbsenceSpell, Employment, Record
from data_contracts.tables import Table, take
from data_contracts.time_windows import NO_DAY, day_number, to_day_numbers

_PERSONS_AT_ONCE = 5_000


@dataclass(frozen=True)
class AbsencePercentage:
    """Man-days of one period and group; float64 arrays, one element per group in the order of ``groups``."""

    groups: tuple[str, ...]
    agreed_days: np.ndarray
    lost_days_self_certified: np.ndarray
    lost_days_doctor_certified: np.ndarray

    @property
    def percent(self) -> np.ndarray:
        """Lost man-days of both kinds in per cent of the agreed ones; NaN where none were agreed."""
        return self._percent(self.lost_days_self_certified + self.lost_days_doctor_certified)

    @property
    def percent_doctor_certified(self) -> np.ndarray:
        """The doctor-certified part of ``percent``."""
        return self._percent(self.lost_days_doctor_certified)

    def _percent(self, lost: np.ndarray) -> np.ndarray:
        return np.divide(100.0 * lost, self.agreed_days, out=np.full(len(lost), np.nan), where=self.agreed_days > 0)


def absence_percentage(
    tables: dict[str, Table], first_day: date, last_day: date, *, by: str = "company_id", as_of: date | None = None
) -> AbsencePercentage:
    """Count man-days from ``first_day`` to ``last_day``, both included.

    Parameters
    ----------
    tables : checked tables
        ``employments`` and ``absence_spells`` are read.
    by : str
        Column of ``employments`` to group by, such as ``company_id`` or ``industry_code``; rows without it are left out.
    as_of : date, optional
        Count as it was known on this morning, and only the days before it: the planned end of a certificate is no fact
        about the past. None: as known now, and a running spell lasts to the end of the period.

    Raises
    ------
    ValueError
        If the period ends before it begins.

    Notes
    -----
    A spell carries no employment, so it counts in every employment that the person has on the day, as NAV's certificates
    do where all employers are told. A day covered by several spells counts once, doctor-certified before self-certified,
    with its highest degree.
    """
    if last_day < first_day:
        raise ValueError(f"the period ends on {last_day}, before it begins on {first_day}")
    days = _working_day_numbers(first_day, last_day)
    if as_of is not None:
        days = days[days < day_number(as_of)]
    jobs = _current(Employment, tables["employments"], as_of)
    jobs = take(jobs, (jobs[by].codes >= 0).nonzero()[0])
    groups = jobs[by].compact()
    start, end = _places(days, jobs["start_date"], jobs["end_date"])
    share = jobs["position_percent"] / 100

    persons = {text: code for code, text in enumerate(jobs["person_id"].vocabulary)}
    spells = _current(AbsenceSpell, tables["absence_spells"], as_of)
    owner, person = spells["person_id"].recode(persons), jobs["person_id"].codes
    lost = np.zeros((2, len(person)))
    for begin in range(0, len(persons), _PERSONS_AT_ONCE):
        chosen = (begin <= person) & (person < begin + _PERSONS_AT_ONCE)
        of_chosen = (begin <= owner) & (owner < begin + _PERSONS_AT_ONCE)
        until = _lost_until(take(spells, of_chosen), owner[of_chosen] - begin, days)
        mine = person[chosen] - begin
        lost[:, chosen] = until[:, mine, end[chosen]] - until[:, mine, start[chosen]]

    def total(per_job: np.ndarray) -> np.ndarray:
        return np.bincount(groups.codes, weights=share * per_job, minlength=len(groups.vocabulary))

    return AbsencePercentage(groups.vocabulary, total((end - start).astype(np.float64)), total(lost[0]), total(lost[1]))


def _current(record: type[Record], table: Table, as_of: date | None) -> Table:
    return take(table, current_rows(record, table, as_of))


@cache
def _public_holidays(first_year: int, last_year: int) -> np.ndarray:
    # Needed for reports only, and slow to import.
    from holidays.countries import Norway

    return np.array(sorted(Norway(years=range(first_year, last_year + 1))), dtype="datetime64[D]")


def _working_day_numbers(first_day: date, last_day: date) -> np.ndarray:
    calendar = np.busdaycalendar(holidays=_public_holidays(first_day.year, last_day.year))
    days = np.arange(np.datetime64(first_day), np.datetime64(last_day) + 1)
    return days[np.is_busday(days, busdaycal=calendar)].astype(np.int64)


def _places(days: np.ndarray, first: np.ndarray, last: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return, per row, the positions in ``days`` where ``first..last`` begins and ends; an open end reaches the last."""
    begins, ends = to_day_numbers(first), to_day_numbers(last)
    start = days.searchsorted(begins)
    end = np.where(ends == NO_DAY, len(days), days.searchsorted(ends, side="right"))
    return start, np.maximum(start, end)


def _lost_until(spells: Table, person: np.ndarray, days: np.ndarray) -> np.ndarray:
    """Return lost days, full-time, before each working day.

    The shape is (self- and doctor-certified, persons, working days + 1); ``person`` is the position of each spell's person.
    """
    start, end = _places(days, spells["first_day"], spells["last_day"])
    is_self = spells["kind"].recode({"self_certified": 1}, 0) == 1
    grade = np.where(is_self, 100.0, spells["grade_percent"]) / 100
    lost = np.zeros((2, _PERSONS_AT_ONCE, len(days)))
    n_days = end - start
    offset = np.arange(n_days.sum()) - (n_days.cumsum() - n_days).repeat(n_days)
    cell = np.where(is_self, 0, 1).repeat(n_days), person.repeat(n_days), start.repeat(n_days) + offset
    np.maximum.at(lost, cell, grade.repeat(n_days))
    lost[0][lost[1] > 0] = 0.0
    until = np.zeros((2, _PERSONS_AT_ONCE, len(days) + 1))
    np.cumsum(lost, axis=2, out=until[:, :, 1:])
    return until
