"""The report page says what came, what was refused and what to do, and holds nothing that runs, loads or identifies."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from data_contracts.absence_warnings import WARNINGS
from data_contracts.records import RECORDS
from data_contracts.rules import RULES
from data_contracts.violations import Violation
from pipeline.validation_report import ACCEPTED, REFUSED, WITH_QUARANTINE, grouped, html, meaning, sentence

IDENTITY_NUMBER = "01010750160"  # synthetic: valid control digits, no living person
VOID = {"meta", "rect", "link", "img", "br", "input"}
COUNTS = {"rows": 1_000_000, "accepted": 750_000, "quarantined": 250_000, "duplicates": 0}
FOUND = [
    Violation("lab.csv", 9, "value", "decimal comma", "38,5", "write 38.5, with a decimal point"),
    *(Violation("lab.csv", row, "value (Svar)", "decimal comma", "38,5", "") for row in (7, 3, 5, 4)),
    Violation("<script>alert(1)</script>.csv", 2, "person_id", "pattern", "Kari Nordmann", ""),
]


def report(**changes) -> dict:
    expectation = {
        "rule": "codes",
        "column": "sex",
        "type": "t",
        "success": True,
        "evaluated": True,
        "unexpected_count": 0,
    }
    found = {
        "verdict": WITH_QUARANTINE,
        "problems": [],
        "location": "delivery",
        "received_on": "2026-03-01",
        "synthetic": False,
        "notes": ["mapping.yaml was used"],
        "assumptions": {},
        "worked_out": {},
        "tables": {
            "lab_results": COUNTS | {"notes": ["read as Latin-1"], "sha256": None, "contract": "abcdef0123456789"}
        },
        "rules": grouped(FOUND),
        "warnings": [],
        "safety_flags": 0,
        "absence": None,
        "expectations": {"lab_results": {"success": True, "expectations": [expectation]}},
    } | changes
    return found | {"summary": sentence(found)}


class Outline(HTMLParser):
    """Tags in order, refusing a tag that is closed out of turn."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.headings: list[int] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(page)
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_findings_are_counted_by_place_and_rule_with_the_first_rows_and_without_the_cell():
    assert grouped(FOUND)[0] == {
        "table": "lab.csv", "column": "value (Svar)", "rule": "decimal comma", "count": 4, "first_rows": [3, 4, 5],
    }  # fmt: skip
    assert [group["count"] for group in grouped(FOUND)] == [4, 1, 1]
    assert "38" not in repr(grouped(FOUND))
    assert "Kari" not in repr(grouped(FOUND))


def test_a_column_named_by_an_identity_number_is_not_repeated():
    # Where the header line is missing, the first row of data is taken for the names of the columns.
    (group,) = grouped([Violation("x.csv", 2, IDENTITY_NUMBER, "unknown field", None, "")])
    assert IDENTITY_NUMBER not in repr(group)


def test_the_page_shows_each_rule_with_its_meaning_its_advice_and_its_places():
    text = Outline(html(report())).text
    for rule, count in (("decimal comma", 5), ("pattern", 1)):
        assert f"{rule}: {count}" in text
        assert RULES[rule].meaning in text
        assert RULES[rule].advice in text
    assert "3, 4, 5, …" in text
    assert "1\u202f000\u202f000" in text
    assert "read as Latin-1" in text
    assert "mapping.yaml was used" in text
    assert "abcdef012345" in text
    assert "2026-03-01" in text


def test_no_cell_and_no_markup_of_the_sender_reaches_the_page():
    page = html(report())
    assert "38,5" not in page
    assert "Kari" not in page
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_the_page_stands_alone():
    page = html(report())
    outline = Outline(page)
    assert not {"script", "link", "img", "iframe", "object", "form"} & {tag for tag, _ in outline.tags}
    assert "http://" not in page
    assert "https://" not in page
    assert "url(" not in page
    # Nothing may load, and of styles only the one in the page, which an attribute could not be.
    assert not any({"style", "src", "href"} & set(attrs) or any(name.startswith("on") for name in attrs)
                   for _, attrs in outline.tags)  # fmt: skip
    style = re.search("<style>(.*)</style>", page, re.DOTALL)[1]
    allowed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{allowed}'" in page


def test_the_page_can_be_read_by_a_screen_reader():
    outline = Outline(html(report(synthetic=True, safety_flags=2, warnings=grouped(FOUND))))
    tags = [tag for tag, _ in outline.tags]
    assert tags.count("table") == tags.count("caption") == tags.count("thead")
    assert all("scope" in attrs for tag, attrs in outline.tags if tag == "th")
    assert all("aria-label" in attrs for tag, attrs in outline.tags if tag == "svg")
    assert dict(outline.tags)["html"] == {"lang": "en"}
    assert outline.headings[0] == 1
    assert all(next_ <= this + 1 for this, next_ in zip(outline.headings, outline.headings[1:], strict=False))
    assert outline.headings.count(1) == 1


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_text_stands_out_from_its_ground_in_light_and_in_dark():
    # WCAG 2.2, 1.4.3: 4.5 to 1 for text; 1.4.11: 3 to 1 for the bar beside its remainder.
    style = re.search("<style>(.*)</style>", html(report()), re.DOTALL)[1]
    schemes = [dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block)) for block in re.findall(r":root \{([^}]*)\}", style)]
    assert len(schemes) == 2
    for colours in schemes:
        pairs = [
            (ink, ground, 4.5) for ink in ("ink", "quiet", "good", "part", "bad") for ground in ("ground", "panel")
        ]
        for one, other, least in [*pairs, ("bar", "rest", 3.0)]:
            light, dark = sorted((luminance(colours[one]), luminance(colours[other])), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= least, (one, other)


@pytest.mark.parametrize("verdict", [ACCEPTED, WITH_QUARANTINE, REFUSED])
def test_the_verdict_is_said_in_words_and_with_what_follows(verdict):
    text = Outline(html(report(verdict=verdict, problems=["too much"] if verdict == REFUSED else []))).text
    assert verdict.capitalize() in text
    assert ("Why it was refused" in text) == (verdict == REFUSED)


def test_synthetic_data_assumptions_safety_and_failed_expectations_are_shown():
    assert "SYNTHETIC" not in html(report())
    assert "SYNTHETIC" in html(report(synthetic=True))
    assert "first_day + 4 days" in html(report(assumptions={"absence_spells": "first_day + 4 days"}))
    assert "nothing was assumed" in html(report())
    assert "2 safety flags" in html(report(safety_flags=2))
    failed = {"rule": "codes", "column": "sex", "type": "t", "success": False, "evaluated": True, "unexpected_count": 7}
    page = html(report(expectations={"lab_results": {"success": False, "expectations": [failed]}}))
    assert "codes in <code>sex</code> (7 rows)" in page


def test_the_absence_of_the_last_year_is_told_where_there_are_enough_persons():
    assert "Sickness absence" not in Outline(html(report())).text
    year = {"first_day": "2025-01-01", "last_day": "2025-12-31", "percent": 6.4, "percent_doctor_certified": 5.3}
    assert "6.4 % of agreed man-days, 5.3 % doctor-certified" in Outline(html(report(absence=year))).text


def test_a_source_that_cannot_be_used_at_all_has_a_page_too():
    found = report(verdict=REFUSED, tables={}, rules=[], expectations={}, problems=["persons.csv is empty"])
    assert "persons.csv is empty" in Outline(html(found)).text
    assert "cannot be used as a whole" in found["summary"]


def test_every_rule_and_warning_has_a_meaning_and_every_rule_an_advice_in_a_plain_sentence():
    declared = {rule.rule for record in RECORDS for rule in record.rules}
    assert declared <= set(RULES)
    for rule in RULES.values():
        assert all(text.endswith(".") and text[0].isupper() for text in (rule.meaning, rule.advice))
    assert all(meaning(rule) for rule in [*RULES, *WARNINGS])
