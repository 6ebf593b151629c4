"""One record gets the number that the files give, or an honest word why there is none."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from data_contracts.errors import ArtifactError
from data_contracts.time_windows import day_number
from data_contracts.validation import check_record
from features.build import build_features
from features.histories import Histories
from features.record import RecordViolation
from models.artifact import save
from models.bundle import create_keys, export_bundle, move_current
from models.outcomes import OUTCOMES
from models.risk_model import risk_of
from serving import problems
from serving.notices import NOT_ELIGIBLE
from serving.predictor import OutcomeNotServed, Predictor
from serving.responses import ExplanationResponse, RiskResponse
from tests.lib.models import boosted_model, linear_model

PROJECT = Path(__file__).parents[2]
REQUEST = json.loads((PROJECT / "examples" / "request.json").read_text())
INDEX_DATE = date.fromisoformat(REQUEST["index_date"])
BOTH = ("burnout", "long_sick_leave")
MODELS = {model.outcome: model for model in (linear_model(), boosted_model())}


@pytest.fixture
def record() -> dict[str, Any]:
    return copy.deepcopy(REQUEST["record"])


def predict(record: dict[str, Any], outcomes: tuple[str, ...] = BOTH, models: dict | None = None) -> dict[str, Any]:
    response = Predictor(models or MODELS).predict(record, INDEX_DATE, outcomes, received_on=INDEX_DATE)
    return response.model_dump(mode="json")["outcomes"]


def codes(found: dict[str, Any]) -> list[str]:
    return [warning["code"] for warning in found["warnings"]]


def without_consent(record: dict[str, Any], source: str) -> dict[str, Any]:
    return record | {"consents": [row for row in record["consents"] if row["source"] != source]}


PHQ_9_ITEM_9 = {"instrument": "phq9", "item": "item_9", "answer": 1, "answered_on": INDEX_DATE.isoformat(),
                "known_from": INDEX_DATE.isoformat()}  # fmt: skip


@pytest.mark.parametrize("method", [Predictor.predict, Predictor.explain])
@pytest.mark.parametrize("source", ["", "survey", "employment"])
def test_a_safety_flag_comes_through_whatever_the_date_the_consents_and_the_eligibility(record, method, source):
    # Answered on the index date itself, which no model may see; without consent for surveys; not known as employed.
    record["survey_answers"].append(PHQ_9_ITEM_9)
    response = method(Predictor(MODELS), without_consent(record, source), INDEX_DATE, BOTH, received_on=INDEX_DATE)
    (flag,) = response.model_dump(mode="json")["safety_flags"]
    assert (flag["instrument"], flag["item"], flag["answered_on"]) == ("phq9", "item_9", INDEX_DATE.isoformat())
    assert flag["notice"]["code"] == "safety"
    assert set(flag) == {"instrument", "item", "answered_on", "notice"}, "the answer itself is not repeated"


def test_a_fault_in_another_row_does_not_hide_a_safety_flag(record):
    record["survey_answers"].append(PHQ_9_ITEM_9)
    record["absence_spells"].append({"spell_id": "x"})
    with pytest.raises(RecordViolation) as error:
        predict(record)
    document = problems.contract_violation(error.value.violations, error.value.safety_flags).document()
    (flag,) = document["safety_flags"]
    assert (flag["item"], flag["notice"]["code"]) == ("item_9", "safety")
    assert "safety_flags" not in problems.contract_violation(error.value.violations).document()


@pytest.mark.parametrize("method", [Predictor.predict, Predictor.explain])
def test_an_outcome_without_a_model_does_not_hide_a_safety_flag(record, method):
    record["survey_answers"].append(PHQ_9_ITEM_9)
    with pytest.raises(OutcomeNotServed) as error:
        method(Predictor({}), record, INDEX_DATE, BOTH, received_on=INDEX_DATE)
    assert [flag.item for flag in error.value.safety_flags] == ["item_9"]


def test_no_answer_about_a_person_can_be_built_without_saying_whether_there_is_a_safety_flag(record):
    response = Predictor(MODELS).predict(record, INDEX_DATE, BOTH, received_on=INDEX_DATE)
    assert response.safety_flags == ()
    for kind in (RiskResponse, ExplanationResponse):
        with pytest.raises(ValidationError, match="safety_flags"):
            kind(index_date=INDEX_DATE, outcomes={})


def test_the_number_of_the_file_path(record):
    t = day_number(INDEX_DATE)
    tables, violations = check_record(record, INDEX_DATE)
    assert violations == []
    histories = Histories.from_tables(tables, purpose="risk_scoring", consent_on=t)
    matrix = build_features(histories, t)
    found = predict(record)
    for name, model in MODELS.items():
        X = model.select(matrix)
        assert found[name]["risk"] == model.risks(X)[0]
        assert found[name]["interval"] == model.interval(X)[0].tolist()


def test_what_is_answered(record):
    found = predict(record)["burnout"]
    assert found["label"] == {"nb": OUTCOMES["burnout"].label_nb, "en": OUTCOMES["burnout"].label_en}
    assert found["reference_risk"] == 0.2
    assert found["band"]["name"] in {"lower", "around", "above", "well_above"}
    directions = [reason["direction"] for reason in found["reasons"]]
    assert directions.count("raises") <= 5
    assert directions.count("lowers") <= 3
    sizes = [abs(reason["contribution"]) for reason in found["reasons"]]
    assert sizes == sorted(sizes, reverse=True)
    assert found["model"] == {
        "name": "lightgbm",
        "version": "",
        "trained_on": {"first_index_date": "2022-01-01", "last_index_date": "2024-01-01"},
        "artifact_sha256": "",
        "synthetic": True,
    }
    assert codes(found) == []


def test_the_explanation_adds_up_to_the_risk(record):
    response = Predictor(MODELS).explain(record, INDEX_DATE, BOTH, received_on=INDEX_DATE)
    risks = predict(record)
    for name, found in response.outcomes.items():
        total = found.base + sum(reason.contribution for reason in found.reasons)
        assert abs(total - found.log_odds) < 1e-9
        assert abs(found.base + sum(domain.contribution for domain in found.domains) - found.log_odds) < 1e-9
        assert risk_of(np.array([found.log_odds]))[0] == found.risk == risks[name]["risk"]
        assert all(reason.contribution != 0 for reason in found.reasons if reason.missing)


def test_json_keeps_every_bit(record):
    response = Predictor(MODELS).predict(record, INDEX_DATE, BOTH, received_on=INDEX_DATE)
    again = json.loads(response.model_dump_json())
    assert {name: found["risk"] for name, found in again["outcomes"].items()} == {
        name: found.risk for name, found in response.outcomes.items()
    }


def test_only_the_outcomes_asked_for(record):
    assert list(predict(record, ("long_sick_leave",))) == ["long_sick_leave"]


def test_an_outcome_without_a_model(record):
    with pytest.raises(ArtifactError, match="No model of burnout"):
        predict(record, models={"long_sick_leave": linear_model()})


def test_a_broken_record_is_refused(record):
    record["person"]["sex"] = "x"
    with pytest.raises(RecordViolation) as error:
        predict(record)
    assert [(violation.origin, violation.column) for violation in error.value.violations] == [("record.person", "sex")]


def _leave(record):
    record["employments"][0]["end_date"] = "2025-11-01"


def _age(record):
    record["person"]["birth_year"] = 1950


def _refuse_all(record):
    record["consents"] = []


def _fall_ill(record):
    row = {"kind": "doctor_certified", "grade_percent": 100, "first_day": "2025-11-24", "known_from": "2025-11-25"}
    record["absence_spells"].append({"spell_id": "new", **row})


def _answer_high(record):
    for row in record["survey_answers"]:
        if row["instrument"] == "cbi":
            row["answer"] = 75


def _answer_nothing(record):
    record["survey_answers"] = []


@pytest.mark.parametrize(
    ("change", "outcome", "code"),
    [
        (_leave, "long_sick_leave", "not_employed"),
        (_leave, "burnout", "not_employed"),
        (_age, "burnout", "age_outside_18_70"),
        (_refuse_all, "long_sick_leave", "no_consent"),
        (_fall_ill, "long_sick_leave", "recently_absent"),
        (_answer_high, "burnout", "burnout_scale_high"),
        (_answer_nothing, "burnout", "no_burnout_survey"),
    ],
)
def test_no_number_where_the_model_does_not_apply(record, change, outcome, code):
    change(record)
    found = predict(record)[outcome]
    assert (found["risk"], found["interval"], found["band"], found["reasons"]) == (None, None, None, [])
    assert codes(found) == [code]
    explained = Predictor(MODELS).explain(record, INDEX_DATE, [outcome], received_on=INDEX_DATE).outcomes[outcome]
    assert (explained.log_odds, explained.base, explained.reasons, explained.domains) == (None, None, (), ())


def test_one_outcome_may_apply_and_another_not(record):
    _fall_ill(record)
    found = predict(record)
    assert found["long_sick_leave"]["risk"] is None
    assert found["burnout"]["risk"] is not None


def test_every_reason_of_every_outcome_has_words():
    assert {reason for outcome in OUTCOMES.values() for reason in outcome.reasons} == set(NOT_ELIGIBLE)


def test_a_source_without_consent_is_named_and_not_used(record):
    for source in ("lab", "absence"):
        found = predict(without_consent(record, source), ("long_sick_leave",))["long_sick_leave"]
        assert codes(found) == [f"no_consent_{source}"]
        assert found["risk"] is not None
    explained = Predictor(MODELS).explain(
        without_consent(record, "lab"), INDEX_DATE, ["long_sick_leave"], received_on=INDEX_DATE
    )
    labs = [reason for reason in explained.outcomes["long_sick_leave"].reasons if reason.feature == "systolic_bp"]
    assert [(reason.value, reason.without_consent) for reason in labs] == [(None, True)]


NOT_SENT = {
    "survey_answers": "not_sent_survey",
    "lab_results": "not_sent_lab",
    "absence_spells": "not_sent_absence",
    "employments": "not_sent_employment",
    "guidance_sessions": "not_sent_guidance",
    "workplace_events": "not_sent_workplace_events",
}


def left_out(record: dict[str, Any], table: str) -> list[dict[str, Any]]:
    return [{name: rows for name, rows in record.items() if name != table}, record | {table: None}]


@pytest.mark.parametrize("table", NOT_SENT)
def test_what_was_not_sent_is_unknown_and_the_answer_says_so(record, table):
    for sent in left_out(record, table):
        for found in predict(sent).values():
            assert codes(found).count(NOT_SENT[table]) == 1
            assert not {"no_survey", "stale_survey"} & set(codes(found))
    assert NOT_SENT[table] not in {code for found in predict(record | {table: []}).values() for code in codes(found)}


def test_a_source_that_was_not_sent_is_not_called_refused_or_nought(record):
    outcome = "long_sick_leave"
    explained = [
        Predictor(MODELS).explain(sent, INDEX_DATE, [outcome], received_on=INDEX_DATE).outcomes[outcome]
        for sent in (record | {"absence_spells": []}, left_out(record, "absence_spells")[0])
    ]
    empty, absent = ({reason.feature: reason for reason in one.reasons}["days_doctor_365"] for one in explained)
    assert (empty.value, empty.missing) == (0.0, False)
    assert (absent.value, absent.missing, absent.without_consent) == (None, True, False)
    assert absent.shown["en"] == "not known"
    assert explained[0].risk != explained[1].risk


def test_where_ongoing_absence_could_not_be_checked_the_warning_says_so(record):
    found = predict(left_out(record, "absence_spells")[0])
    told = {
        name: next(one["message"] for one in of["warnings"] if one["code"] == "not_sent_absence")
        for name, of in found.items()
    }
    assert "could not be checked whether the person is absent" in told["long_sick_leave"]["en"]
    assert "ikke kontrollert om personen alt er borte" in told["long_sick_leave"]["nb"]
    assert "checked" not in told["burnout"]["en"]


def test_what_has_no_consent_need_not_be_sent(record):
    for sent in left_out(without_consent(record, "lab"), "lab_results"):
        assert codes(predict(sent)["long_sick_leave"]) == ["no_consent_lab"]


def test_without_a_list_of_jobs_nobody_is_said_to_have_none(record):
    for sent in left_out(record, "employments"):
        found = predict(sent)["long_sick_leave"]
        assert found["risk"] is None
        assert codes(found) == ["not_employed", "not_sent_employment"]


def test_no_survey_and_an_old_one(record):
    old = copy.deepcopy(record)
    for row in old["survey_answers"]:
        row["answered_on"] = row["known_from"] = "2024-10-26"
    assert codes(predict(old)["long_sick_leave"]) == ["stale_survey"]
    for row in old["survey_answers"]:
        row["answered_on"] = row["known_from"] = "2024-10-27"
    assert codes(predict(old)["long_sick_leave"]) == []
    _answer_nothing(record)
    assert codes(predict(record)["long_sick_leave"]) == ["no_survey"]
    assert codes(predict(without_consent(record, "survey"))["long_sick_leave"]) == ["no_consent_survey"]


def test_outside_the_training_range(record):
    facts = {"training_range": {"age_years": [20, 45], "ldl": [0, 100]}}
    found = predict(record, ("long_sick_leave",), {"long_sick_leave": replace(linear_model(), facts=facts)})
    (warning,) = found["long_sick_leave"]["warnings"]
    assert warning["code"] == "outside_training_range"
    assert warning["message"]["nb"].endswith("mindre sikkert: Alder.")


def test_a_model_that_does_not_say_so_counts_as_synthetic(record):
    silent = {"long_sick_leave": replace(linear_model(), facts={})}
    real = {"long_sick_leave": replace(linear_model(), facts={"synthetic": False})}
    assert predict(record, ("long_sick_leave",), silent)["long_sick_leave"]["model"]["synthetic"]
    assert not predict(record, ("long_sick_leave",), real)["long_sick_leave"]["model"]["synthetic"]


def test_a_model_without_refits_has_no_interval(record):
    bare = {"long_sick_leave": replace(linear_model(), refits=())}
    assert predict(record, ("long_sick_leave",), bare)["long_sick_leave"]["interval"] is None


def test_promoted_models_are_opened(tmp_path, record):
    signing, verify = create_keys(tmp_path / "keys")
    with pytest.raises(ArtifactError, match="promote"):
        Predictor.from_bundles(tmp_path / "bundles", verify)
    save(linear_model(), tmp_path / "model")
    bundle = export_bundle(tmp_path / "model", tmp_path / "bundles", "long_sick_leave", "4", signing)
    move_current(tmp_path / "bundles", "long_sick_leave", bundle)
    predictor = Predictor.from_bundles(tmp_path / "bundles", verify)
    found = predictor.predict(record, INDEX_DATE, ["long_sick_leave"], INDEX_DATE).outcomes["long_sick_leave"]
    assert found.model.version == "4"
    assert found.risk == predict(record, ("long_sick_leave",))["long_sick_leave"]["risk"]


def test_scoring_needs_neither_the_training_stack_nor_data_frames():
    heavy = {"mlflow", "shap", "pandas", "sklearn", "pyarrow", "matplotlib", "great_expectations"}
    program = f"import sys, serving.predictor\nprint(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True)
    assert found.stdout == "[]\n", found.stderr
