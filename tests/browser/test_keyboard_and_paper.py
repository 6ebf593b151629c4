"""Without a mouse, at four times the size, and on paper."""

from __future__ import annotations

import re

import pytest

from tests.browser.deployed import DESKTOP

REACHABLE = """() => [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')]
  .filter(one => one.checkVisibility({visibilityProperty: true}) && !one.disabled)
  .filter(one => one.type !== 'radio' || one.checked || !document.querySelector(`input[name="${one.name}"]:checked`))
  .filter((one, i, all) => one.type !== 'radio' || all.findIndex(other => other.name === one.name) === i)
  .length"""
FOCUSED = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  one.dataset.walked = 1;
  const style = getComputedStyle(one);
  return {outline: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0, shadow: style.boxShadow !== 'none',
          html: one.outerHTML.slice(0, 120)};
}"""
PAGES = (
    "/ui/worklist",
    "/ui/persons/{person}",
    "/ui/persons/{person}/what-if",
    "/ui/persons/{person}/decisions",
    "/ui/models",
)


@pytest.fixture(scope="module")
def reader(deployed):
    with deployed.reader(subject="reads-without-a-mouse") as found:
        found.sign_in()
        found.person = deployed.someone(3)
        found.take_into_care(found.person)
        yield found


@pytest.mark.parametrize("address", PAGES)
def test_the_tab_key_reaches_everything_and_focus_is_seen(reader, address):
    page = reader.look(address.format(person=reader.person))
    expected = page.evaluate(REACHABLE)
    unseen, first = [], None
    for _ in range(expected + 60):
        page.keyboard.press("Tab")
        found = page.evaluate(FOCUSED)
        if found is None:
            break
        first = first or found["html"]
        if not found["outline"] and not found["shadow"]:
            unseen.append(found["html"])
    assert 'class="skip"' in first
    assert unseen == []
    selector = "a[href], button, input:not([type=hidden]), select, textarea, summary"
    walked = page.evaluate(f"document.querySelectorAll(':is({selector})[data-walked]').length")
    assert walked >= expected > 5


def test_the_skip_link_leads_past_the_head_to_the_content(reader):
    page = reader.look("/ui/worklist")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("Tab")
    assert page.evaluate("document.getElementById('main').contains(document.activeElement)")


def test_a_person_fits_on_one_page_of_paper(reader):
    page = reader.look(f"/ui/persons/{reader.person}")
    paper = page.pdf(format="A4", print_background=True)
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) == 1


def test_at_four_times_the_size_nothing_scrolls_sideways(reader):
    """1280 points at 400 percent are 320."""
    try:
        reader.page.set_viewport_size({"width": 320, "height": 256})
        for address in PAGES:
            reader.look(address.format(person=reader.person))
            assert not reader.is_too_wide(), address
    finally:
        reader.page.set_viewport_size(DESKTOP)
