"""What is known of a person by domain: values beside their limits, what is stale, what is missing, and never a risk."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from data_contracts.domains import DOMAIN_LABELS
from features.record import RecordViolation
from models.risk_model import RiskModel
from serving.handlers.profile import basis, profile
from serving.handlers.profile_bodies import Percentile, ProfileRequest, ProfileResponse, ProfileValue
from serving.predictor import Predictor
from serving.responses import Texts
from tests.lib.calls import call
from tests.lib.models import linear_model
from tests.lib.records import answers, job, lab, person, record_of, rows_of

REQUEST = json.loads((Path(__file__).parents[2] / "examples" / "request.json").read_text())
T = date(2026, 3, 1)
HBA1C = "NPU27300"


def profiled(record: dict[str, Any], day: date = T, predictor: Predictor | None = None) -> ProfileResponse:
    body = ProfileRequest(index_date=day.isoformat(), record=record)
    return profile(call(body, predictor, day))


def of(*, lab_results: Any = (), survey_answers: Any = (), **others: Any) -> dict[str, ProfileValue]:
    rows = rows_of(lab_results=lab_results, survey_answers=survey_answers, employments=[job()], **others)
    return {one.name: one for domain in profiled(record_of(rows)).domains for one in domain.values}


def test_the_example_record_gives_every_scale_in_its_domain_and_no_model_is_asked():
    found = profiled(REQUEST["record"], date.fromisoformat(REQUEST["index_date"]))
    assert [one.domain for one in found.domains] == list(DOMAIN_LABELS)
    values = {one.name: (domain.domain, one) for domain in found.domains for one in domain.values}
    domain, who5 = values["who5_wellbeing"]
    assert (domain, who5.value, who5.shown.nb, who5.cutoff) == ("mental_health", 52, "52 poeng", "high")
    assert (who5.higher_is, who5.modifiable, who5.stale) == ("better", True, False)
    assert "risk" not in {name for name in json.loads(found.model_dump_json()) if name != "consents"}


def test_a_measurement_stands_beside_the_laboratorys_own_interval_in_the_canonical_unit():
    one = of(lab_results=[lab(HBA1C, 48, "mmol/mol", "2026-01-10", reference_low=20, reference_high=42)])["hba1c"]
    assert one.interval is not None
    assert (one.interval.low, one.interval.high, one.interval.source) == (20, 42, "laboratory")
    assert (one.position, one.value, one.unit, one.trend) == ("above", 48, "mmol/mol", None)


def test_the_interval_is_that_of_the_result_that_counts_and_not_of_a_bound_known_later():
    other = lab("59261-8", 50, "mmol/mol", "2026-01-10", code_system="LOINC", comparator="<", known_from="2026-01-12",
                reference_low=10, reference_high=90)  # fmt: skip
    own = lab(HBA1C, 48, "mmol/mol", "2026-01-10", reference_low=20, reference_high=42)
    one = of(lab_results=[own, other])["hba1c"]
    assert (one.value, one.comparator) == (48, None)
    assert one.interval is not None
    assert (one.interval.high, one.interval.source) == (42, "laboratory")


def test_without_the_laboratorys_interval_there_is_the_published_one_for_sex_and_age():
    one = of(lab_results=[lab(HBA1C, 35, "mmol/mol", "2026-01-10")])["hba1c"]
    assert one.interval is not None
    assert (one.interval.source, one.position) == ("fallback", "inside")


def test_the_trend_is_to_the_value_before_and_a_corrected_value_is_none():
    rows = [lab(HBA1C, 40, "mmol/mol", "2025-01-10"), lab(HBA1C, 39, "mmol/mol", "2025-01-10", known_from="2025-01-20"),
            lab(HBA1C, 42, "mmol/mol", "2026-01-10")]  # fmt: skip
    trend = of(lab_results=rows)["hba1c"].trend
    assert trend is not None
    assert (trend.previous, trend.change, trend.observed_on) == (39, 3, date(2025, 1, 10))


def test_a_bound_is_told_as_a_bound_and_has_no_trend():
    exact = [lab(HBA1C, 40, "mmol/mol", "2024-01-10"), lab(HBA1C, 41, "mmol/mol", "2025-01-10")]
    rows = [*exact, lab(HBA1C, 20, "mmol/mol", "2026-01-10", comparator="<")]
    one = of(lab_results=rows)["hba1c"]
    assert (one.comparator, one.shown.nb[:2], one.trend) == ("<", "< ", None)


def test_scores_have_a_trend_and_what_is_too_old_is_called_stale():
    survey = [*answers("who5", [3, 3, 3, 3, 3], "2023-10-01"), *answers("who5", [2, 2, 2, 2, 2], "2024-10-01")]
    one = of(survey_answers=survey)["who5_wellbeing"]
    assert one.trend is not None
    assert (one.value, one.trend.previous, one.trend.change) == (40, 60, -20)
    assert (one.stale, one.days_old, one.valid_days) == (True, 516, 400)


@pytest.mark.parametrize(("sex", "expected"), [("female", [0, 3, 8]), ("male", [0, 4, 8])])
def test_published_ranges_are_those_of_the_persons_sex(sex, expected):
    survey = answers("audit_c", [1, 1, 1], "2026-01-10")
    one = of(persons=[person(sex=sex)], survey_answers=survey)["audit_c_alcohol"]
    assert [cutoff.lowest for cutoff in one.cutoffs] == expected


def test_what_is_not_known_yet_is_not_there():
    assert "hba1c" not in of(lab_results=[lab(HBA1C, 48, "mmol/mol", "2026-02-20", known_from="2026-03-01")])


def test_a_score_has_a_percentile_of_the_persons_sex_or_says_why_there_is_none_and_how_reliable_it_is():
    survey = [*answers("oss3", [4, 5, 5], "2026-01-10"), *answers("who5", [3, 3, 3, 3, 3], "2026-01-10")]
    found = of(persons=[person(sex="male")], survey_answers=survey)
    support, wellbeing = found["oss3_social_support"], found["who5_wellbeing"]
    assert support.percentile is not None
    assert support.percentile.norm is not None
    assert support.reliability is not None
    assert (support.percentile.value, support.percentile.kind, support.percentile.norm.sex) == (95, "published", "male")
    assert (support.reliability.alpha, support.reliability.smallest_real_change) == (
        0.64,
        pytest.approx(3.825, abs=0.001),
    )
    assert support.reliability.sd_of == support.percentile.norm.population
    assert wellbeing.percentile is not None
    assert (wellbeing.percentile.value, wellbeing.percentile.why_not, wellbeing.percentile.norm) == (
        None,
        "no_model",
        None,
    )
    assert wellbeing.reliability is None


def model_with(norms: dict[str, Any] | None, outcome: str = "long_sick_leave", **facts: Any) -> RiskModel:
    model = linear_model(outcome, n_refits=1)
    told = {} if norms is None else {"scale_norms": {"fewest_persons": 100, "deciles": norms}}
    return replace(model, facts={**model.facts, **told, **facts})


def wellbeing_of(*models: RiskModel, **about: Any) -> Percentile:
    """A woman of 46 with a WHO-5 of 60, unless told otherwise."""
    survey = answers("who5", [3, 3, 3, 3, 3], "2026-01-10")
    who = person(**{"sex": "female", "birth_year": 1980, **about})
    rows = rows_of(persons=[who], survey_answers=survey, employments=[job()])
    found = profiled(record_of(rows), predictor=Predictor({one.outcome: one for one in models}))
    (one,) = [one for domain in found.domains for one in domain.values if one.name == "who5_wellbeing"]
    assert one.percentile is not None
    return one.percentile


DECILES = {
    "female_45_59": {"who5_wellbeing": "20 30 40 60 60 60 70 80 90", "oss3_social_support": " ".join(["50"] * 9)}
}


def test_with_a_model_in_service_a_score_is_a_percentile_of_like_sex_and_age_in_the_programme():
    # Three deciles lie below 60, six do not lie above it: between 30 and 60, so 50.
    found = wellbeing_of(model_with(DECILES))
    assert (found.value, found.why_not, found.kind, found.synthetic) == (50, None, "programme", True)
    assert found.population == Texts(
        nb="SYNTHETIC · kvinner på 45–59 år i programmet", en="SYNTHETIC · women aged 45–59 in the programme"
    )
    real = wellbeing_of(model_with(DECILES, synthetic=False))
    assert real.population is not None
    assert (real.synthetic, real.population.en) == (False, "women aged 45–59 in the programme")


def test_the_programmes_own_goes_before_a_published_norm_that_does_not_know_the_age():
    survey = answers("oss3", [4, 5, 4], "2026-01-10")
    rows = rows_of(persons=[person(sex="female", birth_year=1980)], survey_answers=survey, employments=[job()])
    for norms, expected in ((DECILES, (95, "programme")), ({}, (85, "published"))):
        found = profiled(record_of(rows), predictor=Predictor({"long_sick_leave": model_with(norms)}))
        (one,) = [one for domain in found.domains for one in domain.values if one.kind == "scale"]
        assert one.percentile is not None
        assert (one.percentile.value, one.percentile.kind) == expected
        assert one.percentile.norm is not None


@pytest.mark.parametrize(
    ("norms", "about", "why_not"),
    [
        (None, {}, "no_norm"),
        ({}, {}, "too_few"),
        (DECILES, {"birth_year": 1990}, "too_few"),
        (DECILES, {"sex": "male"}, "too_few"),
        (DECILES, {"birth_year": 1950}, "outside_ages"),
    ],
)
def test_without_enough_like_persons_there_is_none_and_it_says_why(norms, about, why_not):
    found = wellbeing_of(model_with(norms), **about)
    assert (found.value, found.why_not, found.kind, found.population) == (None, why_not, None, None)


def test_the_audit_log_names_the_model_that_is_compared_with_long_sick_leave_first():
    other = {"female_45_59": {"who5_wellbeing": " ".join(["0"] * 9)}}
    models = model_with(other, "burnout"), model_with(DECILES)
    assert wellbeing_of(*models).value == 50
    assert wellbeing_of(models[0], model_with(None)).value == 95
    asked = replace(call(None, Predictor({one.outcome: one for one in models}), T), sent="abc")
    (named,), sent = basis(asked)
    assert (named.split(":")[0], sent) == ("long_sick_leave", "abc")
    assert basis(call(None, None, T)) == ((), "")


def test_a_domain_has_a_score_of_what_counts_the_index_needs_several_and_it_says_that_it_is_no_risk():
    rows = rows_of(employments=[job()], survey_answers=answers("who5", [3, 3, 3, 3, 3], "2026-01-10"))
    found = profiled(record_of(rows))
    scores = {one.domain: (one.score, one.score_of) for one in found.domains if one.score is not None}
    assert scores == {"mental_health": (60, ("who5_wellbeing",))}
    assert (found.index.value, found.index.domains, found.index.fewest_domains) == (None, 1, 4)
    assert "not a risk" in found.statement.en
    whole = profiled(REQUEST["record"], date.fromisoformat(REQUEST["index_date"]))
    assert whole.index.value == pytest.approx(sum(one.score or 0 for one in whole.domains) / whole.index.domains)


def missing(record: dict[str, Any]) -> dict[str, str]:
    return {one.name: one.reason for domain in profiled(record).domains for one in domain.missing}


def test_what_is_missing_says_why():
    rows = rows_of(employments=[job()], lab_results=[lab(HBA1C, 48, "mmol/mol", "2026-01-10")])
    record = record_of(rows)
    assert {missing(record)[name] for name in ("who5_wellbeing", "total_cholesterol")} == {"not_observed"}
    del record["survey_answers"]
    assert missing(record)["who5_wellbeing"] == "not_sent"
    record["consents"] = [row for row in record["consents"] if row["source"] != "lab"]
    assert missing(record)["hba1c"] == "no_consent"


def test_without_consent_no_value_of_the_source_is_shown():
    record = copy.deepcopy(REQUEST["record"])
    record["consents"] = [row for row in record["consents"] if row["source"] != "survey"]
    found = profiled(record, date.fromisoformat(REQUEST["index_date"]))
    assert found.consents == {"survey": False, "lab": True, "absence": True, "employment": True}
    assert {one.kind for domain in found.domains for one in domain.values} <= {"measurement"}


def test_a_safety_flag_is_carried_and_a_broken_record_is_refused():
    record = copy.deepcopy(REQUEST["record"])
    day = REQUEST["index_date"]
    record["survey_answers"].append(
        {"instrument": "phq9", "item": "item_9", "answer": 1, "answered_on": day, "known_from": day}
    )
    assert [one.item for one in profiled(record, date.fromisoformat(day)).safety_flags] == ["item_9"]
    record["absence_spells"] = [{"spell_id": "x"}]
    with pytest.raises(RecordViolation):
        profiled(record, date.fromisoformat(day))


def test_the_schemas_are_valid():
    for model in (ProfileRequest, ProfileResponse):
        Draft202012Validator.check_schema(model.model_json_schema())
