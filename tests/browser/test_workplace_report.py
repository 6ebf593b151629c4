"""The printed workplace report in a real browser: no rule of accessibility broken, nothing too wide, nothing fetched."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from pipeline.workplace_report import LANGUAGES, rendered
from serving.company_report import written
from tests.browser.deployed import DESKTOP, PHONE, RULES
from tests.lib.workplace_reports import everything, report

REPORTS = {"everything": everything(), "nothing": report()}


@pytest.fixture(params=[(name, language) for name in REPORTS for language in LANGUAGES], ids=" in ".join)
def opened(request, browser, tmp_path):
    """The file of a report, opened without any network; what the browser complains of fails the test."""
    name, language = request.param
    ((file, content),) = rendered(written(REPORTS[name]), (language,), ("html",), synthetic=True).items()
    (tmp_path / file).write_bytes(content)
    context = browser.new_context(offline=True, viewport=DESKTOP)
    page, wrong = context.new_page(), []
    page.on("console", lambda said: wrong.append(said.text))
    page.on("request", lambda asked: wrong.append(asked.url) if not asked.url.startswith("file:") else None)
    page.goto(f"file://{tmp_path / file}")
    yield page
    context.close()
    assert wrong == []


def test_no_rule_of_accessibility_is_broken(opened):
    assert Axe().run(opened, options=RULES).response["violations"] == []


def test_nothing_scrolls_sideways(opened):
    for size in (DESKTOP, PHONE):
        opened.set_viewport_size(size)
        assert opened.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_the_style_is_in_force_and_bars_are_as_long_as_they_say(opened):
    assert opened.evaluate("getComputedStyle(document.body).margin") == "0px"
    for bar in opened.locator("svg.bar:visible").all()[:5]:
        parts = bar.locator("rect").all()
        widths = [one.bounding_box()["width"] for one in parts]
        told = [int(one.get_attribute("width")) for one in parts]
        assert [round(100 * one / sum(widths)) for one in widths] == [round(100 * one / sum(told)) for one in told]
