"""Reports of many months and of workplace factors beside outcomes: no comparison of any of them tells of one person."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from serving.store.connection import database
from serving.store.disclosure import Told, told_of
from serving.store.erasure import erase
from serving.store.released import Release
from serving.store.schema import MIGRATIONS
from serving.workplace_measures import ALWAYS_TOLD
from tests.lib.stores import OUTCOME, consents, fresh_url, opened, rows, scored, write

CONTROL, DEMANDS = "qpsnordic34_control", "dcsq_demands"
MONTHS = [date(2026, month, 1) for month in range(1, 7)]
COUNTED = consents() + consents(purpose="aggregate_reporting")


def last_share(one: Release) -> int | None:
    return None if one.told.shares is None else one.told.shares[-1]


def shares(month) -> list[int | None]:
    """What is told of the outcome and of the two factors that anybody answers, in the order of their names."""
    return [last_share(one) for one in month.measures if one.measure in (CONTROL, DEMANDS, OUTCOME)]


def of_outcome(store, company: str = "c") -> list[int | None]:
    """What a company was told of the outcome, month by month."""
    return [last_share(one) for month in store.releases(company) for one in month.measures if one.measure == OUTCOME]


def staff(n: int, n_above: int, first: int = 0) -> list[Any]:
    """Persons of company c, the first of them above the reference group, who consent to being counted."""
    return [scored(f"p{i}", 0.5 if i - first < n_above else 0.1, consents=COUNTED) for i in range(first, first + n)]


def told(store) -> tuple[Any, ...] | None:
    found = store.release("c")
    if found is None:
        return None
    return tuple(
        (one.told.persons, last_share(one), one.told.why_not) for one in found.measures if one.measure == OUTCOME
    )


def test_attack_by_going_there_and_back_again(store):
    """A month between that differs by five from both does not make two others comparable that differ by two."""
    at_first = staff(40, 10)
    write(store, *at_first, night=MONTHS[0])
    write(store, *at_first, *staff(16, 8, first=40), night=MONTHS[1])
    # One has gone, one has come who is above: 11 of 40, 27.5, would be told as 30 percent.
    write(store, *at_first[:-1], scored("new", 0.5, consents=COUNTED), night=MONTHS[2])
    assert of_outcome(store) == [25, 30, 30]


def test_attack_by_comparing_any_two_months_of_one_outcome_and_two_factors(store):
    """Every share that is told is that of a cohort from which all others differ by nobody, or by five or more."""
    chance = random.Random(11)
    present = {n: [chance.random() < 0.4 for _ in range(3)] for n in range(25)}
    for month in range(24):  # as long as any two are compared
        for n in chance.sample(range(30), chance.choice((0, 1, 2, 4, 8))):
            if present.pop(n, None) is None or chance.random() < 0.6:
                present[n] = [chance.random() < 0.4 for _ in range(3)]
        write(store, *map(_answering, sorted(present.items())), night=date(2026 + month // 12, month % 12 + 1, 1))
    computed = _computed(rows(store)["release_members"])
    for (measure, _), cohort in computed.items():
        for (other, _), then in computed.items():
            if measure == other:
                sides = [len(cohort[side] ^ then[side]) for side in (True, False)]
                assert sides == [0, 0] or min(sides) >= 5
                assert not 0 < len((cohort[True] | cohort[False]) ^ (then[True] | then[False])) < 5
    measures = {measure for measure, _ in computed}
    told = {
        (one.measure, one.told) for month in store.releases("c") for one in month.measures if one.measure in measures
    }
    assert told == {(measure, _told(cohort)) for (measure, _), cohort in computed.items()}
    assert len(told) > 6, "several shares of each"


def _told(cohort: dict[bool, set[str]]) -> Told:
    return told_of((0, len(cohort[False]), len(cohort[True])), 10)


def _answering(one: tuple[int, list[bool]]) -> Any:
    n, (is_above, control, demands) = one
    factors = ((CONTROL, 2 * control), (DEMANDS, 2 * demands)) if n % 5 else ((CONTROL, 2 * control),)
    return scored(f"p{n}", 0.5 if is_above else 0.1, consents=COUNTED, measures=factors)


def _computed(members: list[Any]) -> dict[tuple[str, str], dict[bool, set[str]]]:
    """Who is in the last category and who is not, of the cohorts that shares were computed of, by measure and month."""
    found: dict[tuple[str, str], dict[bool, set[str]]] = {}
    for _, _, measure, month, person, _, category in members:
        found.setdefault((measure, month), {True: set(), False: set()})[category == 2].add(person)
    return found


@pytest.mark.parametrize(("n_new", "n_new_above", "share"), [
    (5, 5, 50),    # 10 of 15 would be 65: each of the five is above
    (5, 0, 50),    # 5 of 15 would be 35: none of the five is
    (6, 5, 50),    # 10 of 16 would be 60: one alone on the other side
    (9, 5, 50),    # 10 of 19 would be 55
    (10, 5, 50),   # 10 of 20
    (15, 5, 40),   # 10 of 25
])  # fmt: skip
def test_attack_on_those_who_join_by_the_side_that_is_not_told_of(store, n_new, n_new_above, share):
    """Both sides must change by five or more; where one alone does, everybody who joined is on the other."""
    write(store, *staff(10, 5), night=MONTHS[0])
    write(store, *staff(10, 5), *staff(n_new, n_new_above, first=10), night=MONTHS[1])
    assert of_outcome(store) == [50, share]


@pytest.mark.parametrize(
    ("n_only_d", "n_above_only_d", "share"), [(1, 1, None), (5, 5, None), (6, 5, None), (10, 5, 50)]
)
def test_attack_by_comparing_two_companies_that_share_persons(store, n_only_d, n_above_only_d, share):
    """Company d has all of c's persons and some more: whose side could be told by subtracting."""
    both = [replace(one, companies=("c", "d")) for one in staff(10, 5)]
    only_d = [replace(one, companies=("d",)) for one in staff(n_only_d, n_above_only_d, first=10)]
    write(store, *both, *only_d, night=MONTHS[0])
    assert (of_outcome(store), of_outcome(store, "d")) == ([50], [share])


def test_a_company_that_comes_near_another_repeats_its_own_last_month(store):
    c, d = staff(20, 10), [replace(one, companies=("d",)) for one in staff(20, 5, first=20)]
    write(store, *c, *d, night=MONTHS[0])
    merged = [replace(one, companies=("d",)) for one in staff(20, 10)]
    write(store, *merged[1:], night=MONTHS[1])
    assert of_outcome(store, "d") == [25, 25], "9 of 19 are those of c in the month before, but for one"


def test_that_there_is_an_entry_tells_of_nobody(store):
    """Every measure stands in the first report of every company with somebody at work, whether or not anybody is counted."""
    persons = [scored("p0", 0.5), replace(scored("q0", 0.5, consents=COUNTED), companies=("d",))]
    write(store, *persons, night=date(2026, 3, 1))
    without, one = store.release("c"), store.release("d")
    assert without.measures == one.measures
    assert {measure.measure for measure in without.measures} == {OUTCOME, *ALWAYS_TOLD}
    write(store, *staff(12, 6), night=date(2026, 3, 20))
    assert store.release("c") == without, "the month was written on its first night"
    write(store, *staff(12, 6), night=date(2026, 4, 1))
    assert of_outcome(store) == [None, 50]


@pytest.mark.parametrize("change", ["gone", "new", "outcome", "factor", "no answer", "consent"])
def test_no_one_person_changes_anything_in_any_measure_of_the_next_report(store, change):
    def company(name: str, changed: int | None) -> list[Any]:
        return [one for n in range(21) for one in _one(name, n, n == changed)]

    def _one(name: str, n: int, is_changed: bool) -> list[Any]:
        what = change if is_changed else ""
        if what == "gone" or (n == 20 and what != "new"):
            return []
        outcome = 0.5 if (n % 3 == 0) != (what == "outcome") else 0.1
        factors = (
            ()
            if what == "no answer"
            else ((CONTROL, 2 * ((n % 4 == 0) != (what == "factor"))), (DEMANDS, 2 * (n % 2 == 0)))
        )
        agreed = consents() if what == "consent" else COUNTED
        return [scored(f"{name}-{n}", outcome, consents=agreed, companies=(name,), measures=factors)]

    names = [f"c{n}" for n in range(21)]
    write(store, *(one for name in names for one in company(name, None)), night=MONTHS[0])
    write(store, *(one for n, name in enumerate(names) for one in company(name, n)), night=MONTHS[1])
    for name in names:
        first, second = store.releases(name)
        assert first.measures == second.measures
        assert shares(first) == [50, 35, 25]


def test_a_factor_counts_with_consent_to_answers_and_employment_being_counted_whatever_else_is(store):
    enough = consents() + consents("survey", "employment", purpose="aggregate_reporting")
    lacking = consents() + consents("survey", "lab", "absence", purpose="aggregate_reporting")
    ended = consents() + consents("survey", "employment", purpose="aggregate_reporting", withdrawn="2026-02-01")
    factors = [((CONTROL, 2 * (n < 5)),) for n in range(10)]
    for company, agreed in (("c", enough), ("d", lacking), ("e", ended)):
        persons = [scored(f"{company}{n}", 0.1, consents=agreed, companies=(company,), measures=one)
                   for n, one in enumerate(factors)]  # fmt: skip
        write(store, *persons, night=date(2026, 3, 1), data_version=company * 64)
    assert shares(store.release("c")) == [None, None, 50]
    assert shares(store.release("d")) == shares(store.release("e")) == [None, None, None]


def test_a_store_of_two_sides_keeps_what_was_told_and_of_whom(server_url, tmp_path):
    """Version 0003 with 20 persons of whom 5 above: one who leaves changes nothing, ten others do."""
    url = fresh_url(server_url, tmp_path)
    before = database(url, create=True)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with before.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        connection.execute(text(f"INSERT INTO releases VALUES ('c', '2026-03', '{OUTCOME}', '20 to 49', 25, NULL)"))
        connection.execute(
            text(f"INSERT INTO releases VALUES ('c', '2026-03', '{CONTROL}', NULL, NULL, 'too_few_persons')")
        )
        connection.execute(text(f"INSERT INTO release_cohorts VALUES ('c', '{OUTCOME}', '2026-03', 20, 5)"))
        for n in range(20):
            connection.execute(
                text(f"INSERT INTO release_members VALUES ('c', '{OUTCOME}', '2026-03', 'p{n}', {n < 5})")
            )
    before.engine.dispose()
    with opened(url) as store:
        (month,) = store.releases("c")
        assert {one.measure: one.told for one in month.measures} == {
            OUTCOME: Told("20 to 49", (75, 25), None), CONTROL: Told(None, None, "too_few_persons"),
        }  # fmt: skip
        found = rows(store)
        assert [row[4:] for row in found["release_cohorts"]] == [("", -1, 15), ("", 2, 5)]
        assert len(found["release_members"]) == 20
        write(store, *staff(20, 5)[1:], night=date(2026, 4, 1))
        assert of_outcome(store) == [25, 25]
        write(store, *staff(20, 10), night=date(2026, 5, 1))
        assert of_outcome(store) == [25, 25, 50]
        assert erase(store.database, ["p7"], ["p7"])["release_members"] == 2


def test_a_store_of_before_keeps_what_was_told_and_of_whom(server_url, tmp_path):
    """20 persons with 5 above in February, repeated in March: whoever leaves now changes nothing in April."""
    url = fresh_url(server_url, tmp_path)
    before = database(url, create=True)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with before.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        for month in ("2026-02", "2026-03"):
            connection.execute(text(f"INSERT INTO releases VALUES ('c', '{month}', '{OUTCOME}', '20 to 49', 25, NULL)"))
        connection.execute(text(f"INSERT INTO release_cohorts VALUES ('c', '{OUTCOME}', 20, 5)"))
        for n in range(20):
            connection.execute(text(f"INSERT INTO release_members VALUES ('c', '{OUTCOME}', 'p{n}', {n < 5})"))
    before.engine.dispose()
    with opened(url) as store:
        assert ("company", "c", OUTCOME, "2026-03", "", 2, 5) in rows(store)["release_cohorts"]
        write(store, *staff(20, 5)[1:], night=date(2026, 4, 1))
        assert of_outcome(store) == [25, 25, 25]
        write(store, *staff(20, 10), night=date(2026, 5, 1))
        assert told(store) == (("20 to 49", 50, None),)
