"""The alerts on top of the worklist in a real browser: seen, acknowledged by keyboard, and gone; no rule of WCAG broken."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.deployed import DESKTOP, PHONE
from tests.browser.workspace import JUDGED, NIGHTS
from tests.lib.stores import opened
from tests.lib.teams import rule
from tests.lib.words import words_found


@pytest.fixture(scope="module")
def alerted(deployed):
    """A team of every company that is alerted to flags and news; valid for so long that the clock does not matter."""
    team = rule(companies=frozenset(deployed.companies), thresholds={JUDGED[0]: 0.001}, per_week=7, valid_days=36_500)
    with opened(f"sqlite:///{deployed.store}") as store:
        assert store.raise_alerts(NIGHTS[-1], [team])["north"] >= 4
    return deployed


@pytest.mark.parametrize(
    ("language", "viewport"), [("nb", DESKTOP), ("en", PHONE)], ids=["nb at a desk", "en on a phone"]
)
def test_alerts_are_on_top_of_the_worklist_and_go_when_they_were_seen(alerted, language, viewport):
    with alerted.reader(subject=f"alerted-{language}", language=language, viewport=viewport) as reader:
        reader.sign_in()
        page = reader.look("/ui/worklist")
        section = page.locator("section[aria-labelledby=alerts]")
        lines = section.locator("li")
        before = lines.count()
        assert before >= 3
        assert page.locator("h2").first.get_attribute("id") == "alerts"
        assert reader.violations() == []
        assert not reader.is_too_wide()
        assert words_found(section.inner_text(), language) == []
        person = lines.last.locator("a").inner_text()
        assert person in lines.last.locator("button").get_attribute("aria-label")
        lines.last.locator("button").focus()
        page.keyboard.press("Enter")
        expect(lines).to_have_count(before - 1)
        assert person not in section.locator("a").all_inner_texts()
        assert reader.violations() == []
    ((n_seen,),) = alerted.asked(
        "SELECT COUNT(*) FROM alerts WHERE person_id = ? AND acknowledged_by LIKE ?", person, f"%alerted-{language}"
    )
    assert n_seen == 1
