"""A changed answer gives exactly what a record with that answer would give, only where it may be changed, and no promise."""

from __future__ import annotations

import copy
import json
import math
import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from data_contracts.instruments import INSTRUMENTS
from features.catalogue import feature
from features.record import tables_of_record
from serving.handlers import what_if
from serving.handlers.changed_answers import changed, modifiable_items
from serving.handlers.what_if_bodies import Change, WhatIfRequest, WhatIfResponse
from serving.predictor import Predictor, case_of
from serving.problems import Problem, Refused
from tests.lib.calls import call
from tests.lib.models import boosted_model, linear_model, snapshot
from tests.lib.records import answers

REQUEST = json.loads((Path(__file__).parents[2] / "examples" / "request.json").read_text())
INDEX_DATE = date.fromisoformat(REQUEST["index_date"])
PREDICTOR = Predictor({model.outcome: model for model in (linear_model(), boosted_model())})
ANSWERED = [
    place
    for place, row in enumerate(REQUEST["record"]["survey_answers"])
    if row["item"] in modifiable_items(row["instrument"]) and row["answered_on"] == "2025-10-14"
]
NO_PROMISE = re.compile(
    r"fordi du|forårsak|skyldes|fører til|gir lavere|vil senke|reduser|caus|due to|leads? to|will (lower|reduce)|lowers your",
    re.IGNORECASE,
)


@pytest.fixture
def record() -> dict[str, Any]:
    return copy.deepcopy(REQUEST["record"])


def asked(record: dict[str, Any], *changes: tuple[str, str, float], predictor: Predictor = PREDICTOR) -> WhatIfResponse:
    listed = [dict(zip(("instrument", "item", "answer"), change, strict=True)) for change in changes]
    body = WhatIfRequest(**REQUEST | {"record": record, "changes": listed})
    return what_if.what_if(call(body, predictor, INDEX_DATE))


def refused(record: dict[str, Any], *changes: tuple[str, str, float]) -> Problem:
    with pytest.raises(Refused) as error:
        asked(record, *changes)
    return error.value.problem


def fault(record: dict[str, Any], change: tuple[str, str, float]) -> tuple[str, str]:
    problem = refused(record, change)
    (one,) = problem.errors
    assert problem.status == 422
    return one.field, one.rule


@st.composite
def changes(draw: Any) -> list[tuple[int, float]]:
    places = draw(st.lists(st.sampled_from(ANSWERED), min_size=1, max_size=4, unique=True))
    rows = REQUEST["record"]["survey_answers"]
    codes = [INSTRUMENTS[rows[p]["instrument"]] for p in places]
    items = [one.items[one.item_positions[rows[p]["item"]]] for one, p in zip(codes, places, strict=True)]
    return [(place, draw(st.sampled_from(item.answers[:12]))) for place, item in zip(places, items, strict=True)]


@settings(max_examples=25, deadline=None, derandomize=True)
@given(changes(), st.booleans())
def test_the_answer_is_that_to_a_record_with_these_answers(drawn, as_correction):
    record = copy.deepcopy(REQUEST["record"])
    rows = record["survey_answers"]
    found = asked(record, *((rows[place]["instrument"], rows[place]["item"], answer) for place, answer in drawn))
    for place, answer in drawn:
        if as_correction:  # one that became known on the day before the index date
            rows.append(rows[place] | {"answer": answer, "known_from": "2025-11-30"})
        else:
            rows[place]["answer"] = answer
    straight = PREDICTOR.predict(record, INDEX_DATE, REQUEST["outcomes"], received_on=INDEX_DATE)
    for name, outcome in found.outcomes.items():
        there = straight.outcomes[name]
        then = outcome.then
        assert (then.risk, then.interval, then.band, then.warnings) == (
            there.risk, there.interval, there.band, there.warnings,
        )  # fmt: skip
        if outcome.now.risk is not None and then.risk is not None:
            assert outcome.difference == pytest.approx(100 * (then.risk - outcome.now.risk), abs=1e-9)
            assert outcome.difference_interval is not None


def test_now_is_the_answer_of_the_risk_route_and_the_record_that_was_sent_stays_as_it_is(record):
    before = copy.deepcopy(record)
    found = asked(record, ("cbi", "personal_1", 100))
    straight = PREDICTOR.predict(before, INDEX_DATE, REQUEST["outcomes"], received_on=INDEX_DATE)
    assert {name: one.now.risk for name, one in found.outcomes.items()} == {
        name: one.risk for name, one in straight.outcomes.items()
    }
    assert record == before


def test_what_changed_is_named_with_both_values(record):
    (one,) = asked(record, ("cbi", "personal_1", 0)).outcomes["long_sick_leave"].changed
    assert (one.feature, one.now, one.then, one.modifiable) == ("cbi_personal", 41.666668, 33.333332, True)
    assert (one.now_shown.nb, one.then_shown.en) == ("41,7 poeng", "33.3 points")


def test_an_eligibility_that_the_change_takes_away_leaves_no_number_and_no_difference(record):
    high = [("cbi", f"personal_{number}", 100) for number in range(1, 7)]
    burnout = asked(record, *high).outcomes["burnout"]
    assert burnout.now.risk is not None
    assert (burnout.then.risk, burnout.difference, burnout.difference_interval) == (None, None, None)
    assert [one.code for one in burnout.then.warnings][:1] == ["burnout_scale_high"]


def test_others_at_the_workplace_stay_as_they_are(record):
    # The snapshot holds the answer that was really given; taking the changed one out of it would move the others' mean.
    for row in record["survey_answers"]:
        row |= {"answered_on": "2025-05-01", "known_from": "2025-05-01"}
    model = replace(linear_model(), workplace_context=snapshot())
    predictor = Predictor({"long_sick_leave": model})
    body = {"record": record, "outcomes": ["long_sick_leave"],
            "changes": [{"instrument": "cbi", "item": "personal_1", "answer": 0}]}  # fmt: skip
    found = what_if.what_if(call(WhatIfRequest(**REQUEST | body), predictor, INDEX_DATE)).outcomes["long_sick_leave"]
    position = model.feature_names.index("cbi_personal")
    moved = [model.scale[position], model.coefficients[position], model.recalibration_slope]
    (one,) = found.changed
    expected = moved[2] * moved[1] * (one.then - one.now) / moved[0]
    assert logit(found.then.risk) - logit(found.now.risk) == pytest.approx(expected, abs=1e-6)


def logit(risk: float) -> float:
    return math.log(risk / (1 - risk))


def test_the_tables_that_were_checked_are_not_written_to(record):
    tables = tables_of_record(record, INDEX_DATE)
    before = tables["survey_answers"]["answer"].copy()
    altered, errors = changed(
        tables, [Change(instrument="cbi", item="personal_1", answer=100.0)], case_of(tables, INDEX_DATE, INDEX_DATE)
    )
    assert errors == []
    assert (altered["survey_answers"]["answer"] != before).sum() == 1
    assert (tables["survey_answers"]["answer"] == before).all()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("nonsense", "personal_1", 0), ("/changes/0/instrument", "unknown instrument")),
        (("cbi", "personal_9", 0), ("/changes/0/item", "unknown item")),
        (("cbi", "personal_1", 10), ("/changes/0/answer", "unknown answer code")),
        (("srh", INSTRUMENTS["srh"].items[0].id, 1), ("/changes/0/item", "not modifiable")),
        (("phq9", "item_9", 0), ("/changes/0/item", "not modifiable")),  # safety is nothing to try out
        (("cbi", "client_1", 0), ("/changes/0/item", "not answered")),
    ],
)
def test_what_cannot_be_changed_is_refused_by_field_and_reason(record, change, expected):
    assert fault(record, change) == expected


@pytest.mark.parametrize("shift", ["2024-10-01", "2024-10-26"])
def test_an_answer_older_than_it_is_called_current_cannot_be_changed(record, shift):
    for row in record["survey_answers"]:
        row |= {"answered_on": shift, "known_from": shift}
    assert fault(record, ("cbi", "personal_1", 0)) == ("/changes/0/item", "not current")


def test_an_answer_of_the_last_valid_day_can_be_changed(record):
    for row in record["survey_answers"]:
        row |= {"answered_on": "2024-10-27", "known_from": "2024-10-27"}  # 400 days before
    assert asked(record, ("cbi", "personal_1", 0)).outcomes["long_sick_leave"].changed


def test_an_earlier_survey_is_history_and_cannot_be_changed(record):
    # Item 1 was left out in the later survey, whose scale is computed from the other five.
    items = INSTRUMENTS["cbi"].items
    later = answers("cbi", [float("nan"), 50, 50, 50, 50, 50, *[float("nan")] * (len(items) - 6)], "2025-11-14")
    record["survey_answers"] += [{name: cell for name, cell in row.items() if name != "person_id"} for row in later]
    assert fault(record, ("cbi", "personal_1", 0)) == ("/changes/0/item", "not current")


def test_what_became_known_on_the_index_date_cannot_be_changed(record):
    for row in record["survey_answers"]:
        row |= {"known_from": REQUEST["index_date"]}
    assert fault(record, ("cbi", "personal_1", 0)) == ("/changes/0/item", "not answered")


def test_a_deleted_answer_cannot_be_changed_and_a_corrected_one_is_changed_in_its_last_version(record):
    rows = record["survey_answers"]
    own = next(row for row in rows if (row["instrument"], row["item"]) == ("cbi", "personal_1"))
    rows.append(own | {"known_from": "2025-11-01", "answer": 75})
    (one,) = asked(record, ("cbi", "personal_1", 50)).outcomes["long_sick_leave"].changed
    assert one.now > one.then
    rows.append(own | {"known_from": "2025-11-02", "answer": 75, "is_deleted": True})
    assert fault(record, ("cbi", "personal_1", 50)) == ("/changes/0/item", "not answered")


def test_without_consent_nothing_is_changed(record):
    record["consents"] = [row for row in record["consents"] if row["source"] != "survey"]
    assert fault(record, ("cbi", "personal_1", 0)) == ("/changes/0/item", "not used")


def test_a_safety_flag_of_the_record_stands_in_the_answer_and_in_the_refusal(record):
    day = REQUEST["index_date"]
    record["survey_answers"].append(
        {"instrument": "phq9", "item": "item_9", "answer": 1, "answered_on": day, "known_from": day}
    )
    assert [one.item for one in asked(record, ("cbi", "personal_1", 0)).safety_flags] == ["item_9"]
    problem = refused(record, ("cbi", "client_1", 0), ("cbi", "personal_1", 33))
    assert [one.item for one in problem.safety_flags] == ["item_9"]
    assert [one.field for one in problem.errors] == ["/changes/0/item", "/changes/1/answer"]
    assert "33" not in json.dumps(problem.document()), "no value in an error"


@pytest.mark.parametrize(
    "changes",
    [[], [{"instrument": "cbi", "item": "personal_1", "answer": 0}] * 2,
     [{"instrument": "cbi", "item": "personal_1", "answer": "0"}],
     [{"instrument": "cbi", "item": "personal_1", "answer": True}],
     [{"instrument": "cbi", "item": "personal_1", "answer": float("nan")}],
     [{"instrument": "cbi", "item": f"personal_{n}", "answer": 0} for n in range(21)]],
)  # fmt: skip
def test_the_form_of_the_changes_is_checked_and_nothing_is_quoted(changes):
    with pytest.raises(ValidationError) as error:
        WhatIfRequest(**REQUEST | {"changes": changes})
    assert "input_value" not in str(error.value)


def test_an_item_is_modifiable_exactly_where_the_catalogue_says_so_of_one_of_its_scales():
    for instrument in INSTRUMENTS.values():
        safety = {rule.item for rule in instrument.safety}
        for item in instrument.items:
            scales = [scale for scale in instrument.scales if item.id in scale.items]
            expected = any(feature(scale.name).modifiable for scale in scales) and item.id not in safety
            assert (item.id in modifiable_items(instrument.name)) == expected
    assert not modifiable_items("srh"), "self-rated health is no handle"


def test_no_text_promises_an_effect(record):
    found = asked(record, ("cbi", "personal_1", 0))
    for text in found.notice.message.values():
        assert not NO_PROMISE.search(text)
    assert "promise" in found.notice.message["en"]
    assert "løfte" in found.notice.message["nb"]


def test_the_schemas_are_valid():
    for model in (WhatIfRequest, WhatIfResponse):
        Draft202012Validator.check_schema(model.model_json_schema())
