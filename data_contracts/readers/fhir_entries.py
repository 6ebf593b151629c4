"""From a JSON document to FHIR resources that are safe to read, and what their references lead to.

Everything is looked at before anything is read: depth, numbers, text, identity numbers and modifiers here, elements and
their types by the models of ``fhir.resources``. Those are of R4B (4.3.0); the package has had none of R4 (4.0.1) since its
version 7. For the resource types read here R4B has the elements of R4 (https://hl7.org/fhir/R4B/diff.html).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from data_contracts import national_identity_number
from data_contracts.readers.fhir_elements import (
    IDENTITY_NUMBER,
    Element,
    Gathered,
    ResourceFault,
    identifier_value,
    part,
)
from data_contracts.readers.fhir_safety import safety_answers
from data_contracts.violations import Fault

_DEEPEST = 60
_LONGEST_STRING = 1024 * 1024  # characters; https://hl7.org/fhir/R4/datatypes.html#string
_MOST_FAULTS = 20
_LONGEST_NAME = 64
_MODIFIERS = ("modifierExtension", "implicitRules")

# The models take a number for a date: days since 1970, which nobody means.
_DATES = ("DateTime", "Instant", "Date", "issued", "authored", "lastUpdated", "start", "end")
_DATE_AS_NUMBER = Fault("not FHIR R4", 'must be a text such as "2026-03-01"')
_NOT_AN_OBJECT = Fault("shape", "must be an object")
_MODIFIER = Fault("modifier", "changes the meaning of the resource in a way that we do not know (FHIR: do not ignore)")
_TOO_DEEP = Fault("shape", f"is nested more than {_DEEPEST} levels deep")
_TOO_LONG = Fault("not FHIR R4", "is longer than the 1 MB that FHIR allows")
_BROKEN_TEXT = Fault("not FHIR R4", "is not valid Unicode")
_NOT_FINITE = Fault("type", "must be a finite number of at most 63 bits")
_NOT_JSON = Fault("type", "is no JSON value")
_NOT_A_NAME = Fault("unknown field", "holds an element whose name is no FHIR element's")


@dataclass(frozen=True)
class Entry:
    """One resource, with its number in the source and its ``fullUrl``."""

    number: int
    full_url: str | None
    resource: Element

    @property
    def type(self) -> str:
        """Name of the resource type."""
        return str(self.resource["resourceType"])


def read_entries(document: Any, gathered: Gathered) -> list[Entry]:
    """Return the resources of a Bundle, or the single resource; what is not a resource is refused or counted."""
    if not isinstance(document, dict):
        gathered.refuse(0, "", _NOT_AN_OBJECT)
        return []
    if document.get("resourceType") != "Bundle":
        return sound_entries([(1, {"resource": document})], gathered)
    entries = document.get("entry", [])
    if not isinstance(entries, list):
        gathered.refuse(0, "Bundle.entry", Fault("shape", "must be a list of objects"))
        return []
    head = {name: value for name, value in document.items() if name != "entry"}
    numbered = list(enumerate(entries, 1))
    if not _is_safe(0, head, "Bundle", gathered):
        _look_for_safety(numbered, gathered)
        return []
    return sound_entries(numbered, gathered)


def refuse_whole(document: Any, fault: Fault, gathered: Gathered) -> None:
    """Refuse a document unread; what its resources say about safety is kept."""
    gathered.refuse(0, "Bundle", fault)
    entries = document.get("entry") if isinstance(document, dict) else None
    _look_for_safety(list(enumerate(entries, 1)) if isinstance(entries, list) else [], gathered)


def sound_entries(entries: list[tuple[int, Any]], gathered: Gathered) -> list[Entry]:
    """Return those numbered entries of a Bundle whose resource can be read without harm."""
    _look_for_safety(entries, gathered)
    sound = [_sound_entry(number, entry, gathered) for number, entry in entries]
    return _without_repeats([entry for entry in sound if entry], gathered)


def _look_for_safety(entries: list[tuple[int, Any]], gathered: Gathered) -> None:
    gathered.safety += [
        (number, entry["resource"])
        for number, entry in entries
        if isinstance(entry, dict) and safety_answers(entry.get("resource"))
    ]


def _sound_entry(number: int, entry: Any, gathered: Gathered) -> Entry | None:
    if not isinstance(entry, dict):
        gathered.refuse(number, "Bundle.entry", _NOT_AN_OBJECT)
        return None
    resource, full_url = entry.get("resource"), entry.get("fullUrl")
    if resource is None:
        gathered.counts["entries without a resource"] += 1
        return None
    if not isinstance(resource, dict):
        gathered.refuse(number, "Bundle.entry.resource", _NOT_AN_OBJECT)
        return None
    kind = resource.get("resourceType")
    if not isinstance(kind, str) or len(kind) > _LONGEST_NAME or not _is_resource_type(kind):
        gathered.refuse(number, "resourceType", Fault("not FHIR R4", "must be the name of a FHIR R4 resource type"))
        return None
    gathered.types.add(kind)
    around = {name: value for name, value in entry.items() if name != "resource"}
    if not (_is_safe(number, around, "Bundle.entry", gathered) and _is_safe(number, resource, kind, gathered)):
        return None
    return Entry(number, full_url if isinstance(full_url, str) else None, resource)


@cache
def _is_resource_type(name: str) -> bool:
    try:
        return bool(get_fhir_model_class(name).has_resource_base())
    except (ValueError, KeyError, ImportError, AttributeError, TypeError):
        return False


def _is_safe(number: int, value: Element, path: str, gathered: Gathered) -> bool:
    faults: list[tuple[str, Fault]] = []
    _inspect(value, path, 0, faults)
    for where, fault in faults:
        gathered.refuse(number, where, fault)
    return not faults


def _inspect(value: Any, path: str, depth: int, faults: list[tuple[str, Fault]]) -> None:
    """Collect the faults that make a JSON value unsafe to read; ``depth`` also keeps this function from recursing on."""
    if len(faults) >= _MOST_FAULTS:
        return
    kind = type(value)
    if kind is str:
        fault = _text_fault(value)
    elif kind in (dict, list) and depth < _DEEPEST:
        _inspect_inside(value, path, depth + 1, faults)
        return
    elif kind in (float, int):
        is_number = math.isfinite(value) if kind is float else abs(value) < 2**63
        fault = None if is_number else _NOT_FINITE
    elif value is None or kind is bool:
        return
    else:
        fault = _TOO_DEEP if kind in (dict, list) else _NOT_JSON
    if fault:
        faults.append((path, fault))


def _inspect_inside(value: Any, path: str, depth: int, faults: list[tuple[str, Fault]]) -> None:
    if isinstance(value, list):
        for place, inner in enumerate(value):
            _inspect(inner, f"{path}[{place}]", depth, faults)
        return
    for name, inner in value.items():
        if not isinstance(name, str) or len(name) > _LONGEST_NAME:
            faults.append((path, _NOT_A_NAME))
            continue
        if name.endswith(_DATES) and type(inner) in (int, float):
            faults.append((f"{path}.{name}", _DATE_AS_NUMBER))
        if name in _MODIFIERS:
            faults.append((f"{path}.{name}", _MODIFIER))
        _inspect(inner, f"{path}.{name}", depth, faults)


def _text_fault(text: str) -> Fault | None:
    if len(text) > _LONGEST_STRING:
        return _TOO_LONG
    if national_identity_number.contains(text):
        return IDENTITY_NUMBER
    return None if text.isascii() or _is_unicode(text) else _BROKEN_TEXT


def _is_unicode(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _without_repeats(entries: list[Entry], gathered: Gathered) -> list[Entry]:
    """Refuse entries that share fullUrl and version but differ (invariant bdl-7): nothing says which one counts."""
    by_url: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        if entry.full_url:
            version = str(_meta(entry).get("versionId"))
            by_url.setdefault((entry.full_url, version), []).append(entry)
    refused: set[int] = set()
    for same in by_url.values():
        if any(entry.resource != same[0].resource for entry in same):
            refused.update(entry.number for entry in same)
    fault = Fault("repeated fullUrl", "another entry has the same fullUrl and version but differs")
    for number in sorted(refused):
        gathered.refuse(number, "Bundle.entry.fullUrl", fault)
    return [entry for entry in entries if entry.number not in refused]


def _meta(entry: Entry) -> Element:
    meta = entry.resource.get("meta")
    return meta if isinstance(meta, dict) else {}


def check_by_model(entry: Entry, gathered: Gathered) -> bool:
    """Hold a resource against its FHIR model; True if it fits. Narrative and contained resources are not read."""
    elements = {name: value for name, value in entry.resource.items() if name not in ("text", "contained")}
    try:
        get_fhir_model_class(entry.type).model_validate(elements)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        for one in found[:_MOST_FAULTS]:
            gathered.refuse(entry.number, _path(entry.type, one["loc"]), _model_fault(one["type"], one["msg"]))
        return False
    except (ValueError, TypeError, KeyError, AttributeError):
        gathered.refuse(entry.number, entry.type, Fault("not FHIR R4", "cannot be read as a FHIR resource"))
        return False
    return True


def _path(kind: str, location: tuple[int | str, ...]) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in location if step != "root")
    return kind + "".join(steps)


def _model_fault(kind: str, message: str) -> Fault:
    """Return a fault for an error of a model; of messages only those are passed on that cannot quote the input."""
    if kind.endswith("missing"):
        return Fault("required", "must not be empty")
    if kind == "extra_forbidden":
        return Fault("unknown field", "is no element of this resource in FHIR R4")
    if "one field value is expected" in message or "any of field value" in message:
        return Fault("not FHIR R4", "exactly one of the elements for this choice may be there")
    return Fault("not FHIR R4", "does not have the form that FHIR R4 gives this element")


class References:
    """Where references lead within one source, and which person each Patient is; no fault says whose reference it was.

    ``persons`` is filled while the Patients are read: number of the entry -> pseudonym.
    """

    def __init__(self, entries: list[Entry], gathered: Gathered) -> None:
        self.persons: dict[int, str] = {}
        self._gathered = gathered
        self._found: dict[str, list[Entry]] = {}
        for entry in entries:
            name = entry.resource.get("id")
            for key in {entry.full_url, f"{entry.type}/{name}" if name else None} - {None}:
                self._found.setdefault(str(key), []).append(entry)

    def follow(self, reference: Element, path: str) -> list[Entry]:
        """Return the entries (versions of one resource) that a reference leads to, none if it leads out of the source."""
        target = str(reference.get("reference"))
        entries = self._found.get(target.split("/_history/")[0], [])
        if len({(entry.full_url, entry.resource.get("id")) for entry in entries}) > 1:
            raise ResourceFault(f"{path}.reference", "reference", "leads to more than one resource")
        return entries

    def person(self, resource: Element, name: str) -> str:
        """Return the pseudonym of the Patient that the element ``name`` of a resource refers to."""
        path = f"{resource['resourceType']}.{name}"
        subject = part(resource, name, resource["resourceType"])
        if "reference" not in subject:
            value = identifier_value(part(subject, "identifier", path), f"{path}.identifier")
            if value is None:
                raise ResourceFault(path, "required", "must say which Patient the resource is about")
            return value
        entries = self.follow(subject, path)
        if not entries:
            return self._outside(str(subject["reference"]), path)
        if entries[0].type != "Patient":
            raise ResourceFault(path, "reference", "must lead to a Patient")
        persons = {self.persons.get(entry.number) for entry in entries}
        if len(persons) > 1 or None in persons:
            raise ResourceFault(path, "person not in persons", "its Patient was refused; mend that one")
        return str(persons.pop())

    def _outside(self, reference: str, path: str) -> str:
        # Where Patients came along, an id among their identifiers might be another person's identifier.
        kind, _, name = reference.rpartition("/")
        if "Patient" in self._gathered.types or kind.rpartition("/")[2] != "Patient":
            raise ResourceFault(f"{path}.reference", "reference", "leads to no Patient of this source")
        self._gathered.counts["resources whose person is known only by an id, as no Patient came along"] += 1
        return name
