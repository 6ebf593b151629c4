"""What acro tells of tables, run by the interpreter of its own environment: worlds as JSON in, told counts as JSON out.

Of each table unit by category, with margins and automatic suppression: the counts of the cells that are told, and by
category the totals of the company that are (null where not).
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
import tempfile
from typing import Any

import pandas as pd
from acro import ACRO

CATEGORIES = range(3)


def told(acro: ACRO, staff: list[tuple[str, int]]) -> tuple[list[Any], list[int | None]]:
    """Return the cells and totals that are told of a company."""
    frame = pd.DataFrame(staff, columns=["unit", "category"])
    table = acro.crosstab(frame.unit, frame.category, margins=True)
    if table is None:
        return [], []
    units = [unit for unit in table.index if unit != "All"]
    cells = [
        (unit, int(category), int(table.loc[unit, category]))
        for unit in units
        for category in table.columns
        if category != "All" and pd.notna(table.loc[unit, category])
    ]
    return cells, [_count(table, category) for category in CATEGORIES]


def _count(table: pd.DataFrame, category: int) -> int | None:
    if category not in table.columns:
        return 0
    count = table.loc["All", category]
    return None if pd.isna(count) else int(count)


def main() -> None:
    """Read worlds, write what is told."""
    worlds = json.load(sys.stdin)
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder), contextlib.redirect_stdout(sys.stderr):
        acro = ACRO(suppress=True)
        found = [
            [{company: told(acro, [(u, c) for u, c in staff]) for company, staff in month.items()} for month in months]
            for months in worlds
        ]
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    os.environ["PYTHONWARNINGS"] = "ignore"
    main()
