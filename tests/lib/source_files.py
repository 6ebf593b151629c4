"""Small hand-made sources: rows as dicts, written as the CSV files of the contract."""

from __future__ import annotations

import csv
from pathlib import Path

from data_contracts.records import TABLES, columns

Rows = dict[str, list[dict]]

SOURCES = ("survey", "lab", "absence", "employment")
PURPOSES = ("risk_scoring", "model_training")


def consent(
    source: str, purpose: str, person: str = "p", withdrawn_on: str | None = None, known: str = "2020-01-01"
) -> dict:
    row = {"person_id": person, "source": source, "purpose": purpose, "given_on": "2020-01-01", "known_from": known}
    return row | ({"withdrawn_on": withdrawn_on} if withdrawn_on else {})


def employee(person: str = "p", last_day: str | None = None) -> Rows:
    """A woman born in 1980, employed throughout (or until ``last_day``), with every consent in force."""
    known = {"person_id": person, "known_from": "2020-01-01"}
    job = {"company_id": "c", "position_percent": 100, "start_date": "2020-01-01"} | known
    ended = [job | {"end_date": last_day, "known_from": last_day}] if last_day else []
    return {
        "persons": [{"birth_year": 1980, "sex": "female"} | known],
        "employments": [job, *ended],
        "consents": [consent(source, purpose, person) for source in SOURCES for purpose in PURPOSES],
    }


def together(*parts: Rows) -> Rows:
    """All rows of all parts, with every table present."""
    return {table: [row for part in parts for row in part.get(table, [])] for table in TABLES}


def write_source(directory: Path, rows: Rows) -> None:
    """Write every table as a CSV file; a missing column of a row is an empty cell."""
    directory.mkdir(parents=True)
    for table, record in TABLES.items():
        with (directory / f"{table}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, [column.name for column in columns(record)])
            writer.writeheader()
            writer.writerows({k: "true" if v is True else v for k, v in row.items()} for row in rows.get(table, []))
