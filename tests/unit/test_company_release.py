"""No report, nor any two reports together, tells an employer about one person."""

from __future__ import annotations

import random
from datetime import date
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from serving.handlers.company_report_bodies import CompanyReport
from serving.store.cohorts import Cohort
from serving.store.connection import database
from serving.store.erasure import erase
from serving.store.releases import share_of
from serving.store.schema import MIGRATIONS
from tests.lib.stores import KINDS, OUTCOME, consents, fresh_url, opened, rows, scored, server, write

BY_DIAGNOSIS = "long_sick_leave_mental"
CONTROL, DEMANDS = "qpsnordic34_control", "dcsq_demands"
MONTHS = [date(2026, month, 1) for month in range(1, 7)]
COUNTED = consents() + consents(purpose="aggregate_reporting")


@pytest.fixture(scope="module", params=KINDS)
def server_url(request):
    with server(request.param) as url:
        yield url


@pytest.fixture
def store(server_url, tmp_path):
    with opened(fresh_url(server_url, tmp_path)) as found:
        yield found


def staff(n: int, n_above: int, first: int = 0) -> list[Any]:
    """Persons of company c, the first of them above the reference group, who consent to being counted."""
    return [scored(f"p{i}", 0.5 if i - first < n_above else 0.1, consents=COUNTED) for i in range(first, first + n)]


def told(store) -> tuple[Any, ...] | None:
    found = store.release("c")
    return None if found is None else tuple((one.persons, one.share_percent, one.why_not) for one in found.measures)


def cohort(n: int, n_above: int) -> Cohort:
    names = [f"p{i}" for i in range(n)]
    return Cohort(frozenset(names), frozenset(names[:n_above]))


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
    found = share_of(OUTCOME, cohort(n, above), ())
    assert (found.share_percent, found.why_not) == (share, why_not)
    assert (found.persons is None) == (why_not is not None)


def test_by_diagnosis_thirty_are_needed():
    assert share_of(BY_DIAGNOSIS, cohort(29, 10), (BY_DIAGNOSIS,)).why_not == "too_few_persons"
    assert share_of(BY_DIAGNOSIS, cohort(30, 10), (BY_DIAGNOSIS,)).share_percent == 35


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
    assert {row[1] for row in rows(store)["releases"]} == {"2026-03"}


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
    for month, gone in enumerate(range(0, 6)):
        write(store, *staff(40, 10)[gone:], night=MONTHS[month])
        assert told(store) == (("20 to 49", 25 if gone < 5 else 15, None),)


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


def test_attack_by_going_there_and_back_again(store):
    """A month between that differs by five from both does not make two others comparable that differ by two."""
    others = staff(40, 10)
    write(store, *others, night=MONTHS[0])
    write(store, *others, *staff(5, 0, first=40), night=MONTHS[1])
    joined, one_more_above = others[:-1], scored("new", 0.5, consents=COUNTED)
    write(store, *joined, one_more_above, night=MONTHS[2])  # 11 of 40 above: 27.5, told as 30 percent
    shares = [month.measures[0].share_percent for month in store.releases("c")]
    assert shares[:2] == [25, 20]
    assert shares[2] != 30


def test_attack_by_comparing_any_two_months_of_one_outcome_and_two_factors(store):
    """Every share that is told is that of a cohort from which all others differ by nobody, or by five or more."""
    chance = random.Random(11)
    present = {n: [chance.random() < 0.4 for _ in range(3)] for n in range(25)}
    for month in range(36):
        for n in chance.sample(range(30), chance.choice((0, 1, 2, 4, 8))):
            if present.pop(n, None) is None or chance.random() < 0.6:
                present[n] = [chance.random() < 0.4 for _ in range(3)]
        write(store, *map(_answering, sorted(present.items())), night=date(2026 + month // 12, month % 12 + 1, 1))
    computed = _computed(rows(store)["release_members"])
    for (measure, _), cohort in computed.items():
        for (other, _), then in computed.items():
            if measure == other:
                for difference in (cohort.persons ^ then.persons, cohort.beyond ^ then.beyond):
                    assert not 0 < len(difference) < 5
    told = {(one.measure, one.share_percent) for month in store.releases("c") for one in month.measures}
    assert told == {(measure, share_of(measure, cohort, ()).share_percent) for (measure, _), cohort in computed.items()}
    assert len(told) > 6, "several shares of each"


def _answering(one: tuple[int, list[bool]]) -> Any:
    n, (is_above, control, demands) = one
    factors = ((CONTROL, control), (DEMANDS, demands)) if n % 5 else ((CONTROL, control),)
    return scored(f"p{n}", 0.5 if is_above else 0.1, consents=COUNTED, factors=factors)


def _computed(members: list[Any]) -> dict[tuple[str, str], Cohort]:
    """The cohorts that shares were computed of, by measure and month."""
    keys = {(measure, month) for _, measure, month, _, _ in members}
    return {
        key: Cohort(
            frozenset(person for _, *of, person, _ in members if tuple(of) == key),
            frozenset(person for _, *of, person, is_beyond in members if tuple(of) == key and is_beyond),
        )
        for key in keys
    }


@pytest.mark.parametrize("change", ["gone", "new", "outcome", "factor", "no answer", "consent"])
def test_no_one_person_changes_anything_in_any_measure_of_the_next_report(store, change):
    def company(name: str, changed: int | None) -> list[Any]:
        return [one for n in range(21) for one in _one(name, n, n == changed)]

    def _one(name: str, n: int, is_changed: bool) -> list[Any]:
        what = change if is_changed else ""
        if what == "gone" or (n == 20 and what != "new"):
            return []
        outcome = 0.5 if (n % 3 == 0) != (what == "outcome") else 0.1
        factors = () if what == "no answer" else ((CONTROL, (n % 4 == 0) != (what == "factor")), (DEMANDS, n % 2 == 0))
        agreed = consents() if what == "consent" else COUNTED
        return [scored(f"{name}-{n}", outcome, consents=agreed, companies=(name,), factors=factors)]

    names = [f"c{n}" for n in range(21)]
    write(store, *(one for name in names for one in company(name, None)), night=MONTHS[0])
    write(store, *(one for n, name in enumerate(names) for one in company(name, n)), night=MONTHS[1])
    for name in names:
        first, second = store.releases(name)
        assert first.measures == second.measures
        assert [one.share_percent for one in first.measures] == [50, 35, 25]


def test_a_factor_counts_with_consent_to_answers_and_employment_being_counted_whatever_else_is(store):
    enough = consents() + consents("survey", "employment", purpose="aggregate_reporting")
    lacking = consents() + consents("survey", "lab", "absence", purpose="aggregate_reporting")
    ended = consents() + consents("survey", "employment", purpose="aggregate_reporting", withdrawn="2026-02-01")
    factors = [((CONTROL, n < 5),) for n in range(10)]
    for company, agreed in (("c", enough), ("d", lacking), ("e", ended)):
        persons = [scored(f"{company}{n}", 0.1, consents=agreed, companies=(company,), factors=one)
                   for n, one in enumerate(factors)]  # fmt: skip
        write(store, *persons, night=date(2026, 3, 1), data_version=company * 64)
    assert [one.share_percent for one in store.release("c").measures] == [50]
    assert store.release("d") is None
    assert store.release("e") is None


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
        assert ("c", OUTCOME, "2026-03", 20, 5) in rows(store)["release_cohorts"]
        write(store, *staff(20, 5)[1:], night=date(2026, 4, 1))
        assert [one.measures[0].share_percent for one in store.releases("c")] == [25, 25, 25]
        write(store, *staff(20, 10), night=date(2026, 5, 1))
        assert told(store) == (("20 to 49", 50, None),)


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
        "company_id", "month", "outcomes", "label", "nb", "en", "group_size", "share_above_percent", "why_not", "factors",
        "share_unfavourable_percent", "measure", "level", "text",
    }  # fmt: skip


def test_no_row_of_a_release_names_a_person(store):
    write(store, *staff(20, 10))
    assert not any("p1" in str(row) for row in rows(store)["releases"])
