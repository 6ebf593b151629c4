"""By what other names the FHIR files of a source know a person: ids, URLs and identifiers of her Patient resources."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from data_contracts.national_identity_number import contains
from pipeline.erasure.search import JSON_LINES, as_document, read
from pipeline.erasure.wanted import Wanted

SUFFIXES = (".json", *JSON_LINES)


def fhir_documents(source: Path) -> Iterator[Any]:
    """Yield every JSON document under a directory; one that cannot be read is named by the search."""
    for path in sorted(path for path in source.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file()):
        data = read(path) or b""
        parts = data.splitlines() if path.suffix.lower() in JSON_LINES else [data]
        yield from (document for part in parts if (document := as_document(part)) is not None)


def with_fhir_names(wanted: Wanted, documents: Iterable[Any]) -> Wanted:
    """Return who is wanted with all that FHIR resources may call her."""
    patients = list(_patients(documents))
    names, references = set(wanted.names), set(wanted.references)
    grown = True
    while grown:
        before = len(names) + len(references)
        for url, patient in patients:
            if _is_hers(patient, names):
                identifiers = [value for value in _identifiers(patient) if not contains(value)]
                names |= {*identifiers}
                references |= {f"Patient/{patient['id']}"} if _text(patient.get("id")) else set()
                references |= {url} if url else set()
        grown = len(names) + len(references) > before
    # Without a Patient of this id, a reference is read as the identifier itself.
    ids = {_text(patient.get("id")) for _, patient in patients}
    references |= {f"Patient/{name}" for name in names - ids}
    # Answers in another file than their Patient are reported under her id, unless that is somebody's identifier.
    taken = {value for _, patient in patients for value in _identifiers(patient)}
    hers = {_text(patient.get("id")) for _, patient in patients if _is_hers(patient, names)}
    names |= {name for name in hers - taken - {""} if not contains(name)}
    ordered = (*wanted.names, *sorted(names - set(wanted.names)))
    return replace(wanted, names=ordered, references=frozenset(references))


def identifiers(documents: Iterable[Any]) -> Iterator[str]:
    """Yield whatever a person may be called by in FHIR files: identifiers, and ids of patients."""
    for document in documents:
        yield from _values(document)


def _patients(documents: Iterable[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for document in documents:
        for entry in _entries(document):
            resource = entry.get("resource")
            if isinstance(resource, dict) and resource.get("resourceType") == "Patient":
                yield _text(entry.get("fullUrl")), resource


def _entries(document: Any) -> Iterator[dict[str, Any]]:
    if isinstance(document, dict):
        entries = document.get("entry")
        yield from (entry for entry in (entries if isinstance(entries, list) else []) if isinstance(entry, dict))
        yield {"resource": document}


def _is_hers(patient: dict[str, Any], names: set[str]) -> bool:
    known = set(_identifiers(patient))
    return bool(known & names) or (not known and _text(patient.get("id")) in names - {""})


def _identifiers(patient: dict[str, Any]) -> list[str]:
    found = patient.get("identifier")
    listed = found if isinstance(found, list) else [found]
    return [value for one in listed if isinstance(one, dict) and (value := _text(one.get("value")))]


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _values(document: Any) -> Iterator[str]:
    waiting = [("", document)]
    while waiting:
        key, value = waiting.pop()
        if isinstance(value, dict):
            if key in ("identifier", "subject") or value.get("resourceType") == "Patient":
                texts = (_text(value.get(name)) for name in ("value", "id", "reference"))
                yield from (text.rpartition("Patient/")[2] for text in texts if text)
            waiting += value.items()
        elif isinstance(value, list):
            waiting += [(key, inner) for inner in value]
