import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml

from data_contracts.errors import ContractViolation, SettingsError
from models import artifact
from models.model_card.card import model_card, together, write_card
from models.model_card.checklists import answered, declared
from models.model_card.facts import CardFacts, champion_facts, context_of, settings
from models.model_card.flow import Flow
from models.model_card.numbers import cell, count, veiled
from models.model_card.risk_of_bias import assessed
from models.model_card.sentences import holds, say
from models.model_card.shapes import shaped
from models.model_card.study import Study, read_study
from models.model_card.tables import tables_of
from pipeline import model_card as stage
from pipeline.workspace import Workspace
from tests.lib.card_facts import PIXEL, champion, interval, report, whole
from tests.lib.models import linear_model

CARD = model_card(whole())
BOTH = pytest.mark.parametrize("page", ["html", "markdown"])

SUB_ITEMS = {
    3: "abc",
    5: "ab",
    6: "abc",
    8: "abc",
    9: "abc",
    12: "abcdefg",
    18: "abcdef",
    20: "abc",
    23: "ab",
    27: "abc",
}
TRIPOD = [f"{item}{letter}" for item in range(1, 28) for letter in SUB_ITEMS.get(item, [""])]


def items(name, facts):
    return {item.number: item for item in answered(name, context_of(facts))}


def questions(facts):
    return {(one.part, one.number): one for domain in assessed(context_of(facts)) for one in domain.questions}


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


def test_every_item_of_tripod_ai_is_asked_once_in_its_order():
    numbers = [item["number"] for item in declared("tripod_ai")]
    assert numbers == TRIPOD
    assert len(numbers) == 52
    assert len({int(re.match(r"\d+", number).group()) for number in numbers}) == 27
    shown = re.findall(r'<th scope="row">(\d+[a-g]?)</th><td>[^<]*\((?:D|E|D;E)\):', CARD.html)
    assert shown == TRIPOD


def test_every_question_of_probast_ai_is_asked_once():
    found = list(questions(whole()))
    by_domain = {"development": (3, 4, 4, 5), "evaluation": (3, 4, 4, 7)}
    assert found == [
        (part, f"{domain}.{place}")
        for part, sizes in by_domain.items()
        for domain, size in enumerate(sizes, start=1)
        for place in range(1, size + 1)
    ]


def test_the_nine_points_of_annex_iv_are_there():
    assert [item["number"] for item in declared("annex_iv")] == list("123456789")


def test_every_rule_of_probast_ai_gives_an_answer_of_the_tool():
    declaration = declared("probast_ai")
    rules = [
        rule for part in ("shared", "development", "evaluation") for one in declaration[part] for rule in one["rules"]
    ]
    assert {rule["answer"] for rule in rules} <= {"yes", "probably yes", "probably no", "no", "not applicable"}
    for rule in rules:
        holds(rule["when"], {"study": {}})  # parses


def test_simulated_data_are_never_of_low_concern():
    assert questions(whole())["development", "1.1"].answer == "no"
    real = whole(champion=champion() | {"synthetic": False}, study={"data_sources": "Registers of firm X."})
    assert questions(real)["development", "1.1"].answer == "probably yes"
    assert questions(whole(champion=champion() | {"synthetic": False}))["development", "1.1"].answer == "no information"


def test_rules_follow_the_facts():
    few = whole(report=report() | {"test": report()["test"] | {"persons_with_event": 95}})
    assert questions(whole())["evaluation", "4.2"].answer == "probably yes"
    assert questions(whole())["evaluation", "4.2"].because.startswith("570 event rows of 254 persons")
    assert "too few events" in model_card(few).html
    assert "too few events" not in CARD.html
    assert questions(few)["evaluation", "4.2"].answer == "no"
    alarmed = whole(report=report() | {"leakage": {"alarms": ["AUROC 0.93"], "checks": []}})
    assert questions(whole())["evaluation", "4.5"].answer == "yes"
    assert questions(alarmed)["evaluation", "4.5"].answer == "no"
    assert questions(alarmed)["development", "2.4"].answer == "no"
    small = champion()["sample_size"] | {"enough": False, "missing_persons": 312}
    assert questions(whole(champion=champion() | {"sample_size": small}))["development", "4.1"].answer == "no"
    burnout = whole(outcome="burnout")
    assert questions(burnout)["development", "3.2"].answer == "probably no"


def test_without_a_model_nothing_is_known_of_either_part():
    found = questions(CardFacts(outcome="burnout", not_enough_data="Not enough data."))
    assert {one.answer for one in found.values()} == {"no information"}


@pytest.mark.parametrize(
    "key", sorted(report().keys() - {"outcome", "champion", "synthetic", "methods", "notes", "models", "test"})
)
def test_a_part_that_is_not_there_is_shown_as_missing_with_what_would_provide_it(key):
    facts = whole(report={name: part for name, part in report().items() if name != key})
    card = model_card(facts)
    for page, mark in ((card.html, '<span class="missing">Missing.</span> It would be provided by: balance-risk'),
                       (card.markdown, "**Missing.** It would be provided by: balance-risk")):  # fmt: skip
        assert page.count(mark) == 1
    assert CARD.html.count('class="missing">Missing.') == 0 == CARD.markdown.count("**Missing.**")


@BOTH
def test_no_report_at_all_leaves_no_number_of_performance(page):
    text = getattr(model_card(whole(report={}, pictures={})), page)
    assert "ranked somebody" not in text
    assert text.count("balance-risk evaluate") > 10
    assert "(Opplysning mangler:" in text or "Opplysning mangler" in text


def test_the_study_team_completes_what_only_it_knows():
    asked = [item for name in ("tripod_ai", "annex_iv") for item in declared(name) if "study" in item]
    assert {item["study"] for item in asked} | {"representativeness"} == set(Study.model_fields)
    before, after = items("tripod_ai", whole()), items("tripod_ai", whole(study={"funding": "A foundation."}))
    assert before["18a"].status == "missing"
    assert "study team" in before["18a"].missing
    assert (after["18a"].status, after["18a"].said) == ("answered", ("A foundation.",))


def test_an_item_whose_facts_are_half_there_is_partly_answered():
    item = items("tripod_ai", whole(report={name: part for name, part in report().items() if name != "subgroups"}))[
        "23a"
    ]
    assert item.status == "partly"
    assert "0.712" in item.said[0]


def test_a_part_that_only_says_why_it_could_not_be_had_answers_no_item():
    none = {"persons": 9, "by_company": {"reason": "one company"}, "by_industry": {"reason": "one industry"}}
    facts = whole(report=report() | {"internal_external": none})
    assert items("tripod_ai", facts)["12d"].status == "missing"
    assert "one company" in model_card(facts).html


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


def test_settings_are_words():
    comparison = {"candidates": [{"chosen": True, "settings": {"seed": 17, "size": {"num_leaves": 15}}}]}
    assert settings({"comparison": comparison}) == "seed 17, size (num leaves 15)"
    assert settings({}) is None


def test_the_flow_is_in_the_order_of_the_checks():
    flow = Flow.of(champion()["flow"], "left employment")
    assert [name for name, _ in flow.left_out] == ["not employed", "age outside 18-70 or unknown", "left employment"]
    assert [name for name, _ in flow.outcomes] == ["no event", "event"]
    assert flow.total.startswith("not shown")
    late = Flow.of({"event": 20, "label not mature": 30, "left employment": 40, "washout": 50}, "left employment")
    assert [name for name, _ in late.left_out] == ["washout", "label not mature", "left employment"]
    assert Flow.of({"not employed": 20, "event": 30, "no event": 50}, "").total == "100"


def test_a_sentence_is_said_whole_or_not_at_all():
    assert say("{{ a.b | number }} and {{ c }}", {"a": {"b": 0.5}, "c": "x"}) == "0.500 and x"
    for context in (
        {"a": {}, "c": "x"},
        {"a": {"b": None}, "c": "x"},
        {"a": {"b": float("nan")}, "c": "x"},
        {"a": {"b": 1.0}},
    ):
        assert say("{{ a.b | number }} and {{ c }}", context) is None
    assert say("said of {{ c }}", {"c": None}) is None


def test_any_shape_of_a_report_becomes_tables():
    (rows,) = tables_of({"first": {"n": 3, "auroc": interval(0.7)}, "second": {"n": 30}}, "x")
    assert rows.columns == ("", "n", "AUROC")
    assert rows.rows == (("first", "<10", "0.700 (0.639 to 0.772)"), ("second", "30", "–"))
    single, nested = tables_of({"p": 0.25, "deep": {"a": {"persons": 4}}})
    assert single.rows == (("p", "0.250"),)
    assert (nested.caption, nested.rows) == ("deep", (("a", "<10"),))
    (long,) = tables_of([{"a": place} for place in range(50)])
    assert (len(long.rows), long.rest) == (40, 10)


def test_shapes_of_the_report_are_brought_into_rows_for_a_reader():
    verdict = {
        "outcome": "x", "enough": False, "parameters": 5, "required_persons": 700, "persons": 90, "missing_persons": 610,
        "criterion": "shrinkage", "anticipated": {"c_statistic": 0.72, "source": "published"}, "criteria": {},
    }  # fmt: skip
    for given in (verdict, {"short": verdict}):
        (row,) = shaped("champion.sample_size", given, "")
        assert (row["missing_persons"], row["anticipated"], row["anticipated_because"]) == (610, 0.72, "published")
    found = {
        "additivity": {"largest_gap": 3e-14},
        "importance": {},
        "directions": {"surprises": [{"text": {"en": "Sleep."}}]},
    }
    assert shaped("report.explanation", found, "") == {
        "additivity": {"largest_gap": 3e-14}, "surprising_directions": ["Sleep."]
    }  # fmt: skip
    (days,) = tables_of({"180": {"events": 30}, "30": {"events": 20}})
    assert [row[0] for row in days.rows] == ["30", "180"]
    assert cell("largest_gap", 3e-14) == "3.0e-14"
    assert cell("effective_sample_size", 287677.77) == count(287678)
    unknown = {"reason": "too few"}
    assert shaped("report.subgroups", unknown, "") == shaped("champion.sample_size", unknown, "") == unknown


def test_models_are_columns_the_champion_first_and_the_leading_numbers_on_top():
    numbers = {"emax": interval(0.1), "auroc": interval(0.7), "n": 3}
    (table,) = tables_of(
        shaped("report.models", {"prior_absence": {"auroc": interval(0.6)}, "short": numbers}, "short")
    )
    assert table.columns == ("", "short (champion)", "prior absence")
    assert [row[0] for row in table.rows] == ["AUROC", "Emax", "n"]
    assert table.rows[0][1:] == ("0.700 (0.639 to 0.772)", "0.600 (0.539 to 0.672)")
    assert table.rows[2][1:] == ("<10", "–")


def test_findings_are_told_in_words_and_sources_are_rows():
    (row,) = shaped("report.harm", [{"group": "health_and_social", "finding": "risks_too_low", "p": 0.001}], "")
    assert row == {"group": "health and social", "finding": "risks too low", "p": 0.001}
    sources = {"labs": {"features": 5, "available": 5, "gain": {"auroc": interval(0.1)}},
               "survey": {"features": 0, "available": 7, "gain": None, "reason": "None is used."}}  # fmt: skip
    (single, table) = tables_of(shaped("report.ablation", {"model": "lightgbm", "sources": sources}, ""))
    assert single.rows == (("model", "lightgbm"),)
    assert table.columns == ("source", "features", "available", "AUROC", "not shown because")
    assert table.rows[0][:3] == ("labs", "5", "5")
    assert table.rows[1] == ("survey", "0", "7", "–", "None is used.")


def test_what_chance_reaches_is_a_range_and_domains_are_told_by_their_label():
    domain = {"name": "sleep", "label_en": "Sleep", "label_nb": "Søvn", "auroc": interval(0.1)}
    given = {"test": {"auroc": 0.7, "chance": [0.55, 0.57]}, "domains": {"rows": 100, "domains": [domain]}}
    (labels, domains) = tables_of(shaped("report.permutation", given, ""))
    assert labels.rows == (("AUROC", "0.700"), ("chance", "0.550 to 0.570"))
    assert domains.columns == ("label", "AUROC")
    few = {"test": {"reason": "too few"}, "domains": {"domains": []}}
    assert shaped("report.permutation", few, "")["labels"] == {"reason": "too few"}


def test_columns_with_nothing_in_them_and_labels_of_the_other_language_are_left_out():
    (table,) = tables_of([{"label_en": "Sleep", "label_nb": "Søvn", "not_shown_because": ""}])
    assert (table.columns, table.rows) == (("label",), (("Sleep",),))


@pytest.mark.parametrize(("text", "says"), [
    ("founding: x", "Extra inputs"), ("funding: [", "not valid YAML"), ("funding: 3", "valid string"), ("- funding", "file"),
    ("funding: number 13097248022", "identity number"),
])  # fmt: skip
def test_a_wrong_study_file_is_refused_by_name(tmp_path, text, says):
    path = tmp_path / "study.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=says):
        read_study(path)


def test_a_study_file_is_optional_and_its_empty_lines_are_missing(tmp_path):
    assert read_study(tmp_path / "study.yaml") == {}
    (tmp_path / "study.yaml").write_text("funding: ' A foundation. '\nprotocol: ''\n")
    assert read_study(tmp_path / "study.yaml") == {"funding": "A foundation."}


@pytest.fixture
def workspace(tmp_path):
    workspace = Workspace(tmp_path)
    artifact.save(linear_model(), workspace.model("long_sick_leave") / "champion")
    evaluation = workspace.evaluation("long_sick_leave")
    evaluation.mkdir(parents=True)
    (evaluation / "metrics.json").write_text(json.dumps(report() | {"champion_sha256": "b"}))
    (evaluation / "calibration.png").write_bytes(PIXEL)
    (tmp_path / "data" / "study.yaml").write_text("funding: A foundation.")
    return workspace


def test_facts_are_gathered_from_the_workspace(workspace):
    facts = stage.gather(workspace, "long_sick_leave", {"champion_sha256": "b"}, {"version": "4"})
    assert facts.champion == champion_facts(linear_model())
    assert (facts.study, facts.registration["version"]) == ({"funding": "A foundation."}, "4")
    assert list(facts.pictures) == ["calibration"]
    assert facts.definition.startswith("A new episode")
    path = stage.write(workspace, "long_sick_leave", {"champion_sha256": "b"})
    assert "A foundation." in (path / "model_card.html").read_text(encoding="utf-8")


def test_a_report_of_another_champion_is_refused(workspace):
    with pytest.raises(ContractViolation, match="another champion"):
        stage.gather(workspace, "long_sick_leave", {"champion_sha256": "c"})


def test_where_training_was_refused_no_older_model_is_shown(workspace):
    facts = stage.gather(workspace, "long_sick_leave", {}, not_enough_data="not enough data")
    assert (facts.champion, facts.report, facts.pictures) == ({}, {}, {})


@pytest.mark.parametrize(
    ("stamp", "is_known", "is_synthetic"),
    [
        ('{"synthetic": true}', True, True),
        ('{"synthetic": false}', True, False),
        ("{}", False, False),
        (None, False, False),
    ],
)
def test_where_nothing_could_be_trained_the_tables_say_whether_persons_are_simulated(
    workspace, stamp, is_known, is_synthetic
):
    if stamp is not None:
        workspace.tables.mkdir(parents=True)
        (workspace.tables / "ingest.json").write_text(stamp)
    path = stage.write(workspace, "burnout", {}, not_enough_data="not enough data for burnout; 88 more persons needed")
    for name in ("model_card.html", "model_card.md"):
        text = (path / name).read_text(encoding="utf-8")
        assert ("Whether these data are synthetic is not among the facts" in text) is not is_known
        assert ("SYNTHETIC" in text) is is_synthetic


def test_what_a_model_says_of_its_own_rows_goes_before_what_the_tables_say_now():
    assert context_of(CardFacts(outcome="burnout", champion={"synthetic": True}, synthetic=False))["synthetic"]
    assert not context_of(CardFacts(outcome="burnout", champion={"synthetic": False}, synthetic=True))["synthetic"]


def test_a_small_linear_model_is_printed_whole_and_a_large_one_is_not():
    assert champion_facts(linear_model())["specification"] == []
    assert "All terms of the model" in CARD.html


def test_the_page_about_cards_lists_every_key_of_the_study_file():
    page = (Path(__file__).parents[2] / "docs" / "model_card.md").read_text(encoding="utf-8")
    listed = yaml.safe_load(re.search(r"```yaml\n(.*?)```", page, re.DOTALL).group(1))
    assert listed == {name: field.description for name, field in Study.model_fields.items()}
