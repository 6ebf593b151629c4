"""Reasons in place of numbers, persons beside groups, expected days and risks by horizon, as the service answers them."""

from __future__ import annotations

import copy
import json
import math
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from features.catalogue import FEATURE_NAMES
from models.out_of_fold import TrainingRows
from models.risk_model import RiskModel
from models.self_description import describe
from pipeline import risk_picture
from serving.predictor import Predictor
from tests.lib.models import boosted_model, linear_model, random_rows

REQUEST = json.loads((Path(__file__).parents[2] / "examples" / "request.json").read_text())
INDEX_DATE = date.fromisoformat(REQUEST["index_date"])
NOTHING_GIVEN = ("risk", "interval", "risks_by_horizon", "expected_days", "expected_days_interval", "band")


@pytest.fixture(scope="module", params=[linear_model, boosted_model], ids=["linear", "lightgbm"])
def model(request) -> RiskModel:
    """A model of long sick leave that describes itself, with refits near it."""
    made = request.param("long_sick_leave")
    near = replace(made, golden=None, refits=(), facts={})
    made = replace(made, refits=tuple(replace(near, recalibration_intercept=shift) for shift in (-0.3, -0.1, 0.1)))
    X = random_rows(600, seed=6)
    X[:, FEATURE_NAMES.index("is_female")] = np.arange(600) % 2
    X[:, FEATURE_NAMES.index("age_years")] = 18 + np.arange(600) % 52
    zeros = np.zeros(600, dtype=np.int32)
    rows = TrainingRows(FEATURE_NAMES, X, y=zeros * 1.0, weight=zeros + 1.0, person=np.arange(600), fold=zeros,
                        company=zeros, followed_days=zeros)  # fmt: skip
    described = describe(made, rows)
    # Random coefficients weigh all 345 features alike, of which a record tells fewer than random rows.
    described["typical_missing"]["fewest_known"] = 0.0
    return changed(made, **described)


def ask(model: RiskModel, record: dict[str, Any] | None = None, method: str = "explain") -> dict[str, Any]:
    one = Predictor({model.outcome: model})
    sent = copy.deepcopy(REQUEST["record"]) if record is None else record
    answer = getattr(one, method)(sent, INDEX_DATE, [model.outcome], received_on=INDEX_DATE).model_dump(mode="json")
    return answer["outcomes"][model.outcome]


def changed(model: RiskModel, **facts: Any) -> RiskModel:
    return replace(model, facts={**model.facts, **facts})


def limits(model: RiskModel, **limits: float) -> RiskModel:
    return changed(model, typical_missing={**model.facts["typical_missing"], **limits})


def nothing_but_the_job() -> dict[str, Any]:
    """A record of somebody who consents to the use of the employment only."""
    record = copy.deepcopy(REQUEST["record"])
    record["consents"] = [row for row in record["consents"] if row["source"] == "employment"]
    return record


def test_too_little_known_is_a_reason_and_not_a_number(model):
    strict = limits(model, fewest_known=0.99)
    found = ask(strict, nothing_but_the_job())
    assert [found[name] for name in NOTHING_GIVEN] == [None] * len(NOTHING_GIVEN)
    assert (found["log_odds"], found["base"], found["reasons"], found["domains"], found["references"]) == (
        None, None, [], [], [],
    )  # fmt: skip
    first, *others = found["warnings"]
    assert first["code"] == "too_little_known"
    assert "Viktigst av det ukjente" in first["message"]["nb"]
    assert {"no_consent_survey", "no_consent_lab", "no_consent_absence"} <= {one["code"] for one in others}
    assert found["reference_risk"] == strict.reference_risk
    assert ask(strict, nothing_but_the_job(), "predict")["risk"] is None


def test_nobody_is_held_back_for_what_others_lacked_too(model):
    found = ask(model, nothing_but_the_job())
    assert found["risk"] is not None
    (warning,) = [one for one in found["warnings"] if one["code"] == "little_known"]
    assert "% of what the model usually rests on is known" in warning["message"]["en"]


def test_values_far_from_training_in_many_domains_are_a_reason(model):
    nowhere = {name: [-9e6, -8e6] for name in model.feature_names}
    found = ask(changed(model, training_range=nowhere))
    assert found["risk"] is None
    assert [one["code"] for one in found["warnings"]][:1] == ["unlike_training_data"]
    assert "outside_training_range" in {one["code"] for one in found["warnings"]}


def test_an_interval_over_all_bands_is_a_reason(model):
    far = tuple(replace(model.refits[0], recalibration_intercept=shift) for shift in (-30.0, 30.0))
    found = ask(replace(model, refits=far))
    assert (found["risk"], found["warnings"][0]["code"]) == (None, "too_uncertain")


def test_the_person_beside_everybody_and_beside_those_alike(model):
    found = ask(model)
    everybody, similar = found["references"]
    assert (everybody["group"], similar["group"]) == ("population", "female_40_49")
    for one in (everybody, similar):
        assert one["persons"] >= 50
        assert one["difference"] == pytest.approx(found["log_odds"] - one["log_odds"], abs=1e-9)
        assert math.fsum(one["contributions"].values()) == pytest.approx(one["difference"], abs=1e-9)
        assert math.fsum(domain["contribution"] for domain in one["domains"]) == pytest.approx(
            one["difference"], abs=1e-9
        )
        sizes = [abs(size) for size in one["contributions"].values()]
        assert sizes == sorted(sizes, reverse=True)
    assert similar["text"]["nb"].startswith("Sammenlignet med kvinner på 40–49 år, er modellens tall ")
    assert similar["text"]["en"].startswith("Compared with women aged 40–49, the model's number is ")
    assert "references" not in ask(model, method="predict")


def test_without_groups_there_is_no_comparison(model):
    assert ask(changed(model, reference_groups={}))["references"] == []


def test_risks_by_horizon(model):
    assert ask(model)["risks_by_horizon"] is None
    found = ask(changed(model, horizons={"30": [-2.0, 0.1], "90": [-1.0, -0.1], "365": None}))
    by_day = found["risks_by_horizon"]
    assert list(by_day) == ["30", "90", "365"]
    assert by_day["30"] < by_day["90"] < by_day["365"] == found["risk"]


def days_model() -> RiskModel:
    made = linear_model("absence_days")
    near = replace(made, golden=None, refits=(), link="log", intercept=1.0, reference_risk=9.0)
    return replace(near, refits=(near, replace(near, recalibration_intercept=0.0)))


def test_expected_days_are_no_risk():
    found = ask(days_model())
    assert found["target"] == "days"
    assert [found[name] for name in ("risk", "interval", "reference_risk", "risks_by_horizon")] == [None] * 4
    assert found["expected_days"] == pytest.approx(math.exp(found["log_odds"]))
    low, high = found["expected_days_interval"]
    assert found["expected_days"] <= low < high
    assert found["reference_days"] == 9.0
    assert found["band"]["name"] in {"lower", "around", "above", "well_above"}
    assert found["reasons"]


def test_an_event_has_no_days(model):
    found = ask(model)
    assert found["target"] == "event"
    assert [found[name] for name in ("expected_days", "expected_days_interval", "reference_days")] == [None] * 3


def test_the_picture_leaves_out_what_is_no_risk(tmp_path, model):
    both = Predictor({"absence_days": days_model(), "long_sick_leave": model})
    answer = both.predict(REQUEST["record"], INDEX_DATE, list(both.models), received_on=INDEX_DATE)
    risk_picture.draw(answer.model_dump(mode="json"), tmp_path / "risk.png")
    assert (tmp_path / "risk.png").stat().st_size > 10_000


def test_the_schema_says_what_an_interval_means():
    from serving.responses import OutcomeRisk

    meaning = OutcomeRisk.model_json_schema()["properties"]["interval"]["description"]
    for words in ("resampled persons", "not the range in which this person's future lies", "leaves out"):
        assert words in meaning
