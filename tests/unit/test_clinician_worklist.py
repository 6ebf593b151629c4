"""The worklist page: whom it names and whom it does not, in which order, and what it says of each."""

from __future__ import annotations

import re
from datetime import date
from html import unescape

import pytest

from data_contracts.time_windows import today
from serving.store.nights import OutcomeScore
from tests.lib.in_process import running
from tests.lib.stores import OUTCOME, scored, write

NIGHT = date(2026, 10, 1)
LIST = "/ui/worklist"


def person(
    name: str, risk: float | None, benefit: float | None = None, domain: str | None = "sleep", width=None, **changes
):
    """One of company c with a risk of which so much can be worked with."""
    low, high = (None, None) if risk is None else (risk - width, risk + width) if width else (risk / 2, risk * 2)
    band = None if risk is None else "above" if risk >= 0.3 else "around"
    outcomes = (OutcomeScore(OUTCOME, "event", risk, low, high, band, benefit, None if benefit is None else domain),)
    return scored(name, risk, outcomes=outcomes, **changes)


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with running(tmp_path_factory.mktemp("worklist")) as found:
        write(
            found.parts.store,
            person("high-risk", 0.40, 0.01),
            person("high-benefit", 0.12, 0.084, "stress_and_work_environment"),
            person("flagged", None, is_flagged=True),
            person("spoken-to", 0.30, 0.2),
            person("elsewhere", 0.9, 0.5, companies=("d",)),
            person("narrow", 0.2, 0.0049, width=0.001, companies=("e",)),
            person("workable", 0.2, 0.005, companies=("e",)),
            person("in-hand", 0.2, 0.1, companies=("e",), is_flagged=True, flags_digest="answers"),
            night=NIGHT,
        )
        for name in ("spoken-to", "in-hand"):
            score = found.parts.store.latest_score(name, today())
            found.parts.store.record_decision("clinician-1", score, OUTCOME, "agree", "will ring her", "conversation")
        found.parts.store.begin_care("clinician-1", "high-risk", "referred", today())
        yield found


def shown(service, query: str = "", companies=("c",), cookie: str = "") -> str:
    headers = service.headers("clinician", None, organisations=list(companies))
    headers |= {"cookie": cookie} if cookie else {}
    (answer,) = service.call({"method": "GET", "url": f"{LIST}{query}", "headers": headers})
    assert answer.status_code == 200
    return unescape(answer.text)


def named(text: str) -> list[str]:
    return re.findall(r'<a href="/ui/persons/([^"?]+)', text)


def text_of(page: str, person_id: str) -> str:
    """The words of one person's row."""
    row = next(row for row in re.findall(r"<li.*?</li>", page, re.S) if f"/persons/{person_id}?" in row)
    return " ".join(re.sub(r"<[^>]+>", " ", row).split())


def test_a_flag_comes_first_then_what_can_be_worked_with_and_who_was_spoken_to_is_set_aside(service):
    page = shown(service)
    assert named(page) == ["flagged", "high-benefit", "high-risk", "spoken-to"]
    assert named(page.partition("<details")[0]) == ["flagged", "high-benefit", "high-risk"]
    assert "Lagt til side: én person er vurdert eller tilbudt oppfølging de siste 28 dagene" in page


def test_by_risk_the_highest_number_comes_first(service):
    page = shown(service, "?order=risk")
    assert named(page)[:3] == ["flagged", "high-risk", "high-benefit"]
    assert "med høyest tall" in page
    assert "mest av tallet, i prosentpoeng, henger sammen" in shown(service)
    assert "mest av tallet, i dager, henger sammen" in shown(service, "?outcome=absence_days")


def test_a_row_says_number_interval_band_and_what_can_be_worked_with(service):
    page = shown(service)
    row = text_of(page, "high-benefit")
    assert "12 av 100 6 til 24 omtrent som i referansegruppen" in row
    assert "Mest å arbeide med: Stress og arbeidsmiljø" in row
    assert "Åpne for å begynne oppfølging" in row
    assert "Du følger opp" in text_of(page, "high-risk")
    assert "Uten tall" in text_of(page, "flagged")
    assert "Enig, Samtale, " in text_of(page, "spoken-to")
    assert "8,4" not in page, "the benefit ranks, and is not the percentage points of the contributions"


def test_what_rounds_to_nothing_is_neither_an_interval_nor_something_to_work_with(service):
    page = shown(service, companies=("e",))
    assert "20 av 100 omtrent som" in text_of(page, "narrow"), "20 to 20 is no interval"
    assert "Mest i tallet: Søvn" in text_of(page, "narrow")
    assert "Mest å arbeide med: Søvn" in text_of(page, "workable")


def test_a_flag_that_is_set_aside_is_told_on_top_and_in_the_folded_list(service):
    before, _, folded = shown(service, companies=("e",)).partition("<details")
    assert "Én person med sikkerhetsflagg er lagt til side, fordi neste steg er en samtale eller fastlegen" in before
    assert "Sikkerhetsflagg" in text_of(folded, "in-hand")
    assert "er lagt til side, fordi" not in shown(service)


def test_the_flag_stands_above_the_list_with_the_way_to_a_human(service):
    before, _, _ = shown(service).partition("<ol")
    assert "en lege i bedriftshelsetjenesten eller fastlegen" in before
    assert "fikk ikke plass" not in before


def test_beyond_the_capacity_nobody_is_named_and_the_capacity_stays_in_the_form(service):
    page = shown(service, "?capacity=1")
    assert named(page.partition("<details")[0]) == ["flagged"]
    assert "I tillegg er det beregnet tall for 2 personer" in page
    assert re.search(r'name="capacity"[^>]* value="1"', page)


def test_a_flag_beyond_the_capacity_is_told_with_a_link_to_room_for_it(tmp_path):
    with running(tmp_path) as service:
        flagged = (person(f"p{n}", 0.1, 0.01, is_flagged=True) for n in range(3))
        write(service.parts.store, *flagged, night=NIGHT)
        page = shown(service, "?capacity=1&order=risk")
        assert "2 personer med sikkerhetsflagg fikk ikke plass" in page
        link = next(one for one in re.findall(r'href="([^"]+)"', page) if "capacity=3" in one)
        assert "order=risk" in link
        assert len(named(shown(service, link.removeprefix(LIST)))) == 3


def test_filters_choose_by_company_and_domain_and_are_shown_as_chosen(service):
    page = shown(service, "?domain=stress_and_work_environment")
    assert named(page.partition("<details")[0]) == ["flagged", "high-benefit"]
    assert '<option value="stress_and_work_environment" selected>' in page
    both = shown(service, companies=("c", "d"))
    assert "elsewhere" in named(both)
    assert named(shown(service, "?company=d", companies=("c", "d"))) == ["elsewhere"]
    assert 'name="company"' not in page, "there is nothing to choose"


def test_what_the_form_sends_empty_asks_for_all(service):
    assert named(shown(service, "?capacity=20&order=benefit&domain=&company=")) == named(shown(service))


def test_another_company_is_refused_and_each_person_named_is_an_event(service):
    assert service.get(f"{LIST}?company=d", "clinician", None).status_code == 403
    before = len(service.events())
    shown(service)
    events = service.events()[before:]
    assert {event["person_id"] for event in events} == {"flagged", "high-benefit", "high-risk", "spoken-to"}
    assert {event["action"] for event in events} == {"read_worklist"}


def test_new_and_rising_are_marked_in_words(tmp_path):
    with running(tmp_path) as service:
        write(service.parts.store, person("new", 0.1, 0.0), person("rising", 0.1, 0.0), night=date(2026, 9, 1))
        write(service.parts.store, person("new", 0.31, 0.0), person("rising", 0.29, 0.0), night=NIGHT)
        page = shown(service)
        assert text_of(page, "new").startswith("new Ny ")
        assert text_of(page, "rising").startswith("rising Stigende ")


def test_an_empty_list_says_so(service):
    assert "Ingen å kontakte" in shown(service, companies=("nowhere",))


def test_the_page_has_two_hundred_persons_and_as_many_set_aside_in_150_kb(tmp_path):
    with running(tmp_path) as service:
        names = [f"{n:03d}-0123456789abcdef0123456789abcdef" for n in range(400)]
        write(service.parts.store, *(person(name, 0.4, 0.2) for name in names), night=NIGHT)
        for name in names[:200]:
            score = service.parts.store.latest_score(name, today())
            service.parts.store.record_decision("clinician-1", score, OUTCOME, "not_relevant", "on leave", "wait")
        page = shown(service, "?capacity=200")
        assert len(named(page)) == 400
        assert len(page.encode()) < 150_000
