"""Under which names, and in which columns, a person may stand in a workspace."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from data_contracts.errors import BalanceRiskError
from data_contracts.national_identity_number import contains
from data_contracts.pseudonyms import Pseudonymiser
from data_contracts.readers.mapping_file import read_plain_yaml
from pipeline.erasure.fhir import fhir_documents, identifiers
from pipeline.erasure.texts import decoded, is_csv, rows_of
from pipeline.erasure.wanted import PERSON_COLUMNS
from pipeline.workspace import Workspace

_PSEUDONYM = re.compile(r"([a-z][a-z0-9]{0,7})-[a-z2-7]{26}")
_TRUE = ("true", "yes", "on", "y", "t", "1")


@dataclass
class Mapped:
    """What the mapping files beside the source say.

    Parameters
    ----------
    columns : set of str
        Our columns of persons and the customer's.
    tables : dict of str to str
        Lower-case name of a file that is read as a table -> the table.
    pseudonymise : bool
        True if ingest stores pseudonyms in the place of the identifiers.
    unread : list of Path
        Files that could not be read.
    """

    columns: set[str] = field(default_factory=lambda: set(PERSON_COLUMNS))
    tables: dict[str, str] = field(default_factory=dict)
    pseudonymise: bool = False
    unread: list[Path] = field(default_factory=list)


def read_mappings(workspace: Workspace) -> Mapped:
    """Read every YAML file beside the source: which of them is the mapping, ingest is told when it is called."""
    mapped = Mapped()
    for path in sorted(one for one in workspace.source.glob("*") if one.suffix.lower() in (".yaml", ".yml")):
        try:
            plain = read_plain_yaml(path)
        except (BalanceRiskError, OSError, RecursionError):
            mapped.unread.append(path)
            continue
        if isinstance(plain, dict):
            mapped.pseudonymise |= str(plain.get("pseudonymise")).lower() in _TRUE
            tables = plain.get("tables")
            for name, table in (tables if isinstance(tables, dict) else {}).items():
                _note_table(mapped, name, table if isinstance(table, dict) else {})
    return mapped


def _note_table(mapped: Mapped, name: str, table: dict[str, Any]) -> None:
    columns = table.get("columns")
    person = columns.get("person_id") if isinstance(columns, dict) else None
    mapped.columns |= {person} if isinstance(person, str) else set()
    source = table.get("source")
    mapped.tables[Path(source).name.lower() if isinstance(source, str) else f"{name}.csv"] = name


def key_name(name: str) -> str | None:
    """Return the name of the key of a pseudonym, None if the name has another form."""
    match = _PSEUDONYM.fullmatch(name)
    return match[1] if match else None


def all_names(
    workspace: Workspace, person: str, mapped: Mapped, pseudonymiser: Pseudonymiser | None
) -> tuple[str, ...]:
    """Return the name that was given, its pseudonyms, and the customer's identifiers that lead to it as a pseudonym."""
    if pseudonymiser is None:
        return (person,)
    known = [person, *pseudonymiser.all_pseudonyms(person)]
    for identifier in set(_identifiers(workspace.source, mapped)):
        if not contains(identifier):
            pseudonyms = pseudonymiser.all_pseudonyms(identifier)
            known += [identifier, *pseudonyms] if person in pseudonyms else []
    return tuple(dict.fromkeys(known))


def _identifiers(source: Path, mapped: Mapped) -> Iterator[str]:
    for path in sorted(one for one in source.rglob("*") if one.is_file()):
        try:
            yield from _identifiers_in(path, mapped)
        except (csv.Error, ValueError, OSError, NotImplementedError, pa.ArrowException):
            continue  # named by the search, if it may hold anybody
    yield from identifiers(fhir_documents(source))


def _identifiers_in(path: Path, mapped: Mapped) -> Iterator[str]:
    if path.suffix.lower() == ".parquet":
        table = pq.ParquetFile(path).read()
        for name in mapped.columns & set(table.column_names):
            yield from {str(value) for value in table[name].to_pylist() if value is not None}
    elif is_csv(path.name) or path.name.lower() in mapped.tables:
        header, *rows = rows_of(decoded(path.read_bytes())[0]) or [[]]
        places = [i for i, name in enumerate(header) if name in mapped.columns]
        yield from {row[i].strip() for row in rows for i in places if i < len(row)} - {""}
