"""Answers put in place of those a person has given, and why one may not be.

An answer is replaced where it stands: in the version that is to be believed at the index date, with its day and the day on
which it became known. So the altered record is one that could have been sent, both clocks hold, and every feature is what
that record would give. A correction added on the day before would clash with a version that became known on that very day.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from data_contracts.instruments import INSTRUMENTS, VALID_DAYS, Instrument
from data_contracts.tables import Table
from data_contracts.time_windows import is_visible, to_day_numbers
from features.build import CONTEXT_COLUMNS
from features.catalogue import feature
from features.sheet_layouts import SCALES, scales_of
from serving.case import Case, Seen, Served
from serving.handlers.what_if_bodies import Change
from serving.problems import FieldError

TABLE = "survey_answers"


@dataclass(frozen=True)
class AlteredCase(Case):
    """A case with changed answers; the others at the workplace are as they were before."""

    before: Case

    def seen_by(self, served: Served) -> Seen:
        """Return the numbers as a model sees them.

        What the snapshot tells of others is found by taking the person's own part out of it, and in the snapshot lies the
        part that was really answered.
        """
        values, observed_on = (column.copy() for column in self._without_others)
        before = self.before.seen_by(served)
        values[:, CONTEXT_COLUMNS] = before.values[:, CONTEXT_COLUMNS]
        observed_on[:, CONTEXT_COLUMNS] = before.observed_on[:, CONTEXT_COLUMNS]
        return Seen(values, observed_on)


@cache
def modifiable_items(instrument: str) -> frozenset[str]:
    """Return the items of an instrument that count in a scale whose feature the catalogue calls modifiable.

    Never an item that a human must see at once: whether somebody is safe is nothing to try out.
    """
    declared = INSTRUMENTS[instrument]
    items = {item for scale in declared.scales if feature(scale.name).modifiable for item in scale.items}
    return frozenset(items - {rule.item for rule in declared.safety})


def changed(
    tables: dict[str, Table], changes: Sequence[Change], case: Case
) -> tuple[dict[str, Table], list[FieldError]]:
    """Return the tables with the changed answers, and what is wrong with those changes that cannot be made.

    Parameters
    ----------
    tables : dict of Table
        The checked tables of one person.
    changes : sequence of Change
    case : Case
        Of these tables.
    """
    table = tables.get(TABLE)
    answers = None if table is None else table["answer"].copy()
    errors: list[FieldError] = []
    for place, change in enumerate(changes):
        found = _declared_fault(change) or _row(table, change.instrument, change.item, case)
        if isinstance(found, tuple):
            errors.append(FieldError(f"/changes/{place}/{found[0]}", *found[1:]))
        elif answers is not None:
            answers[found] = change.answer
    return tables if table is None else {**tables, TABLE: {**table, "answer": answers}}, errors


def current_answer(table: Table | None, instrument: str, item: str, case: Case) -> float | None:
    """Return the answer that a change to the item would replace, None where there is none that can be changed."""
    found = _row(table, instrument, item, case)
    return None if table is None or isinstance(found, tuple) else float(table["answer"][found])


_Fault = tuple[str, str, str]
"""Member of the change, rule, and what the rule demands."""


def _declared_fault(change: Change) -> _Fault | None:
    instrument = INSTRUMENTS.get(change.instrument)
    if instrument is None:
        return "instrument", "unknown instrument", f"known are: {', '.join(INSTRUMENTS)}"
    position = instrument.item_positions.get(change.item)
    if position is None:
        return "item", "unknown item", f"{instrument.name} has the items {instrument.items_text}"
    if change.item not in modifiable_items(instrument.name):
        reason = "not modifiable: it counts in no scale that can be changed, or must be seen by a human at once"
        return "item", "not modifiable", reason
    item = instrument.items[position]
    if change.answer not in item.answers:
        return "answer", "unknown answer code", f"{instrument.name} {item.id} takes {item.codes_text}"
    return None


def _row(table: Table | None, instrument: str, item: str, case: Case) -> int | _Fault:
    """Return the row of the answer that counts, or why there is none."""
    if not case.told("survey") or table is None:
        return "item", "not used", "no answers were sent, or there is no consent to use them, so none can be changed"
    believed = list(_believed(table, instrument, item, case.t))
    if not believed:
        return "item", "not answered", "the person has not answered it before the index date, so it cannot be changed"
    in_use = _days_in_use(INSTRUMENTS[instrument], item, case)
    current = [row for day, row in believed if day in in_use and case.t - day <= VALID_DAYS]
    if not current:
        reason = (
            f"its answer counts in no current score: it is older than {VALID_DAYS} days or than a later survey, or too few "
            "other items were answered with it"
        )
        return "item", "not current", reason
    return current[0]


def _believed(table: Table, instrument: str, item: str, t: int) -> Iterator[tuple[int, int]]:
    """Yield day and row of every answer to the item as known at t, latest first."""
    known_from, day = to_day_numbers(table["known_from"]), to_day_numbers(table["answered_on"])
    asked = (table["instrument"].recode({instrument: 0}) == 0) & (table["item"].recode({item: 0}) == 0)
    rows = (asked & is_visible(known_from, t) & (day < t)).nonzero()[0]
    last = {int(day[row]): int(row) for row in rows[np.argsort(known_from[rows], kind="stable")]}
    for answered_on in sorted(last, reverse=True):
        if table["is_deleted"][last[answered_on]] != 1:
            yield answered_on, last[answered_on]


def _days_in_use(instrument: Instrument, item: str, case: Case) -> set[int]:
    """Return the days of the latest scores of the scales that the item counts in."""
    rows = case.known.scores
    scales = [position for position in scales_of(instrument.name) if item in SCALES[position].items]
    days = (rows["day"][rows["scale"] == scale] for scale in scales)
    return {int(one.max()) for one in days if len(one)}
