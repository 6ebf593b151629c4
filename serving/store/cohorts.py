"""Whom a release counts: gathered person by person while a night is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import product
from typing import TYPE_CHECKING

from serving.store.consents import AGGREGATE, SCORING
from serving.workplace_measures import ALWAYS_TOLD, MEASURES, of_band

if TYPE_CHECKING:
    from serving.store.nights import ScoredPerson


@dataclass(frozen=True)
class Cohort:
    """Those of whom a measure is known and who consent to being counted, each in one category and one part.

    Parameters
    ----------
    categories : mapping
        Person -> category, 0 the most favourable.
    parts : mapping
        Person -> unit of the company; who is not in it is in none.
    """

    categories: Mapping[str, int]
    parts: Mapping[str, str] = field(default_factory=dict)

    def part_of(self, person: str) -> str:
        """Return the unit of a person, empty for none."""
        return self.parts.get(person, "")

    def counts(self, n_categories: int) -> list[int]:
        """Return how many there are, by category."""
        found = Counter(self.categories.values())
        return [found[category] for category in range(n_categories)]

    def undivided(self) -> Cohort:
        """Return the same persons without their units."""
        return Cohort(self.categories)


class Cohorts:
    """Gathers by company and measure whom a release counts.

    Parameters
    ----------
    night : date
        On which consent must be in force.
    """

    def __init__(self, night: date) -> None:
        self._day = night.isoformat()
        self._categories: dict[tuple[str, str], dict[str, int]] = {}
        self._units: dict[str, dict[str, str]] = {}
        self._sections: dict[str, Counter[str]] = {}
        self._measures = set(ALWAYS_TOLD)

    def add(self, persons: Iterable[ScoredPerson]) -> None:
        """Take persons in: those who consent to being counted with everything that the measure is made of."""
        for one in persons:
            self._measures.update(outcome.outcome for outcome in one.outcomes if outcome.target == "event")
            for company in one.companies:
                self._sections.setdefault(company, Counter())
            for company, unit, section in one.places:
                if unit:
                    self._units.setdefault(company, {})[one.person_id] = unit
                if section:
                    self._sections[company][section] += 1
            for measure, category in self._counted(one):
                for company in one.companies:
                    self._categories.setdefault((company, measure), {})[one.person_id] = category

    def leave_out(self, persons: Iterable[str]) -> None:
        """Count some persons in nothing."""
        gone = set(persons)
        for place, categories in self._categories.items():
            self._categories[place] = {one: of for one, of in categories.items() if one not in gone}

    def found(self) -> dict[tuple[str, str], Cohort]:
        """Return the cohorts of every company with anybody at work and every measure, also those in which nobody is counted."""
        return {
            (company, measure): Cohort(self._categories.get((company, measure), {}), self._units.get(company, {}))
            for company, measure in product(self._sections, self._measures)
        }

    def sections(self) -> dict[str, str]:
        """Return the industry of each company: the section that most of its employments name."""
        return {
            company: min(named, key=lambda section: (-named[section], section))
            for company, named in self._sections.items()
            if named
        }

    def _counted(self, person: ScoredPerson) -> Iterator[tuple[str, int]]:
        told = self._sources(person, AGGREGATE)
        if "employment" not in told:
            return  # of what she is counted in, only her employment tells
        used = self._sources(person, SCORING)
        if used and used <= told:
            for outcome in person.outcomes:
                if outcome.target == "event" and outcome.band is not None:
                    yield outcome.outcome, of_band(outcome.band)
        for name, category in person.measures:
            if name == "participation":
                yield name, category if "survey" in told else 1  # that she has answered may not be counted
            elif (MEASURES[name].sources or set()) <= told:
                yield name, category

    def _sources(self, person: ScoredPerson, purpose: str) -> set[str]:
        return {
            source
            for source, of_purpose, given, withdrawn in person.consents
            if of_purpose == purpose and given <= self._day and (withdrawn is None or withdrawn > self._day)
        }
