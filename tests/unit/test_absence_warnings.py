"""What is unusual about absence is pointed out, on the day it becomes so and not a day earlier."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from data_contracts.absence_warnings import WARNINGS, absence_warnings
from tests.lib.records import Row, job, spell, table

JOB = job("2020-01-01")


def certified(first: str, days: int | None, **others: Any) -> Row:
    last = None if days is None else (date.fromisoformat(first) + timedelta(days=days - 1)).isoformat()
    return spell(first, last, **({"known_from": first, "spell_id": f"d{first}"} | others))


def self_certified(first: str, days: int | None, **others: Any) -> Row:
    return certified(first, days, kind="self_certified", **({"spell_id": f"s{first}"} | others))


def warnings_of(spells: list[Row], jobs: list[Row] | None = None, **options: Any) -> list[tuple[int, str]]:
    tables = {
        "absence_spells": table("absence_spells", spells),
        "employments": table("employments", [JOB] if jobs is None else jobs),
    }
    found = absence_warnings(tables, {"absence_spells": np.arange(1, len(spells) + 1)}, **options)
    return [(one.row, one.rule) for one in found]


@pytest.mark.parametrize(
    ("spells", "expected"),
    [
        ([certified("2025-01-01", 30)], []),
        ([], []),
        # Touching spells follow each other; one shared day is an overlap, blamed on the later spell.
        ([certified("2025-01-01", 10), certified("2025-01-11", 10)], []),
        ([certified("2025-01-01", 10), certified("2025-01-10", 10)], [(2, "overlapping spells")]),
        # A long spell also overlaps the spell after a short one inside it.
        ([certified("2025-01-01", 90), certified("2025-01-05", 2), certified("2025-02-01", 2)],
         [(2, "overlapping spells"), (3, "overlapping spells")]),
        ([certified("2025-01-01", 10), self_certified("2025-01-10", 3)], []),
        # 52 weeks are 364 days, whether in one certificate or in several that touch.
        ([certified("2024-01-01", 364)], []),
        ([certified("2024-01-01", 365)], [(1, "longer than 52 weeks")]),
        ([certified("2024-01-01", 200), certified("2024-07-19", 165)], [(2, "longer than 52 weeks")]),
        # Fewer than 16 days at work do not begin a new year of sick pay; the days between do not count themselves.
        ([certified("2024-01-01", 200), certified("2024-08-03", 164)], []),
        ([certified("2024-01-01", 200), certified("2024-08-03", 165)], [(2, "longer than 52 weeks")]),
        ([certified("2024-01-01", 200), certified("2024-08-04", 165)], []),
        ([certified("2025-01-01", 20, grade_percent=20)], []),
        ([certified("2025-01-01", 20, grade_percent=19)], [(1, "grade under 20 %")]),
        ([self_certified("2025-01-01", 3, grade_percent=50)], [(1, "graded self-certification")]),
        # Two months after 1 January 2020 is 1 March.
        ([self_certified("2020-02-29", 1)], [(1, "self-certified too soon")]),
        ([self_certified("2020-03-01", 1)], []),
        # Day 16 of an unbroken absence is the last one of the employer period.
        ([certified("2025-01-01", 10), self_certified("2025-01-11", 6)], []),
        ([certified("2025-01-01", 10), self_certified("2025-01-11", 7)], [(2, "self-certified after the employer period")]),
        # ... also where 15 days at work lie in between, but not 16: then a new employer period begins.
        ([certified("2025-01-01", 30), self_certified("2025-02-15", 3)], [(2, "self-certified after the employer period")]),
        ([certified("2025-01-01", 30), self_certified("2025-02-16", 3)], []),
        # Of a self-certification that is still open nobody knows how long it is.
        ([self_certified("2025-01-01", None, known_from="2025-02-01")], []),
    ],
)  # fmt: skip
def test_each_warning_at_its_limit(spells: list[Row], expected: list[tuple[int, str]]) -> None:
    assert warnings_of(spells) == expected


@pytest.mark.parametrize(
    ("days_each", "scheme", "expected"),
    [
        # Extended: 8 days at a time and 24 in twelve months, however often.
        ([8, 8, 8], "extended", []),
        ([8, 8, 8, 1], "extended", [(4, "self-certified too often")]),
        ([9], "extended", [(1, "self-certified too long")]),
        ([1] * 6, "extended", []),
        # Ordinary: 3 days at a time, four times.
        ([3, 3, 3, 3], "ordinary", []),
        ([3, 3, 3, 3, 1], "ordinary", [(5, "self-certified too often")]),
        ([3, -3, 3], "ordinary", [(2, "self-certified too long")]),
        ([8, -15, 8], "extended", [(2, "self-certified too long")]),
        ([8, -16, 8], "extended", []),
        ([4], "ordinary", [(1, "self-certified too long")]),
    ],
)
def test_quotas_of_both_schemes(days_each: list[int], scheme: str, expected: list[tuple[int, str]]) -> None:
    # A negative number is days at work before the next spell; without one there is a month.
    spells, first = [], date(2025, 1, 1)
    for days in days_each:
        if days < 0:
            first += timedelta(-days - 30)
        else:
            spells.append(self_certified(first.isoformat(), days))
            first += timedelta(days + 30)
    assert warnings_of(spells, scheme=scheme) == expected


def test_days_covered_twice_count_once_in_the_quota() -> None:
    spells = [certified(day, 8, kind="self_certified", spell_id=name)
              for day, name in (("2025-01-01", "a"), ("2025-01-01", "b"), ("2025-03-01", "c"))]  # fmt: skip
    last = certified("2025-05-01", 8, kind="self_certified", spell_id="d")
    assert [rule for _, rule in warnings_of([*spells, last])] == ["overlapping spells"]


def test_a_right_is_kept_where_the_next_employment_begins_within_two_weeks() -> None:
    before = job("2020-01-01", "2021-02-14")
    for start, expected in (("2021-02-15", []), ("2021-03-01", []), ("2021-03-02", [(1, "self-certified too soon")])):
        assert warnings_of([self_certified("2021-03-10", 2)], [before, job(start)]) == expected
    elsewhere = job("2021-02-15", company_id="another")
    assert warnings_of([self_certified("2021-03-10", 2)], [before, elsewhere]) == [(1, "self-certified too soon")]


def test_outside_employment_is_after_an_end_or_without_any_but_not_the_history_from_before() -> None:
    job_in_2020 = job("2020-01-01", "2020-12-31")
    spells = [certified("2019-12-28", 3), certified("2020-12-31", 1), certified("2021-01-01", 3)]
    assert warnings_of(spells, [job_in_2020]) == [(3, "outside employment")]
    assert warnings_of([certified("2021-01-01", 3)], []) == [(1, "outside employment")]


def test_the_quota_looks_back_twelve_months_and_not_a_day_more() -> None:
    # The window of a spell that ends on 2025-03-07 opens on 2024-03-08, the last day of the first spell: 1 + 8 + 8 + 8.
    early = [self_certified("2024-03-01", 8), self_certified("2024-06-01", 8), self_certified("2024-09-01", 8)]
    assert warnings_of([*early, self_certified("2025-02-28", 8)]) == [(4, "self-certified too often")]
    assert warnings_of([*early, self_certified("2025-03-01", 8)]) == []


def test_another_persons_spells_do_not_count() -> None:
    theirs = [self_certified("2025-03-01", 8, person_id="p2"), self_certified("2025-04-01", 8, person_id="p2")]
    mine = [self_certified("2025-05-01", 8), self_certified("2025-05-25", 8)]
    assert warnings_of([*theirs, *mine], [JOB, JOB | {"person_id": "p2"}]) == []


def test_two_employments_and_a_corrected_spell() -> None:
    second = JOB | {
        "company_id": "c2",
        "start_date": "2025-01-01",
        "end_date": "2025-01-31",
        "known_from": "2025-01-01",
    }
    assert warnings_of([certified("2025-01-31", 5), certified("2025-02-10", 5)], [JOB, second]) == [
        (1, "two employments at once")
    ]
    # Only the current version is looked at: the correction closes the spell that seemed endless.
    endless = certified("2024-01-01", None, known_from="2025-02-01", spell_id="a")
    closed = certified("2024-01-01", 20, known_from="2025-03-01", spell_id="a")
    assert warnings_of([endless]) == [(1, "longer than 52 weeks")]
    assert warnings_of([endless, closed]) == []
    assert warnings_of([endless, endless | {"known_from": "2025-03-01", "is_deleted": True}]) == []


def test_a_warning_names_row_and_column_and_shows_no_value() -> None:
    assert all(WARNINGS.values())
    tables = {
        "absence_spells": table("absence_spells", [certified("2020-01-01", 3)]),
        "employments": table("employments", []),
    }
    (found,) = absence_warnings(tables, {"absence_spells": np.array([7])})
    assert (found.row, found.column, found.value) == (7, "first_day", None)
