"""Under which names, and in which columns, a person may stand in a workspace."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from data_contracts.national_identity_number import contains
from data_contracts.pseudonyms import Pseudonymiser
from pipeline.erasure.search import PERSON_COLUMNS, decoded, delimiter_of, is_csv
from pipeline.workspace import Workspace


def person_columns(workspace: Workspace) -> frozenset[str]:
    """Return our columns of persons and those of the mapping files beside the source."""
    found = set(PERSON_COLUMNS)
    for path in (*workspace.source.glob("*.yaml"), *workspace.source.glob("*.yml")):
        found |= set(_mapped(_document(path)))
    return frozenset(found)


def all_names(
    workspace: Workspace, person: str, columns: frozenset[str], pseudonymiser: Pseudonymiser | None
) -> tuple[str, ...]:
    """Return the name that was given, its pseudonyms, and the customer's identifiers that lead to it as a pseudonym."""
    if pseudonymiser is None:
        return (person,)
    known = [person, *pseudonymiser.all_pseudonyms(person)]
    for identifier in set(_identifiers(workspace.source, columns)):
        if not contains(identifier):
            pseudonyms = pseudonymiser.all_pseudonyms(identifier)
            known += [identifier, *pseudonyms] if person in pseudonyms else []
    return tuple(dict.fromkeys(known))


def _mapped(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("person_id"), str):
            yield value["person_id"]
        for inner in value.values():
            yield from _mapped(inner)


def _document(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (yaml.YAMLError, ValueError):
        return None  # no mapping that ingest would read


def _identifiers(source: Path, columns: frozenset[str]) -> Iterator[str]:
    for path in sorted(source.rglob("*")):
        try:
            yield from _identifiers_in(path, columns)
        except (csv.Error, ValueError, pa.ArrowException):
            continue  # no file that ingest would read


def _identifiers_in(path: Path, columns: frozenset[str]) -> Iterator[str]:
    if path.suffix == ".parquet":
        table = pq.ParquetFile(path).read()
        for name in columns & set(table.column_names):
            yield from (str(value) for value in table[name].unique().to_pylist() if value is not None)
    elif is_csv(path.name):
        text, _ = decoded(path.read_bytes())
        rows = csv.DictReader(text.lstrip("\ufeff").splitlines(), delimiter=delimiter_of(text.partition("\n")[0]))
        yield from (row[name].strip() for row in rows for name in columns if row.get(name))
    elif path.suffix == ".json":
        yield from _values(json.loads(path.read_bytes()))


def _values(value: Any, key: str = "") -> Iterator[str]:
    """Yield the values of FHIR identifiers."""
    if isinstance(value, dict):
        if key == "identifier" and isinstance(value.get("value"), str):
            yield value["value"]
        for name, inner in value.items():
            yield from _values(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _values(inner, key)
