"""Attack on what workplaces are told, over random workplaces, beside what acro does to the same tables.

    python -m benchmarks.disclosure.attack [--worlds 1000] [--acro-worlds 100]

acro runs in an environment of its own, as pinned beside this file. Writes ``benchmarks/results/disclosure.json``.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import meta
from benchmarks.environments import ask, pinned, python_of
from tests.lib.released_worlds import NIGHTS, WITHIN_A_QUARTER, Staff, published, world
from tests.lib.table_attack import Attack

RESULTS = meta.RESULTS / "disclosure.json"
_THEIRS = Path(__file__).with_name("with_acro.py")


def ours(worlds: Sequence[list[Staff]]) -> dict[str, int]:
    """Return what is told of some worlds by our rules, and what an attacker recovers of it."""
    found: Counter[str] = Counter()
    for number, months in enumerate(worlds):
        rows, publications = published(months, NIGHTS if number % 2 else WITHIN_A_QUARTER)
        attack = Attack(months)
        for one in publications:
            attack.read(one)
        hidden = attack.hidden(publications)
        found.update(
            tables=sum(map(len, months)), company_tables_told=sum(_is_told(row, "company", False) for row in rows),
            units_told=sum(_is_told(row, "company", True) for row in rows),
            industry_tables_told=sum(_is_told(row, "industry", False) for row in rows),
            hidden=len(hidden), recovered=len(attack.recovered(hidden)),
        )  # fmt: skip
    return dict(found)


def _is_told(row: Any, level: str, is_unit: bool) -> bool:
    return row.level == level and bool(row.part) == is_unit and row.shares is not None


def theirs(worlds: Sequence[list[Staff]]) -> dict[str, int]:
    """Return the same of the tables unit by category of every company and month that acro has suppressed."""
    tables = [
        [{company: list(there.values()) for company, there in staff.items()} for staff in months] for months in worlds
    ]
    python = python_of("env-acro", _THEIRS.with_name("requirements-acro.txt"))
    found: Counter[str] = Counter()
    for months, told in zip(worlds, ask("acro", python, _THEIRS, tables), strict=True):
        attack = Attack(months)
        for month, companies in enumerate(told):
            for company, (cells, total) in companies.items():
                found.update(tables=1, cells_told=len(cells), totals_told=sum(count is not None for count in total))
                for unit, category, count in cells:
                    attack.between({(month, company, unit, category): 1.0}, count, count)
                units = {unit for unit, _ in months[month][company].values()}
                for category, count in enumerate(total):
                    if count is None:
                        continue
                    attack.between({(month, company, unit, category): 1.0 for unit in units}, count, count)
        hidden = attack.hidden()
        found.update(hidden=len(hidden), recovered=len(attack.recovered(hidden)))
    return dict(found)


def main() -> None:
    """Attack, print and keep the numbers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=1000)
    parser.add_argument("--acro-worlds", type=int, default=100)
    asked = parser.parse_args()
    worlds = [world(seed) for seed in range(asked.worlds)]
    results = {"worlds": asked.worlds, "ours": ours(worlds)}
    if asked.acro_worlds:
        results |= {"acro_worlds": asked.acro_worlds, "acro": theirs(worlds[: asked.acro_worlds])}
    rivals = pinned(_THEIRS.with_name("requirements-acro.txt"), "acro") if asked.acro_worlds else {}
    meta.save(RESULTS, {"synthetic": True, **results}, packages=("numpy", "scipy", "sqlalchemy"), rivals=rivals)
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
