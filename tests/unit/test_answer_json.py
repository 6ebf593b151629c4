"""Answers written straight as JSON: byte for byte what the declared models give, and as strict."""

from __future__ import annotations

import copy
import json
import math
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from models.risk_model import RiskModel
from serving.case import Served
from serving.predictor import OutcomeNotServed, Predictor
from tests.lib.models import boosted_model, linear_model

REQUEST = json.loads((Path(__file__).parents[2] / "examples" / "request.json").read_text())
DAY = date.fromisoformat(REQUEST["index_date"])


def records() -> list[dict[str, object]]:
    """The example, one that warns, one that the models say nothing about, one with a safety flag."""
    whole = REQUEST["record"]
    sparse = {name: rows for name, rows in whole.items() if name not in ("lab_results", "guidance_sessions")}
    nobody = copy.deepcopy(whole) | {"employments": []}
    alarming = copy.deepcopy(whole)
    alarming["survey_answers"].append(
        {"instrument": "phq9", "item": "item_9", "answer": 3, "answered_on": "2025-10-14", "known_from": "2025-10-14"}
    )
    return [whole, sparse, nobody, alarming]


@pytest.mark.parametrize("record", records(), ids=["whole", "sparse", "not employed", "alarming"])
@pytest.mark.parametrize(
    "models", [(linear_model(), boosted_model()), (linear_model("burnout"),)], ids=["two", "linear"]
)
def test_the_bytes_are_those_of_the_models(record: dict[str, object], models: tuple[RiskModel, ...]) -> None:
    predictor = Predictor({model.outcome: model for model in models})
    asked = (record, DAY, list(predictor.models), DAY)
    assert predictor.predict_json(*asked) == predictor.predict(*asked).model_dump_json().encode()
    assert predictor.explain_json(*asked) == predictor.explain(*asked).model_dump_json().encode()


def test_an_answer_of_days_too() -> None:
    days = replace(linear_model("absence_days"), link="log", reference_risk=6.0, golden=None, refits=())
    predictor = Predictor({"absence_days": days})
    asked = (REQUEST["record"], DAY, ["absence_days"], DAY)
    assert predictor.predict_json(*asked) == predictor.predict(*asked).model_dump_json().encode()


def test_a_number_that_is_none_is_refused_as_the_models_refuse_it(monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = Predictor({"burnout": linear_model("burnout")})
    asked = (REQUEST["record"], DAY, ["burnout"], DAY)
    monkeypatch.setattr("serving.predictor.inverse_link", lambda link, linear: linear * math.nan)
    with pytest.raises(ValidationError):
        predictor.predict(*asked)
    with pytest.raises(ValidationError):
        predictor.predict_json(*asked)


def test_an_outcome_without_a_model_is_told_as_before() -> None:
    with pytest.raises(OutcomeNotServed):
        Predictor({"burnout": linear_model("burnout")}).predict_json(REQUEST["record"], DAY, ["long_sick_leave"], DAY)


def test_what_a_model_always_says_is_made_once() -> None:
    served = Served(linear_model("burnout"))
    assert served.always_said["model"] == served.body.model_dump(mode="json")
    assert served.always_said["risk"] is None
