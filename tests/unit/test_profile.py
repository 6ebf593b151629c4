"""What is known of a person by domain: values beside their limits, what is stale, what is missing, and never a risk."""

from __future__ import annotations

import copy
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from data_contracts.domains import DOMAIN_LABELS
from features.record import RecordViolation
from serving.handlers.profile import profile
from serving.handlers.profile_bodies import ProfileRequest, ProfileResponse, ProfileValue
from tests.lib.calls import call
from tests.lib.records import answers, job, lab, person, record_of, rows_of

REQUEST = json.loads((Path(__file__).parents[2] / "examples" / "request.json").read_text())
T = date(2026, 3, 1)
HBA1C = "NPU27300"


def profiled(record: dict[str, Any], day: date = T) -> ProfileResponse:
    body = ProfileRequest(index_date=day.isoformat(), record=record)
    return profile(call(body, None, day))


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
    assert (support.percentile.value, support.percentile.norm.sex) == (pytest.approx(93.03, abs=0.01), "male")
    assert (support.reliability.alpha, support.reliability.smallest_real_change) == (
        0.64,
        pytest.approx(3.825, abs=0.001),
    )
    assert support.reliability.sd_of == support.percentile.norm.population
    assert wellbeing.percentile is not None
    assert (wellbeing.percentile.value, wellbeing.percentile.why_not, wellbeing.percentile.norm) == (
        None,
        "no_norm",
        None,
    )
    assert wellbeing.reliability is None


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
