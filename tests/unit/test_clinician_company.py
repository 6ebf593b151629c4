"""The leader's pages: the workplace report in both languages, what it leads with, and no way from there to a person."""

from __future__ import annotations

import re
from datetime import date
from html import unescape

import pytest

from serving.clinician.company_findings import strengths, suggested, to_talk_about
from serving.clinician.company_sections import document
from serving.clinician.language import words
from serving.handlers.company_report import FEWEST_TO_SUGGEST, LARGE_SHARE_PERCENT
from serving.handlers.company_report_bodies import CompanyReport
from serving.request_head import LANGUAGE_COOKIE
from serving.workplace_measures import MEASURES
from tests.lib.in_process import running
from tests.lib.stores import write
from tests.lib.words import words_found
from tests.lib.workplace_reports import (
    CONTROL,
    DEMANDS,
    ROLES,
    everything,
    one_unit,
    report,
    staff,
    to_do,
    told,
)

CHAPTERS = [
    "about", "participation", "good", "attention", "talk", "risk", "absence", "factor", "domain", "industry", "units",
    "untold", "made",
]  # fmt: skip
REPORTS = {"everything": everything(), "nothing": report(), "one unit": one_unit()}
LANGUAGES = ("nb", "en")


def section(shown, name: str, language: str = "nb"):
    return next(one for one in document(words(language), shown).sections if one.name == name)


def texts(value) -> list[str]:
    """Every text of a document."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, tuple):
        return [text for one in value for text in texts(one)]
    return [text for one in vars(value).values() for text in texts(one)] if hasattr(value, "__dict__") else []


# --- the document ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", REPORTS)
def test_the_chapters_are_all_there_in_their_order_and_in_our_words(name, language):
    found = document(words(language), REPORTS[name])
    assert [one.name for one in found.sections] == CHAPTERS
    assert all(one.paragraphs or one.items for one in found.sections), "no chapter without a word"
    assert words_found(" ".join(texts(found)), language) == []


def test_every_measure_that_is_told_stands_once_in_its_chapter_with_its_shares():
    labels = {
        figure.label: figure.bars
        for name in ("participation", "risk", "absence", "factor", "domain")
        for figure in section(REPORTS["everything"], name).figures
    }
    assert set(labels) == {one.label_nb for one in MEASURES.values()}
    assert [part.percent for part in labels[MEASURES[DEMANDS].label_nb][0].parts] == [20, 30, 50]
    assert [part.shade for part in labels[MEASURES["participation"].label_nb][0].parts] == [0, 2], "first and last"


def test_what_is_not_told_stands_with_its_reason_and_nowhere_else():
    shown = REPORTS["nothing"]
    (item,) = section(shown, "untold").items
    assert item.startswith("SYNTHETIC: for få. Gjelder: ")
    assert all(one.label_nb in item for one in MEASURES.values())
    assert not any(one.figures or one.cards for one in document(words("nb"), shown).sections)
    assert section(REPORTS["everything"], "untold").items == ()


def test_absence_and_participation_tell_their_months_and_a_month_that_was_not_told_says_so():
    shown = REPORTS["everything"]
    for name in ("absence", "participation"):
        (figure,) = section(shown, name).figures
        assert [bar.label for bar in figure.course] == ["september 2026", "oktober 2026"]
        assert section(shown, name).shows_course
    control = next(one for one in section(shown, "factor").figures if one.label == MEASURES[CONTROL].label_nb)
    assert [bool(bar.parts) for bar in control.course] == [False, True]


def test_the_published_figure_of_the_industry_is_told_where_it_was_published():
    assert "i bransjen 6,3 prosent (SSB, første kvartal 2021)" in section(report({}, {}, "H"), "absence").paragraphs[-1]
    assert "i bransjen" not in section(report({}, {}, "P"), "absence").paragraphs[-1], "education was not"
    assert "5.7 percent" in section(report(), "absence", "en").paragraphs[-1]


def test_the_industry_is_compared_measure_by_measure():
    figures = section(REPORTS["everything"], "industry").figures
    assert len(figures) == len(MEASURES)
    assert {tuple(bar.label for bar in one.bars) for one in figures} == {("Her", "Bransjen")}
    assert section(report({CONTROL: told(CONTROL)}, {}, "H"), "industry").figures == ()


def test_units_are_told_by_measure_and_only_those_of_the_report():
    (figure,) = section(REPORTS["one unit"], "units").figures
    assert [(bar.label, [part.percent for part in bar.parts]) for bar in figure.bars] == [("unit-a", [70, 30])]


@pytest.mark.parametrize(("percents", "size", "is_good"), [
    ((45, 35, 20), "50 to 99", True), ((40, 20, 40), "50 to 99", True), ((35, 35, 30), "50 to 99", False),
    ((40, 15, 45), "50 to 99", False), ((90, 5, 5), "20 to 49", False), ((80, 20), "50 to 99", False),
])  # fmt: skip
def test_what_is_good_is_held_to_the_rule_by_which_measures_are_suggested(percents, size, is_good):
    assert (FEWEST_TO_SUGGEST, LARGE_SHARE_PERCENT) == (50, 40)
    shown = report({CONTROL: told(CONTROL, percents, size)})
    assert bool(strengths(shown)) == is_good
    assert bool(section(shown, "good").cards) == is_good


def test_what_is_good_comes_largest_first_and_numbers_of_models_and_absence_are_never_praised():
    shown = report({CONTROL: told(CONTROL, (45, 35, 20)), "sleep": told("sleep", (60, 30, 10)),
                    "absence": told("absence", (80, 10, 10)),
                    "long_sick_leave": told("long_sick_leave", (70, 20, 10))})  # fmt: skip
    assert [card.heading for card in section(shown, "good").cards] == ["Søvn", MEASURES[CONTROL].label_nb]


def test_each_measure_stands_once_the_largest_share_first():
    move, talk = to_do("Flytte", is_suggested=True), to_do("Snakke", is_suggested=True)
    shown = report({
        CONTROL: told(CONTROL, (30, 30, 40), workplace_measure=move),
        ROLES: told(ROLES, (20, 30, 50), workplace_measure=talk),
        DEMANDS: told(DEMANDS, (20, 25, 55), workplace_measure=move),
        "copsoq3_work_pace": told("copsoq3_work_pace", (40, 40, 20), workplace_measure=to_do("Snakke", is_suggested=False)),
        "copsoq3_recognition": told("copsoq3_recognition", (40, 40, 20), workplace_measure=to_do("Rose", is_suggested=False)),
    })  # fmt: skip
    assert [(group[0][0].label.nb, len(group)) for group in suggested(shown)] == [("Flytte", 2), ("Snakke", 1)]
    assert [group[0][0].label.nb for group in to_talk_about(shown)] == ["Rose"], "what is suggested is not there again"
    (card, _) = section(shown, "attention").cards
    assert card.note.startswith("Hvem: Arbeidsgruppen. Gjelder: ")


# --- the pages -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with running(tmp_path_factory.mktemp("company")) as found:
        for night, n_unfavourable in ((date(2026, 9, 1), 12), (date(2026, 10, 1), 24)):
            write(found.parts.store, *staff(n_unfavourable=n_unfavourable), *staff(60, "d", 30), night=night)
        yield found


def shown(service, path: str = "/ui/companies/c", companies=("c",), language: str = "nb") -> str:
    headers = service.headers("employer", None, organisations=list(companies)) | {
        "cookie": f"{LANGUAGE_COOKIE}={language}"
    }
    (answer,) = service.call({"method": "GET", "url": path, "headers": headers})
    assert answer.status_code == 200
    return unescape(answer.text)


def words_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.partition("<main")[2]).split())


def test_the_page_tells_shares_as_text_with_the_month_before(service):
    text = words_of(shown(service))
    assert "Tallene ble lagt fram i oktober 2026. Noen kan være fra en tidligere måned." in text
    assert "Gi mer innflytelse over arbeidsdagen" in text.partition("Tiltak som kan prøves")[2]
    factors = text.partition("ikke hvem som har rett.")[2]
    assert "minst gunstige tredel 40 prosent Måned for måned" in factors
    assert re.search(
        r"september 2026: [^:]*minst gunstige tredel 20 prosent oktober 2026: [^:]*tredel 40 prosent", factors
    )


def test_the_page_says_what_the_document_says(service):
    api = service.get("/v1/companies/c/report", "employer", "aggregate_reporting", organisations=["c"]).json()
    for language in LANGUAGES:
        text = words_of(shown(service, language=language))
        found = document(words(language), CompanyReport.model_validate(api))
        for part in found.sections:
            assert all(" ".join(one.split()) in text for one in (part.heading, *part.paragraphs, *part.items))


def test_whether_somebody_has_answered_makes_no_difference_to_what_is_not_told(service):
    reason = re.search(r"Det er for få ansatte .*? Gjelder: (.*?)\.", words_of(shown(service)))
    assert reason is not None
    assert {"Klare mål og forventninger", "Arbeidsmengde"} <= set(reason[1].split(", ")), "four, and nobody"


def test_the_companies_are_the_readers_own_and_one_alone_is_shown_at_once(service):
    page = shown(service, "/ui/companies", ("c", "d"))
    assert re.findall(r'href="/ui/companies/(\w+)"', page) == ["c", "d"]
    answer = service.get("/ui/companies", "employer", None, organisations=["d"])
    assert (answer.status_code, answer.headers["location"]) == (303, "/ui/companies/d")


def test_no_link_leads_to_a_person_and_no_person_or_other_company_is_named(service):
    page = shown(service) + shown(service, "/ui/companies-help")
    assert "/persons" not in page
    assert not re.search(r"\b[cd]-\d", page)
    assert not re.search(r"companies/d\b|>\s*d\s*<", page)


@pytest.mark.parametrize(("company", "role", "status"), [
    ("d", "employer", 403), ("c", "clinician", 403), ("c", "app", 403), ("unheard", "employer", 404),
])  # fmt: skip
def test_others_are_refused(service, company, role, status):
    own = ["unheard"] if company == "unheard" else ["c"]
    assert service.get(f"/ui/companies/{company}", role, None, organisations=own).status_code == status


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_help_page_is_in_our_words(service, language):
    page = shown(service, "/ui/companies-help", language=language)
    assert words_found(words_of(page), language) == []
    assert ("Ask what they recognise" in page) == (language == "en")
