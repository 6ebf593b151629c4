"""The kinds of planted faults, each with the rule of the contract that it breaks."""

from __future__ import annotations

from functools import cache

import numpy as np

from data_contracts.national_identity_number import is_national_identity_number
from data_contracts.time_windows import day_number
from pipeline.simulation.defects.changes import Kind, days, has_day, put, same
from pipeline.simulation.defects.laboratory import can_be_swapped, partners, swap_pressures, unit_error
from pipeline.simulation.rows import Rows

_NOBODY = "SYNTHETIC-P9999999"
_PICOMOLES_PER_MICROGRAM_OF_FERRITIN = 2.247  # 445 kDa; recalled
_MISTYPED_ANSWER = 999.0


@cache
def _synthetic_identity_number() -> str:
    """Return a number as Tenor gives to test persons (month + 80), which nobody has."""
    numbers = (f"178580{rest:05d}" for rest in range(100_000))
    return next(number for number in numbers if is_national_identity_number(number))


def _is_alone(rows: Rows) -> np.ndarray:
    """Spells' versions that were not delivered twice."""
    keys = np.stack([rows["spell_id"].codes, rows["known_from"]], axis=1)
    _, group, count = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    is_alone: np.ndarray = count[group] == 1
    return is_alone


KINDS: tuple[Kind, ...] = (
    Kind("birth_year_impossible", "persons", "birth_year", "bounds", put(birth_year=1880), adds_row=True),
    Kind("sex_unknown_code", "persons", "sex", "codes", put(sex="kvinne"), adds_row=True),
    Kind("position_over_100", "employments", "position_percent", "bounds", put(position_percent=150)),
    Kind("occupation_as_word", "employments", "occupation_code", "pattern", put(occupation_code="nurse")),
    Kind("end_before_start", "employments", "end_date", "end_date before start_date",
         put(end_date=days("start_date", -10)), has_day("end_date")),
    Kind("start_date_ambiguous", "employments", "start_date", "ambiguous date", word="03/04/2019"),
    Kind("withdrawn_before_given", "consents", "withdrawn_on", "withdrawn_on before given_on",
         put(withdrawn_on=days("given_on", -5)), adds_row=True,
         refused_too=lambda rows, chosen: same(rows, chosen, ("person_id", "source", "purpose")),
         rule_of_others=("source", "consent in doubt")),
    Kind("answer_mistyped", "survey_answers", "answer", "unknown answer code", put(answer=_MISTYPED_ANSWER),
         lambda rows: rows["instrument"].recode(dict.fromkeys(("cbi", "who5", "hscl10"), 1), 0) == 1),
    Kind("item_unknown", "survey_answers", "item", "unknown item", put(item="item_99")),
    Kind("answered_after_known", "survey_answers", "answered_on", "event after known_from",
         put(answered_on=days("known_from", 10))),
    Kind("answer_missing", "survey_answers", "answer", "required", put(answer=np.nan), in_fhir=False),
    Kind("answer_as_word", "survey_answers", "answer", "type", word="do not know", in_fhir=False),
    Kind("pressures_swapped", "lab_results", "value", "systolic not above diastolic", swap_pressures, can_be_swapped,
         refused_too=lambda rows, chosen: partners(rows)[chosen]),
    Kind("identity_number_as_pseudonym", "lab_results", "person_id", "national identity number",
         lambda rows, chosen: put(person_id=_synthetic_identity_number())(rows, chosen)),
    Kind("code_unknown", "lab_results", "code", "unknown code", put(code="NPU99999")),
    Kind("unit_of_another_code", "lab_results", "unit", "unit mismatch", put(unit="kg/L")),
    Kind("limits_swapped", "lab_results", "reference_low", "reference_low above reference_high",
         put(reference_low=lambda rows, chosen: rows["reference_high"][chosen],
             reference_high=lambda rows, chosen: rows["reference_low"][chosen]),
         lambda rows: rows["reference_low"] < rows["reference_high"]),
    unit_error("hba1c_percent", "hba1c", "NPU", "NPU03835", "%"),
    unit_error("glucose_mg_per_dl", "glucose", "LOINC", "2345-7", "mg/dL"),
    unit_error("haemoglobin_g_per_l", "haemoglobin", "NPU", "NPU28309", "g/L"),
    unit_error("cholesterol_mg_per_dl", "total_cholesterol", "LOINC", "2093-3", "mg/dL"),
    unit_error("creatinine_mg_per_dl", "creatinine", "LOINC", "2160-0", "mg/dL"),
    unit_error("vitamin_d_ng_per_ml", "vitamin_d", "LOINC", "62292-8", "ng/mL"),
    unit_error("ferritin_pmol_per_l", "ferritin", "", "", "pmol/L", _PICOMOLES_PER_MICROGRAM_OF_FERRITIN),
    unit_error("weight_pounds", "weight", "LOINC", "29463-7", "[lb_av]"),
    Kind("value_as_word", "lab_results", "value", "type", word="not measured", in_fhir=False),
    Kind("conflicting_versions", "absence_spells", "known_from", "conflicting versions",
         put(grade_percent=lambda rows, chosen: np.where(rows["grade_percent"][chosen] == 100, 50, 100)), _is_alone,
         adds_row=True, refused_too=lambda rows, chosen: chosen),
    Kind("end_before_first_day", "absence_spells", "last_day", "last_day before first_day",
         put(last_day=days("first_day", -3)), has_day("last_day")),
    Kind("begins_after_known", "absence_spells", "first_day", "event after known_from",
         put(first_day=days("known_from", 30), last_day=days("known_from", 35))),
    Kind("grade_zero", "absence_spells", "grade_percent", "bounds", put(grade_percent=0)),
    Kind("diagnosis_of_another_system", "absence_spells", "diagnosis", "diagnosis system", put(diagnosis="M54")),
    Kind("event_kind_unknown", "workplace_events", "kind", "codes", put(kind="merger")),
    Kind("event_after_known", "workplace_events", "occurred_on", "event after known_from",
         put(occurred_on=days("known_from", 60))),
    Kind("person_unknown", "guidance_sessions", "person_id", "person not in persons", put(person_id=_NOBODY)),
    Kind("known_in_the_future", "guidance_sessions", "known_from", "known_from in the future",
         put(known_from=day_number("2099-01-01"))),
    Kind("value_with_thousands", "lab_results", "value", "thousands separator", word="1 200", in_fhir=False),
)  # fmt: skip
"""Every kind, in the order in which they are drawn. Append only."""
