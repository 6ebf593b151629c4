"""Signing in and out, the choice of language, and what a browser keeps of both."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

HOMES = {"clinician": "/ui/worklist", "employer": "/ui/companies"}
LANGUAGES = {"nb": ("Logg inn", "English", "Logg ut"), "en": ("Sign in", "Norsk", "Sign out")}


@pytest.mark.parametrize("role", HOMES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_who_signs_in_comes_to_her_pages_and_who_signs_out_to_none(deployed, role, language):
    heading, _, sign_out = LANGUAGES[language]
    with deployed.reader(role, language=language) as reader:
        page = reader.look("/ui/")
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        assert reader.violations() == []
        reader.sign_in()
        assert page.url == deployed.service.url + HOMES[role]
        page.get_by_role("button", name=sign_out).click()
        expect(page).to_have_url(f"{deployed.service.url}/ui/sign-in?reason=signed_out")
        page.go_back()
        page.goto(HOMES[role])
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)


def test_the_switch_of_language_stays_on_the_page_and_holds(deployed):
    with deployed.reader() as reader:
        page = reader.look("/ui/sign-in")
        page.get_by_role("button", name="English").click()
        expect(page.locator("html")).to_have_attribute("lang", "en")
        expect(page).to_have_url(f"{deployed.service.url}/ui/sign-in")
        page.reload()
        page.get_by_role("button", name="Norsk").click()
        expect(page.locator("html")).to_have_attribute("lang", "nb")


def test_the_cookie_is_out_of_reach_of_scripts_and_ends_with_the_token(deployed):
    with deployed.reader() as reader:
        page = reader.sign_in()
        (kept,) = [one for one in reader.context.cookies() if one["name"] == "balance_risk_token"]
        assert (kept["httpOnly"], kept["sameSite"], kept["path"]) == (True, "Lax", "/ui")
        assert 0 < kept["expires"] - page.evaluate("Date.now() / 1000") <= 600
        assert page.evaluate("document.cookie") == ""


def test_a_token_that_is_none_is_refused_on_the_page_itself(deployed):
    with deployed.reader() as reader:
        reader.expected = {401}
        page = reader.look("/ui/sign-in")
        page.locator("#token").fill("not-a-token")
        page.locator("main button.primary").click()
        expect(page.get_by_role("status")).to_be_visible()
        assert reader.violations() == []
