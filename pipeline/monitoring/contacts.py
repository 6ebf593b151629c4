"""Who was contacted after a score, from clinicians' decisions in the store, and how they fared afterwards."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np

from data_contracts.time_windows import OSLO, calendar_date, day_number
from models.monitoring.after_contact import event_ratio, score_difference
from models.monitoring.comparison import Shift
from models.outcomes import OUTCOMES
from models.outcomes.long_sick_leave_mental import LongSickLeaveMental
from models.outcomes.outcome import Outcome
from models.risk_model import RiskModel
from pipeline.erasure.stored import store_file
from pipeline.feedback import stored_decisions
from pipeline.monitoring.inputs import new_values
from pipeline.monitoring.windows import Window, linear_scores, past_dates, window_of, window_start
from pipeline.workspace import Workspace

NO_CONTACT = ("none", "wait")
"""Next steps of a decision with which nobody turns to the person."""

COMPLAINTS = "shc_complaints_count"
"""Subjective health complaints: what is watched after contact."""

HARM = "after contact"
"""Group of the two tests."""

NO_STORE, NOBODY = "there is no store of decisions", "nobody was contacted"

LOGISTIC_SPREAD = math.pi / math.sqrt(3)
"""Standard deviation of the log-odds behind an event: makes a ratio a size in standard deviations; 0.2 are a ratio of 1.44.

The ratio of risks stands for that of odds, which is farther from 1: rather too small. Chinn S. Stat Med 2000;19:3127.
"""

CONTACT_MONTHS, AFTER_MONTHS, AFTER_DAYS = 3, 6, 180
"""Contact within three months of an index date; what follows is counted from then on, for 180 days (half a year of answers)."""


@dataclass(frozen=True, eq=False)
class Contacts:
    """Decisions that led to a contact: ``person`` str (n,), ``day`` int32 (n,)."""

    person: np.ndarray
    day: np.ndarray

    def __len__(self) -> int:
        return len(self.day)

    def of_rows(self, person: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
        """True where the person of a row was contacted from day ``start`` to before ``end``, bool (n_rows,)."""
        found = np.zeros(len(person), dtype=bool)
        for who, day in zip(self.person, self.day, strict=True):
            found |= (person == who) & (start <= day) & (day < end)
        return found

    def days_to_first(self, person: np.ndarray, start: np.ndarray) -> np.ndarray:
        """Return the days from ``start`` to the first contact of each row's person on or after it, float64 (n_rows,)."""
        found = np.full(len(person), np.inf)
        for who, day in zip(self.person, self.day, strict=True):
            is_later = (person == who) & (start <= day)
            found[is_later] = np.minimum(found[is_later], (day - start)[is_later])
        return found


def stored_contacts(workspace: Workspace, index_date: date) -> Contacts | None:
    """Return the contacts decided before a morning, whichever outcome they were about; None where there is no store."""
    path = store_file(workspace)
    if path is not None and not path.exists():
        return None
    made = [
        (row["person_id"], _day(row["decided_at"]))
        for row in stored_decisions(workspace)
        if row["next_step"] not in NO_CONTACT
    ]
    made = [one for one in made if one[1] < day_number(index_date)]
    return Contacts(
        np.array([person for person, _ in made], dtype=np.str_), np.array([day for _, day in made], dtype=np.int32)
    )


def after_contact(
    tables: Path, model: RiskModel, outcome: Outcome, contacts: Contacts | None, index_date: date
) -> tuple[dict[str, Any], list[Shift]]:
    """Compare those contacted with persons of like risk who were not: new absence of chapter P, and complaints.

    Rows are of quarterly index dates. Contact counts in the three months after one; events count after these, so that
    nobody must stay well in order to be contacted. Who was contacted before an index date is in neither group from then on.

    Returns
    -------
    JSON values, and what can be tested and points upwards, as shifts.
    """
    if contacts is None:
        return {"why_not": NO_STORE}, []
    if not len(contacts):
        return {"why_not": NOBODY}, []
    first = calendar_date(int(contacts.day.min()))
    begin = window_start(first.replace(day=1), CONTACT_MONTHS)
    dates = [on for on in past_dates(begin, index_date, CONTACT_MONTHS) if _later(on, CONTACT_MONTHS) <= index_date]
    if not dates:
        return {"why_not": "the first contacts are not three months ago"}, []
    base = window_of(tables, outcome, dates, index_date, context=model.workplace_context)
    # Else who was contacted last quarter would stand for those who never were.
    base = base.take(~contacts.of_rows(base.person, np.zeros_like(base.t), base.t))
    contacted = contacts.of_rows(base.person, base.t, _shifted(base.t, CONTACT_MONTHS))
    rows = _Rows(tables, base, contacted, linear_scores(model, base), index_date)
    absence, complaints = rows.absence(), rows.complaints()
    found = {"absence_chapter_p_ratio": absence, "complaints_difference": complaints}
    answered = base.column(COMPLAINTS)[~np.isnan(base.column(COMPLAINTS))]
    spread = float(answered.std()) if len(answered) else 0.0
    moved = [_shift("absence_chapter_p", absence, math.log(absence.get("value", 1.0)) / LOGISTIC_SPREAD)]
    moved.append(_shift(COMPLAINTS, complaints, complaints.get("value", 0.0) / spread if spread > 0 else 0.0))
    return found, [one for one in moved if one is not None]


@dataclass(frozen=True, eq=False)
class _Rows:
    """Rows before contact, who of them was contacted, and where what followed is found."""

    tables: Path
    base: Window
    contacted: np.ndarray
    linear: np.ndarray
    index_date: date

    def absence(self) -> dict[str, Any]:
        """New doctor-certified absence of chapter P within 180 days after the landmark."""
        mental = OUTCOMES["long_sick_leave_mental"]
        assert isinstance(mental, LongSickLeaveMental)  # the declaration says so
        outcome = replace(mental, horizon_days=AFTER_DAYS, min_days=0)
        here, later, place = self._at(outcome, CONTACT_MONTHS)
        known = later.observed[place]
        here, place = here[known], place[known]
        return event_ratio(
            self.contacted[here], later.y[place] > 0, self.linear[here], self.base.t[here], self._person[here]
        )

    def complaints(self) -> dict[str, Any]:
        """Complaints answered within half a year after the landmark, given those before."""
        here, later, place = self._at(OUTCOMES["absence_days"], CONTACT_MONTHS + AFTER_MONTHS)
        after = new_values(later, AFTER_MONTHS, (COMPLAINTS,))[place, 0]
        before = self.base.column(COMPLAINTS)[here]
        return score_difference(
            self.contacted[here], before, after, self.linear[here], self.base.t[here], self._person[here]
        )

    @property
    def _person(self) -> np.ndarray:
        return np.unique(self.base.person, return_inverse=True)[1]

    def _at(self, outcome: Outcome, months: int) -> tuple[np.ndarray, Window, np.ndarray]:
        """Return positions of base rows, the rows so many months later, and the position of each one's person there."""
        pairs = {int(t): int(_shifted(np.array([t]), months)[0]) for t in np.unique(self.base.t)}
        dates = [calendar_date(t) for t in pairs.values() if calendar_date(t) <= self.index_date]
        if not dates:
            return np.empty(0, dtype=int), self.base.take(np.empty(0, dtype=int)), np.empty(0, dtype=int)
        later = window_of(self.tables, outcome, dates, self.index_date)
        place = {key: row for row, key in enumerate(zip(later.person.tolist(), later.t.tolist(), strict=True))}
        keys = [(who, pairs[t]) for who, t in zip(self.base.person.tolist(), self.base.t.tolist(), strict=True)]
        here = np.array([row for row, key in enumerate(keys) if key in place], dtype=int)
        return here, later, np.array([place[keys[row]] for row in here], dtype=int)


def _shift(name: str, found: dict[str, Any], difference: float) -> Shift | None:
    """Return a test that points upwards; one that points downwards is no harm."""
    if "p" not in found or difference <= 0:
        return None
    return Shift(name, "level", HARM, difference, None, None, found["p"], found["others"], found["contacted"])


def _shifted(t: np.ndarray, months: int) -> np.ndarray:
    later = {int(day): day_number(_later(calendar_date(int(day)), months)) for day in np.unique(t)}
    return np.array([later[int(day)] for day in t], dtype=np.int32)


def _later(day: date, months: int) -> date:
    return window_start(day, -months)


def _day(moment: str) -> int:
    return day_number(datetime.fromisoformat(moment).astimezone(OSLO).date())
