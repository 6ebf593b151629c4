"""Verb report workplace: the same report as HTML, PDF and JSON, of this company alone, and logged before it is shown."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest
import typst
from typer.testing import CliRunner

from data_contracts.errors import MissingInputError
from data_contracts.industries import section_of
from data_contracts.published_absence import ABSENCE_BY_INDUSTRY
from pipeline import workplace_report
from pipeline.cli import app
from pipeline.nightly import NightFailed
from pipeline.simulation_check.targets import read_targets
from pipeline.workspace import Workspace
from serving import company_report
from serving.company_report import taken_out, written
from tests.lib.in_process import running
from tests.lib.stores import write
from tests.lib.workplace_reports import COMPANY, everything, one_unit, report, staff

REPORTS = {"everything": everything(), "nothing": report(), "one unit": one_unit()}
LANGUAGES, FORMATS = workplace_report.LANGUAGES, workplace_report.FORMATS
VOID = {"meta", "rect"}


@pytest.fixture(scope="module", params=REPORTS)
def found(request):
    return written(REPORTS[request.param])


@pytest.fixture(scope="module")
def files(found):
    return workplace_report.rendered(found, LANGUAGES, FORMATS, synthetic=True)


def document_texts(value) -> list[str]:
    """Every text that a document says, without the words of the layout."""
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in parts for text in document_texts(one)]


def said(document) -> set[str]:
    told = {name: document[name] for name in ("title", "company_id", "month")}
    chapters = [{name: one[name] for name in one if name != "name"} for one in document["sections"]]
    return {" ".join(text.split()) for text in document_texts([told, chapters]) if text}


class Page(HTMLParser):
    """Whether every element that opens is closed in its turn, which names stand twice, and what is said."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open, self.names, self.said = [], [], []
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.names += [value for name, value in attrs if name == "id"]
        assert not {"onclick", "style", "href"} & dict(attrs).keys()
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert tag in VOID or self.open.pop() == tag

    def handle_data(self, data):
        self.said.append(data)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_is_whole_loads_nothing_and_says_all_of_the_document(found, files, language):
    source = files[f"workplace_report.{language}.html"].decode()
    page = Page(source)
    assert page.open == []
    assert len(page.names) == len(set(page.names))
    assert f'<html lang="{language}">' in source
    assert not re.search(r"<script|<link|<img|@import|url\(|https?:", source)
    text = " ".join(" ".join(page.said).split())
    assert {one for one in said(found["documents"][language]) if one not in text} == set()
    assert "SYNTHETIC" in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pdf_is_tagged_titled_in_its_language_and_the_same_again(found, files, language):
    content = files[f"workplace_report.{language}.pdf"]
    assert content.startswith(b"%PDF-1.7")
    for mark in (b"/StructTreeRoot", b"/MarkInfo", b"<pdfuaid:part>1</pdfuaid:part>"):
        assert mark in content
    assert f"/Lang({language})".encode() in content.replace(b" ", b"")
    assert workplace_report.printed(found["documents"][language], found["report"]["month"], synthetic=True) == content


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_template_of_the_pdf_says_every_chapter_of_the_document(found, language):
    document = found["documents"][language]
    headings = typst.query(
        str(workplace_report.TEMPLATE), "heading", sys_inputs=workplace_report.inputs(document, synthetic=False)
    )
    levels = [(one["level"], plain(one["body"])) for one in json.loads(headings)]
    assert levels[0] == (1, f"{document['title']} {COMPANY}")
    assert [text for level, text in levels if level == 2] == [one["heading"] for one in document["sections"]]
    expected = [
        one.get("label") or one["heading"] for part in document["sections"] for one in part["figures"] + part["cards"]
    ]
    assert [text.partition(" (")[0].strip() for level, text in levels if level == 3] == [
        one.partition(" (")[0] for one in expected
    ]


def plain(content) -> str:
    """The text of what Typst calls content."""
    if content["func"] == "space":
        return " "
    inner = content.get("text") or content.get("child") or content.get("body") or ""
    inner = inner if isinstance(inner, str) else plain(inner)
    return inner + "".join(plain(one) for one in content.get("children", ()))


def test_the_json_is_what_the_api_answers(found, files):
    assert json.loads(files["workplace_report.json"]) == found["report"]


def test_what_is_written_is_chosen(found):
    assert set(workplace_report.rendered(found, ("nb",), ("pdf",), synthetic=True)) == {"workplace_report.nb.pdf"}
    (page,) = workplace_report.rendered(found, ("en",), ("html",), synthetic=False).values()
    assert b"SYNTHETIC: simulated" not in page


def test_a_text_that_is_markup_stays_a_text():
    unit = REPORTS["one unit"].units["unit-a"]
    hostile = REPORTS["one unit"].model_copy(update={"units": {"<b>#panic()": unit}})
    files = workplace_report.rendered(written(hostile), ("nb",), ("html", "pdf"), synthetic=False)
    assert b"&lt;b&gt;#panic()" in files["workplace_report.nb.html"]
    assert files["workplace_report.nb.pdf"].startswith(b"%PDF")


def test_published_absence_is_told_as_the_simulator_is_held_against_it():
    published = {one.id.rpartition("_")[2]: one.published for one in read_targets() if "percent.industry_" in one.id}
    assert {section_of(division): value for division, value in published.items()} == ABSENCE_BY_INDUSTRY


# --- the process and the verb ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with running(tmp_path_factory.mktemp("report")) as found:
        write(found.parts.store, *staff(60, COMPANY, 24), *staff(60, "other", 30))
        yield found


def test_taking_a_report_out_is_logged_with_the_company_and_names_no_other(service):
    settings, begun = service.parts.settings, len(service.events())
    taken = taken_out(settings, COMPANY)
    (event,) = service.events()[begun:]
    assert (event["action"], event["purpose"], event["person_id"]) == ("read_report", "aggregate_reporting", None)
    assert json.loads(event["organisations"]) == [COMPANY]
    assert event["caller"].startswith("operator:")
    assert taken["report"]["measures"]["qpsnordic34_control"]["group_size"] == "50 to 99"
    assert "other" not in json.dumps([taken["report"], list(taken["documents"].values())]).replace("another", "").split(
        '"'
    )
    assert not re.search(rf"{COMPANY}-\d", json.dumps(taken))


def test_that_a_company_was_asked_for_of_which_nothing_was_computed_is_logged_as_denied(service):
    begun = len(service.events())
    with pytest.raises(MissingInputError, match="Nothing was computed"):
        taken_out(service.parts.settings, "unheard")
    (event,) = service.events()[begun:]
    assert (event["action"], event["decision"], json.loads(event["organisations"])) == (
        "read_report",
        "denied",
        ["unheard"],
    )


@pytest.fixture
def variables(service, monkeypatch):
    settings = service.parts.settings
    for name in ("store", "audit", "audit_key", "audit_heads"):
        monkeypatch.setenv(f"BALANCE_RISK_{name.upper()}", str(getattr(settings, name)))


@pytest.mark.usefixtures("variables")
def test_the_verb_writes_the_files_and_says_what_is_told(tmp_path):
    where = ["-w", str(tmp_path), "--company", COMPANY, "--language", "nb"]
    words = ["report", "workplace", *where, "--format", "html", "--format", "json", "--json"]
    answer = CliRunner().invoke(app, words)
    assert answer.exit_code == 0, answer.output
    report = json.loads(answer.stdout)
    home = tmp_path / "data" / "workplace_reports" / COMPANY / report["month"]
    assert sorted(path.name for path in home.iterdir()) == ["workplace_report.json", "workplace_report.nb.html"]
    assert report["files"] == [str(home / "workplace_report.nb.html"), str(home / "workplace_report.json")]
    assert 0 < report["told"] < report["measures"]


@pytest.mark.usefixtures("variables")
def test_the_verb_says_in_one_sentence_what_is_lacking(tmp_path):
    with pytest.raises(NightFailed, match=r"^Nothing was computed for this company yet\.") as raised:
        workplace_report.run(Workspace(tmp_path), "unheard")
    assert raised.value.exit_code == MissingInputError.exit_code
    assert list(tmp_path.iterdir()) == []


def test_the_process_ends_with_the_code_of_the_error(service, variables, capsys):
    assert company_report.main(["--company", "unheard"]) == MissingInputError.exit_code
    assert "Traceback" not in capsys.readouterr().err


def test_what_nobody_has_foreseen_is_one_line_without_what_it_says(variables, monkeypatch, capsys):
    def fails(*_):
        raise RuntimeError("of person SYNTHETIC-4711")

    monkeypatch.setattr(company_report, "report_on", fails)
    assert company_report.main(["--company", COMPANY]) == 70
    assert capsys.readouterr().err == "unexpected RuntimeError; a fault of ours\n"
