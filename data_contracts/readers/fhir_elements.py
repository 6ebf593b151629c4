"""Elements of FHIR resources as plain JSON, and what is gathered while resources are read: rows, violations, counts.

The JSON has been through :mod:`data_contracts.readers.fhir_entries` before, so its strings, numbers and depth are sound.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from data_contracts.fhir_codes import DIAGNOSIS_SYSTEMS, IDENTITY_NUMBER_SYSTEMS, PERSON_SYSTEM
from data_contracts.records import TABLES, columns
from data_contracts.tables import Coded
from data_contracts.violations import Fault, Violation, shown

Element = dict[str, Any]

_LONGEST_LOOKED_AT = 300  # more is never shown, and masking takes time that grows with the square of the length

IDENTITY_NUMBER = Fault(
    "national identity number",
    "is a national identity number; send a pseudonym. The number itself is neither shown nor stored",
)


class ResourceFault(Exception):
    """What is wrong with a resource as a whole, so that none of its rows can be taken."""

    def __init__(self, path: str, rule: str, reason: str, value: str | None = None) -> None:
        super().__init__(rule)
        self.path, self.fault, self.value = path, Fault(rule, reason), value


@dataclass
class Gathered:
    """Rows, violations and counts of one source, in the order of its entries."""

    origin: str
    violations: list[Violation] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    types: set[str] = field(default_factory=set)
    safety: list[tuple[int, Element]] = field(default_factory=list)
    """Number and resource of the entries with an answer above a safety limit, be they sound or not."""
    untaken: list[dict[str, str | None]] = field(default_factory=list)
    """Rows of those answers that no row of survey_answers has."""
    _rows: dict[str, list[dict[str, str | None]]] = field(default_factory=dict)
    _numbers: dict[str, list[int]] = field(default_factory=dict)

    def add(self, table: str, number: int, row: dict[str, str | None]) -> None:
        """Add a row that came from entry ``number``."""
        self._rows.setdefault(table, []).append(row)
        self._numbers.setdefault(table, []).append(number)

    def refuse(self, number: int, path: str, fault: Fault, value: str | None = None) -> None:
        """Add a violation of the element at ``path`` of entry ``number``."""
        value = None if value is None else shown(value[:_LONGEST_LOOKED_AT])
        path = shown(path[:_LONGEST_LOOKED_AT])
        self.violations.append(Violation(self.origin, number, path, fault.rule, value, fault.reason))

    def numbered_rows(self, table: str) -> Iterator[tuple[int, dict[str, str | None]]]:
        """Yield the rows of a table, each with the number of its entry."""
        return zip(self._numbers.get(table, ()), self._rows.get(table, ()), strict=True)

    def untaken_answers(self) -> dict[str, Coded]:
        """Return :attr:`untaken` as raw columns."""
        names = [column.name for column in columns(TABLES["survey_answers"])] if self.untaken else []
        return {name: Coded.from_texts([row.get(name) for row in self.untaken]) for name in names}

    def tables(self) -> dict[str, dict[str, Coded]]:
        """Return the rows as raw columns, table by table."""
        return {
            name: {
                column.name: Coded.from_texts([row.get(column.name) for row in rows])
                for column in columns(TABLES[name])
                if any(column.name in row for row in rows)
            }
            for name, rows in self._rows.items()
        }

    def row_numbers(self) -> dict[str, np.ndarray]:
        """Return, table by table, the number of the entry that each row came from."""
        return {name: np.array(numbers, dtype=np.int64) for name, numbers in self._numbers.items()}


def part(element: Element, name: str, path: str) -> Element:
    """Return a complex element, empty if it is absent."""
    value = element.get(name, {})
    if not isinstance(value, dict):  # fhir.resources takes the JSON text of an element for the element
        raise ResourceFault(f"{path}.{name}", "shape", "must be an object")
    return value


def parts(element: Element, name: str, path: str) -> list[Element]:
    """Return a repeated complex element, empty if it is absent."""
    values = element.get(name, [])
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise ResourceFault(f"{path}.{name}", "shape", "must be a list of objects")
    return values


def as_text(value: Any) -> str | None:
    """Return a primitive as the text of a cell; numbers as they stand in JSON."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, (int, float)) else "an object or a list"


def codings_of(concepts: Iterable[Element], system: str, path: str) -> list[str]:
    """Return the codes that CodeableConcepts have in a system."""
    codings = [coding for concept in concepts for coding in parts(concept, "coding", path)]
    return [coding["code"] for coding in codings if coding.get("system") == system and coding.get("code")]


def first_known(codings: list[Element], systems: Mapping[str, str]) -> tuple[str, Element] | None:
    """Return our name of the system, and the coding, of the coding whose system comes first in ``systems``."""
    ranks = {system: rank for rank, system in enumerate(systems)}
    known = [coding for coding in codings if coding.get("system") in ranks and coding.get("code")]
    if not known:
        return None
    best = min(known, key=lambda coding: ranks[coding["system"]])
    return systems[best["system"]], best


def diagnosis_cells(codings: list[Element]) -> dict[str, str | None]:
    """Return the columns ``diagnosis`` and ``diagnosis_system`` for a coded diagnosis; none if no system is known."""
    found = first_known(codings, DIAGNOSIS_SYSTEMS)
    if found is None:
        return {}
    system, coding = found
    code = coding["code"].split(".")[0] if system == "ICPC-2" else coding["code"]
    return {"diagnosis": code, "diagnosis_system": system}


def identifier_value(identifier: Element, path: str) -> str | None:
    """Return the value of an identifier; the systems of national identity numbers are refused unseen."""
    if identifier.get("system") in IDENTITY_NUMBER_SYSTEMS:
        raise ResourceFault(f"{path}.value", *IDENTITY_NUMBER)
    value = identifier.get("value")
    return value if isinstance(value, str) else None


def pseudonym(patient: Element) -> str:
    """Return the identifier in our own system, else the only one, else the id; national identity numbers are refused."""
    identifiers = parts(patient, "identifier", "Patient")
    values = [(one.get("system"), identifier_value(one, "Patient.identifier")) for one in identifiers]
    own = [value for system, value in values if system == PERSON_SYSTEM] or [value for _, value in values]
    own = [value for value in own if value]
    if len(own) > 1:
        reason = f"is ambiguous: several identifiers, not exactly one of them of system {PERSON_SYSTEM}"
        raise ResourceFault("Patient.identifier", "required", reason)
    person_id = own[0] if own else patient.get("id")
    if not isinstance(person_id, str):
        raise ResourceFault("Patient.identifier", "required", "must hold the pseudonym")
    return person_id


def own_identifier(resource: Element) -> str | None:
    """Return what identifies a certificate or an absence across corrections: its identifier, else its id."""
    identifiers = resource.get("identifier", [])
    identifiers = identifiers if isinstance(identifiers, list) else [identifiers]
    path = f"{resource['resourceType']}.identifier"
    values = [identifier_value(one, path) for one in identifiers if isinstance(one, dict)]
    return next((value for value in values if value), as_text(resource.get("id")))


def condition_cells(condition: Element) -> dict[str, str | None]:
    """Return the diagnosis cells of a Condition; none for one that was withdrawn."""
    status = part(condition, "verificationStatus", "Condition")
    states = {coding.get("code") for coding in parts(status, "coding", "Condition.verificationStatus")}
    if condition.get("resourceType") != "Condition" or states & {"entered-in-error", "refuted"}:
        return {}
    return diagnosis_cells(parts(part(condition, "code", "Condition"), "coding", "Condition.code"))


def last_updated(resource: Element) -> str | None:
    """Return ``meta.lastUpdated``: when a server last stored this version."""
    return as_text(part(resource, "meta", resource["resourceType"]).get("lastUpdated"))


def known_from(resource: Element, *published: str | None, is_retracted: bool = False) -> str | None:
    """Return when a version could be read: its own date of publication, else ``meta.lastUpdated``.

    A server changes ``lastUpdated`` whenever it stores anew, so it comes last; but for a retraction first, because the
    date of publication is still that of the version that is retracted.
    """
    stored = last_updated(resource)
    dates = (stored, *published) if is_retracted else (*published, stored)
    return next((one for one in dates if one), None)
