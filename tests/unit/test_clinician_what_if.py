"""The what-if page: the answers that can be tried, what the model says to others, and what it refuses to try."""

from __future__ import annotations

import copy
import re
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import delete

from data_contracts.instruments import INSTRUMENTS
from features.record import tables_of_record
from serving.clinician.answer_fields import MOST_ITEMS, AnswerField, AnswerForm, answer_form
from serving.clinician.language import words
from serving.clinician.rendering import environment
from serving.clinician.sentences import short
from serving.clinician.what_if_page import ONLY_ANSWER, direction
from serving.handlers.what_if import NOTICE, answered
from serving.handlers.what_if_bodies import Change, OutcomeWhatIf, Side, WhatIfRequest
from serving.predictor import Predictor, case_of
from serving.store.tables import RECORDS
from tests.lib.deployment import PERSON, REQUEST
from tests.lib.models import linear_model
from tests.lib.pages import HOME, NIGHT, clinicians_pages, text_of
from tests.lib.records import answers

PAGE = f"{HOME}/what-if"
SICK_LEAVE = "long_sick_leave"
CURRENT = {
    f"{row['instrument']}.{row['item']}": row["answer"]
    for row in REQUEST["record"]["survey_answers"]
    if row["answered_on"] == "2025-10-14"
}


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    with clinicians_pages(tmp_path_factory.mktemp("what_if")) as found:
        found.begin_care()
        yield found


@pytest.fixture(autouse=True)
def unlimited(pages, monkeypatch):
    # What is tried here is more than one clinician may in a minute; the quota has a test of its own.
    monkeypatch.setattr(pages.service.parts.quotas, "take", lambda subject, action: None)


def fields(html: str) -> dict[str, float]:
    """The sliders and numbers of a page by name."""
    found = re.findall(r'<input type="(?:range|number)" id="[^"]+" name="([^"]+)"[^>]* value="([^"]+)"', html)
    return {name: float(value) for name, value in found}


def form_of(record: dict[str, Any], model: Any) -> AnswerForm:
    tables = tables_of_record(record, NIGHT)
    case = case_of(tables, NIGHT, NIGHT)
    predictor = Predictor({model.outcome: model})
    explained = predictor.explain_case(case, NIGHT, [model.outcome]).outcomes[model.outcome]
    return answer_form(tables, case, predictor.served[model.outcome], explained)


def test_every_field_shows_the_current_answer_and_no_field_is_about_safety(pages):
    page = pages.get(f"{PAGE}?outcome={SICK_LEAVE}")
    shown = fields(page.text)
    assert page.status_code == 200
    assert len(shown) > 30
    assert {name: CURRENT[name] for name in shown} == shown
    safety = {f"{one.name}.{rule.item}" for one in INSTRUMENTS.values() for rule in one.safety}
    assert safety
    assert not safety & set(shown)
    assert NOTICE.message["nb"] in text_of(page)
    assert "Ingen svar er endret." in text_of(page)


def test_a_change_is_answered_with_the_numbers_of_the_api(pages):
    sent = fields(pages.get(f"{PAGE}?outcome={SICK_LEAVE}").text) | {f"cbi.work_{n}": 100 for n in range(1, 7)}
    page = pages.post(f"{PAGE}?outcome={SICK_LEAVE}", sent)
    changes = [{"instrument": "cbi", "item": f"work_{n}", "answer": 100.0} for n in range(1, 7)]
    request = WhatIfRequest(**REQUEST | {"changes": changes, "outcomes": [SICK_LEAVE]})
    expected = answered(pages.service.parts.watch.predictor, request, NIGHT).outcomes[SICK_LEAVE]
    say, text = words("nb"), text_of(page)
    sign, word = ("▼", "lavere") if expected.difference < 0 else ("▲", "høyere")
    assert abs(expected.difference) > 0.05
    assert f"{sign} {say.number(abs(expected.difference), 1)} prosentpoeng {word}" in text
    assert f"Med svarene du prøver {say.number(100 * expected.then.risk)} av 100" in text
    assert f"{say.number(expected.difference_interval[0], 1)} til" in text
    assert "Andre svar som henger sammen med dette, er ikke flyttet." in text
    assert expected.changed[0].then_shown.nb in text
    assert text.count(NOTICE.message["nb"]) == 2
    assert fields(page.text)["cbi.work_1"] == 100  # the form stays as it was sent, and says what was answered
    assert "Svart: 50. Fra 0 til 100, høyere er mindre gunstig." in text


def test_the_script_gets_the_answer_alone(pages):
    sent = {"cbi.work_1": 100, ONLY_ANSWER: 1}
    part = pages.post(f"{PAGE}?outcome={SICK_LEAVE}", sent)
    assert part.status_code == 200
    assert "<html" not in part.text
    assert "<form" not in part.text
    whole = pages.post(f"{PAGE}?outcome={SICK_LEAVE}", {"cbi.work_1": 100})
    assert text_of(part) in text_of(whole)


def test_answers_as_they_are_change_nothing(pages):
    sent = {name: CURRENT[name] for name in ("cbi.work_1", "cbi.work_2")}
    assert "Ingen svar er endret." in text_of(pages.post(f"{PAGE}?outcome={SICK_LEAVE}", sent))


def test_more_changes_than_the_api_takes_are_asked_to_be_fewer(pages):
    shown = fields(pages.get(f"{PAGE}?outcome={SICK_LEAVE}").text)
    lowest = {name: INSTRUMENTS[name.split(".")[0]].items[0].answers[0] for name in shown}
    page = pages.post(f"{PAGE}?outcome={SICK_LEAVE}", lowest)
    assert page.status_code == 200
    assert "Prøv høyst 20 endrede svar om gangen." in text_of(page)


@pytest.mark.parametrize(
    ("sent", "heading"),
    [
        ({"cbi.work_1": 101}, "Endringen kan ikke prøves"),
        ({"cbi.unknown": 1}, "Endringen kan ikke prøves"),
        ({"phq9.item_9": 0}, "Endringen kan ikke prøves"),
        ({"srh.item_1": 1}, "Endringen kan ikke prøves"),
        ({"cbi.work_1": "nan"}, "Skjemaet ble ikke forstått"),
        ({"cbi.work_1": "mye bedre"}, "Skjemaet ble ikke forstått"),
        ({"cbi": 1}, "Skjemaet ble ikke forstått"),
        ({"cbi." + "x" * 65: 1}, "Skjemaet ble ikke forstått"),
    ],
)
def test_what_cannot_be_tried_is_refused_and_not_quoted(pages, sent, heading):
    page = pages.post(f"{PAGE}?outcome={SICK_LEAVE}", sent)
    assert page.status_code == 422
    assert heading in text_of(page)
    assert "mye bedre" not in page.text
    assert "101" not in text_of(page)


def test_an_outcome_that_there_is_no_score_of_has_no_page(pages):
    assert pages.get(f"{PAGE}?outcome=absence_days").status_code == 404
    assert pages.get(f"{PAGE}?outcome=happiness").status_code == 422


def test_each_try_is_in_the_audit_log_with_the_model_that_answered(pages):
    before = len(pages.service.events())
    pages.post(f"{PAGE}?outcome={SICK_LEAVE}", {"cbi.work_1": 100})
    (event,) = pages.service.events()[before:]
    assert (event["action"], event["decision"], event["person_id"]) == ("what_if", "allowed", PERSON)
    assert SICK_LEAVE in event["models"]
    assert "burnout" not in event["models"]
    assert event["data_version"] == "d" * 64


def test_a_newer_model_than_last_nights_is_told_of(pages, monkeypatch):
    newer = replace(linear_model(seed=5), artifact_sha256="b" * 64)
    replaced = "Modellen er byttet siden siste natt"
    assert replaced not in text_of(pages.get(f"{PAGE}?outcome={SICK_LEAVE}"))
    monkeypatch.setattr(pages.service.parts.watch, "predictor", Predictor({SICK_LEAVE: newer}))
    assert replaced in text_of(pages.get(f"{PAGE}?outcome={SICK_LEAVE}"))


def test_without_a_model_in_service_nothing_is_tried(pages, monkeypatch):
    monkeypatch.setattr(pages.service.parts.watch, "predictor", None)
    assert pages.get(PAGE).status_code == 503


def test_who_asks_too_often_is_told_when_to_try_again(pages, monkeypatch):
    monkeypatch.undo()
    sent = {"cbi.work_1": 100, ONLY_ANSWER: 1}
    answered_with = [pages.post(f"{PAGE}?outcome={SICK_LEAVE}", sent) for _ in range(14)]
    spent = [one for one in answered_with if one.status_code == 429]
    assert [one.status_code for one in answered_with[:10]] == [200] * 10
    assert spent
    assert "Vent et minutt og prøv igjen." in text_of(spent[0])
    assert int(spent[0].headers["retry-after"]) >= 1


def test_a_withheld_number_leaves_nothing_to_try_and_the_page_says_why(tmp_path):
    record = copy.deepcopy(REQUEST["record"])
    for row in record["survey_answers"]:
        if row["instrument"] == "cbi" and row["item"].startswith("personal"):
            row["answer"] = 100
    with clinicians_pages(tmp_path, record) as found:
        found.begin_care()
        for page in (found.get(f"{PAGE}?outcome=burnout"), found.post(f"{PAGE}?outcome=burnout", {ONLY_ANSWER: 1})):
            text = text_of(page)
            assert page.status_code == 200
            assert "Modellen gir ikke noe tall for denne personen" in text
            assert "En skala i utbrenthetsskjemaet" in text
            assert "<form id" not in page.text
            assert "av 100" not in text


def test_a_night_without_records_says_when_there_will_be_one(tmp_path):
    with clinicians_pages(tmp_path) as found:
        found.begin_care()
        with found.store.database.writing() as connection:
            connection.execute(delete(RECORDS))
        page = found.get(PAGE)
        assert page.status_code == 200
        assert "Etter neste natt kan svarene prøves her." in text_of(page)


def test_old_answers_leave_no_field(tmp_path):
    record = copy.deepcopy(REQUEST["record"])
    for row in record["survey_answers"]:
        row |= {"answered_on": "2024-01-10", "known_from": "2024-01-10"}
    with clinicians_pages(tmp_path, record) as found:
        found.begin_care()
        page = found.get(f"{PAGE}?outcome={SICK_LEAVE}")
        assert fields(page.text) == {}
        assert "de er for gamle" in text_of(page)


def field(answers: tuple[float, ...], **changes: Any) -> AnswerField:
    about = {"instrument": "i", "item": "a", "place": 1, "answers": answers, "current": 0.0, "higher_is_worse": None}
    return AnswerField(**about | changes)


@pytest.mark.parametrize(
    ("codes", "control", "step"),
    [
        ((0.0, 1.0), "radio", 1.0),
        ((1.0, 4.0, 7.0), "radio", 3.0),
        ((0.0, 25.0, 50.0, 75.0, 100.0), "slider", 25.0),
        ((0.0, 1.0, 2.0, 5.0), "select", None),
        (tuple(map(float, range(31))), "slider", 1.0),
        (tuple(map(float, range(32))), "number", 1.0),
    ],
)
def test_the_control_follows_from_the_codes(codes, control, step):
    assert (field(codes).control, field(codes).step) == (control, step)


def test_scales_that_count_most_stand_first_and_the_rest_is_counted():
    form = form_of(REQUEST["record"], linear_model())
    weights = [scale.weight for scale in form.scales]
    assert weights == sorted(weights, reverse=True)
    assert weights[0] > weights[-1]
    record = copy.deepcopy(REQUEST["record"])
    record["survey_answers"] = [
        row for one in ("shc", "bat23", "hscl25", "cbi")
        for row in answers(one, [item.answers[1] for item in INSTRUMENTS[one].items], "2025-10-14", person_id=PERSON)
    ]  # fmt: skip
    form = form_of(record, linear_model())
    n_shown = sum(len(scale.fields) for scale in form.scales)
    assert 30 <= n_shown <= MOST_ITEMS < 22 + 23 + 24 + 19
    assert form.n_left_out > 0


def test_an_item_stands_once_and_in_the_shortest_scale_that_the_model_uses():
    record = copy.deepcopy(REQUEST["record"])
    record["survey_answers"] = answers("bat12", [2] * 12, "2025-10-14", person_id=PERSON)
    form = form_of(record, linear_model())
    assert sorted(form.current) == sorted(f"bat12.{item.id}" for item in INSTRUMENTS["bat12"].items)
    assert [len(scale.fields) for scale in form.scales] == [3, 3, 3, 3]
    model = linear_model()
    kept = [place for place, name in enumerate(model.feature_names) if name == "bat12_core"]
    arrays = {name: getattr(model, name)[kept] for name in ("impute", "low", "high", "mean", "scale", "coefficients")}
    core = replace(model, feature_names=("bat12_core",), refits=(), **arrays)
    (scale,) = form_of(record, core).scales
    assert (scale.label["nb"], len(scale.fields)) == (INSTRUMENTS["bat12"].scales[0].label_nb, 12)


def test_a_turned_item_says_that_the_other_end_is_unfavourable():
    form = form_of(REQUEST["record"], linear_model())
    told = {one.name: one.higher_is_worse for scale in form.scales for one in scale.fields}
    assert (told["cbi.work_6"], told["cbi.work_7"], told["who5.item_1"]) == (True, False, False)


@pytest.mark.parametrize(
    ("item", "number", "is_said"),
    [("item_9", 9, True), ("work_2", 2, True), ("mental_distance_1", 2, False), ("QD3", 2, False)],
)
def test_the_name_of_an_item_is_shown_only_where_the_number_says_less(item, number, is_said):
    found = field((0.0, 1.0), item=item, place=2)
    assert (found.number, found.is_said_by_number) == (number, is_said)


def test_the_page_says_that_the_questionnaire_is_needed_and_shows_no_name_that_says_nothing(pages):
    page = pages.get(f"{PAGE}?outcome={SICK_LEAVE}")
    assert "Ha spørreskjemaet foran deg" in text_of(page)
    assert "work_1</code>" not in page.text
    assert "Spørsmål 1" in text_of(page)


@pytest.mark.parametrize(
    ("difference", "interval", "told"),
    [
        (None, None, None),
        (-2.5, (-3.0, -0.1), "lower"),
        (2.5, (0.1, 3.0), "higher"),
        (2.5, None, "higher"),
        (-2.5, (-3.0, 1.0), "unclear"),
        (2.5, (0.0, 3.0), "unclear"),
        (0.01, (-3.0, 3.0), "unclear"),
        (0.01, (-0.02, 0.04), "alike"),
        (-0.04, (-0.06, -0.02), "alike"),
    ],
)
def test_a_direction_is_told_only_where_the_refits_agree_on_it(difference, interval, told):
    assert direction(SimpleNamespace(difference=difference, difference_interval=interval)) == told


def test_where_the_refits_disagree_no_direction_is_shown(pages, monkeypatch):
    def disagreeing(*asked):
        found = answered(*asked)
        one = found.outcomes[SICK_LEAVE].model_copy(update={"difference_interval": (-3.0, 1.0)})
        return found.model_copy(update={"outcomes": {SICK_LEAVE: one}})

    monkeypatch.setattr("serving.clinician.what_if_page.answered", disagreeing)
    page = pages.post(f"{PAGE}?outcome={SICK_LEAVE}", {f"cbi.work_{n}": 100 for n in range(1, 7)})
    headline = page.text.split('what-if-headline">')[1].split("</p>")[0]
    assert headline.strip() == "Modellen kan ikke si om tallet blir høyere eller lavere."
    assert "forskjellen: −3 til 1 (90 prosent intervall)" in text_of(page)
    assert "▲" not in text_of(page)


def test_days_are_told_as_days():
    sides = [
        Side(risk=None, interval=None, expected_days=days, expected_days_interval=(days - 1, days + 1), band=None, warnings=())
        for days in (9.0, 6.5)
    ]  # fmt: skip
    request = WhatIfRequest(
        **REQUEST | {"outcomes": [SICK_LEAVE], "changes": [Change(instrument="cbi", item="work_1", answer=0.0)]}
    )
    event = answered(Predictor({SICK_LEAVE: linear_model()}), request, NIGHT).outcomes[SICK_LEAVE]
    days = OutcomeWhatIf(**dict(event) | {"target": "days", "now": sides[0], "then": sides[1], "difference": -2.5,
                                          "difference_interval": (-3.0, -1.0)})  # fmt: skip
    template = environment("nb").get_template("what_if_answer.html")
    html = template.render(
        form=1, now=event, found=days, n_changes=1, most_changes=20, notice=NOTICE, stored_model="",
        short=partial(short, words("nb")), direction=direction(days),
    )  # fmt: skip
    assert "<strong>▼ 2,5 færre dager</strong>" in html
    assert "forskjellen: −3 til −1 (" in html
    assert "9 dager" in html
    assert "av 100" not in html
