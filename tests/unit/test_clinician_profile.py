"""The page of the health profile: the same values as the API, what they are compared with, and what is not known."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import pytest
from sqlalchemy import delete

from data_contracts.analytes import ANALYTES
from data_contracts.instruments import INSTRUMENTS
from serving.clinician import profile_page
from serving.clinician.profile_page import is_unfavourable
from serving.handlers.profile_bodies import Cutoff, ProfileValue
from serving.store.tables import RECORDS
from tests.lib.deployment import REQUEST
from tests.lib.pages import HOME, NIGHT, clinicians_pages, text_of
from tests.lib.records import answers, lab


def record_with(**changes: Any) -> dict[str, Any]:
    return copy.deepcopy(REQUEST["record"]) | changes


def without_person(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: cell for name, cell in row.items() if name != "person_id"} for row in rows]


def shown(root, record: dict[str, Any] | None = None, language: str = "nb") -> str:
    with clinicians_pages(root, record) as pages:
        pages.begin_care()
        response = pages.get(f"{HOME}/profile", language=language)
    assert response.status_code == 200
    return text_of(response)


def test_every_value_of_the_api_stands_on_the_page_and_no_model_is_asked(tmp_path):
    with clinicians_pages(tmp_path) as pages:
        pages.begin_care()
        body = {"index_date": NIGHT.isoformat(), "record": REQUEST["record"]}
        told = pages.service.post("/v1/profile", json.dumps(body)).json()
        pages.service.parts.watch.predictor = None
        text = text_of(pages.get(f"{HOME}/profile"))
    values = [one for domain in told["domains"] for one in domain["values"]]
    assert len(values) > 10
    assert [one["name"] for one in values if one["label"]["nb"] not in text or one["shown"]["nb"] not in text] == []


def test_the_index_says_what_it_rests_on(tmp_path):
    # 14 of 42; of CBI 41,7 and 39,3, work ability 7; well-being 52, distress 1,5; 6 of 24, 3 of 10; 10 of 14, 3 of 5.
    sleep, pain, life = 100 - 100 * 14 / 42, (75 + 70) / 2, (100 * 7 / 11 + 50) / 2
    work = ((100 - 1000 / 24 + 100 - 275 / 7) / 2 + 70) / 2
    mind = (52 + 100 - 100 * 0.5 / 3) / 2
    expected = round((sleep + pain + life + work + mind) / 5)
    assert f"Helseindeks {expected} av 100, bygger på 5 av 6 områder" in shown(tmp_path)


def test_a_measurement_stands_beside_its_interval_with_its_course(tmp_path):
    results = [lab("NPU27300", 48, "mmol/mol", "2025-10-20", reference_low=20, reference_high=42),
               lab("NPU27300", 40, "mmol/mol", "2024-10-20")]  # fmt: skip
    text = shown(tmp_path, record_with(lab_results=without_person(results)))
    assert "48 mmol/mol over referanseområdet referanse 20–42 (laboratoriets egen)" in text
    assert "▲ mindre gunstig, før 40 mmol/mol (20.10.2024)" in text


def test_a_score_has_its_level_and_its_course(tmp_path):
    survey = answers("who5", [1] * 5, "2024-10-14") + answers("who5", [3] * 5, "2025-10-14")
    text = shown(tmp_path, record_with(survey_answers=without_person(survey)))
    assert (
        "60 poeng (60 av 100 poeng) høyt nivå skala 0–100, der høyt er bra; moderat nivå fra 29, høyt nivå fra 51"
        in text
    )
    assert "▲ mer gunstig, før 20 poeng (14.10.2024)" in text


def test_an_unchanged_score_has_no_direction(tmp_path):
    survey = answers("who5", [3] * 5, "2024-11-14") + answers("who5", [3] * 5, "2025-10-14")
    text = shown(tmp_path, record_with(survey_answers=without_person(survey)))
    assert "uendret siden 14.11.2024" in text


def test_what_is_old_is_shown_but_does_not_count_and_what_it_takes_is_said(tmp_path):
    survey = without_person(answers("who5", [3] * 5, "2023-10-14"))
    text = shown(tmp_path, record_with(survey_answers=survey, lab_results=[]))
    assert re.search(r"Velvære kan arbeides med 60 poeng høyt nivå", text)
    assert "14.10.2023 gammel" in text
    assert "Ikke beregnet: det finnes ferske svar for 0 av 6 områder, og minst 4 trengs." in text
    lacking = text[text.index("Dette skal til") :]
    assert "Velvære (fra 14.10.2023)" in lacking
    assert re.search(r"En blodprøve: [^:]*Langtidsblodsukker \(HbA1c\)[^:]*\(ikke målt\)", lacking)


def test_what_is_current_is_not_called_lacking(tmp_path):
    text = shown(tmp_path)
    lacking = text[text.index("Dette skal til") :]
    assert "Alkoholvaner" in lacking
    assert [name for name in ("Velvære", "Søvnvansker", "HbA1c") if name in lacking] == []


def test_without_consent_no_value_is_shown_and_the_page_says_so(tmp_path):
    record = record_with()
    record["consents"] = [row for row in record["consents"] if row["source"] != "lab"]
    text = shown(tmp_path, record)
    assert "38 mmol/mol" not in text
    assert re.search(r"Samtykke til at prøvesvar brukes: [^:]*\(HbA1c\)[^:]*\(ikke samtykke\)", text)


def test_a_list_that_was_not_sent_is_another_thing_than_an_empty_one(tmp_path):
    record = record_with()
    del record["lab_results"]
    assert "(prøvesvarene er ikke mottatt)" in shown(tmp_path, record)


SLEEPS_BADLY = record_with(survey_answers=without_person(answers("bis", [4] * 6, "2025-10-14")))


@pytest.mark.parametrize(("days_a_week", "is_offered"), [(2, False), (4, True)])
def test_an_offer_stands_where_a_domain_is_below_its_limit(tmp_path, days_a_week, is_offered):
    survey = without_person(answers("bis", [days_a_week] * 6, "2025-10-14"))  # 71 and 43 of 100
    text = shown(tmp_path, record_with(survey_answers=survey))
    assert ("Programmet kan tilby: Veiledning om søvn." in text) is is_offered
    assert "Programmet kan tilby: Veiledning om fysisk aktivitet." not in text


def value(**about: Any) -> ProfileValue:
    return ProfileValue.model_construct(**{"stale": False, "cutoff": None, "cutoffs": (), "position": None} | about)


def levels(*names: str) -> tuple[Cutoff, ...]:
    return tuple(Cutoff(name=name, lowest=float(place)) for place, name in enumerate(names))


PHQ = levels("minimal", "mild", "moderate", "moderately_severe", "severe")
WAI = levels("poor", "moderate", "good", "excellent")


@pytest.mark.parametrize(
    ("about", "is_so"),
    [
        ({"higher_is": "worse", "cutoffs": PHQ, "cutoff": "mild"}, False),
        ({"higher_is": "worse", "cutoffs": PHQ, "cutoff": "moderate"}, True),
        ({"higher_is": "worse", "cutoffs": PHQ, "cutoff": "severe", "stale": True}, False),
        ({"higher_is": "better", "cutoffs": WAI, "cutoff": "good"}, False),
        ({"higher_is": "better", "cutoffs": WAI, "cutoff": "moderate"}, True),
        ({"higher_is": "worse", "cutoffs": levels("low", "high"), "cutoff": "high"}, True),
        ({"higher_is": "worse", "cutoffs": levels("low", "high"), "cutoff": "low"}, False),
        ({"higher_is": "worse", "position": "above"}, True),
        ({"higher_is": "worse", "position": "below"}, False),
        ({"higher_is": "better", "position": "below"}, True),
        ({"higher_is": "neither", "position": "below"}, True),
        ({"higher_is": "neither", "position": "inside"}, False),
        ({"higher_is": "worse"}, False),
    ],
)
def test_a_value_is_unfavourable_from_the_middle_level_on_or_on_the_wrong_side(about, is_so):
    assert is_unfavourable(value(**about)) is is_so


def test_a_domain_is_named_by_its_scales_and_what_may_not_be_compared_is_said(tmp_path):
    text = shown(tmp_path, SLEEPS_BADLY | {"survey_answers": SLEEPS_BADLY["survey_answers"] + without_person(
        answers("audit_c", [1, 1, 1], "2025-10-14"))})  # fmt: skip
    assert "Søvnvansker 43 Søvn" in text
    assert "Alkoholvaner" in text
    assert "3 poeng (75 av 100 poeng)" not in text
    assert "60 i ett område er ikke like vanlig som 60 i et annet. Sammenlign ikke områder eller personer" in text


def test_without_a_kept_record_the_page_says_when_it_comes(tmp_path):
    with clinicians_pages(tmp_path) as pages:
        pages.begin_care()
        with pages.store.database.writing() as connection:
            connection.execute(delete(RECORDS))
        response = pages.get(f"{HOME}/profile")
    assert response.status_code == 200
    assert "ble ikke lagret" in text_of(response)


def test_declared_texts_are_said_in_english(tmp_path):
    text = shown(tmp_path, SLEEPS_BADLY, language="en")
    assert "Sleep difficulties" in text
    assert "Guidance about sleep." in text


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        (
            {band.name for one in INSTRUMENTS.values() for scale in one.scales for band in scale.bands},
            profile_page._LEVELS,
        ),
        ({one.examination for one in ANALYTES}, profile_page._TAKES),
    ],
    ids=["levels", "examinations"],
)
def test_there_are_words_for_all_that_is_declared(declared, said):
    assert declared <= set(said)
