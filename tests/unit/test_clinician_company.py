"""The leader's pages: shares of groups, what a workplace can do, and no way from there to a person."""

from __future__ import annotations

import re
from datetime import date
from html import unescape

import pytest

from serving.clinician.company import suggested, to_talk_about
from serving.handlers.company_report import LARGE_SHARE_PERCENT, report_of
from serving.store.releases import CompanyRelease, Release
from tests.lib.in_process import running
from tests.lib.stores import consents, scored, write

COUNTED = consents() + consents(purpose="aggregate_reporting")
CONTROL, ROLES, LEADER = "qpsnordic34_control", "qpsnordic34_role_clarity", "qpsnordic34_support_from_superior"
MONTHS = (date(2026, 9, 1), date(2026, 10, 1))


def staff(n_unfavourable: int, n: int = 40, company: str = "c"):
    """Forty who answer about control, of whom so many unfavourably; four answer about roles."""
    return [
        scored(
            f"{company}-{i}", 0.5 if i < 10 else 0.1, consents=COUNTED, companies=(company,),
            factors=((CONTROL, i < n_unfavourable), *(((ROLES, True),) if i < 4 else ())),
        )
        for i in range(n)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with running(tmp_path_factory.mktemp("company")) as found:
        write(found.parts.store, *staff(8), *staff(8, company="d"), night=MONTHS[0])
        write(found.parts.store, *staff(16), *staff(8, company="d"), *staff(24, 60, "e"), night=MONTHS[1])
        yield found


def shown(service, path: str = "/ui/companies/c", companies=("c",)) -> str:
    answer = service.get(path, "employer", None, organisations=list(companies))
    assert answer.status_code == 200
    return unescape(answer.text)


def words_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.partition("<main")[2]).split())


def test_shares_are_told_as_text_with_the_month_before(service):
    text = words_of(shown(service))
    assert "Tallene ble lagt fram i oktober 2026. Noen kan være fra en tidligere måned." in text
    assert "5 prosent opp eller ned kan være én person." in text
    assert (
        "Kontroll over arbeidsmengde og tempo: 40 prosent av 20 til 49 som har svart I september 2026: 20 prosent."
        in text
    )
    assert "Sykefravær over 16 dager: Hos 25 prosent er modellens tall minst 1,5 ganger gjennomsnittet i" in text


def test_what_is_not_told_says_why_and_whether_somebody_has_answered_makes_no_difference(service):
    text = words_of(shown(service))
    assert "Klare mål og forventninger:" not in text, "four have answered"
    reason = re.search(r"Det er for få ansatte .*? Gjelder: (.*?)\.", text)
    assert reason is not None
    assert {"Klare mål og forventninger", "Arbeidsmengde"} <= set(reason[1].split(", ")), "four, and nobody"


@pytest.mark.parametrize(("company", "heading"), [
    ("c", "Til samtale på arbeidsplassen"), ("d", "Til samtale på arbeidsplassen"), ("e", "Tiltak som kan prøves"),
])  # fmt: skip
def test_a_measure_is_suggested_where_group_and_share_are_large_and_else_something_to_talk_about(
    service, company, heading
):
    section = next(
        words_of(f"<main>{one}")
        for one in shown(service, f"/ui/companies/{company}", (company,)).split("<section")
        if "Gi mer innflytelse over arbeidsdagen" in one
    )
    assert heading in section
    assert "Hvem: Arbeidsgruppen. Gjelder: Kontroll over arbeidsmengde og tempo." in section


@pytest.mark.parametrize(("size", "share", "is_suggested"), [
    ("50 to 99", 40, True), ("100 or more", 40, True), ("20 to 49", 95, False), ("10 to 19", 50, False),
    ("50 to 99", 35, False),
])  # fmt: skip
def test_what_suppression_leaves_of_a_small_group_suggests_nothing(size, share, is_suggested):
    report = report_of(CompanyRelease("c", "2026-10", (Release(CONTROL, size, share, None),)))
    assert report.factors[CONTROL].workplace_measure.is_suggested == is_suggested
    assert [len(find(report.factors.values())) for find in (suggested, to_talk_about)] == (
        [1, 0] if is_suggested else [0, 1]
    )


def test_each_measure_is_suggested_once_the_largest_share_first():
    shares = {CONTROL: LARGE_SHARE_PERCENT, ROLES: LARGE_SHARE_PERCENT - 5, LEADER: 45, "copsoq3_influence": 50}
    releases = tuple(Release(name, "50 to 99", share, None) for name, share in shares.items())
    factors = report_of(CompanyRelease("c", "2026-10", releases)).factors.values()
    assert [(one.level["en"], one.measure.level, len(one.factors)) for one in suggested(factors)] == [
        ("Working group", "group", 2), ("Leader", "leader", 1),
    ]  # fmt: skip
    (other,) = to_talk_about(factors)
    assert [label.nb for label in other.factors] == ["Klare mål og forventninger"], "35 percent are too few"


def test_the_companies_are_the_readers_own_and_one_alone_is_shown_at_once(service):
    page = shown(service, "/ui/companies", ("c", "d"))
    assert re.findall(r'href="/ui/companies/(\w+)"', page) == ["c", "d"]
    answer = service.get("/ui/companies", "employer", None, organisations=["d"])
    assert (answer.status_code, answer.headers["location"]) == (303, "/ui/companies/d")


def test_no_link_leads_to_a_person_and_no_person_is_named(service):
    page = shown(service) + shown(service, "/ui/companies", ("c", "d"))
    assert "/persons" not in page
    assert not re.search(r"\bc-\d", page)


@pytest.mark.parametrize(("company", "role", "status"), [
    ("d", "employer", 403), ("c", "clinician", 403), ("c", "app", 403), ("unheard", "employer", 404),
])  # fmt: skip
def test_others_are_refused(service, company, role, status):
    own = ["unheard"] if company == "unheard" else ["c"]
    assert service.get(f"/ui/companies/{company}", role, None, organisations=own).status_code == status


def test_the_api_tells_the_same(service):
    report = service.get("/v1/companies/c/report", "employer", "aggregate_reporting", organisations=["c"]).json()
    control = report["factors"][CONTROL]
    assert (control["share_unfavourable_percent"], control["group_size"], control["why_not"]) == (40, "20 to 49", None)
    assert control["workplace_measure"]["level"] == "group"
    assert report["factors"][ROLES]["share_unfavourable_percent"] is None
    assert report["factors"][ROLES]["why_not"] == report["factors"]["dcsq_demands"]["why_not"]
    assert set(report["outcomes"]) == {"burnout", "long_sick_leave"}, "every one in service, whoever is counted"
    assert "Too few" in report["outcomes"]["burnout"]["why_not"]["en"]
