"""Whom a release counts: gathered person by person while a night is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import product
from typing import TYPE_CHECKING

from data_contracts.workplace_factors import WORKPLACE_FACTORS
from serving.store.consents import SCORING
from serving.store.marks import ABOVE

if TYPE_CHECKING:
    from serving.store.nights import ScoredPerson

AGGREGATE = "aggregate_reporting"
OF_ANSWERS = frozenset({"survey", "employment"})
"""What an answer about a workplace is made of: the answer, and where it was given."""


@dataclass(frozen=True)
class Cohort:
    """Those at a company of whom a measure is known and who consent to being counted, and who of them are beyond its limit.

    The limit of an outcome is where band "above" begins, 1.5 times the reference group's mean; that of a workplace factor is
    the unfavourable third of its scale.
    """

    persons: frozenset[str]
    beyond: frozenset[str]


class Cohorts:
    """Gathers by company and measure whom a release counts.

    Parameters
    ----------
    night : date
        On which consent must be in force.
    """

    def __init__(self, night: date) -> None:
        self._day = night.isoformat()
        self._persons: dict[tuple[str, str], set[str]] = {}
        self._beyond: dict[tuple[str, str], set[str]] = {}
        self._companies: set[str] = set()
        self._measures: set[str] = set(WORKPLACE_FACTORS)

    def add(self, persons: Iterable[ScoredPerson]) -> None:
        """Take persons in: those who consent to being counted with everything that the measure is made of."""
        for one in persons:
            self._companies.update(one.companies)
            self._measures.update(outcome.outcome for outcome in one.outcomes if outcome.target == "event")
            for measure, is_beyond in self._counted(one):
                for company in one.companies:
                    self._persons.setdefault((company, measure), set()).add(one.person_id)
                    if is_beyond:
                        self._beyond.setdefault((company, measure), set()).add(one.person_id)

    def found(self) -> dict[tuple[str, str], Cohort]:
        """Return the cohorts of every measure and company with anybody at work, also those in which nobody is counted."""
        return {
            place: Cohort(frozenset(self._persons.get(place, ())), frozenset(self._beyond.get(place, ())))
            for place in product(self._companies, self._measures)
        }

    def _counted(self, person: ScoredPerson) -> Iterator[tuple[str, bool]]:
        used, told = self._sources(person, SCORING), self._sources(person, AGGREGATE)
        if used and used <= told:
            for outcome in person.outcomes:
                if outcome.target == "event" and outcome.number is not None:
                    yield outcome.outcome, outcome.band in ABOVE
        if told >= OF_ANSWERS:
            yield from person.factors

    def _sources(self, person: ScoredPerson, purpose: str) -> set[str]:
        return {
            source
            for source, of_purpose, given, withdrawn in person.consents
            if of_purpose == purpose and given <= self._day and (withdrawn is None or withdrawn > self._day)
        }
