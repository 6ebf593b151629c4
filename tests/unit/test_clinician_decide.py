"""Deciding about a score and beginning care: what is kept, what is asked for again, and who sees what was said."""

from __future__ import annotations

import html
import re
from datetime import date
from typing import get_args

import pytest
from pydantic import ValidationError

from serving.call import LANGUAGES
from serving.clinician.decide import NEXT_STEP_WORDS, REMIND_AFTER, VERDICT_WORDS
from serving.clinician.form_faults import faults
from serving.clinician.language import words
from serving.handlers.stored_bodies import DecisionRequest
from serving.store.decisions import NextStep, Verdict
from tests.lib.deployment import PERSON
from tests.lib.pages import HOME, NIGHT, Pages, clinicians_pages, text_of

PAGE, CARE = f"{HOME}/decisions", f"{HOME}/care"
FNR = "01018000055"
AGREED = "Du har vært enig i alle dine siste 10 vurderinger."


@pytest.fixture
def stranger(tmp_path):
    with clinicians_pages(tmp_path) as found:
        yield found


@pytest.fixture
def pages(stranger):
    stranger.begin_care()
    return stranger


def form(pages: Pages, **changes: str) -> dict[str, str]:
    score = pages.store.latest_score(PERSON, NIGHT)
    filled = {"score_id": score.score_id, "outcome": "burnout", "verdict": "agree", "reason": "Passer med samtalen.",
              "next_step": "conversation"}  # fmt: skip
    return {name: value for name, value in (filled | changes).items() if value is not None}


def decided(pages: Pages, verdict: str, caller: str = "clinician-1") -> None:
    score = pages.store.latest_score(PERSON, NIGHT)
    assert pages.store.record_decision(caller, score, "burnout", verdict, "said", "wait") is not None


def test_a_decision_is_kept_and_shown_with_who_said_it(pages):
    decided(pages, "disagree", caller="another")
    sent = pages.post(PAGE, form(pages, reason="Trives.\r\nSover bedre nå."))
    assert (sent.status_code, sent.headers["location"]) == (303, f"{PAGE}?outcome=burnout")
    newest, before = pages.store.decisions_about(PERSON, date.today())
    assert (newest.verdict, newest.reason, newest.next_step) == ("agree", "Trives.\nSover bedre nå.", "conversation")
    assert (newest.caller, newest.outcome, newest.night) == ("clinician-1", "burnout", NIGHT)
    text = text_of(pages.get(PAGE))
    assert text.index("Trives. Sover bedre nå.") < text.index("said")
    assert "Enig · Utbrenthet (CBI 50 eller mer) · neste steg: Samtale" in text
    assert "Uenig · Utbrenthet (CBI 50 eller mer) · neste steg: Vente og se" in text
    assert (text.count("av deg"), text.count("av en kollega")) == (1, 1)
    assert before.caller == "another"
    assert "another" not in text


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("verdict", None, "Velg om du er enig"),
        ("verdict", "perhaps", "Velg om du er enig"),
        ("outcome", "luck", "Velg hva vurderingen gjelder."),
        ("next_step", None, "Velg neste steg."),
        ("next_step", "hospital", "Velg neste steg."),
        ("reason", None, "Skriv en begrunnelse."),
        ("reason", " \r\n ", "Skriv en begrunnelse."),
        ("reason", f"hun heter {FNR}", "ser ut til å inneholde et fødselsnummer"),
        ("reason", "x" * 1001, "høyst 1 000 tegn"),
        ("reason", "a\x00b", "tegn som ikke kan lagres"),
        ("reason", "0 1 0 1 8 0 0 0 0 5 5", "ser ut til å inneholde et fødselsnummer"),
        ("reason", "fnr 010180 nr 00055", "ser ut til å inneholde et fødselsnummer"),
        ("reason", "010180\u200b\u200b\u200b\u200b00055", "tegn som ikke kan lagres"),
        ("reason", "a\u202eb", "tegn som ikke kan lagres"),
        ("reason", "a\x85b", "tegn som ikke kan lagres"),
    ],
)
def test_a_form_with_a_fault_is_shown_again_as_it_was_filled_in(pages, field, value, said):
    filled = form(pages, **{"verdict": "disagree", "next_step": "wait", field: value})
    page = pages.post(PAGE, filled)
    assert page.status_code == 422
    text = text_of(page)
    assert said in text.replace("\xa0", " ")
    assert "ingenting er lagret" in text
    assert pages.store.decisions_about(PERSON, date.today()) == ()
    assert f'href="#{field}"' in page.text
    assert f'id="{field}"' in page.text
    if field != "verdict":
        assert 'value="disagree" required checked' in page.text
    if field != "reason":
        assert "Passer med samtalen." in page.text
    elif value:
        assert value.replace("\r\n", "\n") in html.unescape(page.text)


def told_of(pages: Pages, begun: int) -> list[tuple[str, str, str, str]]:
    """What the log says of what was done since."""
    events = pages.service.events()[begun:]
    assert {event["person_id"] for event in events} == {PERSON}
    return [(one["action"], one["decision"], one["reason"], one["data_version"]) for one in events]


def test_the_log_says_that_a_form_with_a_fault_changed_nothing_and_that_the_person_was_shown(pages):
    begun, data = len(pages.service.events()), "d" * 64
    assert pages.post(PAGE, form(pages, reason="")).status_code == 422
    assert told_of(pages, begun) == [
        ("record_decision", "denied", "invalid_request", data),
        ("read_person", "allowed", "allowed", data),
    ]
    assert pages.post(PAGE, form(pages)).status_code == 303
    assert told_of(pages, begun)[2:] == [("record_decision", "allowed", "allowed", data)]


def test_a_form_with_a_fault_opens_nothing_for_whoever_may_not(stranger):
    begun = len(stranger.service.events())
    page = stranger.post(PAGE, form(stranger, reason=""))
    assert (page.status_code, "Passer" in page.text) == (403, False)
    assert told_of(stranger, begun) == [("record_decision", "denied", "no_care_relation", "")]


def test_the_log_says_that_care_without_a_reason_was_not_begun(stranger):
    begun = len(stranger.service.events())
    assert stranger.post(CARE, {"reason": " "}).status_code == 422
    assert told_of(stranger, begun) == [("begin_care", "denied", "invalid_request", "")]
    assert stranger.post(CARE, {"reason": "henvist"}).status_code == 303
    assert [one[1] for one in told_of(stranger, begun)] == ["denied", "allowed"]


def chosen(page: str, field: str) -> list[str]:
    """What a select of the page shows chosen."""
    select = page.split(f'<select id="{field}"')[1].split("</select>")[0]
    return re.findall(r'value="([^"]*)" selected', select)


@pytest.mark.parametrize("outcome", ["burnout", "long_sick_leave"])
def test_the_form_is_about_the_outcome_that_was_read_and_every_way_to_it_keeps_it(pages, outcome):
    page = pages.get(f"{PAGE}?outcome={outcome}").text
    assert chosen(page, "outcome") == [outcome]
    assert f'action="{PAGE}?outcome={outcome}"' in page
    overview = pages.get(f"{HOME}?outcome={outcome}").text
    assert set(re.findall(rf'href="({PAGE}[^"]*)"', overview)) == {f"{PAGE}?outcome={outcome}"}
    assert overview.count(f'href="{PAGE}') == 2, "the tab and the link"


def test_no_next_step_is_chosen_beforehand(pages):
    page = pages.get(PAGE).text
    assert chosen(page, "next_step") == []
    assert 'name="next_step" required' in page


def test_an_outcome_that_is_none_has_no_form(pages):
    assert pages.get(f"{PAGE}?outcome=happiness").status_code == 422
    assert pages.get(f"{PAGE}?outcome=absence_days").status_code == 404


def test_a_text_that_no_form_of_ours_can_send_is_refused(pages):
    for wrong in ({"reason": "x" * 20_001}, {"score_id": "1"}, {"score_id": None}, {"verdicts": "agree"}):
        page = pages.post(PAGE, form(pages) | wrong if None not in wrong.values() else {"verdict": "agree"})
        assert page.status_code == 422
        assert "Skjemaet ble ikke forstått" in text_of(page)
    assert pages.store.decisions_about(PERSON, date.today()) == ()


def test_a_score_that_says_nothing_of_the_outcome_or_is_of_nobody_takes_no_decision(pages):
    assert pages.post(PAGE, form(pages, outcome="absence_days")).status_code == 422
    assert pages.post(PAGE, form(pages, score_id="0" * 32)).status_code == 404
    assert pages.store.decisions_about(PERSON, date.today()) == ()


@pytest.mark.parametrize(
    ("verdicts", "is_reminded"),
    [
        (["agree"] * REMIND_AFTER, True),
        (["disagree"] + ["agree"] * REMIND_AFTER, True),
        (["agree"] * (REMIND_AFTER - 1), False),
        (["agree"] * REMIND_AFTER + ["not_relevant"], False),
        (["agree"] * 5 + ["disagree"] + ["agree"] * 9, False),
    ],
)
def test_who_agrees_with_everything_is_reminded_of_what_the_model_does_not_know(pages, verdicts, is_reminded):
    for verdict in verdicts:
        decided(pages, verdict)
        decided(pages, "disagree", caller="another")  # whose view is none of hers
    text = text_of(pages.get(PAGE))
    assert (AGREED in text) == is_reminded


def test_every_verdict_and_step_of_the_store_has_words():
    assert tuple(VERDICT_WORDS) == get_args(Verdict)
    assert tuple(NEXT_STEP_WORDS) == get_args(NextStep)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_fault_of_a_reason_has_words_of_its_own(language):
    said = []
    for reason in ("", " ", f"no. {FNR}", "x" * 1001, "a\x1bb"):
        with pytest.raises(ValidationError) as error:
            DecisionRequest(score_id="0" * 32, outcome="burnout", verdict="agree", reason=reason)
        said.append(faults(error.value, words(language))["reason"])
    assert said[0] == said[1]
    assert len(set(said)) == 4


def test_without_care_the_page_is_refused_and_care_can_be_begun_there(stranger):
    refused = stranger.get(PAGE)
    assert refused.status_code == 403
    assert f'action="{CARE}"' in refused.text
    assert stranger.post(PAGE, form(stranger)).status_code == 403
    assert stranger.store.decisions_about(PERSON, date.today()) == ()
    begun = stranger.post(CARE, {"reason": "Henvist\r\nav lege."})
    assert (begun.status_code, begun.headers["location"]) == (303, HOME)
    assert stranger.get(PAGE).status_code == 200
    last = stranger.service.events()[-2]
    assert (last["action"], last["decision"], last["person_id"]) == ("begin_care", "allowed", PERSON)


@pytest.mark.parametrize(
    ("reason", "said"), [("", "Skriv en begrunnelse."), (f"<b>{FNR}", "ser ut til å inneholde et fødselsnummer")]
)
def test_a_reason_that_cannot_be_kept_is_asked_for_again_and_no_care_begins(stranger, reason, said):
    page = stranger.post(CARE, {"reason": reason})
    assert page.status_code == 422
    assert said in text_of(page)
    assert 'aria-invalid="true"' in page.text.replace("aria-invalid=true", 'aria-invalid="true"')
    assert f">{html.escape(reason)}</textarea>" in page.text
    assert not stranger.store.has_care_relation("clinician-1", PERSON, date.today())
    assert not any(FNR in str(event) for event in stranger.service.events())


def test_a_clinician_of_another_company_and_other_roles_begin_nothing(stranger):
    for who in ({"organisations": ["elsewhere"]}, {"role": "employer"}, {"role": "auditor"}):
        assert stranger.post(CARE, {"reason": "wants to"}, **who).status_code == 403
        assert stranger.get(PAGE, **who).status_code == 403
    assert not stranger.store.has_care_relation("clinician-1", PERSON, date.today())
