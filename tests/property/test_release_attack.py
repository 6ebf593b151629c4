"""An attacker with everything that workplaces are told, and who knows who works where, recovers nothing that is hidden."""

from __future__ import annotations

import random
from typing import Any

import pytest

from serving.store import disclosure, releases
from serving.workplace_measures import merged
from tests.lib.released_worlds import NIGHTS, Staff, change_one, published, world
from tests.lib.table_attack import Attack

WORLDS = 85
"""Of 1 to 7 companies in three months: more than 1 000 tables. benchmarks/disclosure attacks 1 000 worlds."""


def attacked(worlds: range) -> tuple[int, int, int]:
    """Return how many tables there were, how many of their hidden cells were recovered, and how many units were told."""
    n_tables = n_recovered = n_units = 0
    for seed in worlds:
        months = world(seed)
        rows, publications = published(months)
        attack = Attack(months)
        for one in publications:
            attack.read(one)
        n_tables += sum(map(len, months))
        n_recovered += len(attack.recovered(list(attack.hidden())))
        n_units += sum(bool(row.part) and row.shares is not None for row in rows)
    return n_tables, n_recovered, n_units


def test_solving_all_that_is_told_recovers_no_hidden_cell_of_a_thousand_tables():
    n_tables, n_recovered, n_units = attacked(range(WORLDS))
    assert n_tables >= 1000
    assert n_units >= 200, "there is something to solve"
    assert n_recovered == 0


def test_the_attack_recovers_cells_where_what_is_left_of_a_company_is_not_looked_at(monkeypatch):
    """The attack can find something: all units of two or more told, in categories of any size."""
    monkeypatch.setattr(disclosure, "FEWEST_IN_CELL", 1)
    monkeypatch.setattr(disclosure, "SIZES", ((1, "any"),))
    monkeypatch.setattr(releases, "units_told", lambda counts, _: {unit: merged(of) for unit, of in counts.items()})
    monkeypatch.setattr(releases, "told_of", lambda counts, _: disclosure.told_of(counts, 1))
    _, n_recovered, _ = attacked(range(10))
    assert n_recovered > 0


def told_in(rows: list[Any], month: str, level: str = "company") -> list[Any]:
    return [(row.place, row.part, row.persons, row.shares, row.why_not)
            for row in rows if row.month == month and row.level == level]  # fmt: skip


@pytest.mark.parametrize("seed", range(40))
def test_no_report_changes_by_one_person_of_a_company_whatever_she_does(seed):
    """She joins, leaves, goes to another unit or changes category: the next month says what the last one said."""
    chance, first = random.Random(seed), world(seed)[0]
    company = chance.choice(sorted(first))
    second: Staff = first | {company: dict(first[company])}
    change_one(chance, second[company], "new")
    rows, _ = published([first, second])
    of_company = [[one for one in told_in(rows, month) if one[0] == company] for month in ("2026-01", "2026-04")]
    assert of_company[0] == of_company[1]
    assert told_in(rows, "2026-01", "industry") == told_in(rows, "2026-04", "industry")


@pytest.mark.parametrize("seed", range(20))
def test_reports_from_which_one_person_after_another_leaves_never_differ_by_fewer_than_five(seed):
    chance, (staff, *_) = random.Random(seed), world(seed)
    company, there = max(staff.items(), key=lambda one: len(one[1]))
    leaving = chance.sample(sorted(there), min(8, len(there) - 1))
    for n_gone in range(len(leaving) + 1):
        left = {one: cell for one, cell in there.items() if one not in leaving[:n_gone]}
        rows, _ = published([{company: there}, {company: left}])
        assert n_gone >= 5 or told_in(rows, "2026-04") == told_in(rows, "2026-01")


def test_a_months_release_is_never_computed_again():
    months = world(5)
    rows, _ = published(months[:1])
    again, _ = published([*months[:1], *months[:1], *months[:1]][: len(NIGHTS)])
    assert told_in(rows, "2026-01") == told_in(again, "2026-07")
