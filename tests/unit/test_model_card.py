"""The model card as a page: numbers of the report, suppressed counts, sound HTML, and what stands at the top."""

import hashlib
import re
from html.parser import HTMLParser

import pytest

from models.model_card.card import model_card, together, write_card
from models.model_card.facts import CardFacts
from models.model_card.numbers import cell, count, veiled
from tests.lib.card_facts import champion, report, whole

CARD = model_card(whole())
BOTH = pytest.mark.parametrize("page", ["html", "markdown"])


class Page(HTMLParser):
    """What a reader, a screen reader and a browser without network meet."""

    EMPTY = ("meta", "img", "path", "rect", "br")

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.headings, self.ids, self.links, self.faults = [], [], [], [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags.append((tag, found))
        self.headings += [int(tag[1])] if re.fullmatch(r"h[1-6]", tag) else []
        self.ids += [found["id"]] if "id" in found else []
        self.links += [found["href"].removeprefix("#")] if "href" in found else []
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in self.EMPTY:
            return
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)


@BOTH
def test_numbers_of_the_card_are_those_of_the_report(page):
    text = re.sub("</?span[^>]*>", "", getattr(CARD, page))
    for name, found in report()["models"].items():
        for number in found.values():
            assert f"{number['value']:.3f} ({number['low']:.3f} to {number['high']:.3f})" in text, name
    for counted in ("903", "570", "254", "1849", "1663", "9105", "24299", "19265"):
        assert count(int(counted)) in text
    assert "0.610 to 0.770" in text  # the prediction interval for a new company
    assert "71 (95 % interval 65–78)" in text


@BOTH
@pytest.mark.parametrize("few", [1, 9])
def test_no_count_of_one_to_nine_is_printed(page, few):
    test = report()["test"] | {
        "events": few,
        "persons_with_event": few,
        "persons": few,
        "left_out_of_split": {"embargo": few, "another person": few},
    }
    groups = {"attributes": [{"label_en": "Sex", "groups": [{"label_en": "Woman", "persons": few, "events": few,
                                                                  "persons_with_event": few}]}]}  # fmt: skip
    facts = whole(
        champion=champion() | {"events": few, "flow": champion()["flow"] | {"event": few}},
        report=report()
        | {"test": test, "subgroups": groups, "competing_exits": {"left": few}}
        | {
            "notes": [f"Only {few} events in the test rows."],
            "horizons": {"30": {"reason": f"{few} events before this day"}},
        },
        not_enough_data=f"{few} persons with {few} non-events",
    )
    text = getattr(model_card(facts), page)
    told = rf"\b{few} (?:events|non-events|persons|hendelser|personer|other persons|andre personer)\b"
    assert not re.search(told, text)
    assert not re.search(
        rf">{few}</td>|\| {few} \|", re.sub(r"<tr><th scope=.row.>refits.*", "", text).split("How it was chosen")[0]
    )
    assert "17.4 %" not in text  # the share of events would tell how many there are
    assert "not shown, it would tell a suppressed count" in text


def test_counts_are_suppressed_and_other_whole_numbers_are_not():
    assert [count(value) for value in (0, 1, 9, 10, 1234)] == ["0", "<10", "<10", "10", "1\N{NARROW NO-BREAK SPACE}234"]
    assert cell("persons", 3) == cell("events", 3.0) == "<10"
    assert cell("n_features", 3) == cell("missing_persons", 3) == cell("clusters", 3) == "3"
    assert cell("auroc", {"value": None, "low": None, "high": None, "reason": "too few"}) == "– too few"
    assert cell("auroc", float("nan")) == cell("auroc", None) == "–"


def test_counts_in_sentences_are_suppressed_and_thresholds_are_not():
    assert veiled({"a": ["3 events in 40 rows", "1 person"]}) == {"a": ["<10 events in 40 rows", "<10 person"]}
    for kept in (
        "fewer than 9 persons",
        "at least 5 events",
        "0.5 events",
        "15 events",
        "from 5-9 persons",
        "9 more persons",
    ):
        assert veiled(kept) == kept


def test_labels_and_study_texts_are_never_markup():
    evil = '<script>alert(1)</script> | x\n# heading {{ champion }} "quoted"'
    facts = whole(
        champion=champion() | {"label": {"en": evil, "nb": evil}, "flow": {evil: 20, "event": 30}},
        study={"funding": evil}, report=report() | {"notes": [evil]},
    )  # fmt: skip
    card = model_card(facts)
    assert "<script" not in card.html
    assert "&lt;script&gt;" in card.html
    assert "<script" not in card.markdown.replace(r"\<script", "")
    assert "\n# heading" not in card.markdown
    assert "{{ champion }}" in card.html  # a fact is a value and no sentence of ours
    rows = [line for line in card.markdown.splitlines() if line.startswith("| 18a |")]
    assert len(re.findall(r"(?<!\\)\|", rows[0])) == 4


def test_equal_facts_give_equal_bytes_and_no_clock_is_read(tmp_path):
    for place in ("a", "b"):
        write_card(tmp_path / place, whole())
    for name in ("model_card.html", "model_card.md"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert "written on" not in CARD.html
    assert "written on 2026-11-22" in model_card(whole(written_on="2026-11-22")).html


def test_the_page_is_sound_html_that_needs_nothing_else():
    page = Page(CARD.html)
    assert page.faults == page.open == []
    assert page.tags[0] == ("html", {"lang": "en"})
    assert [found["lang"] for tag, found in page.tags if tag == "section"] == ["nb", "en"]
    assert page.headings[0] == 1
    assert page.headings.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(page.headings, page.headings[1:], strict=False))
    assert len(page.ids) == len(set(page.ids))
    assert set(page.links) <= set(page.ids)
    pictures = [found for tag, found in page.tags if tag == "img"]
    assert len(pictures) == 4
    assert all(found["src"].startswith("data:image/png;base64,") and found["alt"] for found in pictures)
    assert not {"script", "link", "iframe"} & {tag for tag, _ in page.tags}
    assert not any("style" in found or any(name.startswith("on") for name in found) for _, found in page.tags)
    assert "http" not in re.sub(r'"Content-Security-Policy"|http-equiv', "", CARD.html)
    style = re.search(r"<style>(.*?)</style>", CARD.html, re.DOTALL).group(1)
    assert hashlib.sha256(style.encode()).digest().hex() == __import__("base64").b64decode(
        re.search(r"sha256-([^']+)'", CARD.html).group(1)
    ).hex()  # fmt: skip


@BOTH
def test_synthetic_data_are_called_so_before_anything_else(page):
    assert 0 < getattr(CARD, page).find("SYNTHETIC") < getattr(CARD, page).find("What it predicts")
    real = getattr(
        model_card(whole(champion=champion() | {"synthetic": False}, report=report() | {"synthetic": False})), page
    )
    assert "SYNTHETIC" not in real
    assert "SYNTETISK" not in real
    unknown = {name: value for name, value in champion().items() if name != "synthetic"}
    told = getattr(model_card(whole(champion=unknown, report={})), page)
    assert "Whether these data are synthetic is not among the facts" in told


@BOTH
def test_too_few_data_stand_at_the_top(page):
    lack = champion()["sample_size"] | {"enough": False, "missing_persons": 412}
    facts = whole(champion=champion() | {"small_data": {"chosen": "roelen_line", "levels": []}, "sample_size": lack})
    text = getattr(model_card(facts), page)
    assert "Not enough data for a model of its own" in text
    assert "412 more persons needed" in text
    assert text.find("412 more persons needed") < text.find("What it predicts")
    assert "412 more persons" not in getattr(CARD, page)


def test_a_fallback_is_told_by_the_candidate_that_needs_fewest():
    own = {"enough": False, "persons": 90, "parameters": 2}
    verdicts = {"short": own | {"required_persons": 700, "missing_persons": 610},
                "prior_absence": own | {"required_persons": 300, "missing_persons": 210}}  # fmt: skip
    facts = whole(champion=champion() | {"name": "roelen_line", "small_data": {"chosen": "x"}, "sample_size": verdicts})
    assert "210 more persons needed" in model_card(facts).html


@BOTH
def test_a_card_is_written_where_nothing_could_be_trained(page):
    text = getattr(
        model_card(CardFacts(outcome="burnout", not_enough_data="not enough data for burnout; 88 more persons needed")),
        page,
    )
    assert "88 more persons needed" in text
    assert "There is no model yet, and so there are no numbers." in text
    assert "Fact missing" not in text
    assert "burnout within" not in text


def test_an_interval_stays_on_one_line_of_a_narrow_column():
    assert together("0.7 (0.64 to -0.78)") == '0.7 <span class="together">(0.64 to -0.78)</span>'
    assert together("0.61 to 0.77") == '<span class="together">0.61 to 0.77</span>'
    assert together("up to 3 <b>persons</b>") == "up to 3 &lt;b&gt;persons&lt;/b&gt;"
    assert '<span class="together">(0.651 to 0.784)</span>' in CARD.html
