"""One block's rows as FHIR R4 resources, one per line as in a bulk export; docs/fhir.md says how they are read.

Education has no place in FHIR and is left out. Employments, workplace events and guidance sessions come as CSV beside it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

import pyarrow as pa

from data_contracts.fhir_codes import (
    ABSENCE_GRADE_SYSTEM,
    ABSENCE_KIND_SYSTEM,
    CONSENT_PURPOSE_SYSTEM,
    CONSENT_SOURCE_SYSTEM,
    PERSON_SYSTEM,
    UCUM,
)

Json = dict[str, Any]
Row = dict[str, Any]

FHIR_TABLES = ("persons", "lab_results", "survey_answers", "absence_spells", "consents")

_CODE_SYSTEMS = {"NPU": "urn:oid:2.16.578.1.12.4.1.1.7280", "LOINC": "http://loinc.org"}
_ICPC2 = "urn:oid:2.16.578.1.12.4.1.1.7170"
_CONSENT_SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"
_ENCOUNTER_CLASS = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "VR"}
_QUESTIONNAIRE = "https://example.org/Questionnaire/"


def fhir_lines(tables: dict[str, pa.Table]) -> tuple[list[str], dict[str, list[int]]]:
    """Return the resources as lines of text and, for each row of a table, the number of its line, from 1 on."""
    lines: list[str] = []
    line_of_row: dict[str, list[int]] = {}
    for table in FHIR_TABLES:
        numbers = line_of_row[table] = []
        for resource, n_rows in _WRITERS[table](tables[table].to_pylist()):
            lines.append(json.dumps(resource, separators=(",", ":")))
            numbers += [len(lines)] * n_rows
    return lines, line_of_row


Written = Iterator[tuple[Json, int]]
"""Resources, each with the number of rows that it stands for."""


def _patients(rows: list[Row]) -> Written:
    for row in rows:
        yield {
            "resourceType": "Patient", "id": row["person_id"], "meta": _meta(row),
            "identifier": [{"system": PERSON_SYSTEM, "value": row["person_id"]}],
            "birthDate": str(row["birth_year"]), "gender": row["sex"],
        }, 1  # fmt: skip


def _observations(rows: list[Row]) -> Written:
    for row in rows:
        value = _quantity(row["value"], row["unit"])
        if row["comparator"]:
            value["comparator"] = row["comparator"]
        limits = {
            side: _quantity(row[f"reference_{side}"], row["unit"])
            for side in ("low", "high")
            if row[f"reference_{side}"] is not None
        }
        yield {
            "resourceType": "Observation", "status": "final",
            "code": _concept(_CODE_SYSTEMS[row["code_system"]], row["code"]),
            "subject": _patient(row), "effectiveDateTime": row["sampled_on"].isoformat(),
            "issued": _noon(row["known_from"]), "performer": [{"reference": f"Organization/{row['laboratory']}"}],
            "valueQuantity": value,
        } | ({"referenceRange": [limits]} if limits else {}), 1  # fmt: skip


def _responses(rows: list[Row]) -> Written:
    """Yield one resource per sheet: the answers of one person to one questionnaire, which stand next to each other."""
    sheet = ("person_id", "instrument", "answered_on", "known_from")
    for _, found in groupby(rows, key=lambda row: tuple(row[name] for name in sheet)):
        answers = list(found)
        yield {
            "resourceType": "QuestionnaireResponse", "status": "completed", "meta": _meta(answers[0]),
            "questionnaire": _QUESTIONNAIRE + answers[0]["instrument"], "subject": _patient(answers[0]),
            "authored": answers[0]["answered_on"].isoformat(),
            "item": [{"linkId": row["item"], "answer": [_answer(row["answer"])]} for row in answers],
        }, len(answers)  # fmt: skip


def _answer(value: float) -> Json:
    return {"valueInteger": int(value)} if value.is_integer() else {"valueDecimal": value}


def _absences(rows: list[Row]) -> Written:
    """Yield an Encounter per version of a spell, and before the first of each diagnosis the Condition that it names."""
    named: set[str] = set()
    for row in rows:
        condition = f"{row['spell_id']}-{row['diagnosis']}"
        if row["diagnosis"] and condition not in named:
            named.add(condition)
            yield {
                "resourceType": "Condition", "id": condition, "subject": _patient(row),
                "code": _concept(_ICPC2, row["diagnosis"]),
            }, 0  # fmt: skip
        yield _encounter(row, condition if row["diagnosis"] else None), 1


def _encounter(row: Row, condition: str | None) -> Json:
    period = {"start": row["first_day"].isoformat()}
    if row["last_day"]:
        period["end"] = row["last_day"].isoformat()
    status = "entered-in-error" if row["is_deleted"] else "finished" if row["last_day"] else "in-progress"
    return {
        "resourceType": "Encounter", "id": row["spell_id"], "meta": _meta(row), "status": status,
        "class": _ENCOUNTER_CLASS, "identifier": [{"value": row["spell_id"]}],
        "type": [
            _concept(ABSENCE_KIND_SYSTEM, row["kind"]), _concept(ABSENCE_GRADE_SYSTEM, str(row["grade_percent"])),
        ],
        "subject": _patient(row), "period": period,
    } | ({"diagnosis": [{"condition": {"reference": f"Condition/{condition}"}}]} if condition else {})  # fmt: skip


def _consents(rows: list[Row]) -> Written:
    for row in rows:
        period, known = {"start": row["given_on"].isoformat()}, row["known_from"].isoformat()
        if row["withdrawn_on"]:
            period["end"] = row["withdrawn_on"].isoformat()
        yield {
            "resourceType": "Consent", "status": "inactive" if row["withdrawn_on"] else "active", "meta": _meta(row),
            "scope": _concept(_CONSENT_SCOPE, "patient-privacy"),
            "category": [_concept(CONSENT_SOURCE_SYSTEM, row["source"])], "patient": _patient(row), "dateTime": known,
            "provision": {
                "type": "permit", "period": period,
                "purpose": [{"system": CONSENT_PURPOSE_SYSTEM, "code": row["purpose"]}],
            },
        }, 1  # fmt: skip


def _concept(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}]}


def _quantity(value: float, unit: str) -> Json:
    return {"value": int(value) if value.is_integer() else value, "unit": unit, "system": UCUM, "code": unit}


def _patient(row: Row) -> Json:
    return {"reference": f"Patient/{row['person_id']}"}


def _meta(row: Row) -> Json:
    return {"lastUpdated": _noon(row["known_from"])}


def _noon(day: Any) -> str:
    """Return noon of a day as a moment that lies on it in Oslo in summer and in winter."""
    return f"{day.isoformat()}T12:00:00+01:00"


_WRITERS: dict[str, Callable[[list[Row]], Written]] = {
    "persons": _patients,
    "lab_results": _observations,
    "survey_answers": _responses,
    "absence_spells": _absences,
    "consents": _consents,
}
