"""What holds of every page: no rule of WCAG broken, no sideways scrolling, no word that is not ours, small, switchable."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.deployed import DESKTOP, MOST_BYTES, PHONE
from tests.lib.words import words_found

PERSON = "/ui/persons/{person}"
CLINICIAN = {
    "worklist": "/ui/worklist?capacity=30",
    "worklist of days": "/ui/worklist?outcome=absence_days&order=risk",
    "person": PERSON,
    "person of days": f"{PERSON}?outcome=absence_days",
    "person of burnout": f"{PERSON}?outcome=burnout",
    "contributions": f"{PERSON}/contributions",
    "contributions of days": f"{PERSON}/contributions?outcome=absence_days",
    "profile": f"{PERSON}/profile",
    "timeline": f"{PERSON}/timeline",
    "what-if": f"{PERSON}/what-if",
    "what-if of days": f"{PERSON}/what-if?outcome=absence_days",
    "decisions": f"{PERSON}/decisions",
    "flagged person": "/ui/persons/{flagged}",
    "not in care": "/ui/persons/{other}",
    "no such page": "/ui/companies/x",
    "models": "/ui/models",
    "model": "/ui/models/long_sick_leave",
    "model that nobody has judged": "/ui/models/burnout",
    "model of days": "/ui/models/absence_days",
    "help": "/ui/help",
}
EMPLOYER = {
    "companies": "/ui/companies",
    "how to read the report": "/ui/companies-help",
    "company": "/ui/companies/{company}",
    "other company": "/ui/companies/{foreign}",
}
REFUSED = ("not in care", "no such page", "other company")


@pytest.fixture(scope="module", params=[("nb", DESKTOP), ("en", PHONE)], ids=["nb at a desk", "en on a phone"])
def readers(request, deployed):
    """A clinician who follows two persons up, and a leader."""
    language, viewport = request.param
    how = {"language": language, "viewport": viewport}
    with (
        deployed.reader(subject=f"reads-{language}", **how) as clinician,
        deployed.reader("employer", subject=f"leads-{language}", **how) as employer,
    ):
        clinician.sign_in()
        for person in (deployed.someone(1), deployed.someone(is_flagged=True)):
            clinician.take_into_care(person)
        employer.sign_in()
        yield {"clinician": clinician, "employer": employer, "language": language}


@pytest.fixture(
    params=[("clinician", one) for one in CLINICIAN] + [("employer", one) for one in EMPLOYER], ids=lambda x: x[1]
)
def page(request, deployed, readers):
    role, name = request.param
    reader = readers[role]
    reader.wrong.clear()
    reader.expected = {403} if name in REFUSED else set()
    companies = deployed.companies
    address = (CLINICIAN | EMPLOYER)[name].format(
        person=deployed.someone(1), flagged=deployed.someone(is_flagged=True), other=deployed.someone(2),
        company=companies[0], foreign=companies[-1],
    )  # fmt: skip
    answer = reader.page.goto(address)
    reader.status, reader.size = answer.status, len(answer.body())
    reader.address, reader.language = address, readers["language"]
    yield reader
    assert reader.wrong == []


def test_no_rule_of_accessibility_is_broken(page):
    assert page.violations() == []
    assert page.page.locator("h1").count() == 1


def test_nothing_scrolls_sideways_and_the_page_is_small(page):
    assert not page.is_too_wide()
    assert page.size < MOST_BYTES


def test_the_words_are_ours_and_of_one_language(page):
    text = page.page.locator("body").inner_text()
    assert words_found(text, page.language) == []
    assert page.page.locator("html").get_attribute("lang") == page.language


def test_the_switch_of_language_comes_back_to_the_page(page):
    button = page.page.locator("form.language button")
    other = button.get_attribute("value")
    for language in (other, page.language):
        page.page.locator("form.language button").click()
        expect(page.page.locator("html")).to_have_attribute("lang", language)
    if page.status == 200:
        assert page.page.url.partition("?")[0] == page.deployed.service.url + page.address.partition("?")[0]
