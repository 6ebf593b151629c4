"""From a FHIR Bundle about one person to checked tables, or to everything that is wrong with it; never both."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np

from data_contracts.consent import SOURCES
from data_contracts.readers.fhir_r4 import FhirTables, read_bundle
from data_contracts.records import TABLES
from data_contracts.safety import SafetyFlag, in_order, refused_safety_flags, safety_flags
from data_contracts.tables import Table, n_rows
from data_contracts.time_windows import is_visible, to_day_numbers
from data_contracts.validation import Checked, check
from serving.access.policy import Subject
from serving.case import Case
from serving.handlers.subjects import employers
from serving.notices import SafetyNotice, safety_notice
from serving.problems import FieldError, Problem, flagged_notices, pointer, unprocessable

Json = dict[str, Any]

_BUNDLE = "Bundle"
_ALWAYS = ("persons", "consents")
_HAPPENED_ON = {"survey_answers": "answered_on", "lab_results": "sampled_on", "absence_spells": "first_day",
                "employments": "start_date"}  # fmt: skip
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_ONE_PERSON = FieldError("/entry", "one person", "must be about exactly one Patient, and hold that Patient")


@dataclass(frozen=True)
class FhirRecord:
    """What a Bundle says about its one person.

    Parameters
    ----------
    document : dict
        The Bundle.
    places : sequence of sequence of str
        Where each resource stands in the body that was sent: the steps of a JSON pointer.
    received_on : date
    complete : collection of str
        Tables of which the sender says that the Bundle has all there is: without rows, nothing has happened.
    """

    document: Json
    places: Sequence[tuple[Any, ...]]
    received_on: date
    complete: frozenset[str] = frozenset()

    @cached_property
    def found(self) -> FhirTables:
        """The rows as they came."""
        # Whatever it calls itself, its entries are looked at: what they say about safety is not lost with the name.
        return read_bundle({**self.document, "resourceType": _BUNDLE}, "bundle")

    @cached_property
    def _checked(self) -> dict[str, Checked]:
        return {
            name: check(record, self.found.tables.get(name, {}), received_on=self.received_on, origin=name, first_row=0)
            for name, record in TABLES.items()
        }

    @cached_property
    def tables(self) -> dict[str, Table]:
        """The checked tables of which anything is known."""
        kept = self.found.tables.keys() | self.complete | set(_ALWAYS)
        return {name: checked.table for name, checked in self._checked.items() if name in kept}

    @cached_property
    def person_ids(self) -> frozenset[str]:
        """The pseudonyms of all rows that are sound."""
        return frozenset().union(*(
            table["person_id"].compact().vocabulary for table in self.tables.values() if "person_id" in table
        ))  # fmt: skip

    @cached_property
    def safety_flags(self) -> tuple[SafetyNotice, ...]:
        """What a human must look at, of every resource: taken, refused or passed over."""
        answers = self._checked["survey_answers"]
        flags: list[SafetyFlag] = list(safety_flags(answers.table))
        refused = np.array(sorted({one.row for one in answers.violations}), dtype=np.int64)
        flags += refused_safety_flags(self.found.tables.get("survey_answers", {}), refused)
        untaken = self.found.untaken_answers
        if untaken:
            flags += refused_safety_flags(untaken, np.arange(n_rows(untaken)))
        return tuple(map(safety_notice, in_order(flags)))

    @cached_property
    def problem(self) -> Problem | None:
        """What is wrong with the Bundle; None if it can be answered."""
        errors = [*self._faults_of_elements(), *self._faults_of_rows()]
        if self.document.get("resourceType") != _BUNDLE:
            errors = [FieldError("/resourceType", "shape", "must be Bundle"), *errors]
        if not errors and not (len(self.person_ids) == 1 and n_rows(self.tables["persons"])):
            errors = [_ONE_PERSON]
        if not errors:
            return None
        problem = unprocessable("contract-violation", "The Bundle breaks the data contract", errors)
        return flagged_notices(problem, self.safety_flags)

    def subject(self, day: date) -> Subject:
        """Return whom the Bundle is about, and the companies that employ her on a day, by the newest version of each job.

        Nobody where there is more than one person, or none: such a Bundle is never answered, see :attr:`problem`.
        """
        if len(self.person_ids) != 1:
            return Subject(None, frozenset())
        table = self.tables.get("employments")
        rows = [] if table is None else _employments(table)
        return Subject(next(iter(self.person_ids)), employers(rows, day.isoformat()))

    def basis(self, case: Case) -> list[str]:
        """Return references to the resources that told something known at the index date, with consent, each once."""
        numbers = {number for name in _HAPPENED_ON for number in self._known_entries(name, case)}
        return [one for one in dict.fromkeys(map(self._reference, sorted(numbers))) if one]

    def _known_entries(self, name: str, case: Case) -> Iterator[int]:
        source = TABLES[name].consent_source
        if name not in self.tables or source is None or not case.consented[SOURCES.index(source)]:
            return
        checked = self._checked[name]
        known_from, happened = (to_day_numbers(checked.table[column]) for column in ("known_from", _HAPPENED_ON[name]))
        counts = is_visible(known_from, case.t) & (happened <= case.t) & (checked.table["is_deleted"] != 1)
        yield from self.found.row_numbers[name][checked.row_numbers[counts]].tolist() if counts.any() else ()

    def _reference(self, number: int) -> str | None:
        entry = self.document["entry"][number - 1]
        resource = entry["resource"]
        if isinstance(entry.get("fullUrl"), str):
            return str(entry["fullUrl"])
        return f"{resource['resourceType']}/{resource['id']}" if isinstance(resource.get("id"), str) else None

    def _faults_of_elements(self) -> Iterator[FieldError]:
        for one in self.found.violations:
            steps: list[Any] = [name or int(place) for name, place in _STEP.findall(one.column)]
            yield FieldError(pointer(self._steps(one.row, steps)), one.rule, one.reason)

    def _faults_of_rows(self) -> Iterator[FieldError]:
        for name, checked in self._checked.items():
            for one in checked.violations:
                number = int(self.found.row_numbers[name][one.row])
                # What was read from the resource breaks the contract; its column says which element must be mended.
                yield FieldError(pointer(self._steps(number, [])), one.rule, f"{name}.{one.column}: {one.reason}")

    def _steps(self, number: int, path: list[Any]) -> list[Any]:
        """Return the way to an element; its path begins with the type of resource that it leads through."""
        place = list(self.places[number - 1]) if 0 < number <= len(self.places) else []
        if path[:2] == ["Bundle", "entry"] and place:
            return [*(place[:-1] if place[-1] == "resource" else place), *path[2:]]
        return [*place, *(path if path == ["resourceType"] else path[1:])]


def _employments(table: Table) -> list[Json]:
    days = {name: ["" if np.isnat(day) else str(day) for day in table[name]]
            for name in ("start_date", "end_date", "known_from")}  # fmt: skip
    rows = zip(table["company_id"].texts(), table["is_deleted"].tolist(), *days.values(), strict=True)
    return [
        {"company_id": company, "is_deleted": is_deleted == 1, **dict(zip(days, own, strict=True))}
        for company, is_deleted, *own in rows
    ]


def record_of(bundle: Mapping[str, Any], received_on: date, complete: frozenset[str] = frozenset()) -> FhirRecord:
    """Return the record that a Bundle makes; nothing has been read or checked yet."""
    document = dict(bundle)
    entries = document.get("entry")
    places = [("entry", place, "resource") for place in range(len(entries) if isinstance(entries, list) else 0)]
    return FhirRecord(document, places, received_on, complete)
