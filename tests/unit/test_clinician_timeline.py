"""The timeline: what is known on the morning and may be used, newest first, and never why somebody was away."""

from __future__ import annotations

import copy
import re
from datetime import date, timedelta
from typing import Any

import pytest

from data_contracts.diagnoses import ICPC2_CHAPTERS
from data_contracts.records import GuidanceSession, WorkplaceEvent, columns
from features.gathering import EVENT_KINDS, GUIDANCE_DOMAINS
from serving.clinician import timeline_entries
from serving.clinician.language import words
from serving.clinician.timeline_entries import Entry, of_record
from serving.predictor import case_of
from tests.lib.deployment import PERSON, REQUEST
from tests.lib.pages import HOME, NIGHT, clinicians_pages, text_of, write_night
from tests.lib.records import answers, consent, event, job, lab, rows_of, session, spell, tables

T = date(2026, 3, 1)
SAY = words("nb")


def entries(withdrawn: dict[Any, date] | None = None, **rows: Any) -> list[Entry]:
    found = tables(rows_of(**({"employments": [job()]} | rows)))
    return list(of_record(SAY, case_of(found, T, T, withdrawn or {}).known))


def texts(**rows: Any) -> list[str]:
    return [one.text for one in entries(**rows)]


def test_an_absence_has_kind_share_and_length():
    spells = [
        spell("2026-01-05", "2026-01-07", kind="self_certified"),
        spell("2025-03-03", "2025-03-21", spell_id="B", grade_percent=40),
        spell("2025-06-02", "2025-06-02", spell_id="C"),
    ]
    assert sorted(texts(absence_spells=spells)) == [
        "Egenmelding, hele stillingen: 05.01.2026–07.01.2026, 3 dager",
        "Sykmelding, gradert, 40 prosent: 03.03.2025–21.03.2025, 19 dager",
        "Sykmelding, hele stillingen: 02.06.2025–02.06.2025, 1 dag",
    ]


@pytest.mark.parametrize("last", [None, "2026-03-20"])
def test_an_absence_that_goes_on_ends_on_no_day_yet(last):
    spells = [spell("2026-02-20", last)]
    assert texts(absence_spells=spells) == ["Sykmelding, hele stillingen: pågår fra 20.02.2026, 9 dager så langt"]


def test_why_somebody_was_away_changes_nothing_on_the_page(tmp_path):
    codes = ({}, {"diagnosis": "P76"}, {"diagnosis": "W84"}, {"diagnosis": "F43.2", "diagnosis_system": "ICD-10"})
    pages_shown = [absence_page(tmp_path / str(number), code) for number, code in enumerate(codes)]
    assert "Sykmelding, hele stillingen: 03.03.2025–21.03.2025, 19 dager" in pages_shown[0]
    assert len(set(pages_shown)) == 1


def absence_page(root, code: dict[str, str]) -> str:
    root.mkdir()
    record = copy.deepcopy(REQUEST["record"])
    record["absence_spells"][0] = {
        name: cell for name, cell in record["absence_spells"][0].items() if name != "diagnosis"
    } | code
    with clinicians_pages(root, record) as pages:
        pages.begin_care()
        return text_of(pages.get(f"{HOME}/timeline?kind=absence"))


def test_no_chapter_of_a_diagnosis_stands_on_the_whole_page(tmp_path):
    with clinicians_pages(tmp_path) as pages:
        pages.begin_care()
        text = text_of(pages.get(f"{HOME}/timeline"))
    assert "L84" not in text
    assert ICPC2_CHAPTERS["L"]["nb"] not in text


def test_only_what_was_known_before_the_morning_is_there():
    late = [spell("2026-02-20", "2026-02-22", "2026-03-01"), spell("2026-02-10", "2026-02-11", "2026-02-28", "B")]
    sessions = [session("2026-02-20", known_from="2026-03-01"), session("2026-02-19", domain="diet")]
    assert texts(absence_spells=late, guidance_sessions=sessions) == [
        "Sykmelding, hele stillingen: 10.02.2026–11.02.2026, 2 dager", "Veiledning om kosthold",
    ]  # fmt: skip


def test_a_corrected_row_is_shown_as_it_is_now_and_a_deleted_one_not_at_all():
    spells = [
        spell("2026-01-05", "2026-01-07", "2026-01-06"),
        spell("2026-01-05", "2026-01-09", "2026-01-12"),
        spell("2025-11-03", "2025-11-04", "2025-11-05", "B"),
        spell("2025-11-03", "2025-11-04", "2025-11-20", "B", is_deleted=True),
    ]
    results = [lab("NPU27300", 40, "mmol/mol", "2026-01-10"),
               lab("NPU27300", 39, "mmol/mol", "2026-01-10", known_from="2026-01-20")]  # fmt: skip
    found = entries(absence_spells=spells, lab_results=results)
    assert [one.text for one in found if one.kind == "absence"] == [
        "Sykmelding, hele stillingen: 05.01.2026–09.01.2026, 5 dager"
    ]
    assert [one.details for one in found if one.kind == "lab"] == [("Langtidsblodsukker (HbA1c): 39 mmol/mol",)]


def test_surveys_and_samples_are_one_line_a_day_with_their_results_below():
    survey = [
        *answers("who5", [3] * 5, "2026-01-10"),
        *answers("was", [7], "2026-01-10"),
        *answers("was", [8], "2025-01-10"),
    ]
    results = [lab("NPU27300", 40, "mmol/mol", "2026-01-11"),
               lab("NPU01566", 5, "mmol/L", "2026-01-11", comparator="<")]  # fmt: skip
    found = {one.day: one for one in entries(survey_answers=survey, lab_results=results)}
    assert found[date(2026, 1, 10)].text == "2 spørreskjemaer besvart"
    assert set(found[date(2026, 1, 10)].details) == {"Velvære: 60 poeng", "Arbeidsevne: 7 poeng"}
    assert found[date(2025, 1, 10)].text == "Ett spørreskjema besvart"
    assert found[date(2026, 1, 11)].text == "2 prøvesvar eller mål"
    assert set(found[date(2026, 1, 11)].details) == {
        "Langtidsblodsukker (HbA1c): 40 mmol/mol",
        "Totalkolesterol: < 5 mmol/L",
    }


def test_what_happened_at_work_concerns_those_who_worked_there_then():
    jobs = [
        job("2020-01-01", "2024-12-31", unit_id="u1"),
        job("2025-01-01", unit_id="u2"),
        job("2025-01-01", company_id="d", position_percent=20),
    ]
    events = [
        event("leader_change", "2024-06-01", unit_id="u1"),
        event("downsizing", "2025-06-01", unit_id="u1"),
        event("reorganisation", "2025-07-01", unit_id="u2"),
        event("intervention_session", "2025-08-01"),
        event("downsizing", "2019-12-31"),
        event("downsizing", "2024-07-01", company_id="d"),
        event("leader_change", "2025-09-01", company_id="e"),
    ]
    found = [(one.day.isoformat(), one.text) for one in entries(employments=jobs, workplace_events=events)]
    assert found == [
        ("2024-06-01", "Lederskifte på arbeidsplassen"), ("2025-07-01", "Omorganisering på arbeidsplassen"),
        ("2025-08-01", "Felles samling i programmet"),
    ]  # fmt: skip


def test_two_jobs_in_one_place_see_an_event_once():
    jobs = [job("2020-01-01"), job("2021-01-01", position_percent=20)]
    assert texts(employments=jobs, workplace_events=[event("downsizing", "2025-06-01")]) == [
        "Nedbemanning på arbeidsplassen"
    ]


ROWS = {
    "survey_answers": answers("who5", [3] * 5, "2026-01-10"),
    "guidance_sessions": [session("2026-02-01")],
    "lab_results": [lab("NPU27300", 40, "mmol/mol", "2026-01-11")],
    "absence_spells": [spell("2026-01-05", "2026-01-07")],
    "workplace_events": [event("downsizing", "2025-06-01")],
}
KINDS_OF = {"survey": {"survey", "guidance"}, "lab": {"lab"}, "absence": {"absence"}, "employment": {"workplace"}}
ALL_KINDS = {kind for kinds in KINDS_OF.values() for kind in kinds}


def test_with_all_consents_all_is_there():
    assert {one.kind for one in entries(**ROWS)} == ALL_KINDS


@pytest.mark.parametrize("source", KINDS_OF)
def test_a_source_without_consent_is_not_there(source):
    consents = [consent(one) for one in KINDS_OF if one != source]
    assert {one.kind for one in entries(consents=consents, **ROWS)} == ALL_KINDS - KINDS_OF[source]


@pytest.mark.parametrize("source", KINDS_OF)
def test_nor_is_one_that_was_withdrawn_through_the_service(source):
    assert {one.kind for one in entries({source: T}, **ROWS)} == ALL_KINDS - KINDS_OF[source]


def test_the_page_says_what_it_does_not_show(tmp_path):
    record = copy.deepcopy(REQUEST["record"])
    record["consents"] = [row for row in record["consents"] if row["source"] != "lab"]
    del record["absence_spells"]
    with clinicians_pages(tmp_path, record) as pages:
        pages.begin_care()
        text = text_of(pages.get(f"{HOME}/timeline"))
    assert "Vises ikke, fordi det ikke er gitt samtykke: prøver og mål." in text
    assert "Ikke mottatt, så det kan ha skjedd noe som ikke står her: sykefravær." in text


def test_newest_first_by_year_and_one_kind_if_asked_for(tmp_path):
    with clinicians_pages(tmp_path) as pages:
        pages.begin_care()
        whole = pages.get(f"{HOME}/timeline")
        absences = text_of(pages.get(f"{HOME}/timeline?kind=absence"))
        wrong = pages.get(f"{HOME}/timeline?kind=diagnosis")
    days = re.findall(r"<strong>(\d\d)\.(\d\d)\.(\d{4})</strong>", whole.text)
    assert len(days) > 5
    assert [day[::-1] for day in days] == sorted((day[::-1] for day in days), reverse=True)
    assert re.findall(r'<h2 id="y\d+">(\d+)</h2>', whole.text) == sorted({year for *_, year in days}, reverse=True)
    assert "08.09.2025 Sykefravær Egenmelding" in absences
    assert "14.10.2025" not in absences
    assert wrong.status_code == 422


def test_of_nights_that_say_the_same_only_the_first_and_the_last_are_shown(tmp_path):
    with clinicians_pages(tmp_path) as pages:
        pages.begin_care()
        predictor = pages.service.parts.watch.predictor
        for night in (NIGHT + timedelta(days=days) for days in (1, 2, 3)):
            write_night(pages.store, predictor, REQUEST["record"], night)
        text = text_of(pages.get(f"{HOME}/timeline?kind=score"))
    days = re.findall(r"(\d\d\.\d\d\.\d{4}) Vurdering fra modell Sykefravær over 16 dager: \d+ av 100", text)
    assert days == ["04.12.2025", "01.12.2025"]


def test_decisions_say_whether_it_was_oneself(tmp_path):
    with clinicians_pages(tmp_path) as pages:
        pages.begin_care()
        score = pages.store.latest_score(PERSON, NIGHT)
        pages.store.record_decision("clinician-1", score, "burnout", "agree", "fits", "conversation")
        pages.store.record_decision("clinician-2", score, "burnout", "disagree", "does not", "wait")
        text = text_of(pages.get(f"{HOME}/timeline?kind=decision"))
    assert re.search(r"Utbrenthet[^:]*: Enig, av deg neste steg: Samtale", text)
    assert re.search(r"Utbrenthet[^:]*: Uenig, av en kollega neste steg: Vente og se", text)


def test_there_are_words_for_every_event_and_session():
    kinds, domains = (
        {column.name: column.codes for column in columns(one)} for one in (WorkplaceEvent, GuidanceSession)
    )
    assert set(timeline_entries._HAPPENED) == set(kinds["kind"]) == set(EVENT_KINDS)
    assert set(timeline_entries._ABOUT) == set(domains["domain"]) == set(GUIDANCE_DOMAINS)
