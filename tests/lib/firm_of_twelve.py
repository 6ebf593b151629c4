"""A firm of twelve whose numbers can be added up on paper."""

from __future__ import annotations

from typing import Any

import numpy as np

from data_contracts.time_windows import day_number
from features.build import CONTEXT_COLUMNS
from features.catalogue import FEATURE_NAMES
from features.histories import Histories
from features.workplace_context import WorkplaceContext, workplace_context
from tests.lib.records import Rows, day, histories, job, person, rows_of, spell

S, T = "2025-11-01", "2026-03-01"
NAMES = [f"p{number:02}" for number in range(12)]


def firm(names: list[str] = NAMES, **others: list) -> Rows:
    """Everybody in c; each has been away as many days as their number says, and works in u but for the last."""
    tables: dict[str, Any] = {
        "persons": [person(name) for name in names],
        "employments": [job(person_id=name, unit_id="u" if name != NAMES[-1] else "v") for name in names],
        "absence_spells": [
            spell("2025-10-01", day("2025-10-01", NAMES.index(name) - 1), person_id=name)
            for name in names
            if name != NAMES[0]
        ],
    }
    return rows_of(**(tables | others))


def firm_of(sizes: dict[str | None, int], company: str = "c") -> Rows:
    """A firm with so many people in each unit (None: in no unit), of whom nothing else is known."""
    people = [(f"{company}{unit}{number:02}", unit) for unit, size in sizes.items() for number in range(size)]
    employments = [job(person_id=name, company_id=company, unit_id=unit) for name, unit in people]
    return rows_of(persons=[person(name) for name, _ in people], employments=employments)


def both(one: Rows, other: Rows) -> Rows:
    return {table: [*one[table], *other[table]] for table in one}


def by_name(gathered: Histories, values: np.ndarray) -> dict[str, dict[str, float]]:
    columns = FEATURE_NAMES[CONTEXT_COLUMNS]
    rows = values[:, CONTEXT_COLUMNS].tolist()
    return {
        name: dict(zip(columns, row, strict=True)) for name, row in zip(gathered.person_ids, rows, strict=True)
    }  # fmt: skip


def snapshot(rows: Rows, s: str = S) -> WorkplaceContext:
    return workplace_context(histories(rows, s, data_as_of=day_number(s)), day_number(s))
