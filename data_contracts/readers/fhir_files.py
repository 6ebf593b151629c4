"""FHIR files of one source, joined to one table each; every row knows its file and its entry in it."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from data_contracts.errors import SourceFileError
from data_contracts.readers.fhir_r4 import FhirTables, read_fhir_file
from data_contracts.readers.source_table import SourceTable
from data_contracts.tables import Coded, n_rows
from data_contracts.violations import Violation

_TABLE_OF = {
    "Patient": "persons", "Observation": "lab_results", "DiagnosticReport": "lab_results",
    "QuestionnaireResponse": "survey_answers", "Consent": "consents", "Encounter": "absence_spells",
    "Condition": "absence_spells",
}  # fmt: skip


@dataclass(frozen=True)
class FhirSource:
    """What all files hold; ``refused`` counts, per table, the entries that should have given rows and gave none.

    ``untaken_answers`` are answers above a safety limit that are in no row.
    """

    tables: dict[str, SourceTable] = field(default_factory=dict)
    violations: list[Violation] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    untaken_answers: list[SourceTable] = field(default_factory=list)


def read_fhir_files(paths: list[Path]) -> FhirSource:
    """Read every file; raises SourceFileError where one is unusable as a whole."""
    source = FhirSource()
    parts: dict[str, list[SourceTable]] = {}
    for path in paths:
        found = read_fhir_file(path)
        for fault in found.violations:
            if fault.row == 0:  # the document and not an entry is to blame, so nothing of it was read
                raise SourceFileError(f"{path}: {fault.column or 'the document'}: {fault.rule}, {fault.reason}.")
        source.violations.extend(found.violations)
        source.notes.extend(f"{path.name}: {note}" for note in found.notes)
        source.refused.update(_refused(found))
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if found.untaken_answers:
            numbers = np.full(n_rows(found.untaken_answers), -1, dtype=np.int64)
            source.untaken_answers.append(SourceTable(found.untaken_answers, path.name, numbers, []))
        for name, raw in found.tables.items():
            part = SourceTable(raw, path.name, found.row_numbers[name], [], digest)
            parts.setdefault(name, []).append(part)
    source.tables.update({name: _joined(tables) for name, tables in parts.items()})
    return source


def _refused(found: FhirTables) -> list[str]:
    gave_rows = set(np.concatenate([np.empty(0, np.int64), *found.row_numbers.values()]).tolist())
    resources = {one.row: one.column.split(".")[0] for one in found.violations if one.row not in gave_rows}
    return [_TABLE_OF.get(resource, "persons") for resource in resources.values()]


def _joined(parts: list[SourceTable]) -> SourceTable:
    if len(parts) == 1:
        return parts[0]
    lengths = [n_rows(part.raw) for part in parts]
    raw = {
        name: _concatenated([part.raw.get(name) for part in parts], lengths)
        for name in dict.fromkeys(name for part in parts for name in part.raw)
    }
    origins = Coded(
        np.repeat(np.arange(len(parts), dtype=np.int32), lengths), tuple(str(part.origin) for part in parts)
    )
    digest = hashlib.sha256("".join(part.sha256 or "" for part in parts).encode()).hexdigest()
    return SourceTable(raw, origins, np.concatenate([part.row_numbers for part in parts]), [], digest)


def _concatenated(columns: list[Coded | None], lengths: list[int]) -> Coded:
    texts: list[str | None] = []
    for column, length in zip(columns, lengths, strict=True):
        texts += [None] * length if column is None else column.texts()
    return Coded.from_texts(texts)
