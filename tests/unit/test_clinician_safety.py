"""The safety notice of a person's page: urgent while the answer is new, a question about now when it is old."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

import pytest

from serving import notices
from serving.clinician.safety import OLD_DAYS
from tests.lib.deployment import REQUEST
from tests.lib.pages import HOME, NIGHT, clinicians_pages, text_of

URGENT = notices.SAFETY.message["nb"]
ASK = "Spør hvordan det er nå."
TITLE = "Patient Health Questionnaire-9, spørsmål 9"


def shown(root, *answered: tuple[int, float], item: tuple[str, str] = ("phq9", "item_9")) -> str:
    """The profile page of the example with a safety item answered so many days before the night."""
    record = copy.deepcopy(REQUEST["record"])
    record["survey_answers"] += [_row(*item, *one) for one in answered]
    with clinicians_pages(root, record) as pages:
        pages.begin_care()
        return text_of(pages.get(f"{HOME}/profile"))


def _row(instrument: str, item: str, days: int, answer: float) -> dict[str, Any]:
    day = (NIGHT - timedelta(days=days)).isoformat()
    return {"instrument": instrument, "item": item, "answer": answer, "answered_on": day, "known_from": day}


@pytest.mark.parametrize(("days", "is_old"), [(0, False), (OLD_DAYS, False), (OLD_DAYS + 1, True)])
def test_of_an_old_answer_the_page_asks_about_now_and_not_for_today(tmp_path, days, is_old):
    text = shown(tmp_path, (days, 2))
    assert (URGENT not in text) is is_old
    assert ("Ta kontakt selv i dag" not in text) is is_old
    assert (ASK in text) is is_old
    assert f"{TITLE}, besvart" in text or is_old
    assert "legevakten, telefon 116 117" in text


def test_a_new_flag_beside_an_old_one_stays_urgent_and_the_old_one_is_dated(tmp_path):
    text = shown(tmp_path, (400, 1), (10, 2))
    assert URGENT in text
    assert text.index(f"{TITLE}, besvart 21.11.2025") < text.index(f"{TITLE}. Svaret er fra 27.10.2024. {ASK}")


LOWEST = "Siste svar på samme spørsmål, %s, er det laveste som kan gis."


@pytest.mark.parametrize(
    ("later", "since"),
    [((100, 0), "23.08.2025"), ((10, 0), "21.11.2025"), ((401, 0), None), ((10, 1), None)],
)
def test_that_a_later_answer_is_the_lowest_is_said(tmp_path, later, since):
    text = shown(tmp_path, (400, 2), later)
    if since:
        assert LOWEST % since in text
    else:
        assert "det laveste som kan gis" not in text


def test_what_was_the_lowest_and_is_flagged_again_is_not_called_the_lowest(tmp_path):
    text = shown(tmp_path, (400, 2), (300, 0), (200, 1))
    assert text.count(ASK) == 2
    assert "det laveste som kan gis" not in text


def test_the_lowest_code_may_be_another_than_nought(tmp_path):
    text = shown(tmp_path, (400, 3), (300, 1), item=("hscl25", "suicidal_thoughts"))
    assert ASK in text
    assert LOWEST % "04.02.2025" in text
