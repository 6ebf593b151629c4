"""Histories: everything that may be known of N persons, as flat arrays with one offset per person.

Here, and only here, consent decides what may be used; nothing downstream can forget it. Rows keep the days on which
they were the version to believe, so that one gathering serves any number of index dates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import Any

import numpy as np

from data_contracts.consent import SOURCES
from data_contracts.records import TABLES, Purpose, Source
from data_contracts.tables import Table, empty_table, n_rows
from data_contracts.time_windows import day_number, is_visible, to_day_numbers
from features.answer_sheets import gather_surveys
from features.blocks import FOREVER, Block
from features.consents import Terms, gather_consents, in_force
from features.gathering import (
    Rows,
    gather_absences,
    gather_employments,
    gather_events,
    gather_guidance,
    gather_labs,
    gather_persons,
)
from features.record import tables_of_record


@dataclass(frozen=True)
class Histories:
    """All usable rows of N persons.

    Parameters
    ----------
    person_ids : tuple of str, length N
    consented : bool array, shape (N, 4)
        Consent per source in force on the day that was asked for; columns in the order of ``consent.SOURCES``. Without
        it a source has no rows here, and its features are NaN.
    persons, employments, scores, sheets, labs, absences, guidance : Block
        Rows per person.
    events : Block
        Workplace events per company; employments name the company by its position there.
    companies, units : tuple of str
        Identifiers, sorted: the column ``company`` or ``unit`` of a block holds positions here. A unit is one within its
        company.
    terms : Terms
        Purpose, day of consent and morning of the store that these rows were gathered for.
    consents : Block
        Consents of the N persons for that purpose.
    delivered : frozenset of str
        The tables that there were, with or without rows. Of a table that was not sent nobody knows that it has no rows.
    """

    person_ids: tuple[str, ...]
    consented: np.ndarray
    persons: Block
    employments: Block
    scores: Block
    sheets: Block
    labs: Block
    absences: Block
    guidance: Block
    events: Block
    companies: tuple[str, ...]
    units: tuple[str, ...]
    terms: Terms
    consents: Block
    delivered: frozenset[str]

    def __len__(self) -> int:
        return len(self.person_ids)

    @classmethod
    def from_tables(
        cls,
        tables: dict[str, Table],
        *,
        purpose: Purpose,
        consent_on: date | int,
        still_on: date | int | None = None,
        data_as_of: date | int | None = None,
        person_ids: Sequence[str] | None = None,
    ) -> Histories:
        """Gather the histories of persons from checked tables.

        Parameters
        ----------
        tables : dict of Table
            By table name; of a table that is not there nothing is known, of one without rows that nothing happened.
        purpose : str
            What the data will be used for; rows of a source without consent for it are left behind.
        consent_on, still_on : date or day number
            Day on which consent must be in force: t for scoring, ``data_as_of`` for training; and, optionally, on which it
            must be in force as well: that of a request for a past morning.
        data_as_of : date or day number, optional
            Show the store as it was on the morning of that day: only rows with an earlier ``known_from``.
        person_ids : sequence of distinct str, optional
            Whose histories, in this order; by default everyone in ``persons``, sorted. A person nobody knows anything
            about gets an empty history.

        Returns
        -------
        Histories
        """
        gathering = _Gathering(tables, None if data_as_of is None else _day(data_as_of), person_ids)
        return gathering.histories(purpose, _day(consent_on), None if still_on is None else _day(still_on))

    @classmethod
    def from_record(
        cls, record: dict[str, Any], *, purpose: Purpose = "risk_scoring", consent_on: date | int, received_on: date
    ) -> Histories:
        """Gather the history of one person from the JSON record of the API: same checks, same gathering.

        Raises
        ------
        RecordViolation
            If any row breaks the contract; ``violations`` lists them.
        """
        return cls.from_tables(tables_of_record(record, received_on), purpose=purpose, consent_on=consent_on)

    def take(self, positions: np.ndarray) -> Histories:
        """Return the chosen persons in the given order; a person may be asked for more than once."""
        chosen = {name: getattr(self, name).take(positions) for name in _PER_PERSON}
        ids = tuple(self.person_ids[position] for position in positions)
        return replace(self, person_ids=ids, consented=self.consented[positions], **chosen)

    def between(self, first: int, end: int) -> Histories:
        """Return the persons ``first:end`` as views, without copying a row."""
        if end - first == len(self):
            return self
        chosen = {name: getattr(self, name).between(first, end) for name in _PER_PERSON}
        return replace(self, person_ids=self.person_ids[first:end], consented=self.consented[first:end], **chosen)

    @property
    def told(self) -> np.ndarray:
        """Return of which sources anything can be said, shaped as ``consented``: with consent, and the table was sent."""
        return self.consented & _sent(self.delivered)

    def consented_on(self, terms: Terms) -> np.ndarray:
        """Return who has consented to what on other terms than those of these histories, shaped as ``consented``.

        Raises
        ------
        ValueError
            If the terms are of another purpose, or ask for a later state of the store than is here.
        """
        if terms == self.terms:
            return self.consented
        if terms.purpose != self.terms.purpose or terms.known_by > self.terms.known_by:
            raise ValueError(f"histories gathered on {self.terms} cannot tell who had consented on {terms}")
        return in_force(self.consents, terms.consent_on, terms.known_by)


_PER_PERSON = ("consents", "persons", "employments", "scores", "sheets", "labs", "absences", "guidance")


SOURCE_TABLES: dict[Source, str] = {
    "survey": "survey_answers", "lab": "lab_results", "absence": "absence_spells", "employment": "employments",
}  # fmt: skip
"""The table of each source without which nothing is known of it."""


@cache
def _sent(delivered: frozenset[str]) -> np.ndarray:
    return np.array([SOURCE_TABLES[source] in delivered for source in SOURCES])


def _day(day: date | int) -> int:
    return day_number(day) if isinstance(day, date) else int(day)


_CONSENT_ROWS = {
    name: len(SOURCES) if record.consent_source is None else SOURCES.index(record.consent_source)
    for name, record in TABLES.items()
}
"""Row of each table in ``_Gathering.may_use``; the last one is for tables that need no consent."""


@cache
def _columns_without_rows(name: str, gather: Callable[..., Block], ranks: tuple[str, ...]) -> dict[str, np.ndarray]:
    return gather(_no_rows(name), **{rank: {} for rank in ranks}).columns


@cache
def _surveys_without_rows() -> tuple[dict[str, np.ndarray], ...]:
    return tuple(found.columns for found in gather_surveys(_no_rows("survey_answers"), np.empty(0, dtype=bool)))


def _no_rows(name: str) -> Rows:
    nobody, never = np.empty(0, dtype=np.int32), np.empty(0, dtype=bool)
    return Rows(empty_table(TABLES[name]), nobody, nobody, never, n_owners=0)


class _Gathering:
    """The tables of one gathering, and who is asked for."""

    def __init__(self, tables: dict[str, Table], data_as_of: int | None, person_ids: Sequence[str] | None) -> None:
        self.tables = tables
        self.data_as_of = data_as_of
        self.person_ids = tuple(self._everyone() if person_ids is None else person_ids)
        self.positions = {person_id: position for position, person_id in enumerate(self.person_ids)}
        if len(self.positions) < len(self.person_ids):
            raise ValueError("person_ids must be distinct")

    def histories(self, purpose: Purpose, consent_on: int, still_on: int | None) -> Histories:
        terms = Terms(purpose, consent_on, FOREVER if self.data_as_of is None else self.data_as_of)
        consents = self._consents(purpose)
        consented = in_force(consents, consent_on, terms.known_by)
        consented &= still_on is None or in_force(consents, still_on, terms.known_by)
        # One place more: row owner -1, nobody who is asked for, may not be used either.
        self.may_use = np.zeros((len(SOURCES) + 1, len(self.person_ids) + 1), dtype=bool)
        self.may_use[:-1, :-1] = consented.T
        self.may_use[-1, :-1] = True
        companies, units = self._ranks("company_id"), self._ranks("unit_id")
        scores, sheets = self._surveys()
        return Histories(
            self.person_ids,
            consented,
            persons=self._block("persons", gather_persons),
            employments=self._block("employments", gather_employments, companies=companies, units=units),
            scores=scores,
            sheets=sheets,
            labs=self._block("lab_results", gather_labs),
            absences=self._block("absence_spells", gather_absences),
            guidance=self._block("guidance_sessions", gather_guidance),
            events=self._block("workplace_events", gather_events, companies, units=units),
            companies=tuple(companies),
            units=tuple(units),
            terms=terms,
            consents=consents,
            delivered=frozenset(self.tables),
        )

    def _everyone(self) -> tuple[str, ...]:
        persons = self._table("persons")
        ids = persons["person_id"]
        if self.data_as_of is not None:
            ids = ids[is_visible(to_day_numbers(persons["known_from"]), self.data_as_of)]
        return ids.compact().vocabulary

    def _consents(self, purpose: Purpose) -> Block:
        table = self._table("consents")
        owner = table["person_id"].recode(self.positions)
        known_from = to_day_numbers(table["known_from"])
        usable = (owner >= 0) & (table["purpose"].recode({purpose: 0}) == 0)
        if self.data_as_of is not None:
            usable &= is_visible(known_from, self.data_as_of)
        rows = Rows(table, owner, known_from, table["is_deleted"] == 1.0, len(self.person_ids))
        return gather_consents(rows.take(usable))

    def _block(
        self, name: str, gather: Callable[..., Block], owners: dict[str, int] | None = None, **ranks: dict[str, int]
    ) -> Block:
        """Gather a table, of persons or else of companies by their rank."""
        if not n_rows(self._table(name)):
            n_owners = len(self.person_ids if owners is None else owners)
            return Block(np.zeros(n_owners + 1, dtype=np.int64), _columns_without_rows(name, gather, tuple(ranks)))
        return gather(self._usable(name, owners), **ranks)

    def _surveys(self) -> tuple[Block, Block]:
        """Gather the scores and the sheets, which come from one table."""
        if n_rows(self._table("survey_answers")):
            return gather_surveys(*self._rows("survey_answers"))
        offsets = np.zeros(len(self.person_ids) + 1, dtype=np.int64)
        scores, sheets = _surveys_without_rows()
        return Block(offsets, scores), Block(offsets, sheets)

    def _usable(self, name: str, owners: dict[str, int] | None = None) -> Rows:
        """Return the rows of a table that may be used, of persons or else of companies by their rank."""
        rows, usable = self._rows(name, owners)
        return rows if usable.all() else rows.take(usable.nonzero()[0])

    def _rows(self, name: str, owners: dict[str, int] | None = None) -> tuple[Rows, np.ndarray]:
        """Return all rows of a table, and which of them may be used."""
        table = self._table(name)
        if owners is None:
            owner = table["person_id"].recode(self.positions)
            usable = self.may_use[_CONSENT_ROWS[name]][owner]
        else:
            owner = table["company_id"].recode(owners)
            usable = owner >= 0
        known_from = to_day_numbers(table["known_from"])
        if self.data_as_of is not None:
            usable &= is_visible(known_from, self.data_as_of)
        n_owners = len(self.person_ids if owners is None else owners)
        return Rows(table, owner, known_from, table["is_deleted"] == 1.0, n_owners), usable

    def _ranks(self, column: str) -> dict[str, int]:
        words = {word for name in ("employments", "workplace_events") for word in self._table(name)[column].vocabulary}
        return {word: rank for rank, word in enumerate(sorted(words))}

    def _table(self, name: str) -> Table:
        return self.tables.get(name) or empty_table(TABLES[name])
