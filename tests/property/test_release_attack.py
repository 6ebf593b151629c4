"""An attacker with everything that workplaces are told, and who knows who works where, recovers nothing that is hidden."""

from __future__ import annotations

import random
from datetime import date
from typing import Any

import pytest

from serving.store import disclosure, releases
from serving.store.disclosure import Cell
from serving.workplace_measures import merged
from tests.lib.released_worlds import (
    N_CATEGORIES,
    NIGHTS,
    WITHIN_A_QUARTER,
    Publication,
    Staff,
    change_one,
    published,
    world,
)
from tests.lib.table_attack import Attack, Target

WORLDS = 85
"""Of 1 to 7 companies in three months: more than 1 000 tables."""


def solved(months: list[Staff], publications: list[Publication]) -> list[Target]:
    """Return what an attacker finds of what is hidden."""
    attack = Attack(months)
    for one in publications:
        attack.read(one)
    return attack.recovered(attack.hidden(publications))


def attacked(worlds: range) -> tuple[int, int, int]:
    """Return how many tables there were, how much that is hidden was recovered, and how many units were told."""
    n_tables = n_recovered = n_units = 0
    for seed in worlds:
        months = world(seed)
        rows, publications = published(months, NIGHTS if seed % 2 else WITHIN_A_QUARTER)
        n_tables += sum(map(len, months))
        n_recovered += len(solved(months, publications))
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
    """Months in a row, each written with one less: what is told changes when five have gone, at the earliest."""
    chance, (staff, *_) = random.Random(seed), world(seed)
    company, there = max(staff.items(), key=lambda one: len(one[1]))
    leaving = chance.sample(sorted(there), min(8, len(there) - 1))
    months = [
        {company: {one: cell for one, cell in there.items() if one not in leaving[:n]}} for n in range(len(leaving) + 1)
    ]
    nights = [date(2026, month, 1) for month in range(1, len(months) + 1)]
    rows, _ = published(months, nights)
    told = [told_in(rows, f"{night:%Y-%m}") for night in nights]
    assert told[:5] == [told[0]] * len(told[:5])


def test_a_months_release_is_never_computed_again():
    """The same month again with an other staff: what was told stays, of the company, its units and the industry."""
    months = world(5)
    first, _ = published(months[:1])
    again, _ = published([months[0], _others(months[0])], [date(2026, 1, 1), date(2026, 1, 20)])
    anew, _ = published([_others(months[0])])
    assert first == again
    assert first != anew, "else it would tell nothing that they are the same"


def _others(staff: Staff) -> Staff:
    """Nobody of before, and all in the next category."""
    return {company: {f"new-{one}": (unit, (category + 1) % N_CATEGORIES) for one, (unit, category) in there.items()}
            for company, there in staff.items()}  # fmt: skip


def unit(name: str, prefix: str, n_first: int, n_last: int) -> dict[str, Cell]:
    return {f"{prefix}{n}": (name, 0 if n < n_first else 2) for n in range(n_first + n_last)}


def test_a_unit_of_before_is_never_told_beside_a_company_of_now():
    """One of u1 changes while u2 is replaced, and then u1: month 2 less u2, told in month 3, would be u1 with her."""
    u1, u2 = unit("u1", "a", 5, 5), unit("u2", "d", 5, 5)
    months = [
        {"c": u1 | unit("u2", "b", 5, 5)},
        {"c": u1 | {"a0": ("u1", 2)} | u2},
        {"c": unit("u1", "e", 5, 5) | u2},
    ]
    rows, publications = published(months)
    assert [row.shares for row in rows if row.level == "company" and not row.part] == ["[50, 50]"] * 3
    assert {(one.part, one.month) for one in publications} == {
        (part, month) for part in ("", "u1", "u2") for month in (0, 2)
    }
    assert solved(months, publications) == []


def test_an_industry_says_nothing_of_one_whom_a_repeated_company_holds_back():
    """Two of five companies are replaced and one person of E changes: 25 and 26 of 51, but 24 and 27 with her."""
    first = {"A": unit("u", "a", 5, 6)} | {name: unit("u", name, 5, 5) for name in "BCDE"}
    second = first | {"B": unit("u", "bb", 5, 5), "C": unit("u", "cc", 5, 5)}
    changed = second | {"E": second["E"] | {"E0": ("u", 2)}}
    without, _ = published([first, second])
    rows, publications = published([first, changed])
    assert rows == without
    assert ("industry", 1) in {(one.level, one.month) for one in publications}
    assert solved([first, changed], publications) == []


def test_the_attack_finds_what_only_whole_numbers_tell():
    """Twice the last and three times the middle category are 11: 4 and 1, or 1 and 3; without fractions, 2 or more are 4."""
    last, middle = (0, "c", "u", 2), (0, "c", "u", 1)
    attack = Attack([{"c": unit("u", "a", 5, 4) | {"b": ("u", 1)}}])
    attack.between({last: 2.0, middle: 3.0}, 10.5, 11.5)
    assert attack.recovered([{last: 1.0}]) == []
    attack.between({last: 1.0}, 2, 10)
    assert attack.recovered([{last: 1.0}]) == [{last: 1.0}]
