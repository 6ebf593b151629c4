"""No report, nor any two reports together, tells an employer about one person."""

from __future__ import annotations

import random
from datetime import date
from typing import Any

import pytest

from serving.handlers.company_report_bodies import CompanyReport
from serving.store.disclosure import FEWEST_BY_DIAGNOSIS, told_of
from serving.store.erasure import erase
from serving.store.nights import Night
from serving.store.released import Release
from tests.lib.stores import OUTCOME, consents, rows, scored, write

MONTHS = [date(2026, month, 1) for month in range(1, 7)]
COUNTED = consents() + consents(purpose="aggregate_reporting")


def staff(n: int, n_above: int, first: int = 0) -> list[Any]:
    """Persons of company c, the first of them above the reference group, who consent to being counted."""
    return [scored(f"p{i}", 0.5 if i - first < n_above else 0.1, consents=COUNTED) for i in range(first, first + n)]


def last_share(one: Release) -> int | None:
    return None if one.told.shares is None else one.told.shares[-1]


def told(store) -> tuple[Any, ...] | None:
    found = store.release("c")
    if found is None:
        return None
    return tuple(
        (one.told.persons, last_share(one), one.told.why_not) for one in found.measures if one.measure == OUTCOME
    )


@pytest.mark.parametrize(
    ("n", "above", "share", "why_not"),
    [
        (9, 5, None, "too_few_persons"),
        (10, 5, 50, None),
        (10, 4, None, "too_few_in_cell"),
        (10, 6, None, "too_few_in_cell"),
        (40, 5, 10, None),
        (40, 0, None, "too_few_in_cell"),
        (40, 40, None, "too_few_in_cell"),
        (1000, 333, 35, None),
    ],
)
def test_a_share_is_told_of_ten_or_more_with_five_on_each_side_and_rounded(n, above, share, why_not):
    found = told_of((0, n - above, above), 10)
    assert (found.shares, found.why_not) == (share and (100 - share, share), why_not)
    assert (found.persons is None) == (why_not is not None)


def test_by_diagnosis_thirty_are_needed():
    assert told_of((19, 10), FEWEST_BY_DIAGNOSIS).why_not == "too_few_persons"
    assert told_of((20, 10), FEWEST_BY_DIAGNOSIS).shares == (65, 35)


def test_only_those_are_counted_who_consent_to_it_with_every_source_that_their_number_is_made_of(store):
    partly = consents() + consents("survey", "lab", "absence", purpose="aggregate_reporting")
    write(
        store,
        *staff(9, 5),
        scored("partly", 0.5, consents=partly),
        scored("not", 0.5),
        scored("none", None, consents=COUNTED),
    )
    assert told(store) == ((None, None, "too_few_persons"),)


def test_a_month_is_fixed_once_it_is_written(store):
    write(store, *staff(20, 10), night=date(2026, 3, 1))
    first = told(store)
    assert first == (("20 to 49", 50, None),)
    write(store, *staff(40, 30), night=date(2026, 3, 15))
    assert told(store) == first
    write(store, *staff(40, 30), night=date(2026, 3, 1), data_version="e" * 64)
    assert told(store) == first
    write(store, *staff(40, 30), night=date(2026, 4, 1))
    assert told(store) == (("20 to 49", 75, None),)


def test_a_past_month_is_never_filled_in_with_the_consents_of_today(store):
    write(store, *staff(20, 10), night=date(2026, 3, 1))
    write(store, *staff(40, 30), night=date(2026, 2, 1))
    assert {row[3] for row in rows(store)["releases"]} == {"2026-03"}


@pytest.mark.parametrize("leaver", [0, 19], ids=["one above", "one not above"])
def test_one_who_withdraws_changes_nothing_this_month_or_next(store, leaver):
    """20 with 5 above: 25 %. Without one of these 21.1 (20 %), without another 26.3 (25 %): the difference would tell which."""
    write(store, *staff(20, 5), night=date(2026, 3, 1))
    before = told(store)
    rest = [one for one in staff(20, 5) if one.person_id != f"p{leaver}"]
    store.withdraw(f"p{leaver}", None, date(2026, 3, 10))
    assert told(store) == before
    write(store, *rest, night=date(2026, 3, 20))
    assert told(store) == before
    write(store, *rest, night=date(2026, 4, 1))
    assert told(store) == before


def test_changes_add_up_against_the_last_month_that_was_computed_and_not_the_last_that_was_told(store):
    """Each month one of either side goes: 40 of whom 15 are above, and in the end 30 of whom 10 are."""
    for month, gone in enumerate(range(0, 6)):
        write(store, *staff(40, 15)[gone : 40 - gone], night=MONTHS[month])
        assert told(store) == (("20 to 49", 40 if gone < 5 else 35, None),)


def test_attack_on_one_who_crosses_the_limit_while_everybody_stays(store):
    """12 persons, 5, 6, 7 above: 40, 50, 60 %. Each step would tell the band of whoever has just become ill."""
    for month, n_above in enumerate((5, 6, 7)):
        write(store, *staff(12, n_above), night=MONTHS[month])
        assert told(store) == (("10 to 19", 40, None),)


@pytest.mark.parametrize("first", [4, 5], ids=["not told before", "told before"])
def test_whether_a_share_is_told_does_not_change_by_one_person_either(store, first):
    write(store, *staff(12, first), night=MONTHS[0])
    before = told(store)
    write(store, *staff(12, 9 - first), night=MONTHS[1])
    assert told(store) == before


def test_five_who_cross_the_limit_are_told_of(store):
    write(store, *staff(40, 10), night=MONTHS[0])
    write(store, *staff(40, 15), night=MONTHS[1])
    assert told(store) == (("20 to 49", 40, None),)  # 37.5 %


def test_an_erased_person_counts_as_one_who_has_gone(store):
    write(store, *staff(20, 5), night=date(2026, 3, 1))
    before = told(store)
    erase(store.database, ["p0"], ["p0"])
    write(store, *staff(20, 5)[1:], night=date(2026, 4, 1))
    assert told(store) == before


def members(store, person: str) -> set[str]:
    """The measures in which releases know the category of a person."""
    return {row[2] for row in rows(store)["release_members"] if row[4] == person}


FACTOR = (("absence", 0), ("sleep", 0), ("participation", 0))


@pytest.mark.parametrize(("source", "left"), [
    (None, set()),
    ("lab", {"absence", "sleep", "participation"}),
    ("survey", {"absence"}),
    ("absence", {"sleep", "participation"}),
])  # fmt: skip
def test_who_withdraws_is_known_in_no_release_that_was_made_of_it(store, source, left):
    write(store, scored("p0", 0.5, consents=COUNTED, measures=FACTOR), *staff(12, 6, first=1))
    assert members(store, "p0") == {OUTCOME, "absence", "sleep", "participation"}
    store.withdraw("p0", source, date(2026, 3, 10))
    assert members(store, "p0") == left
    assert members(store, "p1") == {OUTCOME}


def test_whose_consent_ends_in_the_tables_is_known_in_no_release_either(store):
    write(store, scored("p0", 0.5, consents=COUNTED, measures=FACTOR), *staff(12, 6, first=1))
    ended = consents() + consents("survey", purpose="aggregate_reporting", withdrawn="2026-03-15")
    write(store, scored("p0", 0.5, consents=ended, measures=FACTOR), *staff(12, 6, first=1), night=date(2026, 3, 14))
    assert "sleep" in members(store, "p0")
    write(store, scored("p0", 0.5, consents=ended, measures=FACTOR), *staff(12, 6, first=1), night=date(2026, 3, 15))
    assert members(store, "p0") == {"absence"}


def test_a_night_that_is_written_again_leaves_the_same_releases(store):
    """Who takes part without her answers being counted is in the month, but not known in it, from the first time on."""
    ended = COUNTED + consents("survey", purpose="aggregate_reporting", withdrawn="2026-02-15")
    ended = tuple(one for one in ended if one[:2] != ("survey", "aggregate_reporting") or one[3])
    persons = [scored("p0", 0.5, consents=ended, measures=FACTOR), *staff(12, 6, first=1)]
    write(store, *persons)
    first = rows(store)["release_members"]
    assert members(store, "p0") == {"absence"}
    write(store, *persons)
    assert rows(store)["release_members"] == first


def test_who_withdraws_while_a_night_is_computed_is_not_counted(store):
    """The night has read nothing of it: 12 of whom six are above, and with her 13."""
    last, _ = store.withdrawals()
    store.withdraw("p0", None, date(2026, 3, 1))
    persons = [scored("p0", 0.5, consents=COUNTED), *staff(12, 6, first=1)]
    night = Night(date(2026, 3, 1), date(2026, 3, 1), "d" * 64, {}, "a" * 64, len(persons), 0, last)
    store.write_night(night, persons)
    assert members(store, "p0") == set()
    assert {row[6] for row in rows(store)["release_cohorts"] if row[2] == OUTCOME} == {6}
    assert told(store) == (("10 to 19", 50, None),)


@pytest.mark.parametrize(("n", "is_told"), [(29, False), (30, True)])
def test_absence_which_an_employer_knows_is_told_of_thirty(store, n, is_told):
    write(store, *(scored(f"p{i}", consents=COUNTED, measures=(("absence", i % 3),)) for i in range(n)))
    (absence,) = (one.told for one in store.release("c").measures if one.measure == "absence")
    assert (absence.shares is not None) is is_told


def test_cohorts_of_longer_ago_than_two_years_go_but_for_the_newest_of_a_place(store):
    leaver = scored("q", companies=("d",), consents=COUNTED)
    write(store, *staff(20, 10), leaver, night=date(2024, 1, 1))
    write(store, *staff(40, 20), night=date(2024, 2, 1))
    write(store, *staff(60, 30), night=date(2026, 1, 1))
    assert {row[3] for row in rows(store)["release_members"]} == {"2024-01", "2024-02", "2026-01"}
    write(store, *staff(60, 30), night=date(2026, 2, 1))
    left = {(row[1], row[3]) for row in rows(store)["release_members"] if row[0] == "company"}
    assert left == {("d", "2024-01"), ("c", "2024-02"), ("c", "2026-01"), ("c", "2026-02")}


def test_attack_by_comparing_all_reports_of_a_company_whose_staff_changes_by_chance(store):
    """Whenever two reports differ, the persons they are made of differ by five or more, or not at all (new scores)."""
    chance = random.Random(7)
    present, last, last_told = set(range(30)), None, None
    for year in range(2026, 2030):
        for month in range(1, 13):
            present ^= set(chance.sample(range(60), chance.choice((0, 1, 1, 2, 3))))
            persons = [scored(f"p{i}", 0.5 if i % 3 == 0 else 0.1, consents=COUNTED) for i in sorted(present)]
            write(store, *persons, night=date(year, month, 1))
            now = told(store)
            assert now is not None
            if now != last_told and last is not None:
                assert len(present ^ last) >= 5
            if now != last_told:
                last, last_told = set(present), now


def fields_of(schema: dict[str, Any]) -> set[str]:
    """Every name of a field anywhere in a JSON schema."""
    found: set[str] = set()
    for key, value in schema.items():
        if key == "properties":
            found |= set(value)
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            if isinstance(inner, dict):
                found |= fields_of({"": inner} | inner)
        if isinstance(value, dict):
            found |= fields_of(value)
    return found


def test_what_an_employer_gets_has_no_field_of_a_person():
    assert fields_of(CompanyReport.model_json_schema()) == {
        "company_id", "month", "industry", "code", "measures", "units", "kind", "label", "nb", "en", "group_size", "categories",
        "name", "percent", "why_not", "earlier", "workplace_measure", "is_suggested", "level", "text",
    }  # fmt: skip


def test_no_row_of_a_release_names_a_person(store):
    write(store, *staff(20, 10))
    assert not any("p1" in str(row) for row in rows(store)["releases"])
