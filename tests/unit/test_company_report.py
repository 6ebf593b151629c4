"""The body of a workplace report: levels, categories and months, from a night to what is answered."""

from __future__ import annotations

from datetime import date

import pytest

from data_contracts.industries import section_of
from serving.handlers.company_report import report_of, report_on
from serving.store.disclosure import Told
from serving.store.released import CompanyRelease, Release
from serving.store.scoring import places_on
from tests.lib.stores import OUTCOME, consents, scored, write

COUNTED = consents() + consents(purpose="aggregate_reporting")
NIGHT = date(2026, 3, 1)
MONTH = "2026-03"


def staff(company: str, unit_sizes: dict[str | None, int], section: str = "Q") -> list:
    """A third of each unit in each category of absence and of sleep."""
    units = [unit for unit, n in unit_sizes.items() for _ in range(n)]
    return [
        scored(f"{company}-{n}", companies=(company,), places=((company, unit, section),), consents=COUNTED,
               measures=(("absence", n % 3), ("sleep", n % 3), ("participation", 0)))
        for n, unit in enumerate(units)
    ]  # fmt: skip


@pytest.fixture
def told(store):
    """Company c has units of 18, 15 and 3; with four others of 30 it is the whole of its industry."""
    others = [one for n in range(4) for one in staff(f"d{n}", {"u": 30})]
    write(store, *staff("c", {"a": 18, "b": 15, "x": 3}), *others, night=NIGHT)
    return report_on(store, "c", (OUTCOME,))


def names(categories) -> list[tuple[str, int]] | None:
    return categories and [(one.name, one.percent) for one in categories]


def test_a_company_its_unit_and_its_industry_are_told_in_their_categories(told):
    absence = told.measures["absence"]
    assert names(absence.categories) == names(absence.industry) == [("none", 35), ("1_to_16", 35), ("over_16", 35)]
    assert (absence.kind, absence.group_size, absence.why_not) == ("absence", "20 to 49", None)
    assert told.industry is not None
    assert told.industry.code == "Q"
    assert set(told.units) == {"a"}, "b is not told, for b and x together hide x"
    assert names(told.units["a"]["sleep"].categories) == [("not_lower", 65), ("lower", 35)]
    assert "absence" not in told.units["a"], "of 18 persons; absence takes 30"


def test_what_all_have_done_is_not_told_and_says_why(told):
    participation = told.measures["participation"]
    assert participation.categories is None
    assert participation.why_not is not None
    assert "too few on one side" in participation.why_not.en
    assert told.measures[OUTCOME].kind == "risk"


def test_months_before_come_oldest_first_and_twenty_four_at_most():
    releases = [
        CompanyRelease(
            "c", f"20{20 + n // 12}-{n % 12 + 1:02}", (Release("absence", Told("20 to 49", (50, 50), None)),)
        )
        for n in range(30)
    ]
    earlier = report_of(releases).measures["absence"].earlier
    assert [one.month for one in earlier] == [one.month for one in releases[5:29]]
    assert names(earlier[0].categories) == [("not_over_16", 50), ("over_16", 50)]


@pytest.mark.parametrize(("company", "industry", "shown"), [
    ((50, 50), (40, 30, 30), [("not_over_16", 70), ("over_16", 30)]),
    ((40, 30, 30), (60, 40), None),
    (None, (40, 30, 30), [("none", 40), ("1_to_16", 30), ("over_16", 30)]),
])  # fmt: skip
def test_an_industry_is_shown_in_the_categories_of_the_company(company, industry, shown):
    told = Told("20 to 49", company, None) if company else Told(None, None, "too_few_persons")
    month = CompanyRelease("c", MONTH, (Release("absence", told),), "Q")
    report = report_of([month], [Release("absence", Told("100 or more", industry, None))])
    assert names(report.measures["absence"].industry) == shown


def test_participation_counts_whose_employment_may_be_and_answers_only_of_those_who_agree(store):
    only_work = consents() + consents("employment", purpose="aggregate_reporting")
    persons = [
        scored(f"p{n}", consents=COUNTED if n < 10 else only_work, measures=(("participation", 0),)) for n in range(16)
    ]
    write(store, *persons, scored("q", consents=consents(), measures=(("participation", 0),)), night=NIGHT)
    assert names(report_on(store, "c").measures["participation"].categories) == [("answered", 60), ("not_answered", 40)]


@pytest.mark.parametrize(("code", "section"), [("86", "Q"), ("86.101", "Q"), ("01", "A"), ("98", None), ("33", "C")])
def test_a_division_is_in_its_section(code, section):
    assert section_of(code) == section


def test_of_two_employments_in_a_company_the_later_says_the_unit():
    row = {"company_id": "c", "known_from": "2020-01-01", "industry_code": "86.1"}
    jobs = [row | {"unit_id": unit, "start_date": day} for unit, day in (("new", "2025-01-01"), ("old", "2020-01-01"))]
    assert places_on({"employments": jobs}, NIGHT) == [("c", "new", "Q")]
    assert places_on({"employments": [jobs[0] | {"end_date": "2025-02-01"}, jobs[1]]}, NIGHT) == [("c", "old", "Q")]
