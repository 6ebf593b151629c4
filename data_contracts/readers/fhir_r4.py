"""FHIR R4 Bundles, single resources and bulk exports into our tables; the mapping is laid out in docs/fhir.md.

Nothing is assumed: a date that the sender does not give stays empty and is reported by the check, and what has no place in
our tables is counted in the notes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from data_contracts.errors import MissingInputError, SourceFileError
from data_contracts.readers.fhir_elements import Gathered
from data_contracts.readers.fhir_entries import Entry, check_by_model, read_entries, refuse_whole, sound_entries
from data_contracts.readers.fhir_resources import READERS, read_resources
from data_contracts.validation import RawTable
from data_contracts.violations import Fault, Violation


@dataclass(frozen=True)
class FhirTables:
    """What a FHIR source holds: raw columns per table, the entry that each row came from, what is wrong, what was left.

    An entry's number is its position in the Bundle, or its line in an .ndjson file, from 1 on; one entry may give many
    rows. A violation's column is the path of the element. Tables without rows are absent.
    """

    tables: dict[str, RawTable]
    row_numbers: dict[str, np.ndarray]
    violations: list[Violation]
    notes: list[str]
    untaken_answers: RawTable = field(default_factory=dict)
    """Answers above a safety limit that are in no row of ``tables``, as columns of survey_answers."""


MOST_OBJECTS = 20_000
"""In one Bundle at the service's door: some two thousand measurements, or seven thousand answers, of one person."""


def read_bundle(document: Any, origin: str, most_objects: int | None = MOST_OBJECTS) -> FhirTables:
    """Read a Bundle, or a single resource, from its JSON; whatever it is, this returns.

    Of one with more than ``most_objects`` JSON objects (None: no limit) only the answers about safety are looked for, since
    each object is held against a model, which takes long.
    """
    gathered = Gathered(origin)
    if most_objects is not None and _has_more_objects(document, most_objects):
        refuse_whole(document, Fault("too many rows", f"must hold at most {most_objects} objects"), gathered)
        return _read([], gathered)
    return _read(read_entries(document, gathered), gathered)


def _has_more_objects(document: Any, most: int) -> bool:
    left, count = [document], 0
    while left and count <= most:
        value = left.pop()
        if isinstance(value, dict):
            count += 1
            left += [inner for inner in value.values() if isinstance(inner, (dict, list))]
        elif isinstance(value, list):
            left += [inner for inner in value if isinstance(inner, (dict, list))]
    return count > most


def read_fhir_file(path: Path) -> FhirTables:
    """Read a .json file (a Bundle or a resource) or an .ndjson file (bulk export: one resource per line)."""
    if not path.is_file():
        raise MissingInputError(f"{path} does not exist.")
    if path.stat().st_size > _LARGEST_FILE:
        raise SourceFileError(f"{path} is larger than {_LARGEST_FILE // 2**20} MB. Split it into several files.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise SourceFileError(f"{path} is not UTF-8 text, as JSON must be.") from None
    if path.suffix.lower() == ".ndjson":
        return _read_lines(text, path.name)
    try:
        document = _parse(text)
    except (ValueError, RecursionError):  # the messages of json quote the file
        raise SourceFileError(
            f"{path} is not JSON: truncated, nested too deeply, with a name twice in one object, or with NaN or Infinity."
        ) from None
    return read_bundle(document, path.name, most_objects=None)


_LARGEST_FILE = 200 * 2**20


def _parse(text: str) -> Any:
    return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_distinct)


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):  # nothing says which of the two counts
        raise ValueError
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _read_lines(text: str, origin: str) -> FhirTables:
    gathered = Gathered(origin)
    entries = []
    for number, line in enumerate(text.split("\n"), 1):
        try:
            if line.strip():
                entries.append((number, {"resource": _parse(line)}))
        except (ValueError, RecursionError):
            gathered.refuse(
                number,
                "",
                Fault("shape", "is no JSON document; truncated, or with a name twice, NaN or Infinity in it"),
            )
    return _read(sound_entries(entries, gathered), gathered)


def _read(entries: list[Entry], gathered: Gathered) -> FhirTables:
    readable = []
    for entry in entries:
        if entry.type not in READERS:
            gathered.counts[f"resources of type {entry.type}, not taken"] += 1
        elif check_by_model(entry, gathered):
            readable.append(entry)
    read_resources(readable, gathered)
    violations = sorted(gathered.violations, key=lambda violation: violation.row)
    notes = [f"{what}: {count}" for what, count in sorted(gathered.counts.items()) if count]
    return FhirTables(gathered.tables(), gathered.row_numbers(), violations, notes, gathered.untaken_answers())
