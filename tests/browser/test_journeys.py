"""Between two conversations: from the worklist to a decision, in both languages, at a desk, on a phone and without scripts."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.deployed import DESKTOP, PHONE

READERS = {
    "nb at a desk": {"language": "nb", "viewport": DESKTOP},
    "nb on a phone": {"language": "nb", "viewport": PHONE},
    "en at a desk": {"language": "en", "viewport": DESKTOP},
    "en on a phone": {"language": "en", "viewport": PHONE},
    "nb without scripts": {"language": "nb", "viewport": DESKTOP, "java_script_enabled": False},
}


@pytest.mark.parametrize("who", READERS)
def test_from_the_worklist_to_a_decision_that_the_worklist_shows(deployed, who):
    with deployed.reader(subject=who.replace(" ", "-"), **READERS[who]) as reader:
        page = reader.sign_in()
        page.locator("#capacity").fill("5")
        page.locator("form.filters button.primary").click()
        expect(page).to_have_url(re.compile(r"capacity=5"))
        listed = page.locator("ol.worklist > li:not(.flagged) .who a")
        person = listed.first.inner_text()
        reader.expected = {403}
        listed.first.click()
        page.locator("#reason").fill("SYNTHETIC: asked for a talk")
        page.locator("main button.primary").click()
        reader.expected = set()
        expect(page).to_have_url(re.compile(rf"/ui/persons/{person}$"))
        expect(page.locator("p.lead")).to_contain_text("100")
        for tab in ("contributions", "profile", "timeline", "what-if", "decisions"):
            page.locator(f"nav.tabs a[href*='/{tab}']").first.click()
            expect(page).to_have_url(re.compile(f"/{tab}"))
            expect(page.locator("h1")).to_contain_text(person)
        decide(page)
        expect(page.locator("main")).to_contain_text("SYNTHETIC: sleeps badly")
        page.goto("/ui/worklist")
        assert person not in page.locator("ol.worklist").inner_text()
        page.locator("main details summary").click()
        expect(page.locator("main details ul")).to_contain_text(person)


def decide(page):
    page.locator("input[name=verdict]").first.check()
    page.locator("textarea[name=reason]").fill("SYNTHETIC: sleeps badly")
    page.locator("select[name=next_step]").select_option("conversation")
    page.locator("main form button.primary").click()


def test_a_decision_without_a_reason_is_not_kept_and_what_was_written_stays(deployed):
    person = deployed.someone(10)
    with deployed.reader(subject="in-a-hurry", java_script_enabled=False) as reader:
        page = reader.sign_in()
        reader.take_into_care(person)
        page.goto(f"/ui/persons/{person}/decisions")
        page.locator("input[name=verdict]").nth(1).check()
        page.locator("textarea[name=reason]").fill("   ")
        page.locator("select[name=next_step]").select_option("wait")
        reader.expected = {400, 422}
        page.locator("main form button.primary").click()
        expect(page.get_by_role("alert").first).to_be_visible()
        expect(page.locator("input[name=verdict]").nth(1)).to_be_checked()
    assert deployed.asked("SELECT * FROM decisions WHERE person_id = ?", person) == []


@pytest.mark.parametrize("has_scripts", [True, False])
def test_another_answer_shows_what_the_model_says_then(deployed, has_scripts):
    person = deployed.someone(outcome="burnout")
    with deployed.reader(subject=f"tries-{has_scripts}", java_script_enabled=has_scripts) as reader:
        page = reader.sign_in()
        reader.take_into_care(person)
        page.goto(f"/ui/persons/{person}/what-if?outcome=burnout")
        before = page.locator("#what-if-answer").inner_text()
        field = page.locator("#what-if details[open] :is(input[type=range], input[type=number], select)").first
        if field.evaluate("element => element.tagName") == "SELECT":
            field.select_option(index=0)
        else:
            field.focus()
            field.press("End" if field.input_value() == field.get_attribute("min") else "Home")
            field.evaluate("element => element.dispatchEvent(new Event('change', {bubbles: true}))")
        if not has_scripts:
            page.locator("#what-if button.primary").click()
        expect(page.locator("#what-if-answer")).not_to_have_text(before)
        assert page.locator("#what-if-answer").inner_text().strip()


def test_the_pages_about_models_lead_from_the_list_to_the_card(deployed):
    with deployed.reader(subject="reads-cards") as reader:
        page = reader.sign_in()
        page.locator("header nav a[href='/ui/models']").click()
        page.locator("main h2 a[href='/ui/models/long_sick_leave']").click()
        expect(page.locator("main svg").nth(1)).to_be_visible()
        page.locator("a[href$='/card']").click()
        expect(page.locator("body")).to_contain_text("TRIPOD")


def test_a_leader_reads_of_groups_and_every_link_leads_to_groups(deployed):
    with deployed.reader("employer") as reader:
        page = reader.sign_in()
        seen, ahead = set(), {"/ui/companies"}
        while ahead:
            address = ahead.pop()
            seen.add(address)
            page.goto(address)
            found = page.eval_on_selector_all("a[href^='/ui/']", "all => all.map(one => one.getAttribute('href'))")
            ahead |= {one for one in found if one != "/ui/"} - seen
            for (person,) in deployed.asked("SELECT DISTINCT person_id FROM scores"):
                assert person not in page.content()
        assert {f"/ui/companies/{one}" for one in deployed.companies[:2]} <= seen
        assert not [one for one in seen if not one.startswith(("/ui/companies", "/ui/sign-in"))]
        reader.expected = {403}
        for guess in ("/ui/worklist", f"/ui/persons/{deployed.someone()}", f"/ui/companies/{deployed.companies[3]}"):
            assert page.goto(guess).status == 403
