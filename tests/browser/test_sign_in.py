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
        expect(page).to_have_url(deployed.service.url + HOMES[role])
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
        (kept,) = [one for one in reader.context.cookies() if one["name"] == "__Secure-balance_risk_token"]
        assert (kept["httpOnly"], kept["sameSite"], kept["path"]) == (True, "Lax", "/ui")
        assert 0 < kept["expires"] - page.evaluate("Date.now() / 1000") <= 600
        assert page.evaluate("document.cookie") == ""


def test_when_the_session_has_ended_the_page_hides_and_comes_back_for_the_same_reader_only(deployed):
    with deployed.reader() as reader:
        reader.page.clock.install()
        page = reader.sign_in()
        page.locator("input[name=capacity]").fill("7")
        session = reader.context.cookies()
        reader.context.clear_cookies()
        page.clock.fast_forward(610_000)
        expect(page.locator("main")).to_be_hidden()
        expect(page.locator("[data-when=over]")).to_be_visible()
        reader.context.add_cookies(session)
        page.evaluate("window.dispatchEvent(new Event('focus'))")
        expect(page.locator("main")).to_be_visible()
        expect(page.locator("[data-when=over]")).to_be_hidden()
        expect(page.locator("input[name=capacity]")).to_have_value("7")
        reader.context.clear_cookies()
        page.clock.fast_forward(610_000)
        expect(page.locator("main")).to_be_hidden()
        another = deployed.service.issuer.token("clinician", organisations=deployed.companies, sub="another")
        (kept,) = [one for one in session if one["name"].endswith("balance_risk_token")]
        reader.context.add_cookies([kept | {"value": another}])
        page.evaluate("window.dispatchEvent(new Event('focus'))")
        expect(page.locator(".sign-out")).to_contain_text("another")
        expect(page.locator("input[name=capacity]")).not_to_have_value("7")


def test_a_token_that_is_none_is_refused_on_the_page_itself(deployed):
    with deployed.reader() as reader:
        reader.expected = {401}
        page = reader.look("/ui/sign-in")
        page.locator("#token").fill("not-a-token")
        page.locator("main button.primary").click()
        expect(page.get_by_role("status")).to_be_visible()
        assert reader.violations() == []


def test_what_goes_wrong_at_a_browser_is_noticed(deployed):
    """Or the tests of all other pages would say nothing."""
    planted = '<p style="color: red">a</p><img src="https://elsewhere.example/a.png"><input><p class="wide">b</p>'
    with deployed.reader() as reader:
        page = reader.look("/ui/sign-in")
        assert (reader.wrong, reader.violations(), reader.is_too_wide()) == ([], [], False)
        page.evaluate("html => document.querySelector('main').insertAdjacentHTML('beforeend', html)", planted)
        page.evaluate("document.querySelector('.wide').style.minWidth = '5000px'")
        for _ in range(100):
            if sum("Content Security Policy" in one for one in reader.wrong) < 2:
                page.wait_for_timeout(100)
        assert sum("Content Security Policy" in one for one in reader.wrong) >= 2
        assert {"image-alt", "label"} <= {one.split(": ")[1] for one in reader.violations()}
        assert reader.is_too_wide()
        page.goto("/ui/nothing-here")
        assert any(one.startswith("404 ") for one in reader.wrong)
        reader.wrong.clear()
