"""The rules of what may be told, on numbers that can be counted by hand."""

from __future__ import annotations

import pytest

from serving.store.cohorts import Cohort
from serving.store.disclosure import Block, Told, block_of, industry_told, tells_of_few, told_of, units_told


def cohort(*counts: int, parts: str = "", first: int = 0) -> Cohort:
    """So many persons by category; ``parts`` has their units by letter, in turn."""
    names = iter(range(first, first + sum(counts)))
    categories = {f"p{next(names)}": category for category, n in enumerate(counts) for _ in range(n)}
    units = {one: parts[number % len(parts)] for number, one in enumerate(categories)} if parts else {}
    return Cohort(categories, units)


@pytest.mark.parametrize(("counts", "shares", "why_not"), [
    ((20, 10, 10), (50, 25, 25), None),
    ((20, 4, 10), (70, 30), None),        # 24 and 10 of 34
    ((4, 20, 10), (70, 30), None),
    ((20, 10, 4), None, "too_few_in_cell"),
    ((2, 2, 10), None, "too_few_in_cell"),
    ((3, 3, 3), None, "too_few_persons"),
    ((5, 5), (50, 50), None),
    ((195, 5), (95, 5), None),            # 97.5 and 2.5
    ((5, 245), (5, 95), None),
    ((0, 0), None, "too_few_persons"),
])  # fmt: skip
def test_a_small_category_makes_the_first_two_one_and_never_others(counts, shares, why_not):
    found = told_of(counts, 10)
    assert (found.shares, found.why_not) == (shares, why_not)


@pytest.mark.parametrize(("counts", "told"), [
    ({"a": (6, 6, 8), "b": (0, 9, 6)}, {"a": (12, 8), "b": (9, 6)}),                  # nothing is left
    ({"a": (6, 6, 8), "b": (0, 9, 6), "c": (1, 1, 1)}, {"a": (12, 8)}),               # c is found by subtraction, but for b
    ({"a": (6, 6, 8), "b": (0, 9, 6), "": (5, 0, 5)}, {"a": (12, 8), "b": (9, 6)}),   # enough are in no unit
    ({"a": (6, 6, 8), "": (3, 0, 1)}, {}),
    ({"a": (6, 6, 8), "b": (4, 4, 4)}, {}),
    ({"a": (6, 6, 8)}, {}),                                                           # the company itself
    ({"a": (0, 20, 4), "b": (0, 4, 20)}, {}),
])  # fmt: skip
def test_units_are_told_where_what_is_left_of_the_company_could_be_too(counts, told):
    assert units_told(counts, 10) == told


def industry(sizes: list[tuple[int, int, int]]) -> dict[str, Block]:
    return {f"c{number}": block_of(cohort(*size, first=1000 * number)) for number, size in enumerate(sizes)}


@pytest.mark.parametrize(("sizes", "levels", "told"), [
    ([(10, 10, 10)] * 4, {}, Told(None, None, "too_few_companies")),
    ([(10, 10, 10)] * 5, {}, Told("100 or more", (35, 35, 35), None)),
    ([(10, 10, 10)] * 4 + [(50, 50, 50)], {}, Told(None, None, "too_few_companies")),     # 150 of 270
    ([(10, 10, 10)] * 5, {"c0": 3, "c1": 3, "c2": 3, "c3": 3, "c4": 3}, Told("100 or more", (35, 35, 35), None)),
    ([(10, 10, 10)] * 5, {"c0": 3, "c1": 3, "c2": 3, "c3": 3}, Told(None, None, "too_few_in_cell")),   # one alone is left
    ([(10, 10, 10)] * 4 + [(18, 2, 10)], {"c0": 3, "c1": 3, "c2": 3, "c3": 3, "c4": 2}, Told("100 or more", (65, 35), None)),
    ([(10, 10, 10)] * 3 + [(2, 2, 2)] * 2, {"c0": 3, "c1": 3, "c2": 3}, Told(None, None, "too_few_in_cell")),
    ([(10, 10, 10)] * 3 + [(3, 3, 3)] * 2, {"c0": 3, "c1": 3, "c2": 3}, Told("100 or more", (35, 35, 35), None)),
])  # fmt: skip
def test_an_industry_is_told_where_it_does_not_tell_of_one_company(sizes, levels, told):
    assert industry_told(industry(sizes), levels, 3, 10) == told


@pytest.mark.parametrize(("then", "now", "is_few"), [
    (cohort(10, 10, 10), cohort(10, 10, 10), False),
    (cohort(10, 10, 10), cohort(10, 10, 11), True),
    (cohort(10, 10, 10), cohort(10, 10, 20), True),                # all who differ are in one category
    (cohort(10, 10, 10), cohort(10, 9, 11), True),                 # one has changed category
    (cohort(10, 10, 10), cohort(10, 5, 15), False),                # five have
    (cohort(10, 10, 10), cohort(15, 5, 10), False),
    (cohort(10, 10, 10), cohort(12, 8, 10), True),                 # between the categories that may be told as one
    (cohort(10, 10, 10, parts="ab"), cohort(10, 10, 10, parts="ab"), False),
    (cohort(10, 10, 10, parts="ab"), cohort(10, 10, 10, parts="ba"), False),     # 15 each way
    (cohort(10, 10, 10, parts="ab"), cohort(10, 10, 10), False),   # of one no units are told
    (cohort(30, 30, 30, parts="a"), cohort(30, 30, 30, parts="a" * 29 + "b"), True),    # one of each category has gone to b
])  # fmt: skip
def test_two_cohorts_are_too_near_where_few_make_the_difference(then, now, is_few):
    assert tells_of_few(block_of(then), block_of(now), 2) is is_few
    assert tells_of_few(block_of(now), block_of(then), 2) is is_few
    assert tells_of_few(block_of(then), block_of(now), 2) is is_few


def test_moves_between_two_units_hide_nobody_who_leaves_both():
    """Ten go from a to b, five of each of two categories, and one leaves: a and b together differ by that one."""
    then = Cohort({f"p{n}": n % 2 for n in range(60)}, {f"p{n}": "a" if n < 30 else "b" for n in range(60)})
    stays = {one: category for one, category in then.categories.items() if one != "p0"}
    moved = Cohort(stays, then.parts | {f"p{n}": "b" for n in range(1, 11)})
    assert tells_of_few(block_of(then), block_of(moved), 1)
    all_stay = Cohort(then.categories, then.parts | {f"p{n}": "b" for n in range(1, 11)})
    assert not tells_of_few(block_of(then), block_of(all_stay), 1)


def test_who_was_erased_and_is_counted_again_is_no_change():
    """Four of 20 are erased and come back, and one changes: eight more changes than there were, were they others."""
    then = block_of(cohort(10, 0, 10))
    erased = {"p0", "p1", "p10", "p11"}
    then = Block("", "", then.cells, {one: cell for one, cell in then.members.items() if one not in erased})
    one_more = block_of(Cohort(cohort(10, 0, 10).categories | {"p5": 2}))
    assert tells_of_few(then, one_more, 2)
    ten_more = Cohort(cohort(10, 0, 10).categories | {f"new{n}": 2 * (n % 2) for n in range(10)})
    assert not tells_of_few(then, block_of(ten_more), 2), "five of each category came, whoever else did"


def test_who_is_in_two_companies_counts_once_in_what_is_left_of_an_industry():
    """Of two companies of six, half in the first category: 6 and 6 employments, but of 3 and 3 persons."""
    companies = industry([(10, 10, 10)] * 3 + [(3, 0, 3)] * 2)
    told = dict.fromkeys(("c0", "c1", "c2"), 3)
    assert industry_told(companies, told, 3, 10).shares == (65, 35)
    assert industry_told(companies | {"c4": companies["c3"]}, told, 3, 10) == Told(None, None, "too_few_in_cell")
